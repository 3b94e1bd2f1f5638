-- +goose Up
-- Rows that servers keep for a moment (internal/store/kept.go): who changes one tells the others.
CREATE TRIGGER kept_changed AFTER UPDATE OF email, handle, name, pronouns, title, about, avatar_url, time_zone, expertise, interests, shows_presence, suspended_until, avatar_file_id ON "members" FOR EACH ROW EXECUTE FUNCTION access_changed('id');
CREATE TRIGGER kept_changed AFTER UPDATE OR DELETE ON "organizations" FOR EACH ROW EXECUTE FUNCTION access_changed('id');
CREATE TRIGGER kept_changed AFTER UPDATE OR DELETE ON "teams" FOR EACH ROW EXECUTE FUNCTION access_changed('id');
CREATE TRIGGER kept_changed AFTER UPDATE OR DELETE ON "offerings" FOR EACH ROW EXECUTE FUNCTION access_changed('id');
CREATE TRIGGER kept_changed AFTER UPDATE OR DELETE ON "programs" FOR EACH ROW EXECUTE FUNCTION access_changed('id');

-- +goose Down
DROP TRIGGER kept_changed ON "programs";
DROP TRIGGER kept_changed ON "offerings";
DROP TRIGGER kept_changed ON "teams";
DROP TRIGGER kept_changed ON "organizations";
DROP TRIGGER kept_changed ON "members";

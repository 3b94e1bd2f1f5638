-- +goose Up
-- Who no longer writes an application follows it no longer.
CREATE TRIGGER access_changed AFTER UPDATE OF application_id, member_id OR DELETE ON "application_editors" FOR EACH ROW EXECUTE FUNCTION access_changed('member_id');

-- +goose Down
DROP TRIGGER access_changed ON "application_editors";

-- +goose Up
-- For a moment it is remembered that somebody holds no role: who is given one is told of, as who loses one is.
CREATE TRIGGER access_given AFTER INSERT ON "role_assignments" FOR EACH ROW EXECUTE FUNCTION access_narrowed('member_id');

-- +goose Down
DROP TRIGGER access_given ON "role_assignments";

-- +goose Up
-- For a moment it is remembered that somebody holds no role: who is given one is told of, as who loses one is.
-- +goose StatementBegin
CREATE TRIGGER access_made_role_assignments AFTER INSERT ON `role_assignments` BEGIN
  INSERT INTO access_changes (subject) VALUES (new.member_id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER access_made_role_assignments;

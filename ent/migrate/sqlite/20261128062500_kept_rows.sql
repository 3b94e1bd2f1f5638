-- +goose Up
-- Rows that servers keep for a moment (internal/store/kept.go): who changes one tells the others.
-- +goose StatementBegin
CREATE TRIGGER kept_changed_members AFTER UPDATE OF `email`, `handle`, `name`, `pronouns`, `title`, `about`, `avatar_url`, `time_zone`, `expertise`, `interests`, `shows_presence`, `suspended_until`, `avatar_file_id` ON `members` BEGIN
  INSERT INTO access_changes (subject) VALUES (new.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER kept_changed_organizations AFTER UPDATE ON `organizations` BEGIN
  INSERT INTO access_changes (subject) VALUES (new.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER kept_changed_teams AFTER UPDATE ON `teams` BEGIN
  INSERT INTO access_changes (subject) VALUES (new.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER kept_changed_offerings AFTER UPDATE ON `offerings` BEGIN
  INSERT INTO access_changes (subject) VALUES (new.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER kept_changed_programs AFTER UPDATE ON `programs` BEGIN
  INSERT INTO access_changes (subject) VALUES (new.id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER kept_changed_programs;
DROP TRIGGER kept_changed_offerings;
DROP TRIGGER kept_changed_teams;
DROP TRIGGER kept_changed_organizations;
DROP TRIGGER kept_changed_members;

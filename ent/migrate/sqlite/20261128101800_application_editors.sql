-- +goose Up
-- Who no longer writes an application follows it no longer.
-- +goose StatementBegin
CREATE TRIGGER access_changed_application_editors AFTER UPDATE OF application_id, member_id ON `application_editors` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.member_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_deleted_application_editors AFTER DELETE ON `application_editors` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.member_id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER access_deleted_application_editors;
DROP TRIGGER access_changed_application_editors;

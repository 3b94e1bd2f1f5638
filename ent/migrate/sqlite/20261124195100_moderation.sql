-- +goose Up
-- The column is added by itself: making the table anew would drop its triggers.
ALTER TABLE `posts` ADD COLUMN `hidden_body` text NOT NULL DEFAULT '';
-- Whom a member does not want to hear from decides what they are sent, as their access does.
-- +goose StatementBegin
CREATE TRIGGER access_made_blocks AFTER INSERT ON `blocks` BEGIN
  INSERT INTO access_changes (subject) VALUES (new.member_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_deleted_blocks AFTER DELETE ON `blocks` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.member_id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER access_deleted_blocks;
DROP TRIGGER access_made_blocks;
ALTER TABLE `posts` DROP COLUMN `hidden_body`;

-- +goose Up
-- add column "turns_at" to table: "calls"
ALTER TABLE `calls` ADD COLUMN `turns_at` datetime NULL;
UPDATE `calls` SET `turns_at` = `opens_at` WHERE `published_at` IS NOT NULL;
-- create index "call_turns_at" to table: "calls"
CREATE INDEX `call_turns_at` ON `calls` (`turns_at`) WHERE turns_at IS NOT NULL;
-- Who follows a call that is deleted follows it no longer.
-- +goose StatementBegin
CREATE TRIGGER access_deleted_calls AFTER DELETE ON `calls` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER access_deleted_calls;
DROP INDEX `call_turns_at`;
ALTER TABLE `calls` DROP COLUMN `turns_at`;

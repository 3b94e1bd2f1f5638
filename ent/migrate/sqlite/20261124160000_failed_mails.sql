-- +goose Up
-- add column "failed_at" to table: "mails"
ALTER TABLE `mails` ADD COLUMN `failed_at` datetime NULL;

-- +goose Down
-- reverse: add column "failed_at" to table: "mails"
ALTER TABLE `mails` DROP COLUMN `failed_at`;

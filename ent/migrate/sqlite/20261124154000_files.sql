-- +goose Up
-- create "files" table
CREATE TABLE `files` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `purpose` text NOT NULL, `name` text NOT NULL, `media_type` text NOT NULL, `size` integer NOT NULL, `hash` blob NOT NULL, `attached_at` datetime NULL, `deleted_at` datetime NULL, `owner_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `files_members_owner` FOREIGN KEY (`owner_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "file_owner_id_id" to table: "files"
CREATE INDEX `file_owner_id_id` ON `files` (`owner_id`, `id`);
-- create index "file_unattached" to table: "files"
CREATE INDEX `file_unattached` ON `files` (`created_at`) WHERE attached_at IS NULL;
-- create index "file_deleted_at" to table: "files"
CREATE INDEX `file_deleted_at` ON `files` (`deleted_at`) WHERE deleted_at IS NOT NULL;
-- add columns to table: "members"
ALTER TABLE `members` ADD COLUMN `suspended_until` datetime NULL;
ALTER TABLE `members` ADD COLUMN `avatar_file_id` blob NULL;
-- A column with its reference is added in place: a table that is made anew loses the rows that refer to it.
ALTER TABLE `resources` ADD COLUMN `file_id` blob NULL CONSTRAINT `resources_files_file` REFERENCES `files` (`id`) ON DELETE RESTRICT;
ALTER TABLE `resource_versions` ADD COLUMN `file_id` blob NULL CONSTRAINT `resource_versions_files_file` REFERENCES `files` (`id`) ON DELETE RESTRICT;

-- +goose Down
ALTER TABLE `resource_versions` DROP COLUMN `file_id`;
ALTER TABLE `resources` DROP COLUMN `file_id`;
ALTER TABLE `members` DROP COLUMN `avatar_file_id`;
ALTER TABLE `members` DROP COLUMN `suspended_until`;
DROP INDEX `file_deleted_at`;
DROP INDEX `file_unattached`;
DROP INDEX `file_owner_id_id`;
DROP TABLE `files`;

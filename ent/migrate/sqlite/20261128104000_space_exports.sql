-- +goose Up
-- Columns are added by themselves: making a table anew would drop its triggers.
ALTER TABLE `drafts` ADD COLUMN `kind` text NOT NULL DEFAULT '';
ALTER TABLE `drafts` ADD COLUMN `tags` json NULL;
ALTER TABLE `drafts` ADD COLUMN `attachments` json NULL;
ALTER TABLE `draft_versions` ADD COLUMN `kind` text NOT NULL DEFAULT '';
ALTER TABLE `draft_versions` ADD COLUMN `tags` json NULL;
ALTER TABLE `draft_versions` ADD COLUMN `attachments` json NULL;
-- create "draft_attachments" table
CREATE TABLE `draft_attachments` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `draft_id` blob NOT NULL, `file_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `draft_attachments_drafts_draft` FOREIGN KEY (`draft_id`) REFERENCES `drafts` (`id`) ON DELETE RESTRICT, CONSTRAINT `draft_attachments_files_file` FOREIGN KEY (`file_id`) REFERENCES `files` (`id`) ON DELETE RESTRICT);
-- create index "draftattachment_draft_id_file_id" to table: "draft_attachments"
CREATE UNIQUE INDEX `draftattachment_draft_id_file_id` ON `draft_attachments` (`draft_id`, `file_id`);
-- create index "draftattachment_file_id" to table: "draft_attachments"
CREATE INDEX `draftattachment_file_id` ON `draft_attachments` (`file_id`);
-- create "space_exports" table
CREATE TABLE `space_exports` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `next_at` datetime NULL, `attempts` integer NOT NULL DEFAULT (0), `posts` integer NOT NULL DEFAULT (0), `size` integer NOT NULL DEFAULT (0), `finished_at` datetime NULL, `failed_at` datetime NULL, `space_id` blob NOT NULL, `requester_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `space_exports_spaces_space` FOREIGN KEY (`space_id`) REFERENCES `spaces` (`id`) ON DELETE RESTRICT, CONSTRAINT `space_exports_members_requester` FOREIGN KEY (`requester_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "spaceexport_space_id_id" to table: "space_exports"
CREATE INDEX `spaceexport_space_id_id` ON `space_exports` (`space_id`, `id`);
-- create index "spaceexport_requester_id" to table: "space_exports"
CREATE INDEX `spaceexport_requester_id` ON `space_exports` (`requester_id`);
-- create index "spaceexport_created_at" to table: "space_exports"
CREATE INDEX `spaceexport_created_at` ON `space_exports` (`created_at`);
-- create index "space_export_open" to table: "space_exports"
CREATE UNIQUE INDEX `space_export_open` ON `space_exports` (`space_id`) WHERE next_at IS NOT NULL;
-- create index "space_export_due" to table: "space_exports"
CREATE INDEX `space_export_due` ON `space_exports` (`next_at`) WHERE next_at IS NOT NULL;

-- +goose Down
DROP TABLE `space_exports`;
DROP TABLE `draft_attachments`;
ALTER TABLE `draft_versions` DROP COLUMN `attachments`;
ALTER TABLE `draft_versions` DROP COLUMN `tags`;
ALTER TABLE `draft_versions` DROP COLUMN `kind`;
ALTER TABLE `drafts` DROP COLUMN `attachments`;
ALTER TABLE `drafts` DROP COLUMN `tags`;
ALTER TABLE `drafts` DROP COLUMN `kind`;

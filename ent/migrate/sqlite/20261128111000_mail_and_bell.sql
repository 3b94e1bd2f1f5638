-- +goose Up
-- add column "retried_at" to table: "mails"
ALTER TABLE `mails` ADD COLUMN `retried_at` datetime NULL;
-- create index "mail_failed" to table: "mails"
CREATE INDEX `mail_failed` ON `mails` (`id`) WHERE failed_at IS NOT NULL;
-- add columns of bounces to table: "members"
ALTER TABLE `members` ADD COLUMN `mail_refusals` integer NOT NULL DEFAULT (0);
ALTER TABLE `members` ADD COLUMN `mail_refused_at` datetime NULL;
ALTER TABLE `members` ADD COLUMN `mail_bouncing_at` datetime NULL;
-- add column "duty" to table: "notifications"
ALTER TABLE `notifications` ADD COLUMN `duty` bool NOT NULL DEFAULT (false);
-- create index "notification_group" to table: "notifications"
CREATE INDEX `notification_group` ON `notifications` (`recipient_id`, `thread_id`, `id`);

-- +goose Down
-- reverse: create index "notification_group" to table: "notifications"
DROP INDEX `notification_group`;
-- reverse: add column "duty" to table: "notifications"
ALTER TABLE `notifications` DROP COLUMN `duty`;
-- reverse: add columns of bounces to table: "members"
ALTER TABLE `members` DROP COLUMN `mail_bouncing_at`;
ALTER TABLE `members` DROP COLUMN `mail_refused_at`;
ALTER TABLE `members` DROP COLUMN `mail_refusals`;
-- reverse: create index "mail_failed" to table: "mails"
DROP INDEX `mail_failed`;
-- reverse: add column "retried_at" to table: "mails"
ALTER TABLE `mails` DROP COLUMN `retried_at`;

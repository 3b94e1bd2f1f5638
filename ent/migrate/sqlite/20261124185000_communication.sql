-- +goose Up
-- Columns are added one by one: making the tables anew would drop their triggers.
ALTER TABLE `members` ADD COLUMN `interests` json NULL;
ALTER TABLE `members` ADD COLUMN `shows_presence` bool NOT NULL DEFAULT true;
ALTER TABLE `threads` ADD COLUMN `kind` text NOT NULL DEFAULT 'DISCUSSION';
ALTER TABLE `threads` ADD COLUMN `accepted_post_id` blob NULL;
ALTER TABLE `threads` ADD COLUMN `merged_into_id` blob NULL;
ALTER TABLE `posts` ADD COLUMN `quote` text NOT NULL DEFAULT '';
ALTER TABLE `posts` ADD COLUMN `hidden_at` datetime NULL;
ALTER TABLE `posts` ADD COLUMN `hidden_by_id` blob NULL;
ALTER TABLE `posts` ADD COLUMN `hidden_reason` text NOT NULL DEFAULT '';
ALTER TABLE `posts` ADD COLUMN `moved_to_id` blob NULL;
ALTER TABLE `notifications` ADD COLUMN `mentions` bool NOT NULL DEFAULT false;
ALTER TABLE `notifications` ADD COLUMN `mail_due_at` datetime NULL;
ALTER TABLE `notifications` ADD COLUMN `mailed_at` datetime NULL;
-- create index "notification_mail_due" to table: "notifications"
CREATE INDEX `notification_mail_due` ON `notifications` (`mail_due_at`, `recipient_id`) WHERE mail_due_at IS NOT NULL;
-- create index "thread_space_id_kind_last_activity_at_id" to table: "threads"
CREATE INDEX `thread_space_id_kind_last_activity_at_id` ON `threads` (`space_id`, `kind`, `last_activity_at` DESC, `id` DESC);
-- create "blocks" table
CREATE TABLE `blocks` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `kind` text NOT NULL, `member_id` blob NOT NULL, `blocked_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `blocks_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `blocks_members_blocked` FOREIGN KEY (`blocked_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "block_member_id_blocked_id" to table: "blocks"
CREATE UNIQUE INDEX `block_member_id_blocked_id` ON `blocks` (`member_id`, `blocked_id`);
-- create index "block_blocked_id_member_id" to table: "blocks"
CREATE INDEX `block_blocked_id_member_id` ON `blocks` (`blocked_id`, `member_id`);
-- create "bookmarks" table
CREATE TABLE `bookmarks` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `note` text NOT NULL DEFAULT (''), `remind_at` datetime NULL, `reminded_at` datetime NULL, `member_id` blob NOT NULL, `post_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `bookmarks_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `bookmarks_posts_post` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT);
-- create index "bookmark_member_id_post_id" to table: "bookmarks"
CREATE UNIQUE INDEX `bookmark_member_id_post_id` ON `bookmarks` (`member_id`, `post_id`);
-- create index "bookmark_member_id_id" to table: "bookmarks"
CREATE INDEX `bookmark_member_id_id` ON `bookmarks` (`member_id`, `id` DESC);
-- create index "bookmark_post_id" to table: "bookmarks"
CREATE INDEX `bookmark_post_id` ON `bookmarks` (`post_id`);
-- create index "bookmark_due" to table: "bookmarks"
CREATE INDEX `bookmark_due` ON `bookmarks` (`remind_at`) WHERE remind_at IS NOT NULL;
-- create "drafts" table
CREATE TABLE `drafts` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `title` text NOT NULL DEFAULT (''), `body` text NOT NULL DEFAULT (''), `version` integer NOT NULL DEFAULT (1), `publish_at` datetime NULL, `failure` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `member_id` blob NOT NULL, `space_id` blob NULL, `thread_id` blob NULL, `reply_to_id` blob NULL, PRIMARY KEY (`id`), CONSTRAINT `drafts_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `drafts_spaces_space` FOREIGN KEY (`space_id`) REFERENCES `spaces` (`id`) ON DELETE RESTRICT, CONSTRAINT `drafts_threads_thread` FOREIGN KEY (`thread_id`) REFERENCES `threads` (`id`) ON DELETE RESTRICT, CONSTRAINT `drafts_posts_reply_to` FOREIGN KEY (`reply_to_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT);
-- create index "draft_member_id_updated_at_id" to table: "drafts"
CREATE INDEX `draft_member_id_updated_at_id` ON `drafts` (`member_id`, `updated_at` DESC, `id` DESC);
-- create index "draft_due" to table: "drafts"
CREATE INDEX `draft_due` ON `drafts` (`publish_at`) WHERE publish_at IS NOT NULL;
-- create "draft_versions" table
CREATE TABLE `draft_versions` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL, `title` text NOT NULL, `body` text NOT NULL, `draft_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `draft_versions_drafts_draft` FOREIGN KEY (`draft_id`) REFERENCES `drafts` (`id`) ON DELETE RESTRICT);
-- create index "draftversion_draft_id_version" to table: "draft_versions"
CREATE UNIQUE INDEX `draftversion_draft_id_version` ON `draft_versions` (`draft_id`, `version`);
-- create "flags" table
CREATE TABLE `flags` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `reason` text NOT NULL, `note` text NOT NULL DEFAULT (''), `state` text NOT NULL DEFAULT ('OPEN'), `resolved_at` datetime NULL, `resolution` text NOT NULL DEFAULT (''), `post_id` blob NOT NULL, `reporter_id` blob NOT NULL, `resolver_id` blob NULL, PRIMARY KEY (`id`), CONSTRAINT `flags_posts_post` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT, CONSTRAINT `flags_members_reporter` FOREIGN KEY (`reporter_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `flags_members_resolver` FOREIGN KEY (`resolver_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "flag_open" to table: "flags"
CREATE UNIQUE INDEX `flag_open` ON `flags` (`post_id`, `reporter_id`) WHERE resolved_at IS NULL;
-- create index "flag_post_id_id" to table: "flags"
CREATE INDEX `flag_post_id_id` ON `flags` (`post_id`, `id`);
-- create index "flag_reporter_id" to table: "flags"
CREATE INDEX `flag_reporter_id` ON `flags` (`reporter_id`);
-- create index "flag_queue" to table: "flags"
CREATE INDEX `flag_queue` ON `flags` (`id`) WHERE resolved_at IS NULL;
-- create "moderation_actions" table
CREATE TABLE `moderation_actions` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `kind` text NOT NULL, `reason` text NOT NULL DEFAULT (''), `ends_at` datetime NULL, `seen_at` datetime NULL, `moderator_id` blob NOT NULL, `member_id` blob NULL, `space_id` blob NULL, `thread_id` blob NULL, `post_id` blob NULL, PRIMARY KEY (`id`), CONSTRAINT `moderation_actions_members_moderator` FOREIGN KEY (`moderator_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `moderation_actions_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `moderation_actions_spaces_space` FOREIGN KEY (`space_id`) REFERENCES `spaces` (`id`) ON DELETE RESTRICT, CONSTRAINT `moderation_actions_threads_thread` FOREIGN KEY (`thread_id`) REFERENCES `threads` (`id`) ON DELETE RESTRICT, CONSTRAINT `moderation_actions_posts_post` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT);
-- create index "moderationaction_member_id_id" to table: "moderation_actions"
CREATE INDEX `moderationaction_member_id_id` ON `moderation_actions` (`member_id`, `id`);
-- create index "moderationaction_space_id_id" to table: "moderation_actions"
CREATE INDEX `moderationaction_space_id_id` ON `moderation_actions` (`space_id`, `id`);
-- create index "moderationaction_post_id" to table: "moderation_actions"
CREATE INDEX `moderationaction_post_id` ON `moderation_actions` (`post_id`);
-- create index "moderationaction_moderator_id" to table: "moderation_actions"
CREATE INDEX `moderationaction_moderator_id` ON `moderation_actions` (`moderator_id`);
-- create "notification_jobs" table
CREATE TABLE `notification_jobs` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `after_id` blob NULL, `attempts` integer NOT NULL DEFAULT (0), `next_at` datetime NOT NULL, `last_error` text NOT NULL DEFAULT (''), `post_id` blob NOT NULL, `thread_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `notification_jobs_posts_post` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT, CONSTRAINT `notification_jobs_threads_thread` FOREIGN KEY (`thread_id`) REFERENCES `threads` (`id`) ON DELETE RESTRICT);
-- create index "notificationjob_post_id" to table: "notification_jobs"
CREATE UNIQUE INDEX `notificationjob_post_id` ON `notification_jobs` (`post_id`);
-- create index "notificationjob_next_at" to table: "notification_jobs"
CREATE INDEX `notificationjob_next_at` ON `notification_jobs` (`next_at`);
-- create "notification_preferences" table
CREATE TABLE `notification_preferences` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `direct_mail` text NOT NULL DEFAULT ('INSTANT'), `watched_mail` text NOT NULL DEFAULT ('DAILY'), `digest_hour` integer NOT NULL DEFAULT (8), `digest_weekday` integer NOT NULL DEFAULT (1), `quiet_from` integer NULL, `quiet_until` integer NULL, `updated_at` datetime NOT NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `notification_preferences_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "notificationpreference_member_id" to table: "notification_preferences"
CREATE UNIQUE INDEX `notificationpreference_member_id` ON `notification_preferences` (`member_id`);
-- create "polls" table
CREATE TABLE `polls` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `question` text NOT NULL, `multiple` bool NOT NULL DEFAULT (false), `voters` integer NOT NULL DEFAULT (0), `closes_at` datetime NULL, `post_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `polls_posts_post` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT);
-- create index "poll_post_id" to table: "polls"
CREATE UNIQUE INDEX `poll_post_id` ON `polls` (`post_id`);
-- create "poll_options" table
CREATE TABLE `poll_options` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `position` integer NOT NULL, `label` text NOT NULL, `votes` integer NOT NULL DEFAULT (0), `poll_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `poll_options_polls_poll` FOREIGN KEY (`poll_id`) REFERENCES `polls` (`id`) ON DELETE RESTRICT);
-- create index "polloption_poll_id_position" to table: "poll_options"
CREATE UNIQUE INDEX `polloption_poll_id_position` ON `poll_options` (`poll_id`, `position`);
-- create "poll_votes" table
CREATE TABLE `poll_votes` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `poll_id` blob NOT NULL, `option_id` blob NOT NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `poll_votes_polls_poll` FOREIGN KEY (`poll_id`) REFERENCES `polls` (`id`) ON DELETE RESTRICT, CONSTRAINT `poll_votes_poll_options_option` FOREIGN KEY (`option_id`) REFERENCES `poll_options` (`id`) ON DELETE RESTRICT, CONSTRAINT `poll_votes_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "pollvote_option_id_member_id" to table: "poll_votes"
CREATE UNIQUE INDEX `pollvote_option_id_member_id` ON `poll_votes` (`option_id`, `member_id`);
-- create index "pollvote_poll_id_member_id" to table: "poll_votes"
CREATE INDEX `pollvote_poll_id_member_id` ON `poll_votes` (`poll_id`, `member_id`);
-- create index "pollvote_member_id" to table: "poll_votes"
CREATE INDEX `pollvote_member_id` ON `poll_votes` (`member_id`);
-- create "post_attachments" table
CREATE TABLE `post_attachments` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `position` integer NOT NULL, `post_id` blob NOT NULL, `file_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `post_attachments_posts_post` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT, CONSTRAINT `post_attachments_files_file` FOREIGN KEY (`file_id`) REFERENCES `files` (`id`) ON DELETE RESTRICT);
-- create index "postattachment_post_id_file_id" to table: "post_attachments"
CREATE UNIQUE INDEX `postattachment_post_id_file_id` ON `post_attachments` (`post_id`, `file_id`);
-- create index "postattachment_file_id" to table: "post_attachments"
CREATE INDEX `postattachment_file_id` ON `post_attachments` (`file_id`);
-- create "post_links" table
CREATE TABLE `post_links` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `object_id` blob NOT NULL, `position` integer NOT NULL, `post_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `post_links_posts_post` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT);
-- create index "postlink_post_id_object_id" to table: "post_links"
CREATE UNIQUE INDEX `postlink_post_id_object_id` ON `post_links` (`post_id`, `object_id`);
-- create "thread_tags" table
CREATE TABLE `thread_tags` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `tag` text NOT NULL, `thread_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `thread_tags_threads_thread` FOREIGN KEY (`thread_id`) REFERENCES `threads` (`id`) ON DELETE RESTRICT);
-- create index "threadtag_thread_id_tag" to table: "thread_tags"
CREATE UNIQUE INDEX `threadtag_thread_id_tag` ON `thread_tags` (`thread_id`, `tag`);
-- create index "threadtag_tag_thread_id" to table: "thread_tags"
CREATE INDEX `threadtag_tag_thread_id` ON `thread_tags` (`tag`, `thread_id`);
-- create "watch_settings" table
CREATE TABLE `watch_settings` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `level` text NOT NULL, `updated_at` datetime NOT NULL, `member_id` blob NOT NULL, `space_id` blob NULL, `thread_id` blob NULL, PRIMARY KEY (`id`), CONSTRAINT `watch_settings_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `watch_settings_spaces_space` FOREIGN KEY (`space_id`) REFERENCES `spaces` (`id`) ON DELETE RESTRICT, CONSTRAINT `watch_settings_threads_thread` FOREIGN KEY (`thread_id`) REFERENCES `threads` (`id`) ON DELETE RESTRICT);
-- create index "watch_space" to table: "watch_settings"
CREATE UNIQUE INDEX `watch_space` ON `watch_settings` (`member_id`, `space_id`) WHERE space_id IS NOT NULL;
-- create index "watch_thread" to table: "watch_settings"
CREATE UNIQUE INDEX `watch_thread` ON `watch_settings` (`member_id`, `thread_id`) WHERE thread_id IS NOT NULL;
-- create index "watch_space_level" to table: "watch_settings"
CREATE INDEX `watch_space_level` ON `watch_settings` (`space_id`, `level`, `member_id`) WHERE space_id IS NOT NULL;
-- create index "watch_thread_level" to table: "watch_settings"
CREATE INDEX `watch_thread_level` ON `watch_settings` (`thread_id`, `level`, `member_id`) WHERE thread_id IS NOT NULL;
-- create "webhook_deliveries" table
CREATE TABLE `webhook_deliveries` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `event` text NOT NULL, `payload` json NOT NULL, `attempts` integer NOT NULL DEFAULT (0), `next_at` datetime NULL, `delivered_at` datetime NULL, `failed_at` datetime NULL, `status` integer NOT NULL DEFAULT (0), `last_error` text NOT NULL DEFAULT (''), `duration_ms` integer NOT NULL DEFAULT (0), `endpoint_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `webhook_deliveries_webhook_endpoints_endpoint` FOREIGN KEY (`endpoint_id`) REFERENCES `webhook_endpoints` (`id`) ON DELETE RESTRICT);
-- create index "webhookdelivery_endpoint_id_id" to table: "webhook_deliveries"
CREATE INDEX `webhookdelivery_endpoint_id_id` ON `webhook_deliveries` (`endpoint_id`, `id` DESC);
-- create index "webhook_due" to table: "webhook_deliveries"
CREATE INDEX `webhook_due` ON `webhook_deliveries` (`next_at`) WHERE next_at IS NOT NULL;
-- create index "webhookdelivery_created_at" to table: "webhook_deliveries"
CREATE INDEX `webhookdelivery_created_at` ON `webhook_deliveries` (`created_at`);
-- create "webhook_endpoints" table
CREATE TABLE `webhook_endpoints` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `url` text NOT NULL, `description` text NOT NULL DEFAULT (''), `secret` blob NOT NULL, `previous_secret` blob NULL, `previous_secret_ends_at` datetime NULL, `events` json NOT NULL, `failing_since` datetime NULL, `disabled_at` datetime NULL, `updated_at` datetime NOT NULL, `owner_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `webhook_endpoints_members_owner` FOREIGN KEY (`owner_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "webhookendpoint_owner_id" to table: "webhook_endpoints"
CREATE INDEX `webhookendpoint_owner_id` ON `webhook_endpoints` (`owner_id`);

-- +goose Down
DROP INDEX `notification_mail_due`;
DROP INDEX `thread_space_id_kind_last_activity_at_id`;
DROP TABLE `draft_versions`;
DROP TABLE `poll_votes`;
DROP TABLE `webhook_deliveries`;
DROP TABLE `poll_options`;
DROP TABLE `polls`;
DROP TABLE `blocks`;
DROP TABLE `bookmarks`;
DROP TABLE `drafts`;
DROP TABLE `flags`;
DROP TABLE `moderation_actions`;
DROP TABLE `notification_jobs`;
DROP TABLE `notification_preferences`;
DROP TABLE `post_attachments`;
DROP TABLE `post_links`;
DROP TABLE `thread_tags`;
DROP TABLE `watch_settings`;
DROP TABLE `webhook_endpoints`;
ALTER TABLE `notifications` DROP COLUMN `mailed_at`;
ALTER TABLE `notifications` DROP COLUMN `mail_due_at`;
ALTER TABLE `notifications` DROP COLUMN `mentions`;
ALTER TABLE `posts` DROP COLUMN `moved_to_id`;
ALTER TABLE `posts` DROP COLUMN `hidden_reason`;
ALTER TABLE `posts` DROP COLUMN `hidden_by_id`;
ALTER TABLE `posts` DROP COLUMN `hidden_at`;
ALTER TABLE `posts` DROP COLUMN `quote`;
ALTER TABLE `threads` DROP COLUMN `merged_into_id`;
ALTER TABLE `threads` DROP COLUMN `accepted_post_id`;
ALTER TABLE `threads` DROP COLUMN `kind`;
ALTER TABLE `members` DROP COLUMN `shows_presence`;
ALTER TABLE `members` DROP COLUMN `interests`;

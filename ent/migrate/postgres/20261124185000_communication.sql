-- +goose Up
-- modify "members" table
ALTER TABLE "members" ADD COLUMN "interests" jsonb NULL, ADD COLUMN "shows_presence" boolean NOT NULL DEFAULT true;
-- modify "notifications" table
ALTER TABLE "notifications" ADD COLUMN "mentions" boolean NOT NULL DEFAULT false, ADD COLUMN "mail_due_at" timestamptz NULL, ADD COLUMN "mailed_at" timestamptz NULL;
-- create index "notification_mail_due" to table: "notifications"
CREATE INDEX "notification_mail_due" ON "notifications" ("mail_due_at", "recipient_id") WHERE (mail_due_at IS NOT NULL);
-- create "blocks" table
CREATE TABLE "blocks" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "kind" character varying NOT NULL, "member_id" uuid NOT NULL, "blocked_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "blocks_members_blocked" FOREIGN KEY ("blocked_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "blocks_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "block_blocked_id_member_id" to table: "blocks"
CREATE INDEX "block_blocked_id_member_id" ON "blocks" ("blocked_id", "member_id");
-- create index "block_member_id_blocked_id" to table: "blocks"
CREATE UNIQUE INDEX "block_member_id_blocked_id" ON "blocks" ("member_id", "blocked_id");
-- modify "posts" table
ALTER TABLE "posts" ADD COLUMN "quote" text NOT NULL DEFAULT '', ADD COLUMN "hidden_at" timestamptz NULL, ADD COLUMN "hidden_by_id" uuid NULL, ADD COLUMN "hidden_reason" text NOT NULL DEFAULT '', ADD COLUMN "moved_to_id" uuid NULL;
-- create "bookmarks" table
CREATE TABLE "bookmarks" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "note" text NOT NULL DEFAULT '', "remind_at" timestamptz NULL, "reminded_at" timestamptz NULL, "member_id" uuid NOT NULL, "post_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "bookmarks_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "bookmarks_posts_post" FOREIGN KEY ("post_id") REFERENCES "posts" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "bookmark_due" to table: "bookmarks"
CREATE INDEX "bookmark_due" ON "bookmarks" ("remind_at") WHERE (remind_at IS NOT NULL);
-- create index "bookmark_member_id_id" to table: "bookmarks"
CREATE INDEX "bookmark_member_id_id" ON "bookmarks" ("member_id", "id" DESC);
-- create index "bookmark_member_id_post_id" to table: "bookmarks"
CREATE UNIQUE INDEX "bookmark_member_id_post_id" ON "bookmarks" ("member_id", "post_id");
-- create index "bookmark_post_id" to table: "bookmarks"
CREATE INDEX "bookmark_post_id" ON "bookmarks" ("post_id");
-- modify "threads" table
ALTER TABLE "threads" ADD COLUMN "kind" character varying NOT NULL DEFAULT 'DISCUSSION', ADD COLUMN "accepted_post_id" uuid NULL, ADD COLUMN "merged_into_id" uuid NULL;
-- create index "thread_space_id_kind_last_activity_at_id" to table: "threads"
CREATE INDEX "thread_space_id_kind_last_activity_at_id" ON "threads" ("space_id", "kind", "last_activity_at" DESC, "id" DESC);
-- create "drafts" table
CREATE TABLE "drafts" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "title" character varying NOT NULL DEFAULT '', "body" text NOT NULL DEFAULT '', "version" bigint NOT NULL DEFAULT 1, "publish_at" timestamptz NULL, "failure" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "member_id" uuid NOT NULL, "space_id" uuid NULL, "thread_id" uuid NULL, "reply_to_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "drafts_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "drafts_posts_reply_to" FOREIGN KEY ("reply_to_id") REFERENCES "posts" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "drafts_spaces_space" FOREIGN KEY ("space_id") REFERENCES "spaces" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "drafts_threads_thread" FOREIGN KEY ("thread_id") REFERENCES "threads" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "draft_due" to table: "drafts"
CREATE INDEX "draft_due" ON "drafts" ("publish_at") WHERE (publish_at IS NOT NULL);
-- create index "draft_member_id_updated_at_id" to table: "drafts"
CREATE INDEX "draft_member_id_updated_at_id" ON "drafts" ("member_id", "updated_at" DESC, "id" DESC);
-- create "draft_versions" table
CREATE TABLE "draft_versions" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL, "title" character varying NOT NULL, "body" text NOT NULL, "draft_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "draft_versions_drafts_draft" FOREIGN KEY ("draft_id") REFERENCES "drafts" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "draftversion_draft_id_version" to table: "draft_versions"
CREATE UNIQUE INDEX "draftversion_draft_id_version" ON "draft_versions" ("draft_id", "version");
-- create "flags" table
CREATE TABLE "flags" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "reason" character varying NOT NULL, "note" text NOT NULL DEFAULT '', "state" character varying NOT NULL DEFAULT 'OPEN', "resolved_at" timestamptz NULL, "resolution" text NOT NULL DEFAULT '', "post_id" uuid NOT NULL, "reporter_id" uuid NOT NULL, "resolver_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "flags_members_reporter" FOREIGN KEY ("reporter_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "flags_members_resolver" FOREIGN KEY ("resolver_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "flags_posts_post" FOREIGN KEY ("post_id") REFERENCES "posts" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "flag_open" to table: "flags"
CREATE UNIQUE INDEX "flag_open" ON "flags" ("post_id", "reporter_id") WHERE (resolved_at IS NULL);
-- create index "flag_post_id_id" to table: "flags"
CREATE INDEX "flag_post_id_id" ON "flags" ("post_id", "id");
-- create index "flag_queue" to table: "flags"
CREATE INDEX "flag_queue" ON "flags" ("id") WHERE (resolved_at IS NULL);
-- create index "flag_reporter_id" to table: "flags"
CREATE INDEX "flag_reporter_id" ON "flags" ("reporter_id");
-- create "moderation_actions" table
CREATE TABLE "moderation_actions" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "kind" character varying NOT NULL, "reason" text NOT NULL DEFAULT '', "ends_at" timestamptz NULL, "seen_at" timestamptz NULL, "moderator_id" uuid NOT NULL, "member_id" uuid NULL, "space_id" uuid NULL, "thread_id" uuid NULL, "post_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "moderation_actions_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "moderation_actions_members_moderator" FOREIGN KEY ("moderator_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "moderation_actions_posts_post" FOREIGN KEY ("post_id") REFERENCES "posts" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "moderation_actions_spaces_space" FOREIGN KEY ("space_id") REFERENCES "spaces" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "moderation_actions_threads_thread" FOREIGN KEY ("thread_id") REFERENCES "threads" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "moderationaction_member_id_id" to table: "moderation_actions"
CREATE INDEX "moderationaction_member_id_id" ON "moderation_actions" ("member_id", "id");
-- create index "moderationaction_moderator_id" to table: "moderation_actions"
CREATE INDEX "moderationaction_moderator_id" ON "moderation_actions" ("moderator_id");
-- create index "moderationaction_post_id" to table: "moderation_actions"
CREATE INDEX "moderationaction_post_id" ON "moderation_actions" ("post_id");
-- create index "moderationaction_space_id_id" to table: "moderation_actions"
CREATE INDEX "moderationaction_space_id_id" ON "moderation_actions" ("space_id", "id");
-- create "notification_jobs" table
CREATE TABLE "notification_jobs" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "after_id" uuid NULL, "attempts" bigint NOT NULL DEFAULT 0, "next_at" timestamptz NOT NULL, "last_error" character varying NOT NULL DEFAULT '', "post_id" uuid NOT NULL, "thread_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "notification_jobs_posts_post" FOREIGN KEY ("post_id") REFERENCES "posts" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "notification_jobs_threads_thread" FOREIGN KEY ("thread_id") REFERENCES "threads" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "notificationjob_next_at" to table: "notification_jobs"
CREATE INDEX "notificationjob_next_at" ON "notification_jobs" ("next_at");
-- create index "notificationjob_post_id" to table: "notification_jobs"
CREATE UNIQUE INDEX "notificationjob_post_id" ON "notification_jobs" ("post_id");
-- create "notification_preferences" table
CREATE TABLE "notification_preferences" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "direct_mail" character varying NOT NULL DEFAULT 'INSTANT', "watched_mail" character varying NOT NULL DEFAULT 'DAILY', "digest_hour" bigint NOT NULL DEFAULT 8, "digest_weekday" bigint NOT NULL DEFAULT 1, "quiet_from" bigint NULL, "quiet_until" bigint NULL, "updated_at" timestamptz NOT NULL, "member_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "notification_preferences_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "notificationpreference_member_id" to table: "notification_preferences"
CREATE UNIQUE INDEX "notificationpreference_member_id" ON "notification_preferences" ("member_id");
-- create "polls" table
CREATE TABLE "polls" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "question" character varying NOT NULL, "multiple" boolean NOT NULL DEFAULT false, "voters" bigint NOT NULL DEFAULT 0, "closes_at" timestamptz NULL, "post_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "polls_posts_post" FOREIGN KEY ("post_id") REFERENCES "posts" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "poll_post_id" to table: "polls"
CREATE UNIQUE INDEX "poll_post_id" ON "polls" ("post_id");
-- create "poll_options" table
CREATE TABLE "poll_options" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "position" bigint NOT NULL, "label" character varying NOT NULL, "votes" bigint NOT NULL DEFAULT 0, "poll_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "poll_options_polls_poll" FOREIGN KEY ("poll_id") REFERENCES "polls" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "polloption_poll_id_position" to table: "poll_options"
CREATE UNIQUE INDEX "polloption_poll_id_position" ON "poll_options" ("poll_id", "position");
-- create "poll_votes" table
CREATE TABLE "poll_votes" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "poll_id" uuid NOT NULL, "option_id" uuid NOT NULL, "member_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "poll_votes_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "poll_votes_poll_options_option" FOREIGN KEY ("option_id") REFERENCES "poll_options" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "poll_votes_polls_poll" FOREIGN KEY ("poll_id") REFERENCES "polls" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "pollvote_member_id" to table: "poll_votes"
CREATE INDEX "pollvote_member_id" ON "poll_votes" ("member_id");
-- create index "pollvote_option_id_member_id" to table: "poll_votes"
CREATE UNIQUE INDEX "pollvote_option_id_member_id" ON "poll_votes" ("option_id", "member_id");
-- create index "pollvote_poll_id_member_id" to table: "poll_votes"
CREATE INDEX "pollvote_poll_id_member_id" ON "poll_votes" ("poll_id", "member_id");
-- create "post_attachments" table
CREATE TABLE "post_attachments" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "position" bigint NOT NULL, "post_id" uuid NOT NULL, "file_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "post_attachments_files_file" FOREIGN KEY ("file_id") REFERENCES "files" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "post_attachments_posts_post" FOREIGN KEY ("post_id") REFERENCES "posts" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "postattachment_file_id" to table: "post_attachments"
CREATE INDEX "postattachment_file_id" ON "post_attachments" ("file_id");
-- create index "postattachment_post_id_file_id" to table: "post_attachments"
CREATE UNIQUE INDEX "postattachment_post_id_file_id" ON "post_attachments" ("post_id", "file_id");
-- create "post_links" table
CREATE TABLE "post_links" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "object_id" uuid NOT NULL, "position" bigint NOT NULL, "post_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "post_links_posts_post" FOREIGN KEY ("post_id") REFERENCES "posts" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "postlink_post_id_object_id" to table: "post_links"
CREATE UNIQUE INDEX "postlink_post_id_object_id" ON "post_links" ("post_id", "object_id");
-- create "thread_tags" table
CREATE TABLE "thread_tags" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "tag" character varying NOT NULL, "thread_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "thread_tags_threads_thread" FOREIGN KEY ("thread_id") REFERENCES "threads" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "threadtag_tag_thread_id" to table: "thread_tags"
CREATE INDEX "threadtag_tag_thread_id" ON "thread_tags" ("tag", "thread_id");
-- create index "threadtag_thread_id_tag" to table: "thread_tags"
CREATE UNIQUE INDEX "threadtag_thread_id_tag" ON "thread_tags" ("thread_id", "tag");
-- create "watch_settings" table
CREATE TABLE "watch_settings" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "level" character varying NOT NULL, "updated_at" timestamptz NOT NULL, "member_id" uuid NOT NULL, "space_id" uuid NULL, "thread_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "watch_settings_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "watch_settings_spaces_space" FOREIGN KEY ("space_id") REFERENCES "spaces" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "watch_settings_threads_thread" FOREIGN KEY ("thread_id") REFERENCES "threads" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "watch_space" to table: "watch_settings"
CREATE UNIQUE INDEX "watch_space" ON "watch_settings" ("member_id", "space_id") WHERE (space_id IS NOT NULL);
-- create index "watch_space_level" to table: "watch_settings"
CREATE INDEX "watch_space_level" ON "watch_settings" ("space_id", "level", "member_id") WHERE (space_id IS NOT NULL);
-- create index "watch_thread" to table: "watch_settings"
CREATE UNIQUE INDEX "watch_thread" ON "watch_settings" ("member_id", "thread_id") WHERE (thread_id IS NOT NULL);
-- create index "watch_thread_level" to table: "watch_settings"
CREATE INDEX "watch_thread_level" ON "watch_settings" ("thread_id", "level", "member_id") WHERE (thread_id IS NOT NULL);
-- create "webhook_endpoints" table
CREATE TABLE "webhook_endpoints" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "url" character varying NOT NULL, "description" character varying NOT NULL DEFAULT '', "secret" bytea NOT NULL, "previous_secret" bytea NULL, "previous_secret_ends_at" timestamptz NULL, "events" jsonb NOT NULL, "failing_since" timestamptz NULL, "disabled_at" timestamptz NULL, "updated_at" timestamptz NOT NULL, "owner_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "webhook_endpoints_members_owner" FOREIGN KEY ("owner_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "webhookendpoint_owner_id" to table: "webhook_endpoints"
CREATE INDEX "webhookendpoint_owner_id" ON "webhook_endpoints" ("owner_id");
-- create "webhook_deliveries" table
CREATE TABLE "webhook_deliveries" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "event" character varying NOT NULL, "payload" jsonb NOT NULL, "attempts" bigint NOT NULL DEFAULT 0, "next_at" timestamptz NULL, "delivered_at" timestamptz NULL, "failed_at" timestamptz NULL, "status" bigint NOT NULL DEFAULT 0, "last_error" character varying NOT NULL DEFAULT '', "duration_ms" bigint NOT NULL DEFAULT 0, "endpoint_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "webhook_deliveries_webhook_endpoints_endpoint" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoints" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "webhook_due" to table: "webhook_deliveries"
CREATE INDEX "webhook_due" ON "webhook_deliveries" ("next_at") WHERE (next_at IS NOT NULL);
-- create index "webhookdelivery_created_at" to table: "webhook_deliveries"
CREATE INDEX "webhookdelivery_created_at" ON "webhook_deliveries" ("created_at");
-- create index "webhookdelivery_endpoint_id_id" to table: "webhook_deliveries"
CREATE INDEX "webhookdelivery_endpoint_id_id" ON "webhook_deliveries" ("endpoint_id", "id" DESC);

-- +goose Down
-- reverse: create index "webhookdelivery_endpoint_id_id" to table: "webhook_deliveries"
DROP INDEX "webhookdelivery_endpoint_id_id";
-- reverse: create index "webhookdelivery_created_at" to table: "webhook_deliveries"
DROP INDEX "webhookdelivery_created_at";
-- reverse: create index "webhook_due" to table: "webhook_deliveries"
DROP INDEX "webhook_due";
-- reverse: create "webhook_deliveries" table
DROP TABLE "webhook_deliveries";
-- reverse: create index "webhookendpoint_owner_id" to table: "webhook_endpoints"
DROP INDEX "webhookendpoint_owner_id";
-- reverse: create "webhook_endpoints" table
DROP TABLE "webhook_endpoints";
-- reverse: create index "watch_thread_level" to table: "watch_settings"
DROP INDEX "watch_thread_level";
-- reverse: create index "watch_thread" to table: "watch_settings"
DROP INDEX "watch_thread";
-- reverse: create index "watch_space_level" to table: "watch_settings"
DROP INDEX "watch_space_level";
-- reverse: create index "watch_space" to table: "watch_settings"
DROP INDEX "watch_space";
-- reverse: create "watch_settings" table
DROP TABLE "watch_settings";
-- reverse: create index "threadtag_thread_id_tag" to table: "thread_tags"
DROP INDEX "threadtag_thread_id_tag";
-- reverse: create index "threadtag_tag_thread_id" to table: "thread_tags"
DROP INDEX "threadtag_tag_thread_id";
-- reverse: create "thread_tags" table
DROP TABLE "thread_tags";
-- reverse: create index "postlink_post_id_object_id" to table: "post_links"
DROP INDEX "postlink_post_id_object_id";
-- reverse: create "post_links" table
DROP TABLE "post_links";
-- reverse: create index "postattachment_post_id_file_id" to table: "post_attachments"
DROP INDEX "postattachment_post_id_file_id";
-- reverse: create index "postattachment_file_id" to table: "post_attachments"
DROP INDEX "postattachment_file_id";
-- reverse: create "post_attachments" table
DROP TABLE "post_attachments";
-- reverse: create index "pollvote_poll_id_member_id" to table: "poll_votes"
DROP INDEX "pollvote_poll_id_member_id";
-- reverse: create index "pollvote_option_id_member_id" to table: "poll_votes"
DROP INDEX "pollvote_option_id_member_id";
-- reverse: create index "pollvote_member_id" to table: "poll_votes"
DROP INDEX "pollvote_member_id";
-- reverse: create "poll_votes" table
DROP TABLE "poll_votes";
-- reverse: create index "polloption_poll_id_position" to table: "poll_options"
DROP INDEX "polloption_poll_id_position";
-- reverse: create "poll_options" table
DROP TABLE "poll_options";
-- reverse: create index "poll_post_id" to table: "polls"
DROP INDEX "poll_post_id";
-- reverse: create "polls" table
DROP TABLE "polls";
-- reverse: create index "notificationpreference_member_id" to table: "notification_preferences"
DROP INDEX "notificationpreference_member_id";
-- reverse: create "notification_preferences" table
DROP TABLE "notification_preferences";
-- reverse: create index "notificationjob_post_id" to table: "notification_jobs"
DROP INDEX "notificationjob_post_id";
-- reverse: create index "notificationjob_next_at" to table: "notification_jobs"
DROP INDEX "notificationjob_next_at";
-- reverse: create "notification_jobs" table
DROP TABLE "notification_jobs";
-- reverse: create index "moderationaction_space_id_id" to table: "moderation_actions"
DROP INDEX "moderationaction_space_id_id";
-- reverse: create index "moderationaction_post_id" to table: "moderation_actions"
DROP INDEX "moderationaction_post_id";
-- reverse: create index "moderationaction_moderator_id" to table: "moderation_actions"
DROP INDEX "moderationaction_moderator_id";
-- reverse: create index "moderationaction_member_id_id" to table: "moderation_actions"
DROP INDEX "moderationaction_member_id_id";
-- reverse: create "moderation_actions" table
DROP TABLE "moderation_actions";
-- reverse: create index "flag_reporter_id" to table: "flags"
DROP INDEX "flag_reporter_id";
-- reverse: create index "flag_queue" to table: "flags"
DROP INDEX "flag_queue";
-- reverse: create index "flag_post_id_id" to table: "flags"
DROP INDEX "flag_post_id_id";
-- reverse: create index "flag_open" to table: "flags"
DROP INDEX "flag_open";
-- reverse: create "flags" table
DROP TABLE "flags";
-- reverse: create index "draftversion_draft_id_version" to table: "draft_versions"
DROP INDEX "draftversion_draft_id_version";
-- reverse: create "draft_versions" table
DROP TABLE "draft_versions";
-- reverse: create index "draft_member_id_updated_at_id" to table: "drafts"
DROP INDEX "draft_member_id_updated_at_id";
-- reverse: create index "draft_due" to table: "drafts"
DROP INDEX "draft_due";
-- reverse: create "drafts" table
DROP TABLE "drafts";
-- reverse: create index "thread_space_id_kind_last_activity_at_id" to table: "threads"
DROP INDEX "thread_space_id_kind_last_activity_at_id";
-- reverse: modify "threads" table
ALTER TABLE "threads" DROP COLUMN "merged_into_id", DROP COLUMN "accepted_post_id", DROP COLUMN "kind";
-- reverse: create index "bookmark_post_id" to table: "bookmarks"
DROP INDEX "bookmark_post_id";
-- reverse: create index "bookmark_member_id_post_id" to table: "bookmarks"
DROP INDEX "bookmark_member_id_post_id";
-- reverse: create index "bookmark_member_id_id" to table: "bookmarks"
DROP INDEX "bookmark_member_id_id";
-- reverse: create index "bookmark_due" to table: "bookmarks"
DROP INDEX "bookmark_due";
-- reverse: create "bookmarks" table
DROP TABLE "bookmarks";
-- reverse: modify "posts" table
ALTER TABLE "posts" DROP COLUMN "moved_to_id", DROP COLUMN "hidden_reason", DROP COLUMN "hidden_by_id", DROP COLUMN "hidden_at", DROP COLUMN "quote";
-- reverse: create index "block_member_id_blocked_id" to table: "blocks"
DROP INDEX "block_member_id_blocked_id";
-- reverse: create index "block_blocked_id_member_id" to table: "blocks"
DROP INDEX "block_blocked_id_member_id";
-- reverse: create "blocks" table
DROP TABLE "blocks";
-- reverse: create index "notification_mail_due" to table: "notifications"
DROP INDEX "notification_mail_due";
-- reverse: modify "notifications" table
ALTER TABLE "notifications" DROP COLUMN "mailed_at", DROP COLUMN "mail_due_at", DROP COLUMN "mentions";
-- reverse: modify "members" table
ALTER TABLE "members" DROP COLUMN "shows_presence", DROP COLUMN "interests";

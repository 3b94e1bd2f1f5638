-- +goose Up
-- modify "mails" table
ALTER TABLE "mails" ADD COLUMN "retried_at" timestamptz NULL;
-- create index "mail_failed" to table: "mails"
CREATE INDEX "mail_failed" ON "mails" ("id") WHERE (failed_at IS NOT NULL);
-- modify "members" table
ALTER TABLE "members" ADD COLUMN "mail_refusals" bigint NOT NULL DEFAULT 0, ADD COLUMN "mail_refused_at" timestamptz NULL, ADD COLUMN "mail_bouncing_at" timestamptz NULL;
-- modify "notifications" table
ALTER TABLE "notifications" ADD COLUMN "duty" boolean NOT NULL DEFAULT false;
-- create index "notification_group" to table: "notifications"
CREATE INDEX "notification_group" ON "notifications" ("recipient_id", "thread_id", "id");

-- +goose Down
-- reverse: create index "notification_group" to table: "notifications"
DROP INDEX "notification_group";
-- reverse: modify "notifications" table
ALTER TABLE "notifications" DROP COLUMN "duty";
-- reverse: modify "members" table
ALTER TABLE "members" DROP COLUMN "mail_bouncing_at", DROP COLUMN "mail_refused_at", DROP COLUMN "mail_refusals";
-- reverse: create index "mail_failed" to table: "mails"
DROP INDEX "mail_failed";
-- reverse: modify "mails" table
ALTER TABLE "mails" DROP COLUMN "retried_at";

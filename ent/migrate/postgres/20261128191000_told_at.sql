-- +goose Up
-- add column "told_at" to table: "notifications"
ALTER TABLE "notifications" ADD COLUMN "told_at" timestamptz NULL;
UPDATE "notifications" SET "told_at" = "created_at";
DROP INDEX "notification_group";
CREATE INDEX "notification_told" ON "notifications" ("recipient_id", "told_at", "id");
CREATE INDEX "notification_group_told" ON "notifications" ("recipient_id", "thread_id", "told_at", "id");
-- add column "until" to table: "mails"
ALTER TABLE "mails" ADD COLUMN "until" timestamptz NULL;

-- +goose Down
ALTER TABLE "mails" DROP COLUMN "until";
DROP INDEX "notification_group_told";
DROP INDEX "notification_told";
CREATE INDEX "notification_group" ON "notifications" ("recipient_id", "thread_id", "id");
ALTER TABLE "notifications" DROP COLUMN "told_at";

-- +goose Up
-- create "notices" table
CREATE TABLE "notices" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "reason" character varying NOT NULL, "told_at" timestamptz NOT NULL, "read_at" timestamptz NULL, "recipient_id" uuid NOT NULL, "application_id" uuid NULL, "warning_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "notices_applications_application" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "notices_members_recipient" FOREIGN KEY ("recipient_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "notices_moderation_actions_warning" FOREIGN KEY ("warning_id") REFERENCES "moderation_actions" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "notice_application_id" to table: "notices"
CREATE INDEX "notice_application_id" ON "notices" ("application_id");
-- create index "notice_recipient_id_application_id_reason" to table: "notices"
CREATE UNIQUE INDEX "notice_recipient_id_application_id_reason" ON "notices" ("recipient_id", "application_id", "reason");
-- create index "notice_told" to table: "notices"
CREATE INDEX "notice_told" ON "notices" ("recipient_id", "told_at", "id");
-- create index "notice_unread" to table: "notices"
CREATE INDEX "notice_unread" ON "notices" ("recipient_id") WHERE (read_at IS NULL);
-- create index "notice_warning_id" to table: "notices"
CREATE UNIQUE INDEX "notice_warning_id" ON "notices" ("warning_id");

-- +goose Down
-- reverse: create index "notice_warning_id" to table: "notices"
DROP INDEX "notice_warning_id";
-- reverse: create index "notice_unread" to table: "notices"
DROP INDEX "notice_unread";
-- reverse: create index "notice_told" to table: "notices"
DROP INDEX "notice_told";
-- reverse: create index "notice_recipient_id_application_id_reason" to table: "notices"
DROP INDEX "notice_recipient_id_application_id_reason";
-- reverse: create index "notice_application_id" to table: "notices"
DROP INDEX "notice_application_id";
-- reverse: create "notices" table
DROP TABLE "notices";

-- +goose Up
-- modify "members" table
ALTER TABLE "members" ADD COLUMN "erasing_handle" character varying NULL;
-- create index "member_erasing" to table: "members"
CREATE INDEX "member_erasing" ON "members" ("erasing_handle") WHERE (erasing_handle IS NOT NULL);
-- create index "notification_post_id" to table: "notifications"
CREATE INDEX "notification_post_id" ON "notifications" ("post_id");
-- modify "threads" table
ALTER TABLE "threads" ADD COLUMN "locked_by_id" uuid NULL;
-- A suspension costs somebody their access, too.
DROP TRIGGER access_changed ON "members";
CREATE TRIGGER access_changed AFTER UPDATE OF status, suspended_until OR DELETE ON "members" FOR EACH ROW EXECUTE FUNCTION access_changed('id');

-- +goose Down
DROP TRIGGER access_changed ON "members";
CREATE TRIGGER access_changed AFTER UPDATE OF status OR DELETE ON "members" FOR EACH ROW EXECUTE FUNCTION access_changed('id');
-- reverse: modify "threads" table
ALTER TABLE "threads" DROP COLUMN "locked_by_id";
-- reverse: create index "notification_post_id" to table: "notifications"
DROP INDEX "notification_post_id";
-- reverse: create index "member_erasing" to table: "members"
DROP INDEX "member_erasing";
-- reverse: modify "members" table
ALTER TABLE "members" DROP COLUMN "erasing_handle";

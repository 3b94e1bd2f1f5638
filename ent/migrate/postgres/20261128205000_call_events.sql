-- +goose Up
-- add column "turns_at" to table: "calls"
ALTER TABLE "calls" ADD COLUMN "turns_at" timestamptz NULL;
UPDATE "calls" SET "turns_at" = "opens_at" WHERE "published_at" IS NOT NULL;
-- create index "call_turns_at" to table: "calls"
CREATE INDEX "call_turns_at" ON "calls" ("turns_at") WHERE (turns_at IS NOT NULL);
-- Who follows a call that is deleted follows it no longer.
CREATE TRIGGER access_changed AFTER DELETE ON "calls" FOR EACH ROW EXECUTE FUNCTION access_changed('id');

-- +goose Down
DROP TRIGGER access_changed ON "calls";
DROP INDEX "call_turns_at";
ALTER TABLE "calls" DROP COLUMN "turns_at";

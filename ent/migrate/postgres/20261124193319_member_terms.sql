-- +goose Up
-- create "member_terms" table
CREATE TABLE "member_terms" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "kind" character varying NOT NULL, "term" bytea NOT NULL, "label" character varying NOT NULL DEFAULT '', "member_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "member_terms_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "memberterm_kind_term_member_id" to table: "member_terms"
CREATE UNIQUE INDEX "memberterm_kind_term_member_id" ON "member_terms" ("kind", "term", "member_id");
-- create index "memberterm_member_id" to table: "member_terms"
CREATE INDEX "memberterm_member_id" ON "member_terms" ("member_id");
-- create index "member_time_zone_name_id" to table: "members"
CREATE INDEX "member_time_zone_name_id" ON "members" ("time_zone", "name", "id");
-- Whoever does not want to be seen any more is out of sight at once, wherever their subscriptions are open.
CREATE TRIGGER presence_changed AFTER UPDATE OF shows_presence ON "members" FOR EACH ROW EXECUTE FUNCTION access_changed('id');

-- +goose Down
DROP TRIGGER presence_changed ON "members";
-- reverse: create index "member_time_zone_name_id" to table: "members"
DROP INDEX "member_time_zone_name_id";
-- reverse: create index "memberterm_member_id" to table: "member_terms"
DROP INDEX "memberterm_member_id";
-- reverse: create index "memberterm_kind_term_member_id" to table: "member_terms"
DROP INDEX "memberterm_kind_term_member_id";
-- reverse: create "member_terms" table
DROP TABLE "member_terms";

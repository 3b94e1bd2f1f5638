-- +goose Up
-- modify "members" table
ALTER TABLE "members" ADD COLUMN "suspended_until" timestamptz NULL, ADD COLUMN "avatar_file_id" uuid NULL;
-- create "files" table
CREATE TABLE "files" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "purpose" character varying NOT NULL, "name" character varying NOT NULL, "media_type" character varying NOT NULL, "size" bigint NOT NULL, "hash" bytea NOT NULL, "attached_at" timestamptz NULL, "deleted_at" timestamptz NULL, "owner_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "files_members_owner" FOREIGN KEY ("owner_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "file_deleted_at" to table: "files"
CREATE INDEX "file_deleted_at" ON "files" ("deleted_at") WHERE (deleted_at IS NOT NULL);
-- create index "file_owner_id_id" to table: "files"
CREATE INDEX "file_owner_id_id" ON "files" ("owner_id", "id");
-- create index "file_unattached" to table: "files"
CREATE INDEX "file_unattached" ON "files" ("created_at") WHERE (attached_at IS NULL);
-- modify "resource_versions" table
ALTER TABLE "resource_versions" ADD COLUMN "file_id" uuid NULL, ADD CONSTRAINT "resource_versions_files_file" FOREIGN KEY ("file_id") REFERENCES "files" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT;
-- modify "resources" table
ALTER TABLE "resources" ADD COLUMN "file_id" uuid NULL, ADD CONSTRAINT "resources_files_file" FOREIGN KEY ("file_id") REFERENCES "files" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT;

-- +goose Down
-- reverse: modify "resources" table
ALTER TABLE "resources" DROP CONSTRAINT "resources_files_file", DROP COLUMN "file_id";
-- reverse: modify "resource_versions" table
ALTER TABLE "resource_versions" DROP CONSTRAINT "resource_versions_files_file", DROP COLUMN "file_id";
-- reverse: create index "file_unattached" to table: "files"
DROP INDEX "file_unattached";
-- reverse: create index "file_owner_id_id" to table: "files"
DROP INDEX "file_owner_id_id";
-- reverse: create index "file_deleted_at" to table: "files"
DROP INDEX "file_deleted_at";
-- reverse: create "files" table
DROP TABLE "files";
-- reverse: modify "members" table
ALTER TABLE "members" DROP COLUMN "avatar_file_id", DROP COLUMN "suspended_until";

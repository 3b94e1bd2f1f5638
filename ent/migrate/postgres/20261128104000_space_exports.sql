-- +goose Up
-- modify "drafts" table
ALTER TABLE "drafts" ADD COLUMN "kind" character varying NOT NULL DEFAULT '', ADD COLUMN "tags" jsonb NULL, ADD COLUMN "attachments" jsonb NULL;
-- modify "draft_versions" table
ALTER TABLE "draft_versions" ADD COLUMN "kind" character varying NOT NULL DEFAULT '', ADD COLUMN "tags" jsonb NULL, ADD COLUMN "attachments" jsonb NULL;
-- create "draft_attachments" table
CREATE TABLE "draft_attachments" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "draft_id" uuid NOT NULL, "file_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "draft_attachments_drafts_draft" FOREIGN KEY ("draft_id") REFERENCES "drafts" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "draft_attachments_files_file" FOREIGN KEY ("file_id") REFERENCES "files" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "draftattachment_draft_id_file_id" to table: "draft_attachments"
CREATE UNIQUE INDEX "draftattachment_draft_id_file_id" ON "draft_attachments" ("draft_id", "file_id");
-- create index "draftattachment_file_id" to table: "draft_attachments"
CREATE INDEX "draftattachment_file_id" ON "draft_attachments" ("file_id");
-- create "space_exports" table
CREATE TABLE "space_exports" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "next_at" timestamptz NULL, "attempts" bigint NOT NULL DEFAULT 0, "posts" bigint NOT NULL DEFAULT 0, "size" bigint NOT NULL DEFAULT 0, "finished_at" timestamptz NULL, "failed_at" timestamptz NULL, "space_id" uuid NOT NULL, "requester_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "space_exports_spaces_space" FOREIGN KEY ("space_id") REFERENCES "spaces" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "space_exports_members_requester" FOREIGN KEY ("requester_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "space_export_due" to table: "space_exports"
CREATE INDEX "space_export_due" ON "space_exports" ("next_at") WHERE (next_at IS NOT NULL);
-- create index "space_export_open" to table: "space_exports"
CREATE UNIQUE INDEX "space_export_open" ON "space_exports" ("space_id") WHERE (next_at IS NOT NULL);
-- create index "spaceexport_created_at" to table: "space_exports"
CREATE INDEX "spaceexport_created_at" ON "space_exports" ("created_at");
-- create index "spaceexport_requester_id" to table: "space_exports"
CREATE INDEX "spaceexport_requester_id" ON "space_exports" ("requester_id");
-- create index "spaceexport_space_id_id" to table: "space_exports"
CREATE INDEX "spaceexport_space_id_id" ON "space_exports" ("space_id", "id");

-- +goose Down
DROP TABLE "space_exports";
DROP TABLE "draft_attachments";
ALTER TABLE "draft_versions" DROP COLUMN "attachments", DROP COLUMN "tags", DROP COLUMN "kind";
ALTER TABLE "drafts" DROP COLUMN "attachments", DROP COLUMN "tags", DROP COLUMN "kind";

-- +goose Up
ALTER TABLE "offerings" ADD COLUMN "version" bigint NOT NULL DEFAULT 1;
CREATE INDEX "application_call_id_updated_at_id" ON "applications" ("call_id", "updated_at", "id");

-- +goose Down
DROP INDEX "application_call_id_updated_at_id";
ALTER TABLE "offerings" DROP COLUMN "version";

-- +goose Up
ALTER TABLE "space_exports" ADD COLUMN "kept_id" uuid NULL;

-- +goose Down
ALTER TABLE "space_exports" DROP COLUMN "kept_id";

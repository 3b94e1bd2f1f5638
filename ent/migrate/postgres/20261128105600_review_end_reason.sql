-- +goose Up
-- modify "review_assignments" table
ALTER TABLE "review_assignments" ADD COLUMN "end_reason" text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE "review_assignments" DROP COLUMN "end_reason";

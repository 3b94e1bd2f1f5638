-- +goose Up
ALTER TABLE "notifications" ADD COLUMN "flagged" boolean NOT NULL DEFAULT false, ADD COLUMN "news" boolean NOT NULL DEFAULT true, ADD COLUMN "rest_read_at" timestamptz NULL;
-- What was told of moderation before says by its reasons what else it tells of.
UPDATE "notifications" SET
  "flagged" = "reasons" @> '["FLAGGED"]' AND NOT "reasons" @> '["FLAG_RESOLVED"]' AND NOT "reasons" @> '["WARNED"]',
  "news" = EXISTS (SELECT 1 FROM jsonb_array_elements_text("reasons") AS r WHERE r NOT IN ('FLAGGED', 'FLAG_RESOLVED', 'WARNED'))
WHERE "duty";

-- +goose Down
ALTER TABLE "notifications" DROP COLUMN "rest_read_at", DROP COLUMN "news", DROP COLUMN "flagged";

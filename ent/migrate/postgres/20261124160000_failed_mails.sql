-- +goose Up
-- modify "mails" table
ALTER TABLE "mails" ADD COLUMN "failed_at" timestamptz NULL;

-- +goose Down
-- reverse: modify "mails" table
ALTER TABLE "mails" DROP COLUMN "failed_at";

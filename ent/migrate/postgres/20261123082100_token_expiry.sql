-- +goose Up
-- create index "accesstoken_expires_at" to table: "access_tokens"
CREATE INDEX "accesstoken_expires_at" ON "access_tokens" ("expires_at") WHERE (expires_at IS NOT NULL);

-- +goose Down
-- reverse: create index "accesstoken_expires_at" to table: "access_tokens"
DROP INDEX "accesstoken_expires_at";

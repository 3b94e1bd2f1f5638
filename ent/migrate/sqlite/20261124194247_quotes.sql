-- +goose Up
-- create index "post_quoting" to table: "posts"
CREATE INDEX `post_quoting` ON `posts` (`reply_to_id`) WHERE length(quote) > 0;

-- +goose Down
-- reverse: create index "post_quoting" to table: "posts"
DROP INDEX `post_quoting`;

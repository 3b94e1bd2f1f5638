-- +goose Up
-- create index "thread_pinned" to table: "threads"
CREATE INDEX `thread_pinned` ON `threads` (`space_id`, `last_activity_at` DESC, `id` DESC) WHERE pinned;
-- create index "thread_merged" to table: "threads"
CREATE INDEX `thread_merged` ON `threads` (`merged_into_id`) WHERE merged_into_id IS NOT NULL;

-- +goose Down
-- reverse: create index "thread_merged" to table: "threads"
DROP INDEX `thread_merged`;
-- reverse: create index "thread_pinned" to table: "threads"
DROP INDEX `thread_pinned`;

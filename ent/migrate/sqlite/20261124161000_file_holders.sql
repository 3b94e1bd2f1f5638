-- +goose Up
-- create index "member_avatar_file_id" to table: "members"
CREATE INDEX `member_avatar_file_id` ON `members` (`avatar_file_id`) WHERE avatar_file_id IS NOT NULL;
-- create index "resource_file_id" to table: "resources"
CREATE INDEX `resource_file_id` ON `resources` (`file_id`) WHERE file_id IS NOT NULL;
-- create index "resourceversion_file_id" to table: "resource_versions"
CREATE INDEX `resourceversion_file_id` ON `resource_versions` (`file_id`) WHERE file_id IS NOT NULL;

-- +goose Down
-- reverse: create index "resourceversion_file_id" to table: "resource_versions"
DROP INDEX `resourceversion_file_id`;
-- reverse: create index "resource_file_id" to table: "resources"
DROP INDEX `resource_file_id`;
-- reverse: create index "member_avatar_file_id" to table: "members"
DROP INDEX `member_avatar_file_id`;

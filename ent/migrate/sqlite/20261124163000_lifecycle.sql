-- +goose Up
-- Columns are added one by one: making the tables anew would drop their triggers.
ALTER TABLE `members` ADD COLUMN `erasing_handle` text NULL;
ALTER TABLE `threads` ADD COLUMN `locked_by_id` blob NULL;
-- create index "member_erasing" to table: "members"
CREATE INDEX `member_erasing` ON `members` (`erasing_handle`) WHERE erasing_handle IS NOT NULL;
-- create index "notification_post_id" to table: "notifications"
CREATE INDEX `notification_post_id` ON `notifications` (`post_id`);
-- A suspension costs somebody their access, too.
DROP TRIGGER access_changed_members;
-- +goose StatementBegin
CREATE TRIGGER access_changed_members AFTER UPDATE OF status, suspended_until ON `members` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.id);
END;
-- +goose StatementEnd
-- What is deleted leaves no word behind in the index: else it would only be marked as gone until segments are merged.
INSERT INTO search_index (search_index, rank) VALUES ('secure-delete', 1);

-- +goose Down
INSERT INTO search_index (search_index, rank) VALUES ('secure-delete', 0);
DROP TRIGGER access_changed_members;
-- +goose StatementBegin
CREATE TRIGGER access_changed_members AFTER UPDATE OF status ON `members` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.id);
END;
-- +goose StatementEnd
DROP INDEX `notification_post_id`;
DROP INDEX `member_erasing`;
ALTER TABLE `threads` DROP COLUMN `locked_by_id`;
ALTER TABLE `members` DROP COLUMN `erasing_handle`;

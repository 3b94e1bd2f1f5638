-- +goose Up
ALTER TABLE `applications` ADD COLUMN `started_by_id` blob NULL CONSTRAINT `applications_members_started_by` REFERENCES `members` (`id`) ON UPDATE NO ACTION ON DELETE RESTRICT;
CREATE INDEX `application_started_by_id_created_at` ON `applications` (`started_by_id`, `created_at`);
UPDATE `applications` SET `started_by_id` = (SELECT e.`member_id` FROM `application_editors` e WHERE e.`application_id` = `applications`.`id` AND e.`member_id` = e.`added_by_id`);

-- +goose Down
DROP INDEX `application_started_by_id_created_at`;
ALTER TABLE `applications` DROP COLUMN `started_by_id`;

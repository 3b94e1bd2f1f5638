-- +goose Up
ALTER TABLE `bulk_actions` ADD COLUMN `failed` integer NOT NULL DEFAULT (0);
CREATE TABLE `bulk_failures` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `number` integer NOT NULL, `code` text NOT NULL, `message` text NOT NULL, `bulk_action_id` blob NOT NULL, `application_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `bulk_failures_bulk_actions_bulk_action` FOREIGN KEY (`bulk_action_id`) REFERENCES `bulk_actions` (`id`) ON DELETE RESTRICT, CONSTRAINT `bulk_failures_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT);
CREATE UNIQUE INDEX `bulkfailure_bulk_action_id_number` ON `bulk_failures` (`bulk_action_id`, `number`);
CREATE INDEX `bulkfailure_application_id` ON `bulk_failures` (`application_id`);

-- +goose Down
DROP TABLE `bulk_failures`;
ALTER TABLE `bulk_actions` DROP COLUMN `failed`;

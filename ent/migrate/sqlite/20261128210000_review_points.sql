-- +goose Up
-- add column "review_points" to table: "applications"
ALTER TABLE `applications` ADD COLUMN `review_points` integer NULL;
-- The reviews that count: by reviewers who are still asked and may judge.
UPDATE `applications` SET `review_points` = (
  SELECT CAST(SUM(r.`points`) * 1000 / COUNT(*) AS bigint)
  FROM `review_assignments` AS a JOIN `reviews` AS r ON r.`assignment_id` = a.`id`
  WHERE a.`application_id` = `applications`.`id` AND a.`ended_at` IS NULL AND r.`submitted_at` IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM `application_editors` AS e WHERE e.`application_id` = a.`application_id` AND e.`member_id` = a.`reviewer_id`)
    AND NOT EXISTS (SELECT 1 FROM `conflicts` AS c WHERE c.`application_id` = a.`application_id` AND c.`member_id` = a.`reviewer_id` AND c.`ended_at` IS NULL)
    AND NOT EXISTS (SELECT 1 FROM `affiliations` AS p JOIN `organizations` AS o ON o.`id` = p.`organization_id`
      WHERE p.`member_id` = a.`reviewer_id` AND (o.`id` = `applications`.`organization_id`
        OR `applications`.`organization_id` IS NULL AND lower(o.`name`) = lower(`applications`.`organization_name`)))
) WHERE `submissions` > 0;
-- create index "application_call_id_review_points_id" to table: "applications"
CREATE INDEX `application_call_id_review_points_id` ON `applications` (`call_id`, `review_points`, `id`);

-- +goose Down
DROP INDEX `application_call_id_review_points_id`;
ALTER TABLE `applications` DROP COLUMN `review_points`;

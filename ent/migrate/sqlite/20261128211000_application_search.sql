-- +goose Up
-- Applications that were submitted before they were searched are found by what they said last, like all others.
INSERT OR IGNORE INTO `search_documents` (`kind`, `object_id`, `title`, `body`)
SELECT 'APPLICATION', a.`id`, trim(json_extract(s.`said`, '$.organizationName') || ' ' || json_extract(s.`said`, '$.teamName')), COALESCE((
  SELECT group_concat(json_extract(answer.`value`, '$.value'), char(10) ORDER BY answer.`key`) FROM json_each(s.`said`, '$.answers') AS answer
  WHERE COALESCE(json_extract(answer.`value`, '$.fileId'), '') = ''), '')
FROM `applications` AS a
JOIN (SELECT `application_id`, `number`, CAST(`content` AS text) AS `said` FROM `submissions`) AS s ON s.`application_id` = a.`id` AND s.`number` = a.`submissions`
WHERE NOT EXISTS (SELECT 1 FROM `search_documents` AS d WHERE d.`object_id` = a.`id`);

-- +goose Down
SELECT 1;

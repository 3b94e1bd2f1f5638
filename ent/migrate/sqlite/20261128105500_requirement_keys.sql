-- +goose Up
-- Requirements that were written before they had keys get one of their kind: letter, and letter-2 for a second one. Documents and what is missing go by it.
UPDATE `calls` SET `requirements` = (
  SELECT CAST(json_group_array(json(CASE WHEN coalesce(json_extract(one.value, '$.key'), '') <> '' THEN one.value ELSE json_set(one.value, '$.key',
    lower(json_extract(one.value, '$.kind')) || CASE one.nth WHEN 1 THEN '' ELSE '-' || one.nth END) END)) AS BLOB)
  FROM (
    SELECT r.value AS value, row_number() OVER (PARTITION BY json_extract(r.value, '$.kind') ORDER BY r.key) AS nth, r.key AS place
    FROM json_each(CAST(`calls`.`requirements` AS TEXT)) AS r ORDER BY r.key
  ) AS one)
WHERE json_type(CAST(`calls`.`requirements` AS TEXT)) = 'array' AND EXISTS (SELECT 1 FROM json_each(CAST(`calls`.`requirements` AS TEXT)) AS r WHERE coalesce(json_extract(r.value, '$.key'), '') = '');

-- +goose Down
SELECT 1;

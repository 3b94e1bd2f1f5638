-- +goose Up
-- Requirements that were written before they had keys get one of their kind: letter, and letter-2 for a second one. Documents and what is missing go by it.
UPDATE "calls" SET "requirements" = (
  SELECT jsonb_agg(CASE WHEN coalesce(one.value ->> 'key', '') <> '' THEN one.value ELSE jsonb_set(one.value, '{key}',
    to_jsonb(lower(one.value ->> 'kind') || CASE one.nth WHEN 1 THEN '' ELSE '-' || one.nth END)) END ORDER BY one.place)
  FROM (
    SELECT r.value, r.place, row_number() OVER (PARTITION BY r.value ->> 'kind' ORDER BY r.place) AS nth
    FROM jsonb_array_elements("calls"."requirements") WITH ORDINALITY AS r (value, place)
  ) AS one)
WHERE jsonb_typeof("requirements") = 'array' AND EXISTS (
  SELECT 1 FROM jsonb_array_elements("calls"."requirements") AS r WHERE coalesce(r ->> 'key', '') = '');

-- +goose Down
SELECT 1;

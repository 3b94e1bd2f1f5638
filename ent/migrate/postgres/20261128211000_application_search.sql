-- +goose Up
-- Applications that were submitted before they were searched are found by what they said last, like all others.
INSERT INTO "search_documents" ("kind", "object_id", "title", "body")
SELECT 'APPLICATION', a."id", trim((s."content" ->> 'organizationName') || ' ' || (s."content" ->> 'teamName')), COALESCE((
  SELECT string_agg(answer."value" ->> 'value', chr(10) ORDER BY answer."at")
  FROM jsonb_array_elements(CASE jsonb_typeof(s."content" -> 'answers') WHEN 'array' THEN s."content" -> 'answers' ELSE '[]' END) WITH ORDINALITY AS answer ("value", "at")
  WHERE COALESCE(answer."value" ->> 'fileId', '') = ''), '')
FROM "applications" AS a JOIN "submissions" AS s ON s."application_id" = a."id" AND s."number" = a."submissions"
WHERE NOT EXISTS (SELECT 1 FROM "search_documents" AS d WHERE d."object_id" = a."id")
ON CONFLICT DO NOTHING;

-- +goose Down
SELECT 1;

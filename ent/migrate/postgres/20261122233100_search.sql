-- +goose Up
-- Full-text search: one vector a document, kept by triggers, outside of ent's schema.
CREATE TABLE "search_index" ("document_id" bigint NOT NULL PRIMARY KEY REFERENCES "search_documents" ("id") ON DELETE CASCADE, "vector" tsvector NOT NULL);
CREATE INDEX "search_index_vector" ON "search_index" USING gin ("vector");
-- +goose StatementBegin
CREATE FUNCTION search_index_put() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO search_index (document_id, vector)
  VALUES (NEW.id, setweight(to_tsvector('english', NEW.title), 'A') || setweight(to_tsvector('english', left(NEW.body, 100000)), 'B'))
  ON CONFLICT (document_id) DO UPDATE SET vector = EXCLUDED.vector;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER search_index_put AFTER INSERT OR UPDATE OF title, body ON "search_documents" FOR EACH ROW EXECUTE FUNCTION search_index_put();

-- +goose Down
DROP TRIGGER search_index_put ON "search_documents";
DROP FUNCTION search_index_put();
DROP TABLE "search_index";

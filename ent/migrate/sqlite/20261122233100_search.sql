-- +goose Up
-- Full-text search: FTS5 over the documents' own text, kept by triggers, outside of ent's schema.
CREATE VIRTUAL TABLE `search_index` USING fts5(title, body, content='search_documents', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2');
-- +goose StatementBegin
CREATE TRIGGER search_index_insert AFTER INSERT ON `search_documents` BEGIN
  INSERT INTO search_index (rowid, title, body) VALUES (new.id, new.title, new.body);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER search_index_delete AFTER DELETE ON `search_documents` BEGIN
  INSERT INTO search_index (search_index, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER search_index_update AFTER UPDATE OF title, body ON `search_documents` BEGIN
  INSERT INTO search_index (search_index, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
  INSERT INTO search_index (rowid, title, body) VALUES (new.id, new.title, new.body);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER search_index_update;
DROP TRIGGER search_index_delete;
DROP TRIGGER search_index_insert;
DROP TABLE `search_index`;

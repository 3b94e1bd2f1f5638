-- +goose Up
-- What viewers have spent of their rates, in all processes together: due is when a key is rested, in microseconds. It stands outside
-- of ent's schema and is not logged: it changes every second, and a crash may forget it. SQLite has one process and no such table.
CREATE UNLOGGED TABLE "rates" ("key" bytea PRIMARY KEY, "due" bigint NOT NULL) WITH (fillfactor = 50);

-- +goose Down
DROP TABLE "rates";

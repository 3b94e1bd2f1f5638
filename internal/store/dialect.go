package store

import (
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// OnSQLite reports whether a statement is for SQLite, where the two databases have different words for the same.
func OnSQLite(s *sql.Selector) bool { return s.Dialect() == dialect.SQLite }

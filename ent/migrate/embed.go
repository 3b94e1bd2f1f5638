// Package migrate has the tables as ent generates them, and beside them the versioned migrations that make them.
package migrate

import "embed"

// Files are the versioned migrations: postgres/*.sql and sqlite/*.sql, applied in the order of their names. Make the next
// pair with: go run ./ent/migrate/diff NAME. A migration that was released never changes.
//
//go:embed postgres/*.sql sqlite/*.sql
var Files embed.FS

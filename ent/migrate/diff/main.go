// Command diff writes the next versioned migration for both databases: the difference between what the migrations make and
// what ent/schema says.
//
//	go run ./ent/migrate/diff -postgres postgres://localhost/empty NAME
//
// The PostgreSQL database must be an empty one that the command may fill and empty again. Read what it wrote before
// you commit it: a migration runs beside the old and the new binary (expand, move, contract). After changing what it wrote,
// or writing a migration by hand, run it with -sum to renew the checksums.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/pursuing-equity/commons/ent/migrate"

	"database/sql"

	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"
)

func main() {
	postgres := flag.String("postgres", "", "URL of an empty PostgreSQL database")
	sum := flag.Bool("sum", false, "renew the checksums only")
	flag.Parse()
	if *sum {
		for _, d := range []string{"sqlite", "postgres"} {
			if err := renew(d); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		return
	}
	if flag.NArg() != 1 || *postgres == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *postgres); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func renew(driver string) error {
	dir, err := sqltool.NewGooseDir("ent/migrate/" + driver)
	if err != nil {
		return err
	}
	sum, err := dir.Checksum()
	if err != nil {
		return err
	}
	return atlas.WriteSumFile(dir, sum)
}

func run(name, postgres string) error {
	tmp, err := os.MkdirTemp("", "commons-diff")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := diff(name, dialect.SQLite, "sqlite", "file:"+filepath.Join(tmp, "dev.db")+"?_pragma=foreign_keys(1)"); err != nil {
		return err
	}
	return diff(name, dialect.Postgres, "postgres", postgres)
}

func diff(name, d, driver, url string) error {
	dir, err := sqltool.NewGooseDir("ent/migrate/" + driver)
	if err != nil {
		return err
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	m, err := schema.NewMigrate(entsql.OpenDB(d, db),
		schema.WithDir(dir), schema.WithMigrationMode(schema.ModeReplay), schema.WithDialect(d), schema.WithFormatter(sqltool.GooseFormatter),
		schema.WithDropColumn(true), schema.WithDropIndex(true))
	if err != nil {
		return err
	}
	return m.NamedDiff(context.Background(), name, migrate.Tables...)
}

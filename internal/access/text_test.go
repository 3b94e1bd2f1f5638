package access

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/internal/gid"
)

// A remembered rule asks the same of the same member as the rule itself, wherever it stands in a statement.
func TestRememberedRules(t *testing.T) {
	rules := map[string]func(*sql.Selector, who) *sql.Predicate{"spaces": spaces, "threads": threads, "posts": threadVisible}
	for name, rule := range rules {
		for _, d := range []string{dialect.SQLite, dialect.Postgres} {
			for _, alias := range []string{"", "other"} {
				for n := range uint64(3) { // the first is written out, the others are remembered
					m := who{id: gid.Compose(gid.Member, time.Unix(1_700_000_000, 0), n)}
					statement := func(rule func(*sql.Selector, who) *sql.Predicate) (string, []any) {
						table := sql.Table("rows")
						if alias != "" {
							table = table.As(alias)
						}
						s := sql.Dialect(d).Select().From(table)
						return s.Select(s.C("id")).Where(sql.And(sql.EQ(s.C("a"), 1), sql.P(func(b *sql.Builder) {
							b.Wrap(func(b *sql.Builder) { b.Join(rule(s, m)) })
						}), sql.EQ(s.C("b"), 2))).Query()
					}
					query, args := statement(rule)
					again, argsAgain := statement(remembered(name, rule))
					if unwrapped(query) != unwrapped(again) || !reflect.DeepEqual(args, argsAgain) {
						t.Errorf("%s on %s:\n%s %v\n%s %v", name, d, query, args, again, argsAgain)
					}
				}
			}
		}
	}
}

// unwrapped drops the brackets that a remembered rule has of its own.
func unwrapped(query string) string {
	for _, bracket := range []string{"(", ")"} {
		for strings.Contains(query, bracket+bracket) {
			query = strings.ReplaceAll(query, bracket+bracket, bracket)
		}
	}
	return query
}

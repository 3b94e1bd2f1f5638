package access

import (
	"strings"
	"sync"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/internal/gid"
)

// texts remembers how rules read in SQL. It is the only state of this package, and nobody can tell it from none: what it holds is
// made of constants.
var texts sync.Map // of *text by textKey

type textKey struct {
	rule, dialect, outer string
	noRole               bool
}

// text is the SQL of a rule, cut where its arguments stand: one more part than there are arguments.
type text struct {
	parts []string
	args  []any
}

// anybody stands for the member in a text.
var anybody = gid.ID{0xff, 0xff, 0xff, 0xff}

// remembered is the same rule, written out once for each database and each name of the outer table: from then on only the member is
// put in. To write a rule with all its sub-selects takes longer than a database needs to answer it.
func remembered(name string, rule func(*sql.Selector, who) *sql.Predicate) func(*sql.Selector, who) *sql.Predicate {
	return func(s *sql.Selector, m who) *sql.Predicate {
		if m.outer != "" {
			return rule(s, m)
		}
		key := textKey{name, s.Dialect(), s.C("id"), m.noRole}
		found, ok := texts.Load(key)
		if !ok {
			found, _ = texts.LoadOrStore(key, write(rule(s, who{id: anybody, noRole: m.noRole}), s.Dialect()))
		}
		t := found.(*text) //nolint:errcheck // the map holds nothing else
		return sql.P(func(b *sql.Builder) {
			b.WriteByte('(')
			for i, arg := range t.args {
				b.WriteString(t.parts[i])
				if arg == any(anybody) {
					arg = m.id
				}
				b.Arg(arg)
			}
			b.WriteString(t.parts[len(t.args)])
			b.WriteByte(')')
		})
	}
}

func write(p *sql.Predicate, d string) *text {
	p.SetDialect(d)
	query, args := p.Query()
	t := &text{args: args}
	for range args {
		var part string
		if d == dialect.Postgres {
			part, query, _ = strings.Cut(query, "$")
			query = strings.TrimLeft(query, "0123456789")
		} else {
			part, query, _ = strings.Cut(query, "?")
		}
		t.parts = append(t.parts, part)
	}
	t.parts = append(t.parts, query)
	return t
}

package admission

import (
	"context"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/answer"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/document"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/submission"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// Complete are those applications to the calls that lack nothing, or those that lack something: what Missing says, as a condition, so that
// a list can be narrowed by it before its page is cut. It loads the calls and their forms: two statements.
func (s *Service) Complete(ctx context.Context, callIDs []gid.ID, complete bool) (predicate.Application, error) {
	calls, err := s.Calls(ctx, callIDs)
	if err != nil {
		return nil, err
	}
	there := make([]*ent.Call, 0, len(calls))
	for _, c := range calls {
		if c != nil {
			there = append(there, c)
		}
	}
	forms, err := publishedForms(ctx, s.Store.Client(ctx), there)
	if err != nil {
		return nil, err
	}
	return func(s *sql.Selector) {
		all := []*sql.Predicate{sql.False()}
		for _, c := range there {
			whole := sql.And(demands(s, c, nil)...)
			if c.FormVersion > 0 {
				whole = sql.False()
			}
			for n := 1; n <= c.FormVersion; n++ {
				whole = sql.Or(whole, sql.And(append(demands(s, c, forms[form{c.ID, n}]), asks(s, c, n))...))
			}
			if !complete {
				whole = sql.Not(whole)
			}
			all = append(all, sql.And(sql.EQ(s.C(application.FieldCallID), c.ID), whole))
		}
		s.Where(sql.Or(all...))
	}, nil
}

// asks is true for an application whose form is a version of its call's: questionsOf as a condition.
func asks(s *sql.Selector, c *ent.Call, number int) *sql.Predicate {
	last := func(also ...*sql.Predicate) *sql.Predicate {
		of := sql.Dialect(s.Dialect()).Select().From(sql.Table(submission.Table).As("last"))
		also = append(also, sql.ColumnsEQ(of.C(submission.FieldApplicationID), s.C(application.FieldID)), sql.ColumnsEQ(of.C(submission.FieldNumber), s.C(application.FieldSubmissions)))
		return sql.Exists(of.Select(of.C(submission.FieldID)).Where(sql.And(also...)))
	}
	with := sql.And(sql.NEQ(s.C(application.FieldState), application.StateDRAFT), last(sql.P(func(b *sql.Builder) {
		b.Ident("last").WriteByte('.').Ident(submission.FieldFormVersion).WriteString(" = ").Arg(number)
	})))
	if number != c.FormVersion {
		return with
	}
	return sql.Or(sql.EQ(s.C(application.FieldState), application.StateDRAFT), sql.Not(last()), with)
}

// demands are what a call and its form demand of an application.
func demands(s *sql.Selector, c *ent.Call, form []schema.Question) []*sql.Predicate {
	all := []*sql.Predicate{sql.Not(sql.False())}
	for _, q := range form {
		given := sql.Dialect(s.Dialect()).Select().From(sql.Table(answer.Table).As("given"))
		given.Select(given.C(answer.FieldID))
		of := sql.And(sql.ColumnsEQ(given.C(answer.FieldApplicationID), s.C(application.FieldID)), sql.EQ(given.C(answer.FieldKey), q.Key))
		if q.Required {
			all = append(all, sql.Exists(given.Where(sql.And(of, said(given), accepted(given, q)))))
		} else {
			all = append(all, sql.Not(sql.Exists(given.Where(sql.And(of, said(given), sql.Not(accepted(given, q)))))))
		}
	}
	for _, r := range c.Requirements {
		for _, p := range parts(r) {
			held := sql.Dialect(s.Dialect()).Select().From(sql.Table(document.Table).As("held"))
			held.Select(held.C(document.FieldID)).Where(sql.And(
				sql.ColumnsEQ(held.C(document.FieldApplicationID), s.C(application.FieldID)), sql.EQ(held.C(document.FieldRequirement), p.requirement),
				sql.EQ(held.C(document.FieldSigner), p.signer), sql.IsNull(held.C(document.FieldRemovedAt))))
			all = append(all, sql.Exists(held))
		}
	}
	return all
}

// said is true for an answer that says something.
func said(given *sql.Selector) *sql.Predicate { return sql.NEQ(given.C(answer.FieldValue), "") }

// accepted is true for an answer that its question takes as finished: what lacking says of it. Whether a text is a number or a date at all
// was checked as it was saved; it is looked at here because a question can become one of another kind.
func accepted(given *sql.Selector, q schema.Question) *sql.Predicate {
	value, postgres := given.C(answer.FieldValue), !store.OnSQLite(given)
	return sql.P(func(b *sql.Builder) {
		switch q.Kind {
		case kindText:
			b.WriteString("length(").Ident(value).WriteString(") BETWEEN ").Arg(q.MinLength).WriteString(" AND ").Arg(longest(q))
		case kindChoice:
			b.Join(sql.And(sql.Not(sql.False()), oneOf(value, q.Options)))
		case kindChoices:
			lineByLine(b, value, postgres, q.Options)
		case kindNumber:
			number(b, value, postgres, q)
		case kindDate:
			b.Ident(value).WriteString(" LIKE '____-__-__'")
		case kindConsent:
			b.Ident(value).WriteString(" = ").Arg(agreed)
		default:
			b.WriteString("1 = 1")
		}
	})
}

func oneOf(column string, options []string) *sql.Predicate {
	args := make([]any, len(options))
	for i, o := range options {
		args[i] = o
	}
	return sql.In(column, args...)
}

// lineByLine takes every option that stands on a line of its own out of the value: what is left must be line ends.
func lineByLine(b *sql.Builder, value string, postgres bool, options []string) {
	end := "char(10)"
	if postgres {
		end = "chr(10)"
	}
	b.WriteString(strings.Repeat("replace(", len(options)+1) + end + " || replace(").Ident(value).WriteString(", " + end + ", " + end + " || " + end + ") || " + end)
	for _, o := range options {
		b.WriteString(", ").Arg("\n" + o + "\n").WriteString(", '')")
	}
	b.WriteString(", " + end + ", '') = ''")
}

func number(b *sql.Builder, value string, postgres bool, q schema.Question) {
	as := func() { b.WriteString("CAST(").Ident(value).WriteString(" AS REAL)") }
	if postgres {
		as = func() { b.WriteString("CAST(").Ident(value).WriteString(" AS numeric)") }
		b.WriteString("CASE WHEN ").Ident(value).WriteString(` ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$' THEN 1 = 1`)
	} else {
		b.WriteString("CASE WHEN ").Ident(value).WriteString(" GLOB '*[0-9]*'")
		for _, never := range []string{"*[^0-9.eE+-]*", "*[0-9.][+-]*", "*.*.*"} {
			b.WriteString(" AND ").Ident(value).WriteString(" NOT GLOB '" + never + "'")
		}
		b.WriteString(" THEN 1 = 1")
	}
	if q.Min != nil {
		b.WriteString(" AND ")
		as()
		b.WriteString(" >= ").Arg(*q.Min)
	}
	if q.Max != nil {
		b.WriteString(" AND ")
		as()
		b.WriteString(" <= ").Arg(*q.Max)
	}
	b.WriteString(" ELSE 1 = 0 END")
}

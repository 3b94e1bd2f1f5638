package community

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"entgo.io/ent/dialect/sql"
	"golang.org/x/text/unicode/norm"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/memberterm"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Fold writes a text as terms are compared: in small letters, without accents, with single spaces.
func Fold(text string) string {
	bare := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(text))
	return words(bare)
}

// nameWords are the words of a name and of a handle, and both as a whole: "ada.king" is found by "ada.k" and by "king".
func nameWords(m *ent.Member) []string {
	name, handle := Fold(m.Name), Fold(m.Handle)
	all := []string{name, handle}
	for _, text := range []string{name, handle} {
		all = append(all, strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
	}
	return all
}

// IndexTerms writes down by which words and topics a member is found, within the transaction of the change.
func IndexTerms(ctx context.Context, tx *ent.Client, m *ent.Member) error {
	if _, err := tx.MemberTerm.Delete().Where(memberterm.MemberID(m.ID)).Exec(ctx); err != nil {
		return fmt.Errorf("forget terms: %w", err)
	}
	if err := tx.MemberTerm.CreateBulk(terms(tx, m)...).Exec(ctx); err != nil {
		return fmt.Errorf("write down terms: %w", err)
	}
	return nil
}

func terms(tx *ent.Client, m *ent.Member) []*ent.MemberTermCreate {
	type term struct {
		kind memberterm.Kind
		text string
	}
	seen := make(map[term]bool)
	var rows []*ent.MemberTermCreate
	add := func(kind memberterm.Kind, text, label string) {
		if t := (term{kind, text}); text != "" && !seen[t] {
			seen[t] = true
			rows = append(rows, tx.MemberTerm.Create().SetID(gid.New(gid.MemberTerm, m.UpdatedAt)).SetCreatedAt(m.UpdatedAt).SetMemberID(m.ID).
				SetKind(kind).SetTerm([]byte(text)).SetLabel(label))
		}
	}
	for _, w := range nameWords(m) {
		add(memberterm.KindNAME, w, "")
	}
	for _, t := range m.Expertise {
		add(memberterm.KindEXPERTISE, Fold(t), t)
	}
	for _, t := range m.Interests {
		add(memberterm.KindINTEREST, Fold(t), t)
	}
	return rows
}

// termBatch is how many members get their terms in one transaction.
const termBatch = 200

// IndexMembers gives terms to members who have none: those of before there were terms, and those whom an import or an older program wrote.
func (s *Service) IndexMembers(ctx context.Context) error {
	ctx = viewer.NewContext(ctx, viewer.System("write down terms"))
	without := func(s *sql.Selector) {
		t := sql.Dialect(s.Dialect()).Select().From(sql.Table(memberterm.Table))
		t.Select(t.C(memberterm.FieldMemberID)).Where(sql.ColumnsEQ(t.C(memberterm.FieldMemberID), s.C(member.FieldID)))
		s.Where(sql.Not(sql.Exists(t)))
	}
	return page.Walk(termBatch, func(m *ent.Member) gid.ID { return m.ID }, func(within func(*sql.Selector)) ([]*ent.Member, error) {
		return s.Store.Client(ctx).Member.Query().Where(member.StatusNEQ(member.StatusERASED), without, within).Select(member.FieldID).All(ctx)
	}, func(found []*ent.Member) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			var rows []*ent.MemberTermCreate
			held, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, ids(found, func(m *ent.Member) gid.ID { return m.ID })),
				member.StatusNEQ(member.StatusERASED), without).All(ctx)
			if err != nil {
				return fmt.Errorf("load members: %w", err)
			}
			for _, m := range held {
				rows = append(rows, terms(tx, m)...)
			}
			for len(rows) > 0 {
				n := min(len(rows), 1000)
				if err := tx.MemberTerm.CreateBulk(rows[:n]...).Exec(ctx); err != nil {
					return store.RetryOnConflict(err) // another process does the same
				}
				rows = rows[n:]
			}
			return nil
		})
	})
}

// KeepIndex runs IndexMembers now and every hour, until ctx ends; failed is told of what goes wrong.
func (s *Service) KeepIndex(ctx context.Context, failed func(error)) {
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		if err := s.IndexMembers(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-hourly.C:
		}
	}
}

// known are the members with a term of a kind that a condition is true for.
func known(kind memberterm.Kind, is func(s *sql.Selector) *sql.Predicate) predicate.Member {
	return func(s *sql.Selector) {
		t := sql.Dialect(s.Dialect()).Select().From(sql.Table(memberterm.Table))
		t.Select(t.C(memberterm.FieldMemberID)).Where(sql.And(sql.EQ(t.C(memberterm.FieldKind), kind), is(t)))
		s.Where(sql.In(s.C(member.FieldID), t))
	}
}

// Named are the members of whom a word of the name, or the handle, begins with a text that is not empty.
func Named(prefix string) predicate.Member {
	from := []byte(Fold(prefix))
	return known(memberterm.KindNAME, func(s *sql.Selector) *sql.Predicate {
		term := s.C(memberterm.FieldTerm)
		// UTF-8 has no byte 0xff: behind it is nothing that begins so.
		return sql.And(sql.GTE(term, from), sql.LT(term, append(append([]byte{}, from...), 0xff)))
	})
}

// HasTopic are the members with a topic, however it is spelled.
func HasTopic(kind memberterm.Kind, topic string) predicate.Member {
	return known(kind, func(s *sql.Selector) *sql.Predicate { return sql.EQ(s.C(memberterm.FieldTerm), []byte(Fold(topic))) })
}

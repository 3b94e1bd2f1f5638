package casework

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/document"
	"github.com/pursuing-equity/commons/ent/review"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// exportPage is how many applications are read at once.
const exportPage = 100

// cell is a text, or a number where it is one.
type cell struct {
	text   string
	number bool
}

func said(text string) cell { return cell{text: text} }

func whether(is bool) cell {
	if is {
		return cell{text: "yes"}
	}
	return cell{}
}

// writer writes a table, line by line.
type writer interface {
	line(cells []cell) error
	close() error
}

// WriteExport writes an export: a line for each application in the order of their numbers, after one with the names of the columns. It reads
// a hundred applications at a time in five statements and keeps no more; nobody is kept waiting meanwhile. Applications that change
// while it is written stand there as they were before or are after, each once.
func (s *Service) WriteExport(ctx context.Context, e *Export, out io.Writer) error {
	ctx = viewer.NewContext(ctx, viewer.System("export applications"))
	t := table{Service: s, of: e.By, by: viewer.Member(e.By, gid.ID{}, viewer.Read)}
	var err error
	if t.call, err = s.Store.Client(ctx).Call.Query().Where(call.ID(e.CallID)).Only(ctx); err != nil {
		return missing(err, "callId")
	}
	forms, err := s.Admission.Questions(ctx, []*ent.Call{t.call})
	if err != nil {
		return err
	}
	t.questions, t.zone = forms[0], zoneOf(t.call)
	narrowed, err := s.where(ctx, e.Filter, []gid.ID{e.CallID})
	if err != nil {
		return err
	}
	if e.Format == XLSX {
		t.writer, err = newXLSX(out, s.Now())
	} else {
		t.writer, err = newCSV(out)
	}
	if err != nil {
		return err
	}
	if err := t.line(t.head()); err != nil {
		return err
	}
	return t.rows(ctx, narrowed)
}

// table is an export that is being written.
type table struct {
	*Service
	writer
	of        gid.ID // who asked
	by        viewer.Viewer
	call      *ent.Call
	questions []*schema.Question
	zone      *time.Location
}

// rows writes all applications, whose rights are asked for anew with each page.
func (t *table) rows(ctx context.Context, narrowed []func(*sql.Selector)) error {
	l, err := ByNumber.listing(t.by)
	if err != nil {
		return err
	}
	w := page.Window{Limit: exportPage - 1} // Page reads one more
	for {
		if _, err := t.stillStaff(ctx, t.Store.Client(ctx), t.of); err != nil {
			return err
		}
		q := t.Store.Client(ctx).Application.Query().Where(application.CallID(t.call.ID), access.ListedApplications(t.by))
		for _, n := range narrowed {
			q.Where(n)
		}
		rows, err := q.Where(l.Page(w)).All(ctx)
		if err != nil {
			return fmt.Errorf("read applications: %w", err)
		}
		if err := t.write(ctx, rows); err != nil {
			return err
		}
		if len(rows) < exportPage {
			return t.close()
		}
		k := l.key(rows[len(rows)-1])
		w.After = &k
	}
}

// head are the names of the columns: those that every export has, then a column for each part of each requirement and for each question.
func (t *table) head() []cell {
	names := []string{"Number", "Id", "Organization", "Kind", "Team", "State", "Started", "First submitted", "Late", "Last changed", "Parts missing", "Reviews assigned", "Reviews submitted"}
	for _, r := range t.call.Requirements {
		for _, signer := range signers(r) {
			names = append(names, strings.TrimSuffix(r.Label+": "+signer, ": "))
		}
	}
	for _, q := range t.questions {
		names = append(names, q.Label)
	}
	cells := make([]cell, len(names))
	for i, n := range names {
		cells[i] = said(n)
	}
	return cells
}

// signers are those of a letter, and one without a name for a requirement that nobody signs; none for the form itself.
func signers(r schema.Requirement) []string {
	switch {
	case r.Kind == "FORM":
		return nil
	case len(r.Signers) == 0:
		return []string{""}
	}
	return r.Signers
}

// write writes the lines of some applications.
func (t *table) write(ctx context.Context, rows []*ent.Application) error {
	if len(rows) == 0 {
		return nil
	}
	contents, err := t.Admission.Contents(ctx, rows)
	if err != nil {
		return err
	}
	held, err := t.held(ctx, rows)
	if err != nil {
		return err
	}
	reviews, err := t.reviews(ctx, rows)
	if err != nil {
		return err
	}
	for i, a := range rows {
		cells := []cell{
			{fmt.Sprint(a.Number), true}, said(a.ID.String()), said(a.OrganizationName), said(string(a.OrganizationKind)), said(a.TeamName), said(string(a.State)),
			t.instant(&a.CreatedAt), t.instant(a.SubmittedAt), whether(a.Late), t.instant(&a.UpdatedAt), {fmt.Sprint(len(contents[i].Missing())), true},
			{fmt.Sprint(reviews[a.ID].assigned), true}, {fmt.Sprint(reviews[a.ID].submitted), true},
		}
		for _, r := range t.call.Requirements {
			for _, signer := range signers(r) {
				cells = append(cells, whether(held[part{a.ID, r.Key, signer}]))
			}
		}
		answers := contents[i].Answers()
		values := make(map[string]string, len(answers))
		for _, answer := range answers {
			values[answer.Key] = answer.Value
		}
		for _, q := range t.questions {
			cells = append(cells, cell{values[q.Key], q.Kind == "NUMBER" && plain(values[q.Key])})
		}
		if err := t.line(cells); err != nil {
			return err
		}
	}
	return nil
}

// instant is a time as ISO 8601 has it, as clocks in the call's zone showed it, with their distance from UTC.
func (t *table) instant(at *time.Time) cell {
	if at == nil {
		return cell{}
	}
	return said(at.In(t.zone).Format(time.RFC3339))
}

// part is a part of a requirement of an application.
type part struct {
	application         gid.ID
	requirement, signer string
}

func (t *table) held(ctx context.Context, rows []*ent.Application) (map[part]bool, error) {
	found, err := t.Store.Client(ctx).Document.Query().Where(page.AnyOf(document.FieldApplicationID, idsOf(rows)), document.RemovedAtIsNil()).
		Select(document.FieldApplicationID, document.FieldRequirement, document.FieldSigner).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	held := make(map[part]bool, len(found))
	for _, d := range found {
		held[part{d.ApplicationID, d.Requirement, d.Signer}] = true
	}
	return held, nil
}

type reviewCount struct{ assigned, submitted int }

func (t *table) reviews(ctx context.Context, rows []*ent.Application) (map[gid.ID]reviewCount, error) {
	var counts []struct {
		ID   gid.ID `sql:"of"`
		Done int    `sql:"done"`
		N    int    `sql:"n"`
	}
	err := t.Store.Client(ctx).ReviewAssignment.Query().
		Where(page.AnyOf(reviewassignment.FieldApplicationID, idsOf(rows)), reviewassignment.EndedAtIsNil(), reviewassignment.Not(access.ConflictedAssignments())).Modify(func(s *sql.Selector) {
		r := sql.Table(review.Table).As("done_review")
		s.LeftJoin(r).On(r.C(review.FieldAssignmentID), s.C(reviewassignment.FieldID))
		s.Select(sql.As(s.C(reviewassignment.FieldApplicationID), "of"), sql.As(sql.Count(r.C(review.FieldSubmittedAt)), "done"), sql.As(sql.Count("*"), "n"))
		s.GroupBy(s.C(reviewassignment.FieldApplicationID))
	}).Scan(ctx, &counts)
	if err != nil {
		return nil, fmt.Errorf("count reviews: %w", err)
	}
	of := make(map[gid.ID]reviewCount, len(counts))
	for _, c := range counts {
		of[c.ID] = reviewCount{c.N, c.Done}
	}
	return of, nil
}

func idsOf(rows []*ent.Application) []gid.ID {
	ids := make([]gid.ID, len(rows))
	for i, a := range rows {
		ids[i] = a.ID
	}
	return ids
}

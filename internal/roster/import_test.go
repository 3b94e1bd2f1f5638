package roster_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
	"github.com/pursuing-equity/commons/internal/apitest/postgres"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/roster"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// database is a migrated database with a program, two cohorts and the spaces that they have.
type database struct {
	*store.Store
	ctx context.Context
	now time.Time
}

func onEach(t *testing.T, test func(*testing.T, *database)) {
	t.Helper()
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "commons.db") },
		"postgres": func(t *testing.T) string { return postgres.New(t, postgres.Template{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := viewer.NewContext(t.Context(), viewer.System("test"))
			s, err := store.Open(ctx, url(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if _, err := s.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			d := &database{Store: s, ctx: ctx, now: time.Date(2023, 2, 1, 12, 0, 0, 0, time.UTC)}
			d.program(t)
			test(t, d)
			invariant.Check(ctx, t, s.Client(ctx))
		})
	}
}

// program makes an offering with the cohorts "C1" and "C2", their spaces and the network's.
func (d *database) program(t *testing.T) {
	t.Helper()
	first, last := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 6, 30, 0, 0, 0, 0, time.UTC)
	d.tx(t, func(ctx context.Context, tx *ent.Client) error {
		p := tx.Program.Create().SetID(d.id(gid.Program)).SetCreatedAt(d.now).SetSlug("p").SetName("P").SetStartsOn(first).SetEndsOn(last).SaveX(ctx)
		o := tx.Offering.Create().SetID(d.id(gid.Offering)).SetCreatedAt(d.now).SetProgramID(p.ID).SetSlug("action").SetName("Action").SetSupports(nil).
			SetFeeAmount(0).SetFeeCurrency("USD").SetTeamCapacity(10).SaveX(ctx)
		for _, name := range []string{"C1", "C2"} {
			c := tx.Cohort.Create().SetID(d.id(gid.Cohort)).SetCreatedAt(d.now).SetUpdatedAt(d.now).SetOfferingID(o.ID).SetName(name).SetStartsOn(first).SetEndsOn(last).SaveX(ctx)
			tx.Space.Create().SetID(d.id(gid.Space)).SetCreatedAt(d.now).SetUpdatedAt(d.now).SetKind(space.KindCOHORT).SetName(name).SetCohortID(c.ID).SaveX(ctx)
		}
		tx.Space.Create().SetID(d.id(gid.Space)).SetCreatedAt(d.now).SetUpdatedAt(d.now).SetKind(space.KindNETWORK).SetName("Network").SaveX(ctx)
		return nil
	})
}

func (d *database) tx(t *testing.T, fn func(context.Context, *ent.Client) error) {
	t.Helper()
	if err := d.InTx(d.ctx, fn); err != nil {
		t.Fatal(err)
	}
}

func (d *database) id(k gid.Kind) gid.ID { return gid.New(k, d.now) }

func (d *database) options() roster.Options {
	return roster.Options{Now: func() time.Time { return d.now }, NewID: d.id}
}

func parse(t *testing.T, text string) *roster.Roster {
	t.Helper()
	r, err := roster.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (d *database) load(t *testing.T, text string) *roster.Report {
	t.Helper()
	report, err := roster.Import(d.ctx, d.Store, parse(t, text), d.options())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// refused is where an import finds problems: "line column".
func (d *database) refused(t *testing.T, text string) string {
	t.Helper()
	_, err := roster.Import(d.ctx, d.Store, parse(t, text), d.options())
	list, ok := errors.AsType[roster.Problems](err)
	if !ok {
		t.Fatalf("imported, or failed otherwise: %v", err)
	}
	var out []string
	for _, p := range list {
		out = append(out, fmt.Sprintf("%d %s", p.Line, p.Column))
	}
	return strings.Join(out, ", ")
}

// counts is how many rows each table has that an import writes.
func (d *database) counts(t *testing.T) string {
	t.Helper()
	c := d.Client(d.ctx)
	return fmt.Sprint(c.Organization.Query().CountX(d.ctx), c.Team.Query().CountX(d.ctx), c.Enrollment.Query().CountX(d.ctx), c.Member.Query().CountX(d.ctx),
		c.Affiliation.Query().CountX(d.ctx), c.TeamMembership.Query().CountX(d.ctx), c.Space.Query().CountX(d.ctx), c.SpaceMembership.Query().CountX(d.ctx), c.SearchDocument.Query().CountX(d.ctx))
}

const (
	columns = "organization_name,organization_kind,organization_city,team_name,cohort,member_email,member_name,pronouns,title,time_zone,team_role,starts_on,ends_on\n"
	three   = "Org A,CLINIC,Boston,Team,C1,ann@a.example,Ann Lee,she/her,Nurse,America/New_York,LEAD,2023-01-09,\n" +
		"Org A,,,Team,,bob@a.example,Bob Bay,,,America/New_York,,,\n" +
		"Org B,,,Team,,cy@b.example,Cy Dee,,,UTC,,,\n"
)

func TestImport(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d *database) {
		before := d.counts(t)
		dry := d.options()
		dry.DryRun = true
		would, err := roster.Import(d.ctx, d.Store, parse(t, columns+three), dry)
		if err != nil {
			t.Fatal(err)
		}
		if after := d.counts(t); after != before {
			t.Fatalf("a dry run left rows: %s, before %s", after, before)
		}
		did := d.load(t, columns+three)
		if a, b := text(t, would), text(t, did); a != b {
			t.Errorf("the dry run said\n%sthe import did\n%s", a, b)
		}
		// Organizations, teams, enrollments, members, affiliations, places; spaces with the three of before; two members in three
		// spaces and one in its team's.
		if got := d.counts(t); got != "2 2 1 3 3 3 5 7 5" {
			t.Errorf("rows %s", got)
		}
		again := d.load(t, columns+three)
		if !again.Empty() || again.Unchanged["member"] != 3 || again.Unchanged["place"] != 3 || again.Unchanged["enrollment"] != 1 {
			t.Errorf("the second import was not idle:\n%s%v", text(t, again), again.Unchanged)
		}
		ann := d.Client(d.ctx).Member.Query().Where(member.Email("ann@a.example")).OnlyX(d.ctx)
		if ann.Handle != "ann-lee" || ann.Pronouns != "she/her" || ann.Title != "Nurse" || ann.TimeZone != "America/New_York" {
			t.Errorf("%+v", ann)
		}
		if p := d.Client(d.ctx).Affiliation.Query().Where(affiliation.MemberID(ann.ID)).OnlyX(d.ctx); !p.IsPrimary || p.Title != "Nurse" {
			t.Errorf("%+v", p)
		}
		// The next day, a row without days still means the same place.
		d.now = d.now.AddDate(0, 0, 1)
		if again := d.load(t, columns+three); !again.Empty() {
			t.Errorf("a day later:\n%s", text(t, again))
		}
	})
}

func TestImportChanges(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d *database) {
		d.load(t, columns+three)
		d.now = d.now.AddDate(0, 3, 0)
		report := d.load(t, columns+
			"Org A,HOSPITAL,,Team,C1,ann@a.example,Ann Lee-Bay,they/them,Nurse Manager,UTC,SENIOR_LEADER,2023-01-09,2023-04-30\n"+
			"Org B,,,Team,action/C2,cy@b.example,Cy Dee,,,UTC,,,\n")
		var changed []string
		for _, c := range report.Changed {
			changed = append(changed, c.Kind)
		}
		if got := strings.Join(changed, " "); got != "organization member affiliation place" {
			t.Errorf("changed %s:\n%s", got, text(t, report))
		}
		c := d.Client(d.ctx)
		ann := c.Member.Query().Where(member.Email("ann@a.example")).OnlyX(d.ctx)
		if ann.Name != "Ann Lee-Bay" || ann.Title != "Nurse Manager" || ann.Pronouns != "she/her" || ann.TimeZone != "America/New_York" {
			t.Errorf("name and title follow the file, pronouns and time zone are the member's own: %+v", ann)
		}
		if doc := c.SearchDocument.Query().Where(searchdocument.ObjectID(ann.ID)).OnlyX(d.ctx); doc.Title != "Ann Lee-Bay" || doc.Body != "Nurse Manager" {
			t.Errorf("search finds the old text: %+v", doc)
		}
		for _, m := range c.SpaceMembership.Query().Where(spacemembership.MemberID(ann.ID)).AllX(d.ctx) {
			if m.EndsAt == nil || m.EndsAt.After(d.now) {
				t.Errorf("a member who left stays in a space: %+v", m)
			}
		}
		cy := c.Member.Query().Where(member.Email("cy@b.example")).OnlyX(d.ctx)
		if n := c.SpaceMembership.Query().Where(spacemembership.MemberID(cy.ID)).CountX(d.ctx); n != 3 {
			t.Errorf("a member of an enrolled team is in %d spaces", n)
		}
		if n := c.Enrollment.Query().Where(enrollment.StateEQ(enrollment.StateENROLLED)).CountX(d.ctx); n != 2 {
			t.Errorf("%d enrollments", n)
		}
	})
}

func TestImportIsAllOrNothing(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d *database) {
		before := d.counts(t)
		if got := d.refused(t, columns+three+
			"Org C,,,Team,nowhere,d@c.example,D,,,UTC,,,\n"+
			"Org D,,,Team,C1,e@c.example,E,,,UTC,,,2022-06-01\n"+
			"Org D,,,Team,C1,f@c.example,F,,,UTC,,,2023-12-31\n"); got != "5 cohort, 6 ends_on, 7 ends_on" {
			t.Errorf("problems at %s", got)
		}
		if after := d.counts(t); after != before {
			t.Errorf("a refused import left rows: %s, before %s", after, before)
		}
		d.load(t, columns+three)
		d.tx(t, func(ctx context.Context, tx *ent.Client) error {
			if err := tx.Enrollment.Update().SetState(enrollment.StateWITHDRAWN).Exec(ctx); err != nil {
				return err
			}
			return tx.Member.Update().Where(member.Email("cy@b.example")).SetStatus(member.StatusDEACTIVATED).Exec(ctx)
		})
		if got := d.refused(t, columns+three); got != "2 cohort, 4 member_email" {
			t.Errorf("problems at %s", got)
		}
		d.tx(t, func(ctx context.Context, tx *ent.Client) error {
			return tx.Enrollment.Update().SetState(enrollment.StateENROLLED).Exec(ctx)
		})
	})
}

func TestPeopleWithOneName(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d *database) {
		d.load(t, columns+
			"O,,,T,,a@x.example,Ann Lee,,,UTC,,,\nO,,,T,,b@x.example,Ann Lee,,,UTC,,,\nO,,,T,,c@x.example,李娜,,,UTC,,,\n")
		d.load(t, columns+"O,,,T,,d@x.example,Änn Lée,,,UTC,,,\n")
		handles := map[string]bool{}
		for _, h := range d.Client(d.ctx).Member.Query().Select(member.FieldHandle).StringsX(d.ctx) {
			handles[h] = true
		}
		if len(handles) != 4 || !handles["ann-lee"] {
			t.Errorf("handles %v", handles)
		}
	})
}

func TestStatementsGrowWithThousandsOfRows(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d *database) {
		r := parse(t, large(1500))
		before := d.Statements()
		if _, err := roster.Import(d.ctx, d.Store, r, d.options()); err != nil {
			t.Fatal(err)
		}
		if n := d.Statements() - before; n > 60 {
			t.Errorf("%d statements for 1,500 new rows", n)
		}
		before = d.Statements()
		again, err := roster.Import(d.ctx, d.Store, r, d.options())
		if err != nil || !again.Empty() {
			t.Errorf("the second import: %v %+v", err, again)
		}
		if n := d.Statements() - before; n > 40 {
			t.Errorf("%d statements to change nothing", n)
		}
	})
}

func text(t *testing.T, r *roster.Report) string {
	t.Helper()
	var b strings.Builder
	if _, err := r.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// BenchmarkImport imports 10,000 rows into an empty database.
func BenchmarkImport(b *testing.B) {
	r, err := roster.Parse(strings.NewReader(large(10_000)))
	if err != nil {
		b.Fatal(err)
	}
	ctx := viewer.NewContext(b.Context(), viewer.System("benchmark"))
	s, err := store.Open(ctx, "sqlite:"+filepath.Join(b.TempDir(), "commons.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Migrate(ctx); err != nil {
		b.Fatal(err)
	}
	now := time.Date(2023, 2, 1, 12, 0, 0, 0, time.UTC)
	o := roster.Options{DryRun: true, Now: func() time.Time { return now }, NewID: func(k gid.Kind) gid.ID { return gid.New(k, now) }}
	for b.Loop() {
		if _, err := roster.Import(ctx, s, r, o); err != nil {
			b.Fatal(err)
		}
	}
}

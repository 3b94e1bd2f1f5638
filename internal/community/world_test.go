package community_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// world is a service over a database of its own, with an administrator, a network space and an offering.
type world struct {
	*community.Service
	t        *testing.T
	system   context.Context
	admin    who
	staff    who
	network  gid.ID
	offering gid.ID
	made     atomic.Int64
}

// who is somebody who asks.
type who struct {
	id  gid.ID
	v   viewer.Viewer
	ctx context.Context
}

// now is the real time: access compares it with the database's clock.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// each runs a test on both databases.
func each(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		t.Helper()
		test(open(t, url))
	})
}

func open(t *testing.T, url string) *world {
	t.Helper()
	w := &world{t: t, system: viewer.NewContext(t.Context(), viewer.System("test"))}
	s, err := store.Open(w.system, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	newID := func(k gid.Kind) gid.ID { return gid.New(k, now()) }
	w.Service = &community.Service{Store: s, Audit: &audit.Log{Store: s, Now: now, NewID: newID}, Now: now, NewID: newID}
	w.admin, w.staff = w.member("Ada"), w.member("Sam")
	w.role(w.admin, roleassignment.RoleADMIN)
	w.role(w.staff, roleassignment.RoleSTAFF)
	w.network = w.space(space.KindNETWORK, "Network")
	w.tx(func(ctx context.Context, tx *ent.Client) error {
		p := w.NewID(gid.Program)
		if err := tx.Program.Create().SetID(p).SetCreatedAt(now()).SetSlug("p").SetName("P").SetStartsOn(now()).SetEndsOn(now()).Exec(ctx); err != nil {
			return err
		}
		w.offering = w.NewID(gid.Offering)
		return tx.Offering.Create().SetID(w.offering).SetCreatedAt(now()).SetProgramID(p).SetSlug("o").SetName("O").SetSupports(nil).
			SetFeeAmount(1).SetFeeCurrency("USD").SetTeamCapacity(1).Exec(ctx)
	})
	return w
}

func (w *world) tx(fn func(ctx context.Context, tx *ent.Client) error) {
	w.t.Helper()
	if err := w.Store.InTx(w.system, fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) as(id gid.ID) who {
	v := viewer.Member(id, gid.ID{}, viewer.Write)
	return who{id, v, viewer.NewContext(w.t.Context(), v)}
}

// member makes a member who belongs to nothing.
func (w *world) member(name string) who {
	w.t.Helper()
	id, handle := w.NewID(gid.Member), fmt.Sprintf("m%d", w.made.Add(1))
	w.tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.Member.Create().SetID(id).SetCreatedAt(now()).SetUpdatedAt(now()).SetEmail(handle + "@example.org").SetHandle(handle).
			SetName(name).SetTimeZone("America/Chicago").Exec(ctx)
	})
	return w.as(id)
}

// participant makes a member whom people let into the network.
func (w *world) participant(name string) who {
	w.t.Helper()
	m := w.member(name)
	w.join(w.network, m, spacemembership.RoleMEMBER)
	return m
}

func (w *world) role(m who, role roleassignment.Role) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.RoleAssignment.Create().SetID(w.NewID(gid.RoleAssignment)).SetCreatedAt(now()).SetMemberID(m.id).SetRole(role).
			SetScope(roleassignment.ScopePLATFORM).Exec(ctx)
	})
}

func (w *world) space(kind space.Kind, name string, people ...who) gid.ID {
	w.t.Helper()
	id := w.NewID(gid.Space)
	w.tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.Space.Create().SetID(id).SetKind(kind).SetName(name).SetCreatedAt(now()).SetUpdatedAt(now()).Exec(ctx)
	})
	for i, p := range people {
		role := spacemembership.RoleMEMBER
		if i == 0 {
			role = spacemembership.RoleFACILITATOR
		}
		w.join(id, p, role)
	}
	return id
}

func (w *world) join(spaceID gid.ID, p who, role spacemembership.Role) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.SpaceMembership.Create().SetID(w.NewID(gid.SpaceMembership)).SetCreatedAt(now()).SetStartsAt(now().Add(-time.Minute)).
			SetSpaceID(spaceID).SetMemberID(p.id).SetRole(role).Exec(ctx)
	})
}

func (w *world) organization(name string) *ent.Organization {
	w.t.Helper()
	return must(w.CreateOrganization(w.staff.ctx, w.staff.v, community.NewOrganization{Name: name, Kind: "CLINIC"}))(w.t)
}

func (w *world) team(name string) *ent.Team {
	w.t.Helper()
	return must(w.CreateTeam(w.staff.ctx, w.staff.v, community.NewTeam{OrganizationID: w.organization("Org of " + name).ID, Name: name}))(w.t)
}

func (w *world) cohort(name string) *ent.Cohort {
	w.t.Helper()
	return must(w.CreateCohort(w.staff.ctx, w.staff.v, community.NewCohort{OfferingID: w.offering, Name: name, StartsOn: now(), EndsOn: now()}))(w.t)
}

func (w *world) enroll(c *ent.Cohort, t *ent.Team) *ent.Enrollment {
	w.t.Helper()
	return must(w.EnrollTeam(w.staff.ctx, w.staff.v, community.NewEnrollment{CohortID: c.ID, TeamID: t.ID}))(w.t)
}

func (w *world) add(t *ent.Team, m who, role teammembership.Role) *ent.TeamMembership {
	w.t.Helper()
	return must(w.CreateTeamMembership(w.staff.ctx, w.staff.v, community.NewTeamMembership{TeamID: t.ID, MemberID: m.id, Role: role}))(w.t)
}

// row is a member's row in a space, nil when there is none.
func (w *world) row(spaceID gid.ID, m who) *ent.SpaceMembership {
	w.t.Helper()
	row, err := w.Store.Client(w.system).SpaceMembership.Query().
		Where(spacemembership.SpaceID(spaceID), spacemembership.MemberID(m.id)).Only(w.system)
	if err != nil && !ent.IsNotFound(err) {
		w.t.Fatal(err)
	}
	return row
}

// places says in which of the spaces a member has a place now: "n" for the network, "c" for a cohort's, "t" for a team's.
func (w *world) places(m who) string {
	w.t.Helper()
	rows, err := w.Store.Client(w.system).SpaceMembership.Query().
		Where(spacemembership.MemberID(m.id), spacemembership.EndsAtIsNil()).WithSpace().All(w.system)
	if err != nil {
		w.t.Fatal(err)
	}
	var n, c, t int
	for _, row := range rows {
		switch row.Edges.Space.Kind {
		case space.KindNETWORK:
			n++
		case space.KindCOHORT:
			c++
		default:
			t++
		}
	}
	return fmt.Sprintf("n%d c%d t%d", n, c, t)
}

func (w *world) teamSpace(t *ent.Team) *ent.Space {
	w.t.Helper()
	return must(w.Store.Client(w.system).Space.Query().Where(space.TeamID(t.ID)).Only(w.system))(w.t)
}

// must fails the test for an error: must(call())(t).
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// refused fails the test unless the error is a fault of the code at the path: refused(t, code, path)(call()).
func refused[T any](t *testing.T, code fault.Code, path string) func(T, error) {
	t.Helper()
	return func(_ T, err error) {
		t.Helper()
		for _, f := range fault.All(err) {
			if f.Code == code && fmt.Sprint(f.Path) == "["+path+"]" {
				return
			}
		}
		t.Errorf("got %v, want %s at %q", err, code, path)
	}
}

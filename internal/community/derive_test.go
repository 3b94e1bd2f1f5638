package community_test

import (
	"context"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestDerivedPlaces(t *testing.T) {
	each(t, func(w *world) {
		want := func(t *testing.T, m who, places string) {
			t.Helper()
			if got := w.places(m); got != places {
				t.Errorf("places are %q, want %q", got, places)
			}
		}
		a, b := w.team("A"), w.team("B")
		c, d := w.cohort("C"), w.cohort("D")
		m := w.member("Mia")
		inA := w.add(a, m, teammembership.RoleLEAD)
		want(w.t, m, "n0 c0 t1")
		if r := w.row(w.teamSpace(a).ID, m); r.Role != spacemembership.RoleFACILITATOR || !r.Derived {
			w.t.Errorf("the lead's place is %v", r)
		}
		inC := w.enroll(c, a)
		want(w.t, m, "n1 c1 t1")

		w.t.Run("a lead who becomes a member no longer looks after the team's space", func(t *testing.T) {
			must(w.UpdateTeamMembership(w.staff.ctx, w.staff.v, inA.ID, teammembership.RoleMEMBER))(t)
			if r := w.row(w.teamSpace(a).ID, m); r.Role != spacemembership.RoleMEMBER {
				t.Errorf("the place is %v", r)
			}
		})
		w.t.Run("a completed enrollment leaves the spaces", func(t *testing.T) {
			must(w.UpdateEnrollment(w.staff.ctx, w.staff.v, inC.ID, enrollment.StateCOMPLETED, nil))(t)
			want(t, m, "n1 c1 t1")
		})
		w.t.Run("a withdrawn enrollment takes them away, and a place that opens again starts anew", func(t *testing.T) {
			before := w.row(w.network, m)
			must(w.UpdateEnrollment(w.staff.ctx, w.staff.v, inC.ID, enrollment.StateWITHDRAWN, nil))(t)
			want(t, m, "n0 c0 t1")
			must(w.UpdateEnrollment(w.staff.ctx, w.staff.v, inC.ID, enrollment.StateENROLLED, nil))(t)
			want(t, m, "n1 c1 t1")
			if after := w.row(w.network, m); after.ID != before.ID || after.StartsAt.Before(before.StartsAt) {
				t.Errorf("the place was %v and is %v", before, after)
			}
		})
		w.t.Run("two teams in two cohorts make one place in the network, which the second keeps", func(t *testing.T) {
			w.enroll(d, b)
			w.add(b, m, teammembership.RoleMEMBER)
			want(t, m, "n1 c2 t2")
			must(w.EndTeamMembership(w.staff.ctx, w.staff.v, inA.ID))(t)
			want(t, m, "n1 c1 t1")
		})
		w.t.Run("an archived team keeps its space until memberships end", func(t *testing.T) {
			alone := w.team("Alone")
			x := w.member("Xia")
			in := w.add(alone, x, teammembership.RoleMEMBER)
			must(w.ArchiveTeam(w.staff.ctx, w.staff.v, alone.ID))(t)
			want(t, x, "n0 c0 t1")
			must(w.EndTeamMembership(x.ctx, x.v, in.ID))(t)
			want(t, x, "n0 c0 t0")
		})
		w.t.Run("a place that people made is never touched", func(t *testing.T) {
			p := w.participant("Pia")
			before := w.row(w.network, p)
			in := w.add(b, p, teammembership.RoleLEAD)
			must(w.EndTeamMembership(w.staff.ctx, w.staff.v, in.ID))(t)
			after := w.row(w.network, p)
			if after.Derived || after.EndsAt != nil || !after.StartsAt.Equal(before.StartsAt) {
				t.Errorf("the place was %v and is %v", before, after)
			}
		})
		w.t.Run("a membership that begins later gives no place before", func(t *testing.T) {
			l := w.member("Lea")
			in := community.NewTeamMembership{TeamID: b.ID, MemberID: l.id, Role: teammembership.RoleMEMBER, StartsOn: new(now().Add(72 * time.Hour))}
			must(w.CreateTeamMembership(w.staff.ctx, w.staff.v, in))(t)
			if page := must(w.Spaces(l.ctx, l.v, first(10)))(t); len(page.Edges) != 0 {
				t.Errorf("sees %d spaces", len(page.Edges))
			}
			if r := w.row(w.network, l); r == nil || !r.StartsAt.After(now()) {
				t.Errorf("the place is %v", r)
			}
		})
	})
}

func TestDeriveMany(t *testing.T) {
	each(t, func(w *world) {
		a, c := w.team("A"), w.cohort("C")
		w.enroll(c, a)
		measure := func(n int) int64 {
			members := make([]gid.ID, n)
			w.tx(func(ctx context.Context, tx *ent.Client) error {
				people := make([]*ent.MemberCreate, n)
				places := make([]*ent.TeamMembershipCreate, n)
				for i := range n {
					members[i] = w.NewID(gid.Member)
					people[i] = tx.Member.Create().SetID(members[i]).SetCreatedAt(now()).SetUpdatedAt(now()).SetEmail(members[i].String()).
						SetHandle(members[i].String()).SetName("Many").SetTimeZone("UTC")
					places[i] = tx.TeamMembership.Create().SetID(w.NewID(gid.TeamMembership)).SetCreatedAt(now()).SetUpdatedAt(now()).
						SetTeamID(a.ID).SetMemberID(members[i]).SetRole(teammembership.RoleMEMBER).SetStartsOn(now().Truncate(24 * time.Hour))
				}
				if err := tx.Member.CreateBulk(people...).Exec(ctx); err != nil {
					return err
				}
				return tx.TeamMembership.CreateBulk(places...).Exec(ctx)
			})
			before := w.Store.Statements()
			w.tx(func(ctx context.Context, tx *ent.Client) error {
				_, err := community.Derive(ctx, tx, now(), w.NewID, members)
				return err
			})
			spent := w.Store.Statements() - before
			got := must(w.Store.Client(w.system).SpaceMembership.Query().
				Where(spacemembership.MemberIDIn(members...), spacemembership.EndsAtIsNil(), spacemembership.Derived(true)).Count(w.system))(w.t)
			if got != 3*n {
				w.t.Errorf("%d members have %d places, want %d", n, got, 3*n)
			}
			w.tx(func(ctx context.Context, tx *ent.Client) error {
				lost, err := community.Derive(ctx, tx, now(), w.NewID, members) // again: nothing to do
				if len(lost) != 0 {
					w.t.Errorf("%d lost a place", len(lost))
				}
				return err
			})
			return spent
		}
		if few, many := measure(2), measure(300); few != many {
			w.t.Errorf("%d statements for 2 members and %d for 300", few, many)
		}
	})
}

func TestTeamsAndCohortsHaveSpaces(t *testing.T) {
	each(t, func(w *world) {
		team, cohort := w.team("Equity"), w.cohort("Cohort 1")
		if sp := w.teamSpace(team); sp.Kind != space.KindTEAM || sp.Name != "Org of Equity: Equity" {
			w.t.Errorf("the team's space is %v", sp)
		}
		must(w.UpdateTeam(w.staff.ctx, w.staff.v, team.ID, community.TeamPatch{Name: new("Fair")}))(w.t)
		must(w.UpdateOrganization(w.staff.ctx, w.staff.v, team.OrganizationID, community.OrganizationPatch{Name: new("Clinic")}))(w.t)
		if sp := w.teamSpace(team); sp.Name != "Clinic: Fair" {
			w.t.Errorf("the team's space is %v", sp)
		}
		must(w.ArchiveTeam(w.staff.ctx, w.staff.v, team.ID))(w.t)
		must(w.ArchiveCohort(w.staff.ctx, w.staff.v, cohort.ID))(w.t)
		for _, sp := range must(w.Store.Client(w.system).Space.Query().Where(space.KindNEQ(space.KindNETWORK)).All(w.system))(w.t) {
			if sp.ArchivedAt == nil {
				w.t.Errorf("%v is not archived", sp)
			}
		}
	})
}

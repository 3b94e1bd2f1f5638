package community_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestHiddenSpacesAnswerAsMissing(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.participant("A"), w.participant("B")
		secret := w.space(space.KindAFFINITY, "Cedar", a, b)
		place := w.row(secret, b).ID
		for name, outsider := range map[string]who{"an administrator": w.admin, "staff": w.staff, "a participant": w.participant("C"), "a stranger": w.member("D")} {
			w.t.Run(name, func(t *testing.T) {
				asks := map[string]func(spaceID, membershipID gid.ID) error{
					"update": func(s, _ gid.ID) error {
						_, err := w.UpdateSpace(outsider.ctx, outsider.v, s, community.SpacePatch{Name: new("X")})
						return err
					},
					"archive": func(s, _ gid.ID) error { _, err := w.ArchiveSpace(outsider.ctx, outsider.v, s); return err },
					"add": func(s, _ gid.ID) error {
						in := community.NewSpaceMembership{SpaceID: s, MemberID: outsider.id, Role: spacemembership.RoleMEMBER}
						_, err := w.CreateSpaceMembership(outsider.ctx, outsider.v, in)
						return err
					},
					"change": func(_, m gid.ID) error {
						_, err := w.UpdateSpaceMembership(outsider.ctx, outsider.v, m, spacemembership.RoleFACILITATOR)
						return err
					},
					"end": func(_, m gid.ID) error { _, err := w.EndSpaceMembership(outsider.ctx, outsider.v, m); return err },
					"role": func(s, _ gid.ID) error {
						in := community.NewRoleAssignment{MemberID: outsider.id, Role: roleassignment.RoleFACILITATOR, Scope: roleassignment.ScopeSPACE, ScopeID: &s}
						_, err := w.CreateRoleAssignment(outsider.ctx, outsider.v, in)
						return err
					},
				}
				for what, ask := range asks {
					hidden, never := ask(secret, place), ask(w.NewID(gid.Space), w.NewID(gid.SpaceMembership))
					if hidden == nil || fmt.Sprint(hidden) != fmt.Sprint(never) {
						t.Errorf("%s: the hidden space answers %v, one that never existed %v", what, hidden, never)
					}
				}
				if page := must(w.SpaceMemberships(outsider.ctx, outsider.v, []gid.ID{secret}, first(10)))(t); len(page[0].Edges) != 0 {
					t.Errorf("sees %d memberships", len(page[0].Edges))
				}
				for _, e := range must(w.Spaces(outsider.ctx, outsider.v, first(10)))(t).Edges {
					if e.Node.ID == secret {
						t.Error("the space is listed")
					}
				}
			})
		}
		in := community.NewRoleAssignment{MemberID: a.id, Role: roleassignment.RoleFACILITATOR, Scope: roleassignment.ScopeSPACE, ScopeID: &secret}
		w.join(secret, w.admin, spacemembership.RoleMEMBER)
		refused[*ent.RoleAssignment](w.t, fault.Forbidden, "scopeId")(w.CreateRoleAssignment(w.admin.ctx, w.admin.v, in))
	})
}

func TestCreateSpace(t *testing.T) {
	each(t, func(w *world) {
		a, b, stranger := w.participant("A"), w.participant("B"), w.member("S")
		direct := func(from who, others ...gid.ID) (*ent.Space, error) {
			return w.CreateSpace(from.ctx, from.v, community.NewSpace{Kind: space.KindDIRECT, MemberIDs: others})
		}
		w.t.Run("whoever takes part can talk to others", func(t *testing.T) {
			sp := must(direct(a, b.id))(t)
			if w.row(sp.ID, a).Role != spacemembership.RoleFACILITATOR || w.row(sp.ID, b).Role != spacemembership.RoleMEMBER {
				t.Error("the roles are wrong")
			}
			if page := must(w.SpaceMemberships(b.ctx, b.v, []gid.ID{sp.ID}, first(10)))(t); len(page[0].Edges) != 2 {
				t.Errorf("%d belong to it", len(page[0].Edges))
			}
			in := community.NewSpaceMembership{SpaceID: sp.ID, MemberID: w.participant("C").id, Role: spacemembership.RoleMEMBER}
			refused[*ent.SpaceMembership](t, fault.Forbidden, "")(w.CreateSpaceMembership(a.ctx, a.v, in))
		})
		w.t.Run("a member whom the viewer cannot see is not found at their place", func(t *testing.T) {
			refused[*ent.Space](t, fault.NotFound, "memberIds 1")(direct(a, b.id, stranger.id))
			refused[*ent.Space](t, fault.NotFound, "memberIds 0")(direct(a, w.NewID(gid.Member)))
		})
		w.t.Run("a stranger talks to nobody", func(t *testing.T) {
			refused[*ent.Space](t, fault.Forbidden, "")(direct(stranger, a.id))
		})
		w.t.Run("a conversation has two to ten people, each once, and no name", func(t *testing.T) {
			refused[*ent.Space](t, fault.InvalidInput, "memberIds")(direct(a))
			refused[*ent.Space](t, fault.InvalidInput, "memberIds")(direct(a, make([]gid.ID, 10)...))
			refused[*ent.Space](t, fault.InvalidInput, "memberIds 0")(direct(a, a.id))
			refused[*ent.Space](t, fault.InvalidInput, "memberIds 1")(direct(a, b.id, b.id))
			in := community.NewSpace{Kind: space.KindDIRECT, Name: "X", MemberIDs: []gid.ID{b.id}}
			refused[*ent.Space](t, fault.InvalidInput, "name")(w.CreateSpace(a.ctx, a.v, in))
		})
		w.t.Run("groups are made by staff, and the others come by themselves", func(t *testing.T) {
			refused[*ent.Space](t, fault.Forbidden, "")(w.CreateSpace(a.ctx, a.v, community.NewSpace{Kind: space.KindWORKGROUP, Name: "X"}))
			refused[*ent.Space](t, fault.InvalidInput, "kind")(w.CreateSpace(w.staff.ctx, w.staff.v, community.NewSpace{Kind: space.KindTEAM, Name: "X"}))
			must(w.CreateSpace(w.staff.ctx, w.staff.v, community.NewSpace{Kind: space.KindAFFINITY, Name: "X"}))(t)
		})
		w.t.Run("one key makes one space", func(t *testing.T) {
			in := community.NewSpace{Kind: space.KindDIRECT, MemberIDs: []gid.ID{b.id}, IdempotencyKey: new("k")}
			one, two := must(w.CreateSpace(a.ctx, a.v, in))(t), must(w.CreateSpace(a.ctx, a.v, in))(t)
			if one.ID != two.ID {
				t.Error("there are two")
			}
			in.About = "another"
			refused[*ent.Space](t, fault.IdempotencyConflict, "idempotencyKey")(w.CreateSpace(a.ctx, a.v, in))
		})
	})
}

func TestSpaceMemberships(t *testing.T) {
	each(t, func(w *world) {
		f, m := w.participant("F"), w.participant("M")
		group := w.space(space.KindWORKGROUP, "Leaders", f)
		add := func(by, m who) (*ent.SpaceMembership, error) {
			return w.CreateSpaceMembership(by.ctx, by.v, community.NewSpaceMembership{SpaceID: group, MemberID: m.id, Role: spacemembership.RoleMEMBER})
		}
		place := must(add(f, m))(w.t)
		w.t.Run("nobody belongs twice, and members do not manage", func(t *testing.T) {
			refused[*ent.SpaceMembership](t, fault.AlreadyExists, "memberId")(add(f, m))
			refused[*ent.SpaceMembership](t, fault.Forbidden, "")(add(m, w.participant("X")))
		})
		w.t.Run("the last facilitator stays while others do", func(t *testing.T) {
			own := w.row(group, f).ID
			refused[*ent.SpaceMembership](t, fault.Forbidden, "")(w.EndSpaceMembership(f.ctx, f.v, own))
			refused[*ent.SpaceMembership](t, fault.Forbidden, "")(w.UpdateSpaceMembership(f.ctx, f.v, own, spacemembership.RoleMEMBER))
			must(w.UpdateSpaceMembership(f.ctx, f.v, place.ID, spacemembership.RoleFACILITATOR))(t)
			must(w.UpdateSpaceMembership(f.ctx, f.v, own, spacemembership.RoleMEMBER))(t)
			must(w.UpdateSpaceMembership(m.ctx, m.v, own, spacemembership.RoleFACILITATOR))(t)
		})
		w.t.Run("whoever leaves loses sight at once, and may come back to the same place", func(t *testing.T) {
			if gone := must(w.EndSpaceMembership(m.ctx, m.v, place.ID))(t); gone != nil {
				t.Errorf("still sees %v", gone)
			}
			refused[*ent.SpaceMembership](t, fault.NotFound, "spaceMembershipId")(w.EndSpaceMembership(m.ctx, m.v, place.ID))
			if back := must(add(f, m))(t); back.ID != place.ID || back.EndsAt != nil || back.Role != spacemembership.RoleMEMBER {
				t.Errorf("came back as %v", back)
			}
		})
		w.t.Run("derived places follow their team", func(t *testing.T) {
			team := w.team("T")
			w.add(team, m, teammembership.RoleLEAD)
			derived := w.row(w.teamSpace(team).ID, m).ID
			refused[*ent.SpaceMembership](t, fault.Forbidden, "")(w.EndSpaceMembership(m.ctx, m.v, derived))
			refused[*ent.SpaceMembership](t, fault.Forbidden, "")(w.UpdateSpaceMembership(w.staff.ctx, w.staff.v, derived, spacemembership.RoleMEMBER))
			refused[*ent.Space](t, fault.Forbidden, "")(w.ArchiveSpace(w.staff.ctx, w.staff.v, w.teamSpace(team).ID))
			in := community.NewSpaceMembership{SpaceID: w.network, MemberID: w.member("Y").id, Role: spacemembership.RoleMEMBER}
			refused[*ent.SpaceMembership](t, fault.Forbidden, "")(w.CreateSpaceMembership(w.staff.ctx, w.staff.v, in))
		})
		w.t.Run("an archived space no longer changes, but one can leave it", func(t *testing.T) {
			must(w.ArchiveSpace(f.ctx, f.v, group))(t)
			refused[*ent.SpaceMembership](t, fault.Archived, "spaceId")(add(f, w.participant("Z")))
			refused[*ent.Space](t, fault.Archived, "spaceId")(w.UpdateSpace(f.ctx, f.v, group, community.SpacePatch{Name: new("X")}))
			refused[*ent.SpaceMembership](t, fault.Archived, "spaceMembershipId")(w.UpdateSpaceMembership(f.ctx, f.v, place.ID, spacemembership.RoleFACILITATOR))
			must(w.EndSpaceMembership(m.ctx, m.v, place.ID))(t)
		})
	})
}

// race runs something twice at once and returns both errors.
func race(do func() error) (one, two error) {
	done := make(chan error)
	go func() { done <- do() }()
	one = do()
	return one, <-done
}

func TestRaces(t *testing.T) {
	each(t, func(w *world) {
		team := w.team("T")
		cohort := w.cohort("C")
		group := w.space(space.KindWORKGROUP, "G", w.participant("F"))
		m := w.participant("M")
		handles := []who{w.member("H1"), w.member("H2")}
		turn := make(chan who, 2)
		turn <- handles[0]
		turn <- handles[1]
		for what, do := range map[string]func() error{
			"organization": func() error {
				_, err := w.CreateOrganization(w.staff.ctx, w.staff.v, community.NewOrganization{Name: "Same", Kind: "CLINIC"})
				return err
			},
			"team": func() error {
				_, err := w.CreateTeam(w.staff.ctx, w.staff.v, community.NewTeam{OrganizationID: team.OrganizationID, Name: "Same"})
				return err
			},
			"cohort": func() error {
				_, err := w.CreateCohort(w.staff.ctx, w.staff.v, community.NewCohort{OfferingID: w.offering, Name: "Same", StartsOn: now(), EndsOn: now()})
				return err
			},
			"team membership": func() error {
				_, err := w.CreateTeamMembership(w.staff.ctx, w.staff.v, community.NewTeamMembership{TeamID: team.ID, MemberID: m.id, Role: teammembership.RoleLEAD})
				return err
			},
			"enrollment": func() error {
				_, err := w.EnrollTeam(w.staff.ctx, w.staff.v, community.NewEnrollment{CohortID: cohort.ID, TeamID: team.ID})
				return err
			},
			"space membership": func() error {
				_, err := w.CreateSpaceMembership(w.staff.ctx, w.staff.v, community.NewSpaceMembership{SpaceID: group, MemberID: m.id, Role: spacemembership.RoleMEMBER})
				return err
			},
			"role": func() error {
				in := community.NewRoleAssignment{MemberID: m.id, Role: roleassignment.RoleEXPERT, Scope: roleassignment.ScopePLATFORM}
				_, err := w.CreateRoleAssignment(w.admin.ctx, w.admin.v, in)
				return err
			},
			"handle": func() error {
				h := <-turn
				_, err := w.UpdateProfile(h.ctx, h.v, community.ProfilePatch{Handle: new("same")})
				return err
			},
		} {
			w.t.Run("of two at once, one gets the "+what, func(t *testing.T) {
				one, two := race(do)
				if lost := errors.Join(one, two); (one == nil) == (two == nil) || !fault.Is(lost, fault.AlreadyExists) && !fault.Is(one, fault.AlreadyExists) && !fault.Is(two, fault.AlreadyExists) {
					t.Errorf("got %v and %v", one, two)
				}
			})
		}
		w.t.Run("of two with one key at once, both get the same", func(t *testing.T) {
			got := make(chan gid.ID, 2)
			one, two := race(func() error {
				o, err := w.CreateOrganization(w.staff.ctx, w.staff.v, community.NewOrganization{Name: "Keyed", Kind: "CLINIC", IdempotencyKey: new("key")})
				if err == nil {
					got <- o.ID
				}
				return err
			})
			if one != nil || two != nil || <-got != <-got {
				t.Errorf("got %v and %v", one, two)
			}
		})
	})
}

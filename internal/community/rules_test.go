package community_test

import (
	"slices"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func TestOrganizations(t *testing.T) {
	each(t, func(w *world) {
		o := w.organization("Clinic")
		p, stranger, lead := w.participant("P"), w.member("S"), w.member("L")
		give := community.NewRoleAssignment{MemberID: lead.id, Role: roleassignment.RoleLEAD, Scope: roleassignment.ScopeORGANIZATION, ScopeID: &o.ID}
		role := must(w.CreateRoleAssignment(w.admin.ctx, w.admin.v, give))(w.t)
		update := func(m who, patch community.OrganizationPatch) (*ent.Organization, error) {
			return w.UpdateOrganization(m.ctx, m.v, o.ID, patch)
		}
		w.t.Run("staff and leads change it, others see that they may not, strangers see nothing", func(t *testing.T) {
			patch := community.OrganizationPatch{City: new(" Chicago ")}
			refused[*ent.Organization](t, fault.NotFound, "organizationId")(update(stranger, patch))
			refused[*ent.Organization](t, fault.Forbidden, "")(update(p, patch))
			if got := must(update(lead, patch))(t); got.City != "Chicago" || got.Name != "Clinic" {
				t.Errorf("it is %v", got)
			}
			refused[*ent.Organization](t, fault.Unauthenticated, "")(w.UpdateOrganization(w.system, viewer.Anonymous(), o.ID, patch))
			if can := must(w.CanUpdateOrganizations(lead.ctx, lead.v, []*ent.Organization{o}))(t); !can[0] {
				t.Error("the lead is not told so")
			}
		})
		w.t.Run("a name is taken once", func(t *testing.T) {
			w.organization("Other")
			refused[*ent.Organization](t, fault.AlreadyExists, "name")(update(w.staff, community.OrganizationPatch{Name: new("Other")}))
			refused[*ent.Organization](t, fault.Forbidden, "")(w.CreateOrganization(p.ctx, p.v, community.NewOrganization{Name: "New", Kind: "CLINIC"}))
		})
		w.t.Run("everything that is wrong is told at once", func(t *testing.T) {
			_, err := update(w.staff, community.OrganizationPatch{Name: new(" "), Kind: new(o.Kind[:2]), Country: new("us"), WebsiteURL: new("ftp://x")})
			if n := len(fault.All(err)); n != 4 {
				t.Errorf("%d faults: %v", n, err)
			}
		})
		w.t.Run("it is found by its text, until it is archived", func(t *testing.T) {
			doc := must(w.Store.Client(w.system).SearchDocument.Query().Where(searchdocument.ObjectID(o.ID)).Only(w.system))(t)
			if doc.Title != "Clinic" || doc.Body != "Chicago" {
				t.Errorf("the document is %v", doc)
			}
			team := must(w.CreateTeam(lead.ctx, lead.v, community.NewTeam{OrganizationID: o.ID, Name: "T"}))(t)
			refused[*ent.Organization](t, fault.Forbidden, "")(w.ArchiveOrganization(w.staff.ctx, w.staff.v, o.ID))
			must(w.ArchiveTeam(w.staff.ctx, w.staff.v, team.ID))(t)
			refused[*ent.Organization](t, fault.Forbidden, "")(w.ArchiveOrganization(lead.ctx, lead.v, o.ID))
			must(w.ArchiveOrganization(w.staff.ctx, w.staff.v, o.ID))(t)
			if n := must(w.Store.Client(w.system).SearchDocument.Query().Where(searchdocument.ObjectID(o.ID)).Count(w.system))(t); n != 0 {
				t.Error("it is still found")
			}
			refused[*ent.Organization](t, fault.Archived, "organizationId")(update(w.staff, community.OrganizationPatch{City: new("X")}))
			refused[*ent.Team](t, fault.Archived, "organizationId")(w.CreateTeam(w.staff.ctx, w.staff.v, community.NewTeam{OrganizationID: o.ID, Name: "U"}))
			for _, e := range must(w.Organizations(p.ctx, p.v, first(10)))(t).Edges {
				if e.Node.ID == o.ID {
					t.Error("it is still listed")
				}
			}
		})
		w.t.Run("a role that has ended gives nothing", func(t *testing.T) {
			refused[*ent.RoleAssignment](t, fault.Forbidden, "")(w.EndRoleAssignment(w.staff.ctx, w.staff.v, role.ID))
			must(w.EndRoleAssignment(w.admin.ctx, w.admin.v, role.ID))(t)
			refused[*ent.Organization](t, fault.NotFound, "organizationId")(update(lead, community.OrganizationPatch{City: new("X")}))
		})
	})
}

func TestProfile(t *testing.T) {
	each(t, func(w *world) {
		m := w.member("M")
		update := func(p community.ProfilePatch) (*ent.Member, error) { return w.UpdateProfile(m.ctx, m.v, p) }
		for path, bad := range map[string]community.ProfilePatch{
			"handle": {Handle: new("-x")}, "name": {Name: new("")}, "timeZone": {TimeZone: new("Mars/Base")},
			"avatarUrl": {AvatarURL: new("http://x.example/a.png")}, "expertise": {Expertise: new(make([]string, 21))}, "expertise 1": {Expertise: &[]string{"a", " "}},
		} {
			refused[*ent.Member](w.t, fault.InvalidInput, path)(update(bad))
		}
		for _, handle := range []string{"x", "Xy", "x-", ".xy", "x y", "é1"} {
			refused[*ent.Member](w.t, fault.InvalidInput, "handle")(update(community.ProfilePatch{Handle: &handle}))
		}
		got := must(update(community.ProfilePatch{Handle: new("a.b-c_9"), AvatarURL: new("https://x.example/a.png"), Expertise: &[]string{"Maternal health"}, Title: new("Nurse")}))(w.t)
		if got.Handle != "a.b-c_9" || got.Name != "M" || len(got.Expertise) != 1 {
			w.t.Errorf("the profile is %v", got)
		}
		refused[*ent.Member](w.t, fault.AlreadyExists, "handle")(w.UpdateProfile(w.staff.ctx, w.staff.v, community.ProfilePatch{Handle: new("a.b-c_9")}))
		doc := must(w.Store.Client(w.system).SearchDocument.Query().Where(searchdocument.ObjectID(m.id)).Only(w.system))(w.t)
		if doc.Title != "M" || doc.Body != "Nurse Maternal health" {
			w.t.Errorf("the document is %v", doc)
		}
		emails := func(asks who) int {
			n := 0
			for _, e := range must(w.Emails(asks.ctx, asks.v, []*ent.Member{got, {ID: w.staff.id}}))(w.t) {
				if e != nil {
					n++
				}
			}
			return n
		}
		if emails(m) != 1 || emails(w.staff) != 2 || emails(w.participant("P")) != 0 {
			w.t.Error("mail addresses are seen by others")
		}
	})
}

func TestAffiliations(t *testing.T) {
	each(t, func(w *world) {
		m, o := w.participant("M"), w.organization("O")
		add := func(by who, of *gid.ID, primary bool) (*ent.Affiliation, error) {
			return w.CreateAffiliation(by.ctx, by.v, community.NewAffiliation{MemberID: of, OrganizationID: o.ID, Title: "Nurse", Primary: primary})
		}
		one := must(add(m, nil, true))(w.t)
		two := must(add(w.staff, &m.id, true))(w.t)
		other := w.participant("P")
		refused[*ent.Affiliation](w.t, fault.Forbidden, "")(add(m, &other.id, false))
		refused[*ent.Affiliation](w.t, fault.NotFound, "memberId")(add(m, new(w.member("S").id), false))
		if p := must(w.PrimaryAffiliations(m.ctx, m.v, []gid.ID{w.staff.id, m.id}))(w.t); p[0] != nil || p[1].ID != two.ID {
			w.t.Errorf("shown with %v", p)
		}
		refused[*ent.Affiliation](w.t, fault.Forbidden, "")(w.EndAffiliation(other.ctx, other.v, one.ID, nil))
		must(w.EndAffiliation(m.ctx, m.v, two.ID, new(now().Add(-48*time.Hour))))(w.t)
		list := must(w.Affiliations(m.ctx, m.v, []gid.ID{m.id}))(w.t)[0]
		if len(list) != 2 || list[0].ID != one.ID || list[1].IsPrimary || list[1].EndsOn == nil {
			w.t.Errorf("the posts are %v", list)
		}
	})
}

func TestTeamsAndTheirLeads(t *testing.T) {
	each(t, func(w *world) {
		team, lead, m, p := w.team("T"), w.participant("L"), w.participant("M"), w.participant("P")
		stranger := w.member("S")
		w.add(team, lead, teammembership.RoleLEAD)
		in := must(w.CreateTeamMembership(lead.ctx, lead.v, community.NewTeamMembership{TeamID: team.ID, MemberID: m.id, Role: teammembership.RoleMEMBER}))(w.t)
		refused[*ent.TeamMembership](w.t, fault.Forbidden, "")(w.UpdateTeamMembership(m.ctx, m.v, in.ID, teammembership.RoleLEAD))
		refused[*ent.TeamMembership](w.t, fault.NotFound, "memberId")(
			w.CreateTeamMembership(lead.ctx, lead.v, community.NewTeamMembership{TeamID: team.ID, MemberID: stranger.id, Role: teammembership.RoleMEMBER}))
		refused[*ent.TeamMembership](w.t, fault.Forbidden, "")(w.EndTeamMembership(p.ctx, p.v, in.ID))
		refused[*ent.TeamMembership](w.t, fault.NotFound, "teamMembershipId")(w.EndTeamMembership(stranger.ctx, stranger.v, in.ID))
		refused[*ent.Team](w.t, fault.Forbidden, "")(w.ArchiveTeam(lead.ctx, lead.v, team.ID))
		must(w.UpdateTeam(lead.ctx, lead.v, team.ID, community.TeamPatch{About: new("Us")}))(w.t)
		if page := must(w.TeamMemberships(p.ctx, p.v, []gid.ID{team.ID}, first(10)))(w.t)[0]; len(page.Edges) != 2 {
			w.t.Errorf("%d belong to it", len(page.Edges))
		}
		must(w.EndTeamMembership(m.ctx, m.v, in.ID))(w.t)
		if page := must(w.TeamMemberships(p.ctx, p.v, []gid.ID{team.ID}, first(10)))(w.t)[0]; len(page.Edges) != 1 {
			w.t.Errorf("%d belong to it", len(page.Edges))
		}
		can := must(w.CanUpdateTeams(lead.ctx, lead.v, []*ent.Team{team, w.team("U")}))(w.t)
		if !can[0] || can[1] {
			w.t.Errorf("the lead can %v", can)
		}
	})
}

func TestCohortsAndEnrollments(t *testing.T) {
	each(t, func(w *world) {
		c, team, p, f := w.cohort("C"), w.team("T"), w.participant("P"), w.participant("F")
		give := community.NewRoleAssignment{MemberID: f.id, Role: roleassignment.RoleFACILITATOR, Scope: roleassignment.ScopeCOHORT, ScopeID: &c.ID}
		must(w.CreateRoleAssignment(w.admin.ctx, w.admin.v, give))(w.t)
		refused[*ent.RoleAssignment](w.t, fault.AlreadyExists, "role")(w.CreateRoleAssignment(w.admin.ctx, w.admin.v, give))
		enroll := func(m who) (*ent.Enrollment, error) {
			return w.EnrollTeam(m.ctx, m.v, community.NewEnrollment{CohortID: c.ID, TeamID: team.ID, Reason: "Chosen"})
		}
		refused[*ent.Enrollment](w.t, fault.Forbidden, "")(enroll(p))
		e := must(enroll(f))(w.t)
		refused[*ent.Enrollment](w.t, fault.AlreadyExists, "teamId")(enroll(f))
		reasons := must(w.EnrollmentReasons(f.ctx, f.v, []*ent.Enrollment{e}))(w.t)
		others := must(w.EnrollmentReasons(p.ctx, p.v, []*ent.Enrollment{e}))(w.t)
		if reasons[0] == nil || others[0] != nil {
			w.t.Error("the reason is for staff and facilitators")
		}
		refused[*ent.Cohort](w.t, fault.InvalidInput, "endsOn")(w.UpdateCohort(f.ctx, f.v, c.ID, community.CohortPatch{EndsOn: new(now().Add(-48 * time.Hour))}))
		refused[*ent.Cohort](w.t, fault.Forbidden, "")(w.ArchiveCohort(f.ctx, f.v, c.ID))
		refused[*ent.Team](w.t, fault.Forbidden, "")(w.ArchiveTeam(w.staff.ctx, w.staff.v, team.ID))
		must(w.ArchiveCohort(w.staff.ctx, w.staff.v, c.ID))(w.t)
		refused[*ent.Enrollment](w.t, fault.Archived, "cohortId")(enroll(f))
		must(w.UpdateEnrollment(f.ctx, f.v, e.ID, enrollment.StateCOMPLETED, nil))(w.t)
		refused[*ent.Enrollment](w.t, fault.Archived, "enrollmentId")(w.UpdateEnrollment(f.ctx, f.v, e.ID, enrollment.StateENROLLED, nil))
		must(w.ArchiveTeam(w.staff.ctx, w.staff.v, team.ID))(w.t)
	})
}

func TestRoles(t *testing.T) {
	each(t, func(w *world) {
		m, o := w.member("M"), w.organization("O")
		for _, bad := range []struct {
			path string
			in   community.NewRoleAssignment
		}{
			{"scope", community.NewRoleAssignment{Role: "ADMIN", Scope: "COHORT", ScopeID: &o.ID}},
			{"scope", community.NewRoleAssignment{Role: "LEAD", Scope: "TEAM", ScopeID: &o.ID}},
			{"scopeId", community.NewRoleAssignment{Role: "STAFF", Scope: "PLATFORM", ScopeID: &o.ID}},
			{"scopeId", community.NewRoleAssignment{Role: "LEAD", Scope: "ORGANIZATION"}},
			{"endsAt", community.NewRoleAssignment{Role: "STAFF", Scope: "PLATFORM", EndsAt: new(now())}},
		} {
			bad.in.MemberID = m.id
			refused[*ent.RoleAssignment](w.t, fault.InvalidInput, bad.path)(w.CreateRoleAssignment(w.admin.ctx, w.admin.v, bad.in))
		}
		wrongKind := community.NewRoleAssignment{MemberID: m.id, Role: "FACILITATOR", Scope: "COHORT", ScopeID: &o.ID}
		refused[*ent.RoleAssignment](w.t, fault.NotFound, "scopeId")(w.CreateRoleAssignment(w.admin.ctx, w.admin.v, wrongKind))
		staff := community.NewRoleAssignment{MemberID: m.id, Role: "STAFF", Scope: "PLATFORM"}
		refused[*ent.RoleAssignment](w.t, fault.Forbidden, "")(w.CreateRoleAssignment(w.staff.ctx, w.staff.v, staff))
		must(w.CreateRoleAssignment(w.admin.ctx, w.admin.v, staff))(w.t)
		for _, asks := range []struct {
			who
			n int
		}{{m, 1}, {w.staff, 1}, {w.participant("P"), 0}} {
			if got := must(w.MemberRoles(asks.ctx, asks.v, []gid.ID{m.id}))(w.t)[0]; len(got) != asks.n {
				w.t.Errorf("sees %d roles, want %d", len(got), asks.n)
			}
		}
	})
}

func TestLossesAreChangesOfAccess(t *testing.T) {
	each(t, func(w *world) {
		team, c, m := w.team("T"), w.cohort("C"), w.member("M")
		e := w.enroll(c, team)
		place := w.add(team, m, teammembership.RoleMEMBER)
		group := w.space(space.KindWORKGROUP, "G", w.participant("F"), m)
		role := must(w.CreateRoleAssignment(w.admin.ctx, w.admin.v, community.NewRoleAssignment{MemberID: m.id, Role: "EXPERT", Scope: "PLATFORM"}))(w.t)

		for _, loss := range []struct {
			of string
			do func() error
		}{ // in this order: after the team there is no enrollment to lose
			{"an enrollment", func() error {
				_, err := w.UpdateEnrollment(w.staff.ctx, w.staff.v, e.ID, enrollment.StateWITHDRAWN, nil)
				return err
			}},
			{"a team", func() error { _, err := w.EndTeamMembership(w.staff.ctx, w.staff.v, place.ID); return err }},
			{"a group", func() error { _, err := w.EndSpaceMembership(m.ctx, m.v, w.row(group, m).ID); return err }},
			{"a role", func() error { _, err := w.EndRoleAssignment(w.admin.ctx, w.admin.v, role.ID); return err }},
		} {
			w.t.Run("the loss of "+loss.of+" is a change of access", func(t *testing.T) {
				_, before, err := w.Store.AccessChanges(w.system, store.AccessMark{})
				if err != nil {
					t.Fatal(err)
				}
				if err := loss.do(); err != nil {
					t.Error(err)
				}
				changes, _, err := w.Store.AccessChanges(w.system, before)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.ContainsFunc(changes, func(c store.AccessChange) bool { return c.Subject == m.id || c.Subject.IsZero() }) {
					t.Errorf("the changes are %v", changes)
				}
			})
		}
	})
}

func first(n int) page.Args { return page.Args{First: &n} }

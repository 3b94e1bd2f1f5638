package apitest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/graph"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/openid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// cast is the people who try everything, and the world that they try it in.
type cast struct {
	*apitest.World
	outsider, stranger, member, lead, insider, staff, admin *apitest.Person
	reader, anonymous                                       *apitest.Client // reader is member with a token that may only read
	browser                                                 *apitest.Client // member in a browser
	network, workgroup, affinity                            gid.ID
	organization, team, cohort, offering                    gid.ID
}

// viewers are who tries, from the least to the most trusted.
var viewers = []string{"anonymous", "outsider", "reader", "stranger", "member", "browser", "insider", "lead", "staff", "admin"}

func (c *cast) client(viewer string) *apitest.Client {
	switch viewer {
	case "anonymous":
		return c.anonymous
	case "reader":
		return c.reader
	case "browser":
		return c.browser
	case "outsider":
		return c.outsider.Client
	case "stranger":
		return c.stranger.Client
	case "member":
		return c.member.Client
	case "insider":
		return c.insider.Client
	case "lead":
		return c.lead.Client
	case "staff":
		return c.staff.Client
	default:
		return c.admin.Client
	}
}

func newCast(w *apitest.World) *cast {
	c := &cast{World: w, anonymous: w.As("")}
	c.outsider, c.stranger, c.member, c.insider, c.lead = w.Member("outsider"), w.Member("stranger"), w.Member("member"), w.Member("insider"), w.Member("lead")
	c.staff, c.admin = w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Role(w.Member("admin"), roleassignment.RoleADMIN)
	c.reader = w.As(w.Token(c.member, accesstoken.ScopeREAD))
	c.browser = w.SignedIn(c.member)
	host := w.Member("host") // facilitates what none of the others does
	c.network = w.Space(space.KindNETWORK, "Network", host, c.stranger, c.member, c.insider, c.lead)
	c.workgroup = w.Space(space.KindWORKGROUP, "Workgroup", host, c.member, c.lead)
	c.affinity = w.Space(space.KindAFFINITY, "Affinity", c.insider)
	now := w.App.Config.Now()
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		program := w.NewID(gid.Program)
		c.offering = w.NewID(gid.Offering)
		if err := tx.Program.Create().SetID(program).SetCreatedAt(now).SetSlug("p").SetName("Program").SetStartsOn(now).SetEndsOn(now).Exec(ctx); err != nil {
			return err
		}
		return tx.Offering.Create().SetID(c.offering).SetCreatedAt(now).SetProgramID(program).SetSlug("o").SetName("Offering").
			SetSupports(nil).SetFeeAmount(0).SetFeeCurrency("USD").SetTeamCapacity(10).Exec(ctx)
	})
	c.organization = c.newOrganization()
	c.team = c.newTeam()
	c.cohort = c.newCohort()
	return c
}

// made is what a service made for a cell.
func made[T any](c *cast, v T, err error) T {
	c.T.Helper()
	if err != nil {
		c.T.Fatal(err)
	}
	return v
}

func (c *cast) name() string { return "N" + c.NewID(gid.Post).String() }

func (c *cast) newOrganization() gid.ID {
	o, err := c.App.Community.CreateOrganization(c.staff.Context(), c.staff.Viewer, community.NewOrganization{Name: c.name(), Kind: "CLINIC"})
	return made(c, o, err).ID
}

// newTeam is a team of the organization with lead as its lead and member as a member.
func (c *cast) newTeam() gid.ID {
	t, err := c.App.Community.CreateTeam(c.staff.Context(), c.staff.Viewer, community.NewTeam{OrganizationID: c.organization, Name: c.name()})
	id := made(c, t, err).ID
	c.newPlace(id, c.lead, "LEAD")
	return id
}

func (c *cast) newPlace(team gid.ID, p *apitest.Person, role string) string {
	r := c.staff.Must(`mutation($input: CreateTeamMembershipInput!) { createTeamMembership(input: $input) { teamMembership { id } errors { code message } } }`,
		input(vars{"teamId": team, "memberId": p.ID, "role": role}))
	return r.String("createTeamMembership.teamMembership.id")
}

func (c *cast) newCohort() gid.ID {
	r := c.staff.Must(`mutation($input: CreateCohortInput!) { createCohort(input: $input) { cohort { id } errors { code message } } }`,
		input(vars{"offeringId": c.offering, "name": c.name(), "startsOn": "2023-01-01", "endsOn": "2024-06-30"}))
	return must(c.T, r.String("createCohort.cohort.id"))
}

func (c *cast) newEnrollment() string {
	r := c.staff.Must(`mutation($input: EnrollTeamInput!) { enrollTeam(input: $input) { enrollment { id } errors { code message } } }`,
		input(vars{"cohortId": c.newCohort(), "teamId": c.team}))
	return r.String("enrollTeam.enrollment.id")
}

func (c *cast) newRole() string {
	r := c.admin.Must(`mutation($input: CreateRoleAssignmentInput!) { createRoleAssignment(input: $input) { roleAssignment { id } errors { code message } } }`,
		input(vars{"memberId": c.Member("new").ID, "role": "REVIEWER", "scope": "PLATFORM"}))
	id := r.String("createRoleAssignment.roleAssignment.id")
	return id
}

// newSession is another browser of the member's.
func (c *cast) newSession() string {
	c.SignedIn(c.member)
	r := c.browser.Must(`{ account { sessions { id } } }`, nil)
	return r.String("account.sessions.0.id")
}

// newIdentity is the member at a provider of its own.
func (c *cast) newIdentity() string {
	who := openid.Identity{Issuer: "https://" + c.name() + ".example", Subject: "member"}
	if err := c.App.Accounts.ConnectIdentity(c.member.Context(), viewer.Session(c.member.ID, gid.ID{}), who, "Provider"); err != nil {
		c.T.Fatal(err)
	}
	r := c.browser.Must(`{ account { identities { id } } }`, nil)
	return r.String(fmt.Sprintf("account.identities.%d.id", r.Len("account.identities")-1))
}

func (c *cast) newToken() gid.ID {
	t, _, err := c.App.Accounts.CreateAccessToken(c.member.Context(), viewer.Session(c.member.ID, gid.ID{}),
		account.NewAccessToken{Name: "T", Scope: accesstoken.ScopeREAD, ExpiresAt: time.Now().Add(time.Hour)})
	return made(c, t, err).ID
}

func (c *cast) newResource(audience string, spaceID any) string {
	who := c.staff
	if spaceID == c.affinity {
		who = c.insider
	}
	r := who.Must(`mutation($input: CreateResourceInput!) { createResource(input: $input) { resource { id } errors { code message } } }`,
		input(vars{"kind": "LINK", "title": c.name(), "audience": audience, "spaceId": spaceID}))
	return r.String("createResource.resource.id")
}

func (c *cast) threadBy(p *apitest.Person, in gid.ID) gid.ID { return c.Thread(p, in, "T", "B") }

// row is one line of the matrix: what is sent, and what each viewer is answered. A viewer who is not named gets the code
// under "": the default of the row. "ok" means that it was done.
type row struct {
	fields string // of the payload, or the selection of a query
	vars   func(c *cast) vars
	codes  map[string]string
}

const ok = "ok"

// codes writes a row's answers: the code of everybody else, and then who may.
func codes(others string, may ...string) map[string]string {
	m := map[string]string{"": others, "anonymous": "UNAUTHENTICATED", "reader": "INSUFFICIENT_SCOPE"}
	for _, v := range may {
		name, code, found := strings.Cut(v, "=")
		if !found {
			code = ok
		}
		m[name] = code
	}
	return m
}

// mutations is the matrix of what may be changed. A mutation without a row fails the test.
func mutations() map[string]row {
	in := func(f func(c *cast) vars) func(c *cast) vars { return func(c *cast) vars { return input(f(c)) } }
	networkThread := func(c *cast) gid.ID { return c.threadBy(c.member, c.network) }
	networkPost := func(c *cast) any { return c.Post(c.member, networkThread(c), "mine") }
	participants := []string{"stranger", "member", "insider", "lead", "staff", "admin"}
	return map[string]row{
		"createAccessToken": {"accessToken { id }", in(func(*cast) vars {
			return vars{"name": "T", "scope": "READ", "expiresAt": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}
		}), codes("FORBIDDEN", "browser")},
		"revokeAccessToken": {"errors { code }", in(func(c *cast) vars { return vars{"accessTokenId": c.newToken()} }), codes("FORBIDDEN", "browser")},
		"endSession":        {"errors { code }", in(func(c *cast) vars { return vars{"sessionId": c.newSession()} }), codes("FORBIDDEN", "browser")},
		"endOtherSessions":  {"errors { code }", in(func(*cast) vars { return vars{} }), codes("FORBIDDEN", "browser")},
		"unlinkIdentity":    {"errors { code }", in(func(c *cast) vars { return vars{"identityId": c.newIdentity()} }), codes("FORBIDDEN", "browser")},
		"inviteMember": {"member { id }", in(func(c *cast) vars {
			return vars{"name": "I", "email": c.name() + "@example.org", "timeZone": "UTC"}
		}), codes("FORBIDDEN", "staff", "admin")},
		"createOrganization":  {"organization { id }", in(func(c *cast) vars { return vars{"name": c.name(), "kind": "CLINIC"} }), codes("FORBIDDEN", "staff", "admin")},
		"updateOrganization":  {"organization { id }", in(func(c *cast) vars { return vars{"organizationId": c.newOrganization(), "city": "Ames"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"archiveOrganization": {"organization { id }", in(func(c *cast) vars { return vars{"organizationId": c.newOrganization()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"updateProfile":       {"member { id }", in(func(*cast) vars { return vars{"pronouns": "they/them"} }), codes(ok)},
		"createAffiliation":   {"affiliation { id }", in(func(c *cast) vars { return vars{"organizationId": c.newOrganization(), "memberId": c.member.ID} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "member", "staff", "admin")},
		"endAffiliation": {"affiliation { id }", in(func(c *cast) vars {
			r := c.member.Must(`mutation($input: CreateAffiliationInput!) { createAffiliation(input: $input) { affiliation { id } errors { code message } } }`, input(vars{"organizationId": c.newOrganization()}))
			return vars{"affiliationId": r.String("createAffiliation.affiliation.id")}
		}), codes("FORBIDDEN", "outsider=NOT_FOUND", "member", "staff", "admin")},
		"createTeam":           {"team { id }", in(func(c *cast) vars { return vars{"organizationId": c.organization, "name": c.name()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"updateTeam":           {"team { id }", in(func(c *cast) vars { return vars{"teamId": c.newTeam(), "about": "x"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "lead", "staff", "admin")},
		"archiveTeam":          {"team { id }", in(func(c *cast) vars { return vars{"teamId": c.newTeam()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"createTeamMembership": {"teamMembership { id }", in(func(c *cast) vars { return vars{"teamId": c.newTeam(), "memberId": c.stranger.ID, "role": "MEMBER"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "lead", "staff", "admin")},
		"updateTeamMembership": {"teamMembership { id }", in(func(c *cast) vars {
			return vars{"teamMembershipId": c.newPlace(c.newTeam(), c.stranger, "MEMBER"), "role": "DATA_LEAD"}
		}), codes("FORBIDDEN", "outsider=NOT_FOUND", "lead", "staff", "admin")},
		"endTeamMembership": {"errors { code }", in(func(c *cast) vars { return vars{"teamMembershipId": c.newPlace(c.newTeam(), c.stranger, "MEMBER")} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "stranger", "lead", "staff", "admin")},
		"createCohort": {"cohort { id }", in(func(c *cast) vars {
			return vars{"offeringId": c.offering, "name": c.name(), "startsOn": "2023-01-01", "endsOn": "2023-01-02"}
		}), codes("FORBIDDEN", "staff", "admin")},
		"updateCohort":     {"cohort { id }", in(func(c *cast) vars { return vars{"cohortId": c.newCohort(), "name": c.name()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"archiveCohort":    {"cohort { id }", in(func(c *cast) vars { return vars{"cohortId": c.newCohort()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"enrollTeam":       {"enrollment { id }", in(func(c *cast) vars { return vars{"cohortId": c.newCohort(), "teamId": c.team} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"updateEnrollment": {"enrollment { id }", in(func(c *cast) vars { return vars{"enrollmentId": c.newEnrollment(), "state": "COMPLETED"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"createRoleAssignment": {"roleAssignment { id }", in(func(c *cast) vars {
			return vars{"memberId": c.member.ID, "role": "FACILITATOR", "scope": "COHORT", "scopeId": c.newCohort()}
		}), codes("FORBIDDEN", "admin")},
		"endRoleAssignment":     {"errors { code }", in(func(c *cast) vars { return vars{"roleAssignmentId": c.newRole()} }), codes("FORBIDDEN", "admin")},
		"createSpace":           {"space { id }", in(func(c *cast) vars { return vars{"kind": "WORKGROUP", "name": c.name()} }), codes("FORBIDDEN", "staff", "admin")},
		"updateSpace":           {"space { id }", in(func(c *cast) vars { return vars{"spaceId": c.workgroup, "about": "x"} }), codes("NOT_FOUND", "member=FORBIDDEN", "lead=FORBIDDEN", "staff", "admin")},
		"archiveSpace":          {"space { id }", in(func(c *cast) vars { return vars{"spaceId": c.affinity, "memberIds": nil} }), nil}, // replaced below
		"createSpaceMembership": {"spaceMembership { id }", in(func(c *cast) vars { return vars{"spaceId": c.affinity, "memberId": c.Member("new").ID} }), nil},
		"updateSpaceMembership": {"spaceMembership { id }", in(func(c *cast) vars {
			return vars{"spaceMembershipId": c.Join(c.affinity, c.Member("new"), "MEMBER"), "role": "MEMBER"}
		}), codes("NOT_FOUND", "insider")},
		"endSpaceMembership":    {"errors { code }", in(func(c *cast) vars { return vars{"spaceMembershipId": c.Join(c.affinity, c.Member("new"), "MEMBER")} }), codes("NOT_FOUND", "insider")},
		"createThread":          {"thread { id }", in(func(c *cast) vars { return vars{"spaceId": c.network, "title": "T", "body": "B"} }), codes(ok, "outsider=NOT_FOUND")},
		"renameThread":          {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c), "title": "U"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "member", "staff", "admin")},
		"pinThread":             {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"unpinThread":           {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"lockThread":            {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"unlockThread":          {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"moveThread":            {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c), "spaceId": c.workgroup} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		"createPost":            {"post { id }", in(func(c *cast) vars { return vars{"threadId": c.threadBy(c.insider, c.affinity), "body": "x"} }), codes("NOT_FOUND", "insider")},
		"indicateTyping":        {"thread { id }", in(func(c *cast) vars { return vars{"threadId": c.threadBy(c.insider, c.affinity)} }), codes("NOT_FOUND", "insider")},
		"editPost":              {"post { id }", in(func(c *cast) vars { return vars{"postId": networkPost(c), "expectedVersion": 1, "body": "y"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "member")},
		"deletePost":            {"post { id }", in(func(c *cast) vars { return vars{"postId": networkPost(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "member", "staff", "admin")},
		"addReaction":           {"post { id }", in(func(c *cast) vars { return vars{"postId": networkPost(c), "emoji": "👍"} }), codes("NOT_FOUND", participants...)},
		"removeReaction":        {"post { id }", in(func(c *cast) vars { return vars{"postId": networkPost(c), "emoji": "👍"} }), codes("NOT_FOUND", participants...)},
		"markThreadRead":        {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c), "upToSeq": 1} }), codes("NOT_FOUND", participants...)},
		"markNotificationsRead": {"viewer { id }", in(func(*cast) vars { return vars{} }), codes(ok)},
		"createResource":        {"resource { id }", in(func(c *cast) vars { return vars{"kind": "LINK", "title": "R", "audience": "NETWORK"} }), codes("FORBIDDEN", "staff", "admin")},
		"updateResource": {"resource { id }", in(func(c *cast) vars {
			return vars{"resourceId": c.newResource("SPACE", c.affinity), "expectedVersion": 1, "title": "S"}
		}), codes("NOT_FOUND", "insider")},
		"archiveResource": {"resource { id }", in(func(c *cast) vars { return vars{"resourceId": c.newResource("PUBLIC", nil)} }), codes("FORBIDDEN", "staff", "admin")},
	}
}

// queries is the matrix of what may be read: how many of a list each viewer gets to see, or the code.
func queries() map[string]row {
	page := func(field, args string) string { return field + "(first: 50" + args + ") { edges { cursor } }" }
	none := func(*cast) vars { return nil }
	all := map[string]string{"": ok}
	return map[string]row{
		"node":          {"node(id: $id) { id }", func(c *cast) vars { return vars{"id": c.affinity} }, map[string]string{"": "NOT_FOUND", "insider": ok}},
		"nodes":         {"nodes(ids: [$id]) { id }", func(c *cast) vars { return vars{"id": c.threadBy(c.insider, c.affinity)} }, map[string]string{"": "NOT_FOUND", "insider": ok}},
		"viewer":        {"viewer { id }", none, all},
		"account":       {"account { email }", none, all},
		"eventCursor":   {"eventCursor", none, all},
		"programs":      {"programs { id }", none, map[string]string{"": "1"}},
		"frameworks":    {"frameworks { id }", none, map[string]string{"": "0"}},
		"cohorts":       {page("cohorts", ""), none, map[string]string{"": "1", "anonymous": "0", "outsider": "0"}},
		"organizations": {page("organizations", ""), none, map[string]string{"": "1", "anonymous": "0", "outsider": "0"}},
		"teams":         {page("teams", ""), none, map[string]string{"": "1", "anonymous": "0", "outsider": "0"}},
		"members":       {page("members", ""), none, map[string]string{"": "7", "anonymous": "0", "outsider": "1", "staff": "8", "admin": "8"}},
		"spaces":        {page("spaces", ""), none, map[string]string{"anonymous": "0", "outsider": "0", "stranger": "1", "reader": "2", "member": "2", "insider": "2", "lead": "3", "staff": "4", "admin": "4"}},
		"resources":     {page("resources", ""), func(c *cast) vars { return nil }, map[string]string{"": "0"}},
		"search":        {page("search", `, query: "zanzibar"`), none, map[string]string{"": "0", "insider": "1"}},
	}
}

func TestAuthorizationMatrix(t *testing.T) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	demand := func(of *ast.Definition, rows map[string]row) {
		for _, f := range of.Fields {
			if _, found := rows[f.Name]; !found && !strings.HasPrefix(f.Name, "__") {
				t.Errorf("%s.%s has no row in the authorization matrix: say what each viewer is answered", of.Name, f.Name)
			}
		}
	}
	changes, reads := mutations(), queries()
	changes["archiveSpace"] = row{"space { id }", func(c *cast) vars { return input(vars{"spaceId": c.Space(space.KindAFFINITY, "A", c.insider)}) }, codes("NOT_FOUND", "insider")}
	changes["createSpaceMembership"] = row{"spaceMembership { id }", func(c *cast) vars {
		return input(vars{"spaceId": c.Space(space.KindAFFINITY, "A", c.insider), "memberId": c.stranger.ID})
	}, codes("NOT_FOUND", "insider")}
	demand(schema.Mutation, changes)
	demand(schema.Query, reads)
	demand(schema.Subscription, map[string]row{"threadEvents": {}, "notificationEvents": {}, "threadActivity": {}}) // realtime_test.go and live_test.go have their outsiders

	apitest.Each(t, func(w *apitest.World) {
		c := newCast(w)
		c.Thread(c.insider, c.affinity, "zanzibar", "In confidence.")
		for name, r := range reads {
			w.T.Run(name, func(t *testing.T) {
				head := "query "
				v := r.vars(c)
				if v != nil {
					head = "query($id: ID!) "
				}
				for _, who := range viewers {
					if got := answered(c.client(who).Do(head+"{ "+r.fields+" }", v), name); got != expected(r, who) {
						t.Errorf("%s: %s, want %s", who, got, expected(r, who))
					}
				}
			})
		}
		for name, r := range changes {
			w.T.Run(name, func(t *testing.T) {
				selection := r.fields
				if !strings.HasPrefix(selection, "errors") {
					selection += " errors { code message path }"
				}
				query := fmt.Sprintf("mutation($input: %s%sInput!) { %s(input: $input) { %s } }", strings.ToUpper(name[:1]), name[1:], name, selection)
				for _, who := range viewers {
					got := c.client(who).Do(query, r.vars(c))
					code := got.Code()
					if code == "" {
						code = ok
					}
					if code != expected(r, who) {
						t.Errorf("%s: %s, want %s: %s", who, code, expected(r, who), got.Body)
					}
				}
			})
		}
	})
}

func expected(r row, viewer string) string {
	if code, found := r.codes[viewer]; found {
		return code
	}
	if viewer == "browser" { // what a member may do, their browser may
		return expected(r, "member")
	}
	return r.codes[""]
}

// answered is a read's code, or the length of its list, or ok.
func answered(r *apitest.Response, field string) string {
	if code := r.Code(); code != "" {
		return code
	}
	for _, path := range []string{field + ".edges", field} {
		if list, isList := r.At(path).([]any); isList && !slices.Contains([]string{"nodes"}, field) {
			return fmt.Sprint(len(list))
		}
	}
	return ok
}

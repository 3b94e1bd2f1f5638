package apitest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
)

// cast is the people who try everything, and the world that they try it in.
type cast struct {
	*apitest.World
	outsider, stranger, neighbour, enrolled, member, lead, insider, reviewer, expert, staff, admin *apitest.Person
	reader, browser, anonymous, suspended, deactivated                                             *apitest.Client
	network, workgroup, affinity                                                                   gid.ID
	organization, team, cohort, offering                                                           gid.ID
	secret                                                                                         gid.ID            // a thread in affinity
	address                                                                                        string            // where one asks to join affinity
	objects                                                                                        map[string]gid.ID // what fields are asked of
	hidden                                                                                         map[gid.Kind]gid.ID
}

// viewers are who tries, from the least to the most trusted: a visitor; two who may not sign in; a member who belongs to nothing, and
// members of the network: one with a token that may only read, one who has no team, one who leads another organization, one whose
// team takes part in the cohort, one of the workgroup and of a team, the same in a browser, the facilitator of the affinity group,
// the team's lead; and those with roles on the platform, who belong to the network too but for staff and administrators.
var viewers = []string{
	"anonymous", "suspended", "deactivated", "outsider", "reader", "stranger", "neighbour", "enrolled", "member", "browser", "insider", "lead",
	"reviewer", "expert", "staff", "admin",
}

func (c *cast) client(viewer string) *apitest.Client {
	if client := map[string]*apitest.Client{
		"anonymous": c.anonymous, "suspended": c.suspended, "deactivated": c.deactivated, "reader": c.reader, "browser": c.browser,
	}[viewer]; client != nil {
		return client
	}
	return map[string]*apitest.Person{
		"outsider": c.outsider, "stranger": c.stranger, "neighbour": c.neighbour, "enrolled": c.enrolled, "member": c.member, "insider": c.insider,
		"lead": c.lead, "reviewer": c.reviewer, "expert": c.expert, "staff": c.staff, "admin": c.admin,
	}[viewer].Client
}

func newCast(w *apitest.World) *cast {
	c := &cast{World: w, anonymous: w.As("")}
	c.outsider, c.stranger, c.member, c.insider, c.lead = w.Member("outsider"), w.Member("stranger"), w.Member("member"), w.Member("insider"), w.Member("lead")
	c.neighbour, c.enrolled = w.Member("neighbour"), w.Member("enrolled")
	c.reviewer, c.expert = w.Role(w.Member("reviewer"), roleassignment.RoleREVIEWER), w.Role(w.Member("expert"), roleassignment.RoleEXPERT)
	c.staff, c.admin = w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Role(w.Member("admin"), roleassignment.RoleADMIN)
	c.reader, c.browser = w.As(w.Token(c.member, accesstoken.ScopeREAD)), w.SignedIn(c.member)
	host, suspended, deactivated := w.Member("host"), w.Member("suspended"), w.Member("deactivated") // host facilitates what none of the others does
	c.suspended, c.deactivated = suspended.Client, deactivated.Client
	c.network = w.Space(space.KindNETWORK, "Network", host, c.stranger, c.neighbour, c.member, c.insider, c.lead, c.reviewer, c.expert, suspended, deactivated)
	c.workgroup = w.Space(space.KindWORKGROUP, "Workgroup", host, c.member, c.lead)
	c.affinity = w.Space(space.KindAFFINITY, "Affinity", c.insider, suspended, deactivated)
	now := w.App.Config.Now()
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		program := w.NewID(gid.Program)
		c.offering = w.NewID(gid.Offering)
		if err := tx.Program.Create().SetID(program).SetCreatedAt(now).SetSlug("p").SetName("Program").SetStartsOn(now).SetEndsOn(now).Exec(ctx); err != nil {
			return err
		}
		if err := tx.Member.UpdateOneID(suspended.ID).SetSuspendedUntil(now.Add(time.Hour)).Exec(ctx); err != nil {
			return err
		}
		if err := tx.Member.UpdateOneID(deactivated.ID).SetStatus(member.StatusDEACTIVATED).Exec(ctx); err != nil {
			return err
		}
		return tx.Offering.Create().SetID(c.offering).SetCreatedAt(now).SetProgramID(program).SetSlug("o").SetName("Offering").
			SetSupports(nil).SetFeeAmount(0).SetFeeCurrency("USD").SetTeamCapacity(10).Exec(ctx)
	})
	c.organization = c.newOrganization()
	elsewhere := c.newOrganization()
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.RoleAssignment.Create().SetID(w.NewID(gid.RoleAssignment)).SetCreatedAt(now).SetMemberID(c.neighbour.ID).
			SetRole(roleassignment.RoleLEAD).SetScope(roleassignment.ScopeORGANIZATION).SetScopeID(elsewhere).Exec(ctx)
	})
	c.team = c.newTeam()
	c.cohort = c.newCohort()
	c.furnish()
	return c
}

// furnish makes the objects that fields are asked of.
func (c *cast) furnish() {
	second := c.newTeam()
	c.newPlace(second, c.enrolled, "MEMBER")
	enroll := `mutation($input: EnrollTeamInput!) { enrollTeam(input: $input) { enrollment { id } errors { code message } } }`
	enrollment := c.staff.Must(enroll, input(vars{"cohortId": c.cohort, "teamId": second, "reason": "They asked."})).String("enrollTeam.enrollment.id")
	c.member.Must(`mutation($input: CreateAffiliationInput!) { createAffiliation(input: $input) { affiliation { id } errors { code message } } }`,
		input(vars{"organizationId": c.organization, "isPrimary": true}))
	thread := c.Thread(c.member, c.workgroup, "T", "B")
	post := c.Post(c.member, thread, "Hello @"+c.lead.Handle)
	c.Post(c.lead, thread, "Hello @"+c.member.Handle)
	c.member.Must(`mutation($input: EditPostInput!) { editPost(input: $input) { errors { code message } } }`, input(vars{"postId": post, "expectedVersion": 1, "body": "C"}))
	c.lead.Must(`mutation($input: AddReactionInput!) { addReaction(input: $input) { errors { code message } } }`, input(vars{"postId": post, "emoji": "👍"}))
	c.staff.Must(`mutation($input: LockThreadInput!) { lockThread(input: $input) { errors { code message } } }`, input(vars{"threadId": thread}))
	c.staff.Must(`mutation($input: UnlockThreadInput!) { unlockThread(input: $input) { errors { code message } } }`, input(vars{"threadId": thread}))
	kept := c.member.Must(`mutation($input: CreateResourceInput!) { createResource(input: $input) { resource { id } errors { code message } } }`,
		input(vars{"kind": "LINK", "title": "Kept", "audience": "SPACE", "spaceId": c.workgroup})).String("createResource.resource.id")
	c.Thread(c.insider, c.affinity, "zanzibar", "In confidence.")
	c.secret = c.Thread(c.insider, c.affinity, "Another", "In confidence.")
	c.address = c.insider.Must(`mutation($input: RenewJoinAddressInput!) { renewJoinAddress(input: $input) { space { joinAddress } errors { code message } } }`,
		input(vars{"spaceId": c.affinity})).String("renewJoinAddress.space.joinAddress")
	entry := c.NewID(gid.AuditEntry)
	c.hidden = map[gid.Kind]gid.ID{
		gid.Space: c.affinity, gid.Thread: c.secret, gid.Post: c.Post(c.insider, c.secret, "Between us."),
		gid.Resource: must(c.T, c.newResource("SPACE", c.affinity)), gid.SpaceMembership: c.Join(c.affinity, c.Member("new"), "MEMBER"),
		gid.BreakGlass: c.NewID(gid.BreakGlass), gid.JoinRequest: must(c.T, c.newJoinRequest()),
	}
	voted := ask(c.T, c.member, c.threadBy(c.member, c.network))
	c.lead.Must(vote, input(vars{"pollId": voted.poll, "optionIds": []gid.ID{voted.options[0]}}))
	unseen := ask(c.T, c.insider, c.secret)
	c.hidden[gid.Poll], c.hidden[gid.PollOption] = unseen.poll, unseen.options[0]
	linking := c.Post(c.member, c.threadBy(c.member, c.network), fmt.Sprintf("See %s and %s.", c.network, c.secret))
	merged := c.threadBy(c.member, c.network)
	moved := must(c.T, c.member.Must(wholeThread, vars{"id": merged}).String("node.posts.edges.0.node.id"))
	c.Tx(func(ctx context.Context, tx *ent.Client) error {
		ended := c.App.Config.Now().Add(-time.Hour)
		if err := tx.Thread.UpdateOneID(merged).SetMergedIntoID(thread).Exec(ctx); err != nil {
			return err
		}
		if err := tx.Post.UpdateOneID(moved).SetDeletedAt(ended).SetMovedToID(post).Exec(ctx); err != nil {
			return err
		}
		if err := tx.BreakGlass.Create().SetID(c.hidden[gid.BreakGlass]).SetCreatedAt(ended).SetSpaceID(c.affinity).SetMemberID(c.admin.ID).
			SetReason(glassReason).SetEndsAt(ended).Exec(ctx); err != nil {
			return err
		}
		return tx.AuditEntry.Create().SetID(entry).SetCreatedAt(ended).SetAction("THREAD_MOVED").SetActorID(c.lead.ID).SetSubjectID(thread).
			SetAddress("192.0.2.7").Exec(ctx)
	})
	c.objects = map[string]gid.ID{
		"organization": c.organization, "member": c.member.ID, "lead": c.lead.ID, "staff": c.staff.ID, "team": second, "offering": c.offering, "cohort": c.cohort,
		"enrollment": must(c.T, enrollment), "workgroup": c.workgroup, "affinity": c.affinity, "thread": thread, "post": post,
		"resource": must(c.T, kept), "entry": entry, "poll": voted.poll, "option": voted.options[0], "linking": linking, "merged": merged, "moved": moved,
	}
	c.objects["entitlement"] = c.NewID(gid.Entitlement)
	c.Tx(func(ctx context.Context, tx *ent.Client) error { // one of a support that there is not: it is seen, and opens nothing
		if err := tx.Offering.UpdateOneID(c.offering).SetSupports([]schema.Support{{Kind: "COACHING", Label: "Coaching"}}).Exec(ctx); err != nil {
			return err
		}
		return tx.Entitlement.Create().SetID(c.objects["entitlement"]).SetCreatedAt(c.App.Config.Now()).SetOfferingID(c.offering).SetSupport("TRAINING").
			SetSpaceID(c.workgroup).Exec(ctx)
	})
	c.newWebhook()
	c.newFailedMail()
	_, err := c.App.Archives.Request(c.staff.Context(), c.staff.Viewer, c.workgroup, nil)
	made(c, true, err)
	c.furnishDesk(thread, post)
	c.furnishModeration(post)
	c.furnishAdmission()
	c.furnishCasework()
	c.furnishReview()
	c.furnishPlacement()
}

// newGlass is an administrator's look into a group of its own that the insider belongs to.
func (c *cast) newGlass() string {
	r := c.admin.Must(breakGlass, input(vars{"spaceId": c.Space(space.KindAFFINITY, "A", c.insider), "reason": glassReason, "hours": 1}))
	return r.String("breakGlass.breakGlass.id")
}

// newJoinRequest is one of somebody new to the affinity group.
func (c *cast) newJoinRequest() string {
	return c.Member("new").Must(requestToJoin, input(vars{"address": c.address})).String("requestToJoin.joinRequest.id")
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
	fields string // of a mutation's payload; the selection of a query or subscription; of a field nothing, where its name says it
	vars   func(c *cast) vars
	codes  map[string]string
}

// matrix is who may do what, by the names of root fields, and of fields that depend on who asks: "Space.joinAddress". Each domain
// has its lines in a file of its own.
type matrix struct{ queries, mutations, subscriptions, fields map[string]row }

func wholeMatrix() matrix {
	whole := matrix{map[string]row{}, map[string]row{}, map[string]row{}, map[string]row{}}
	for _, m := range []matrix{schemaRows(), communityRows(), programRows(), admissionRows(), reviewRows(), caseworkRows(), placementRows(), spaceRows(), forumRows(), notifyRows(), deskRows(), resourceRows(), accountRows(), moderationRows(), auditRows(), webhookRows(), mailRows(), peopleRows()} {
		maps.Copy(whole.queries, m.queries)
		maps.Copy(whole.mutations, m.mutations)
		maps.Copy(whole.subscriptions, m.subscriptions)
		maps.Copy(whole.fields, m.fields)
	}
	return whole
}

const ok = "ok"

// codes writes a mutation's answers: the code of everybody else, and then who may.
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

// cells writes the answers of everybody else, and then whose differ: "member lead=2" are two who see two.
func cells(others string, differ ...string) map[string]string {
	m := map[string]string{"": others}
	for _, d := range differ {
		names, answer, _ := strings.Cut(d, "=")
		for name := range strings.FieldsSeq(names) {
			m[name] = answer
		}
	}
	return m
}

// participants are the viewers who take part in the network.
var participants = []string{"stranger", "neighbour", "enrolled", "member", "insider", "lead", "reviewer", "expert", "staff", "admin"}

func in(f func(c *cast) vars) func(c *cast) vars { return func(c *cast) vars { return input(f(c)) } }

func none(*cast) vars { return nil }

// of is the id of one of the objects that the cast has.
func of(object string) func(c *cast) vars {
	return func(c *cast) vars { return vars{"id": c.objects[object]} }
}

// page is a list of a query.
func page(field, args string) string { return field + "(first: 50" + args + ") { edges { cursor } }" }

// Every query, mutation and subscription, and every field that depends on who asks, is tried by everybody. What has no row fails.
func TestAuthorizationMatrix(t *testing.T) {
	d, whole := newDocuments(t), wholeMatrix()
	demand := func(of *ast.Definition, rows map[string]row) {
		for _, f := range of.Fields {
			if _, found := rows[f.Name]; !found && !strings.HasPrefix(f.Name, "__") {
				t.Errorf("%s.%s has no row in the authorization matrix: say in a matrix_*_test.go what each viewer is answered", of.Name, f.Name)
			}
		}
	}
	demand(d.Query, whole.queries)
	demand(d.Mutation, whole.mutations)
	demand(d.Subscription, whole.subscriptions)
	for _, of := range d.Types {
		if of.Kind != ast.Object || of == d.Query || of == d.Mutation || of == d.Subscription {
			continue
		}
		for _, f := range of.Fields {
			_, found := whole.fields[of.Name+"."+f.Name]
			if depends := f.Directives.ForName("personal") != nil || f.Arguments.ForName("first") != nil; depends && !found {
				t.Errorf("%s.%s depends on who asks and has no row in the authorization matrix: say under fields in a matrix_*_test.go what each viewer gets", of.Name, f.Name)
			}
		}
	}

	apitest.Each(t, func(w *apitest.World) {
		c := newCast(w)
		each := func(t *testing.T, r row, answer func(viewer string, v vars) string) {
			t.Helper()
			var wrong []string
			for _, viewer := range viewers {
				if got := answer(viewer, r.vars(c)); got != expected(r, viewer) {
					wrong = append(wrong, fmt.Sprintf("%s=%s (not %s)", viewer, got, expected(r, viewer)))
				}
			}
			if len(wrong) > 0 {
				t.Errorf("answers: %s", strings.Join(wrong, ", "))
			}
		}
		for name, r := range whole.queries {
			w.T.Run("query "+name, func(t *testing.T) {
				each(t, r, func(viewer string, v vars) string {
					return answered(c.client(viewer).Do(operationOf("query", v)+"{ "+r.fields+" }", v), name)
				})
			})
		}
		for name, r := range whole.fields {
			w.T.Run("field "+name, func(t *testing.T) {
				of, field, _ := strings.Cut(name, ".")
				each(t, r, func(viewer string, v vars) string { return d.shown(t, c, viewer, of, field, r, v) })
			})
		}
		for name, r := range whole.subscriptions {
			w.T.Run("subscription "+name, func(t *testing.T) {
				each(t, r, func(viewer string, v vars) string {
					return c.client(viewer).FirstOf(operationOf("subscription", v)+"{ "+r.fields+" }", v)
				})
			})
		}
		for name, r := range whole.mutations {
			w.T.Run("mutation "+name, func(t *testing.T) {
				selection := r.fields
				if !strings.HasPrefix(selection, "errors") {
					selection += " errors { code message path }"
				} else {
					selection = "errors { code message path }"
				}
				query := fmt.Sprintf("mutation($input: %s%sInput!) { %s(input: $input) { %s } }", strings.ToUpper(name[:1]), name[1:], name, selection)
				each(t, r, func(viewer string, v vars) string {
					got := c.client(viewer).Do(query, v)
					if code := got.Code(); code != "" {
						return code
					}
					return ok
				})
				c.hiddenIsMissing(t, name, query, r)
			})
		}
	}, apitest.HoldWebhooks())
}

// operationOf begins an operation with the one variable that rows have.
func operationOf(kind string, v vars) string {
	if v == nil {
		return kind + " "
	}
	return kind + "($id: ID!) "
}

// shown is what a viewer gets of a field of an object: how many, whether there is any, or the value; or the code.
func (d documents) shown(t *testing.T, c *cast, viewer, of, field string, r row, v vars) string {
	t.Helper()
	selection, on := r.fields, of
	if selection == "" {
		f := d.Types[of].Fields.ForName(field)
		if f == nil {
			t.Fatalf("the matrix has %s.%s, and the schema has not", of, field)
		}
		selection = field
		if f.Arguments.ForName("first") != nil {
			selection += "(first: 50) { edges { cursor } }"
		} else if !d.Types[f.Type.Name()].IsLeafType() {
			selection += " { __typename }"
		}
	} else {
		id, _ := v["id"].(gid.ID)
		on = kinds[id.Kind()]
	}
	got := c.client(viewer).Do(fmt.Sprintf("query($id: ID!) { node(id: $id) { ... on %s { %s } } }", on, selection), v)
	if code := got.Code(); code != "" {
		return code
	}
	node, _ := got.At("node").(map[string]any)
	for _, value := range node {
		return short(value)
	}
	return "nothing"
}

// short is a value as the matrix writes it.
func short(value any) string {
	switch x := value.(type) {
	case nil:
		return "null"
	case map[string]any:
		if edges, is := x["edges"].([]any); is {
			return fmt.Sprint(len(edges))
		}
		for name, v := range x {
			if name != "__typename" {
				return short(v)
			}
		}
		return "there"
	case []any:
		if len(x) == 1 {
			if m, is := x[0].(map[string]any); is && m["__typename"] == nil {
				return short(m)
			}
		}
		return fmt.Sprint(len(x))
	case string:
		return "there"
	default:
		return fmt.Sprint(x)
	}
}

// hiddenIsMissing sends a row's mutation with hidden ids in the place of its own, and with ids of nothing: nobody from whom they are
// hidden can tell the two apart.
func (c *cast) hiddenIsMissing(t *testing.T, name, query string, r row) {
	t.Helper()
	sample, _ := r.vars(c)["input"].(vars)
	for field, value := range sample {
		id, isID := value.(gid.ID)
		if text, isText := value.(string); isText && !isID {
			parsed, err := gid.Parse(text)
			if id, isID = parsed, err == nil; err != nil {
				continue
			}
		}
		hidden, is := c.hidden[id.Kind()]
		if !isID || !is {
			continue
		}
		for _, viewer := range viewers {
			if viewer == "insider" || viewer == "admin" && name == "breakGlass" {
				continue // who belongs to it, and the one way in
			}
			ask := func(id gid.ID) *apitest.Response {
				v := maps.Clone(sample)
				v[field] = id
				delete(v, "idempotencyKey")
				return c.client(viewer).Do(query, input(v))
			}
			a, b := ask(hidden), ask(c.NewID(id.Kind()))
			if a.Body != b.Body || a.Status != b.Status || a.Code() == "" {
				t.Errorf("%s tells %s of a hidden %s:\n%s\n%s", name, viewer, field, a.Body, b.Body)
			}
		}
	}
}

func expected(r row, viewer string) string {
	if viewer == "suspended" || viewer == "deactivated" { // nobody: see access.ActiveMembers
		return "UNAUTHENTICATED"
	}
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

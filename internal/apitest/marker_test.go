package apitest_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/graph"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/desk"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// written is how a member writes with each mutation that takes text: the other fields of its input. Every text of the input that is not
// among them is filled with the marker.
func written(m *marked) map[string]func() vars {
	return map[string]func() vars{
		"updateProfile":     func() vars { return vars{} },
		"createAffiliation": func() vars { return vars{"organizationId": m.organization} },
		"createThread": func() vars {
			return vars{"spaceId": m.group, "poll": vars{"question": m.marker, "options": []string{m.marker, "Another"}}}
		},
		"renameThread":   func() vars { return vars{"threadId": m.Thread(m.ada, m.network, "Before "+m.marker, m.marker)} },
		"classifyThread": func() vars { return vars{"threadId": m.Thread(m.ada, m.group, "Of ada", "Of ada")} },
		"lockThread":     func() vars { return vars{"threadId": m.Thread(m.ben, m.group, "Of ben", "Of ben")} },
		"splitThread":    nil, // for who moderates; the title is theirs, and the new thread's author is who wrote its first post
		"createPost": func() vars {
			return vars{"threadId": m.thread, "replyToId": m.Post(m.ada, m.thread, "Before "+m.marker), "quote": "Before " + m.marker}
		},
		"editPost":                func() vars { return vars{"postId": m.Post(m.ada, m.thread, "Before "+m.marker), "expectedVersion": 1} },
		"addReaction":             func() vars { return vars{"postId": m.Post(m.ben, m.thread, "Of ben"), "emoji": "👍"} },
		"createResource":          func() vars { return vars{"kind": "LINK", "audience": "SPACE", "spaceId": m.group} },
		"updateResource":          func() vars { return vars{"resourceId": m.newResource(), "expectedVersion": 1} },
		"createSpace":             func() vars { return vars{"kind": "DIRECT", "memberIds": []gid.ID{m.ben.ID}, "name": "", "about": ""} },
		"createFeedAddress":       func() vars { return vars{"spaceId": m.network} },
		"revokeFeedAddresses":     func() vars { return vars{} },
		"createExport":            func() vars { return vars{} },
		"createAccessToken":       func() vars { return vars{"scope": "READ", "expiresAt": m.App.Config.Now().Add(time.Hour)} },
		"endOtherSessions":        func() vars { return vars{} },
		"requestToJoin":           func() vars { return vars{} },
		"updateOffering":          nil, // for staff, about programs
		"createCall":              nil, // and about calls
		"updateCall":              nil,
		"grantEntitlement":        nil,
		"inviteMember":            nil, // for staff, about others
		"breakGlass":              nil, // for administrators, and for the audit log
		"suspendMember":           nil, // what only staff can write is about others, and is for the audit log
		"endSuspension":           nil,
		"reactivateMember":        nil,
		"deactivateMember":        nil,
		"eraseMember":             nil,
		"requestSpaceExport":      nil, // the only text is the key
		"createWebhookEndpoint":   nil, // what staff say of an endpoint is the program's
		"updateWebhookEndpoint":   nil,
		"rotateWebhookSecret":     nil,
		"pingWebhookEndpoint":     nil,
		"retryFailedMail":         nil, // the only text is the key, and it is staff's
		"discardFailedMail":       nil,
		"resumeMail":              nil, // the only text is the key, which is not kept
		"createOrganization":      nil, // what staff write of the program's parts is the program's
		"createCohort":            nil,
		"createSavedView":         nil, // for staff, about applications
		"updateSavedView":         nil,
		"createApplicationExport": nil,
		"startBulkAction":         nil,
		"startApplication":        nil, // what an application says is its organization's, whoever held the pen
		"saveAnswer":              nil,
		"addApplicationEditor":    nil, // the handle is another's
		"addDocument":             nil, // what an application holds is its organization's, and so is whom it asks to sign
		"requestSignature":        nil,
		"resendSignatureRequest":  nil,
		"requestInformation":      nil, // for staff, about applications
		"grantExtension":          nil,
		"submitApplication":       nil, // the only text is the key
		"saveReview": func() vars {
			return vars{"assignmentId": m.assigned(), "scores": []vars{{"criterion": "equity", "points": 1, "comment": m.marker}}, "recommendation": "ACCEPT", "expectedVersion": 0}
		},
		"declineReview":         func() vars { return vars{"assignmentId": m.assigned()} },
		"declareConflict":       func() vars { return vars{"applicationId": m.judged()} },
		"endConflict":           nil, // why staff did something is for the audit log
		"removeReviewer":        nil,
		"reopenReview":          nil,
		"updateCohort":          nil,
		"enrollTeam":            nil,
		"updateEnrollment":      nil,
		"createTeam":            nil,
		"updateOrganization":    nil, // what an organization, a team or a group says of itself is its own, whoever held the pen
		"updateTeam":            nil,
		"updateSpace":           nil,
		"removeReaction":        nil, // an emoji that is there no more
		"createRoleAssignment":  nil, // for administrators; the only text is the key
		"createTeamMembership":  func() vars { return vars{"teamId": m.team, "memberId": m.newParticipant().ID, "role": "MEMBER"} },
		"introduce":             func() vars { return vars{"memberIds": []gid.ID{m.ben.ID, m.newParticipant().ID}} },
		"flagPost":              func() vars { return vars{"postId": m.Post(m.ben, m.thread, "Of ben"), "reason": "OTHER"} },
		"resolveFlags":          func() vars { return vars{"postId": m.flagged(), "outcome": "UPHELD", "action": "WARN"} },
		"hidePost":              func() vars { return vars{"postId": m.flagged()} },
		"unhidePost":            func() vars { return vars{"postId": m.flagged()} },
		"warnMember":            func() vars { return vars{"memberId": m.ben.ID, "spaceId": m.group} },
		"saveDraft":             func() vars { return vars{"spaceId": m.network} },
		"bookmarkPost":          func() vars { return vars{"postId": m.Post(m.ben, m.thread, "Of ben")} },
		"createSpaceMembership": func() vars { return vars{"spaceId": m.group, "memberId": m.newParticipant().ID} },
		"prepareDecision":       nil, // what staff decide is the program's, and for the applicants
		"closeWaitlist":         nil,
		"recordFee":             nil,
		"withdrawEnrollment":    nil, // why a team left is for staff, like the reasons of the rest of its enrollment
	}
}

// marked is a member who writes a marker wherever they can, and a world to do it in.
type marked struct {
	*apitest.World
	marker                                     string
	ada, ben, staff                            *apitest.Person
	browser                                    *apitest.Client // ada's
	network, group, thread, organization, team gid.ID
}

// newParticipant is somebody whom ada can see.
func (m *marked) newParticipant() *apitest.Person {
	p := m.Member("new")
	m.Join(m.network, p, "MEMBER")
	return p
}

// flagged is a post of ben's in ada's group that somebody else flagged.
func (m *marked) flagged() gid.ID {
	post := m.Post(m.ben, m.Thread(m.ben, m.group, "Of ben", "Of ben"), "Of ben")
	p := m.newParticipant()
	m.Join(m.group, p, "MEMBER")
	p.Must(flagPost, input(vars{"postId": post, "reason": "SPAM"}))
	return post
}

// moderated has staff hide what ada wrote and what ben says of her, and warn her, with words of her and to her.
func (m *marked) moderated() {
	about := "It is @" + m.marker + "'s: " + m.marker
	hers, bens := m.Post(m.ada, m.thread, "Hidden "+m.marker), m.Post(m.ben, m.thread, "I agree with @"+m.marker)
	m.ben.Must(flagPost, input(vars{"postId": hers, "reason": "OTHER", "note": "See @" + m.marker}))
	m.staff.Must(resolve, input(vars{"postId": hers, "outcome": "UPHELD", "action": "HIDE", "reason": "See @" + m.marker}))
	m.staff.Must(warn, input(vars{"memberId": m.ada.ID, "postId": hers, "text": about}))
	m.staff.Must(hidePost, input(vars{"postId": bens, "reason": "See @" + m.marker}))
}

// judged is an application that ada is to review; assigned is that she is.
func (m *marked) judged() (of gid.ID) {
	of, _ = m.asked()
	return of
}

func (m *marked) assigned() (id gid.ID) {
	_, id = m.asked()
	return id
}

func (m *marked) asked() (of, id gid.ID) {
	m.Tx(func(ctx context.Context, tx *ent.Client) error {
		offering, err := tx.Offering.Query().FirstID(ctx)
		if ent.IsNotFound(err) {
			offering, err = offeringOf(ctx, tx, m.World)
		}
		if err != nil {
			return err
		}
		call, err := judgedCallOf(ctx, tx, m.World, offering, false)
		if err != nil {
			return err
		}
		if of, err = submittedOf(ctx, tx, m.World, call, m.ben); err != nil {
			return err
		}
		id, err = assignedOf(ctx, tx, m.World, of, m.ada, m.staff)
		return err
	})
	return of, id
}

func (m *marked) newResource() string {
	r := m.ada.Must(`mutation($input: CreateResourceInput!) { createResource(input: $input) { resource { id } errors { code message } } }`,
		input(vars{"kind": "LINK", "title": m.marker, "audience": "SPACE", "spaceId": m.network}))
	return r.String("createResource.resource.id")
}

// fill gives a text field the marker, in the form that the field demands.
func (m *marked) fill(field string) string {
	switch {
	case field == "handle", field == "tags":
		return m.marker
	case strings.HasSuffix(strings.ToLower(field), "url"):
		return "https://example.org/" + m.marker
	case field == "idempotencyKey":
		return m.marker + m.NewID(gid.Post).String()
	}
	return m.marker + " for @" + m.ben.Handle
}

// write sends a mutation with the marker in every text of its input, and returns how many there are.
func (m *marked) write(schema *ast.Schema, mutation *ast.FieldDefinition, in vars) int {
	n := 0
	of := schema.Types[mutation.Arguments.ForName("input").Type.Name()]
	for _, f := range of.Fields {
		if _, set := in[f.Name]; set || f.Type.Name() != "String" {
			continue
		}
		n++
		if f.Type.Elem != nil {
			in[f.Name] = []string{m.fill(f.Name)}
		} else {
			in[f.Name] = m.fill(f.Name)
		}
	}
	m.browser.Must(fmt.Sprintf("mutation($input: %s!) { %s(input: $input) { errors { code message path } } }", of.Name, mutation.Name), input(in))
	return n
}

// log is what a server has logged.
type log struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// An erased member leaves no word, name, handle or address behind: not in a row, an index, a file or the log. A mutation that takes text
// and is not in written fails the test.
func TestErasureLeavesNoTrace(t *testing.T) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		var logged log
		var ahead atomic.Int64
		w := apitest.Serve(t, url, apitest.Log(&logged), apitest.Clock(func() time.Time {
			return time.Now().UTC().Truncate(time.Microsecond).Add(time.Duration(ahead.Load()))
		}))
		m := &marked{World: w, marker: "mk" + strings.ToLower(w.NewID(gid.Post).String()[10:])}
		m.ada, m.ben, m.staff = w.Member("adelgunde"), w.Member("ben"), w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		m.network, m.group = w.Space(space.KindNETWORK, "Network", m.ben, m.ada), w.Space(space.KindAFFINITY, "Group", m.ada, m.ben)
		m.thread = w.Thread(m.ben, m.network, "Of ben", "Of ben")
		o, err := w.App.Community.CreateOrganization(m.staff.Context(), m.staff.Viewer, community.NewOrganization{Name: "Clinic", Kind: "CLINIC"})
		if err != nil {
			w.T.Fatal(err)
		}
		team, err := w.App.Community.CreateTeam(m.staff.Context(), m.staff.Viewer, community.NewTeam{OrganizationID: o.ID, Name: "Team"})
		if err != nil {
			w.T.Fatal(err)
		}
		m.organization, m.team = o.ID, team.ID
		m.staff.Must(`mutation($input: CreateTeamMembershipInput!) { createTeamMembership(input: $input) { errors { code message } } }`,
			input(vars{"teamId": m.team, "memberId": m.ada.ID, "role": "LEAD"}))
		m.browser = w.SignedIn(m.ada)
		words := []string{m.marker, m.ada.Handle, "adelgunde"}

		texts, how := 0, written(m)
		for _, mutation := range schema.Mutation.Fields {
			argument := mutation.Arguments.ForName("input")
			if argument == nil || !slices.ContainsFunc(schema.Types[argument.Type.Name()].Fields, func(f *ast.FieldDefinition) bool { return f.Type.Name() == "String" }) {
				continue
			}
			vars, known := how[mutation.Name]
			if !known {
				w.T.Errorf("%s takes text: say in written how a member calls it, or why what it writes stays", mutation.Name)
			} else if vars != nil {
				texts += m.write(schema, mutation, vars())
			}
		}
		if texts < 30 {
			w.T.Errorf("only %d texts were written", texts)
		}
		m.writtenElsewhere()
		w.Tx(func(ctx context.Context, tx *ent.Client) error { // the builders do not make people found
			for _, p := range tx.Member.Query().AllX(ctx) {
				if err := community.IndexMember(ctx, tx, p); err != nil {
					return err
				}
			}
			return nil
		})
		mentioning := w.Post(m.ben, m.thread, "I agree with @"+strings.ToUpper(m.marker)+". See `@"+m.marker+"`.")
		m.keptByOthers(mentioning)
		m.moderated()
		m.ben.Must(`mutation($input: EditPostInput!) { editPost(input: $input) { errors { code message } } }`,
			input(vars{"postId": mentioning, "expectedVersion": 1, "body": "I agree with @" + m.marker + "."}))
		if len(w.Traces(words...)) < 40 {
			w.T.Errorf("the marker is hardly anywhere: %v", w.Traces(words...))
		}

		live := m.ben.Subscribe(`subscription($id: ID!) { threadEvents(threadId: $id) { cursor __typename } }`, vars{"id": m.thread})
		w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n == 1 })
		if _, err := w.App.Accounts.Erase(m.ada.Context(), viewer.Session(m.ada.ID, gid.ID{}), nil, m.marker, ""); err != nil {
			w.T.Fatal(err)
		}
		if err := w.App.Accounts.FinishErasures(w.System()); err != nil {
			w.T.Fatal(err)
		}
		seen := map[string]bool{}
		for !seen["PostDeleted"] || !seen["PostEdited"] || !seen["ReactionsChanged"] {
			seen[live.Next().String("threadEvents.__typename")] = true
		}
		ahead.Add(int64(2 * time.Minute)) // nothing of hers can be on its way any more
		if err := w.App.Accounts.FinishErasures(w.System()); err != nil {
			w.T.Fatal(err)
		}
		live.Close()
		w.Quiet()
		if found := w.Traces(words...); len(found) > 0 {
			w.T.Errorf("in the database: %s", strings.Join(found, "\n"))
		}
		if found := w.FileTraces(words...); len(found) > 0 {
			w.T.Errorf("in files: %s", strings.Join(found, "\n"))
		}
		for _, word := range words {
			if strings.Contains(strings.ToLower(logged.String()), word) {
				w.T.Errorf("the log holds %s", word)
			}
		}
		invariant.Check(w.System(), w.T, w.App.Store.Client(w.System()))
		r := m.ben.Must(`query($post: ID!, $ada: ID!) { ada: node(id: $ada) { ... on Member { name handle status } }
			post: node(id: $post) { ... on Post { body version thread { posts(first: 50) { edges { node { seq body author { name } } } } } } } }`,
			vars{"post": mentioning, "ada": m.ada.ID})
		if r.String("ada.status") != "ERASED" || r.String("post.body") != "I agree with @"+r.String("ada.handle")+"." || r.Int("post.version") != 2 {
			w.T.Errorf("%s", r.Body)
		}
	})
}

// keptByOthers has ben mention ada in what only he sees: a draft, a version of it, and a note.
func (m *marked) keptByOthers(post gid.ID) {
	m.T.Helper()
	d, _, err := m.App.Desk.SaveDraft(m.ben.Context(), m.ben.Viewer, desk.DraftPatch{ThreadID: &m.thread, Body: new("For @" + m.marker)})
	if err == nil {
		_, _, err = m.App.Desk.SaveDraft(m.ben.Context(), m.ben.Viewer, desk.DraftPatch{ID: &d.ID, Body: new("For @" + m.marker + ", again"), ExpectedVersion: new(1)})
	}
	if err == nil {
		_, err = m.App.Desk.BookmarkPost(m.ben.Context(), m.ben.Viewer, post, desk.BookmarkPatch{Note: new("@" + m.marker + " is right")})
	}
	if err != nil {
		m.T.Fatal(err)
	}
}

// writtenElsewhere puts the marker into what is not written through the graph.
func (m *marked) writtenElsewhere() {
	said := m.Post(m.ada, m.thread, "Words of "+m.marker)
	quoted := m.ben.Must(`mutation($input: CreatePostInput!) { createPost(input: $input) { post { id poll { id options { id } } } errors { code message } } }`, input(vars{
		"threadId": m.thread, "body": "I do not think so.", "replyToId": said, "quote": m.marker,
		"poll": vars{"question": "Is @" + m.marker + " right?", "options": []string{"Yes", "@" + m.marker + " is not"}},
	}))
	m.ada.Must(vote, input(vars{"pollId": quoted.String("createPost.post.poll.id"), "optionIds": []string{quoted.String("createPost.post.poll.options.0.id")}}))
	m.Tx(func(ctx context.Context, tx *ent.Client) error {
		now := m.App.Config.Now()
		held := m.NewID(gid.File)
		if err := tx.File.Create().SetID(held).SetCreatedAt(now).SetAttachedAt(now).SetOwnerID(m.ada.ID).SetPurpose("POST").SetName(m.marker + ".txt").
			SetMediaType("text/plain").SetSize(1).SetHash(make([]byte, 32)).Exec(ctx); err != nil {
			return err
		}
		if err := tx.PostAttachment.Create().SetID(m.NewID(gid.PostAttachment)).SetCreatedAt(now).SetPostID(said).SetFileID(held).SetPosition(0).Exec(ctx); err != nil {
			return err
		}
		id := func(k gid.Kind) gid.ID { return m.NewID(k) }
		address := m.ada.Handle + "@example.org"
		for _, create := range []interface{ Exec(context.Context) error }{
			tx.Password.Create().SetID(id(gid.Password)).SetCreatedAt(now).SetUpdatedAt(now).SetMemberID(m.ada.ID).SetHash(m.marker),
			tx.Identity.Create().SetID(id(gid.Identity)).SetCreatedAt(now).SetMemberID(m.ada.ID).SetIssuer("https://issuer.example").SetSubject(m.marker),
			tx.OneTimeToken.Create().SetID(id(gid.OneTimeToken)).SetCreatedAt(now).SetMemberID(m.ada.ID).SetHash(make([]byte, 32)).SetPurpose("CHANGE_EMAIL").
				SetEmail(m.marker + "@example.org").SetExpiresAt(now),
			tx.AccessToken.Create().SetID(id(gid.AccessToken)).SetCreatedAt(now).SetMemberID(m.ada.ID).SetHash([]byte(m.marker)[:20]).SetName(m.marker).SetScope("READ"),
			tx.Mail.Create().SetID(id(gid.Mail)).SetCreatedAt(now).SetNextAt(now).SetAddress(address).SetTemplate("t").SetLastError("550 " + address),
			tx.Mail.Create().SetID(id(gid.Mail)).SetCreatedAt(now).SetNextAt(now).SetAddress("ben@example.org").SetTemplate("t").
				SetData(map[string]string{"by": m.fill("name")}),
			tx.JoinRequest.Create().SetID(id(gid.JoinRequest)).SetCreatedAt(now).SetMemberID(m.ada.ID).SetAddress(m.marker).SetMessage(m.marker),
			tx.File.Create().SetID(id(gid.File)).SetCreatedAt(now).SetOwnerID(m.ada.ID).SetPurpose("RESOURCE").SetName(m.marker + ".pdf").
				SetMediaType("application/pdf").SetSize(1).SetHash(make([]byte, 32)),
		} {
			if err := create.Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

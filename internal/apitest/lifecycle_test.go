package apitest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	suspendMember    = `mutation($input: SuspendMemberInput!) { suspendMember(input: $input) { member { id suspendedUntil } errors { code message path } } }`
	endSuspension    = `mutation($input: EndSuspensionInput!) { endSuspension(input: $input) { member { suspendedUntil } errors { code message path } } }`
	deactivateMember = `mutation($input: DeactivateMemberInput!) { deactivateMember(input: $input) { member { id status } errors { code message path } } }`
	reactivateMember = `mutation($input: ReactivateMemberInput!) { reactivateMember(input: $input) { member { status } errors { code message path } } }`
)

// audited are the audit log's entries of an action about somebody.
func audited(w *apitest.World, action audit.Action, subject gid.ID) []*ent.AuditEntry {
	w.T.Helper()
	all, err := w.App.Store.Client(w.System()).AuditEntry.Query().
		Where(auditentry.Action(string(action)), auditentry.SubjectID(subject)).All(w.System())
	if err != nil {
		w.T.Fatal(err)
	}
	return all
}

func TestSuspension(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, admin := w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Role(w.Member("admin"), roleassignment.RoleADMIN)
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ben, ada)
		thread := w.Thread(ben, network, "Thread", "Hello")
		hour := func(p *apitest.Person) vars {
			return input(vars{"memberId": p.ID, "until": w.App.Config.Now().Add(time.Hour), "reason": "Harassment."})
		}
		t := w.T
		t.Run("a suspended member is signed out and cannot sign in, and is not notified", func(t *testing.T) {
			r := staff.Must(suspendMember, hour(ada))
			if r.String("suspendMember.member.suspendedUntil") == "" {
				t.Error("staff are not shown until when")
			}
			if code := ada.Do(`{ viewer { id } }`, nil).Code(); code != "UNAUTHENTICATED" {
				t.Errorf("a token still signs in: %q", code)
			}
			if _, err := w.App.Accounts.Issue(w.System(), ada.Handle+"@example.org", "new", accesstoken.ScopeREAD, time.Hour); err == nil {
				t.Error("a new token was made")
			}
			w.Post(ben, thread, "Hello @"+ada.Handle)
			if n := w.App.Store.Client(w.System()).Notification.Query().CountX(w.System()); n != 0 {
				t.Errorf("%d notifications", n)
			}
		})
		t.Run("nobody but staff is told of it", func(t *testing.T) {
			seen := `query($id: ID!) { node(id: $id) { ... on Member { id name status suspendedUntil } } }`
			if r := ben.Must(seen, vars{"id": ada.ID}); r.At("node.suspendedUntil") != nil || r.String("node.status") != "ACTIVE" {
				t.Errorf("ben sees %s", r.Body)
			}
			if e := audited(w, audit.MemberSuspended, ada.ID); len(e) != 1 || e[0].Reason != "Harassment." || *e[0].ActorID != staff.ID {
				t.Errorf("the audit log has %v", e)
			}
		})
		t.Run("staff end a suspension, and the old token signs in again", func(t *testing.T) {
			staff.Must(endSuspension, input(vars{"memberId": ada.ID}))
			staff.Must(endSuspension, input(vars{"memberId": ada.ID, "reason": "Again."}))
			if id := ada.Must(`{ viewer { id suspendedUntil } }`, nil).String("viewer.id"); id != ada.ID.String() {
				t.Errorf("signed in as %q", id)
			}
			if e := audited(w, audit.SuspensionEnded, ada.ID); len(e) != 1 {
				t.Errorf("%d entries, want one: the second time nothing was done", len(e))
			}
		})
		t.Run("a suspension ends by itself", func(t *testing.T) {
			staff.Must(suspendMember, input(vars{"memberId": ada.ID, "until": w.App.Config.Now().Add(1500 * time.Millisecond), "reason": "R"}))
			if code := ada.Do(`{ viewer { id } }`, nil).Code(); code != "UNAUTHENTICATED" {
				t.Errorf("while it lasts: %q", code)
			}
			w.Eventually("it has ended", func() bool { return ada.Do(`{ viewer { id } }`, nil).Code() == "" })
		})
		t.Run("not of oneself, nor of an administrator by staff, nor without a reason or for ever", func(t *testing.T) {
			for who, c := range map[string]struct {
				by   *apitest.Person
				in   vars
				code string
			}{
				"oneself":           {staff, hour(staff), "FORBIDDEN"},
				"an administrator":  {staff, hour(admin), "FORBIDDEN"},
				"no reason":         {staff, input(vars{"memberId": ada.ID, "until": w.App.Config.Now().Add(time.Hour), "reason": " "}), "INVALID_INPUT"},
				"the past":          {staff, input(vars{"memberId": ada.ID, "until": w.App.Config.Now(), "reason": "R"}), "INVALID_INPUT"},
				"more than a year":  {staff, input(vars{"memberId": ada.ID, "until": w.App.Config.Now().AddDate(2, 0, 0), "reason": "R"}), "INVALID_INPUT"},
				"somebody like one": {ada, hour(ben), "FORBIDDEN"},
			} {
				if code := c.by.Do(suspendMember, c.in).Code(); code != c.code {
					t.Errorf("%s: %q, want %s", who, code, c.code)
				}
			}
		})
		t.Run("the last administrator who can sign in stays", func(t *testing.T) {
			second := w.Role(w.Member("second"), roleassignment.RoleADMIN)
			second.Must(suspendMember, hour(admin))
			if code := second.Do(deactivateMember, input(vars{})).Code(); code != "FORBIDDEN" {
				t.Errorf("the only one who can sign in closed their account: %q", code)
			}
			second.Must(endSuspension, input(vars{"memberId": admin.ID}))
			second.Must(deactivateMember, input(vars{}))
		})
	})
}

// Two servers on one database: what one of them does ends the connections of the other within two seconds.
func TestSuspensionEndsConnectionsElsewhere(t *testing.T) {
	t.Parallel()
	servers := map[string]func(*testing.T) (*apitest.World, *apitest.World){
		"sqlite": func(t *testing.T) (*apitest.World, *apitest.World) {
			w := apitest.Serve(t, database.SQLite(t))
			return w, w
		},
		"postgres": func(t *testing.T) (*apitest.World, *apitest.World) {
			url := database.Postgres(t)
			return apitest.Serve(t, url), apitest.Serve(t, url)
		},
	}
	for name, open := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here, there := open(t)
			staff := here.Role(here.Member("staff"), roleassignment.RoleSTAFF)
			ada, ben := here.Member("ada"), here.Member("ben")
			network := here.Space(space.KindNETWORK, "Network", ben, ada)
			thread := here.Thread(ben, network, "Thread", "Hello")
			for act, end := range map[string]func(p *apitest.Person){
				"suspendMember": func(p *apitest.Person) {
					staff.Must(suspendMember, input(vars{"memberId": p.ID, "until": here.App.Config.Now().Add(time.Hour), "reason": "R"}))
				},
				"deactivateMember": func(p *apitest.Person) { staff.Must(deactivateMember, input(vars{"memberId": p.ID, "reason": "R"})) },
			} {
				p := here.Member("p")
				here.Join(network, p, "MEMBER")
				live := there.As(p.Token()).Subscribe(`subscription($id: ID!) { threadEvents(threadId: $id) { cursor } }`, vars{"id": thread})
				there.Eventually("it is open", func() bool { n, _ := there.App.Events.Subscriptions(); return n == 1 })
				began := time.Now()
				end(p)
				if m := live.Message(); m.Close != 4401 {
					t.Errorf("%s: not closed but %+v", act, m)
				}
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("%s: after %v", act, took)
				}
				there.Quiet()
			}
		})
	}
}

func TestDeactivation(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, admin := w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Role(w.Member("admin"), roleassignment.RoleADMIN)
		ada, ben, cleo := w.Member("ada"), w.Member("ben"), w.Member("cleo")
		ada.Must(`mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { member { id } errors { code message } } }`, input(vars{"name": "Adelgunde"}))
		network := w.Space(space.KindNETWORK, "Network", ben, ada, cleo)
		group := w.Space(space.KindAFFINITY, "Group", ada, cleo, ben)
		thread := w.Thread(ada, network, "Thread", "Said by ada")
		lists := `query($space: ID!) {
			members(first: 50) { edges { node { id } } }
			search(first: 50, query: "Adelgunde") { edges { cursor } }
			node(id: $space) { ... on Space { memberships(first: 50) { edges { node { member { id } } } } } } }`
		listed := func() (members, found, places int) {
			r := cleo.Must(lists, vars{"space": network})
			for i := range r.Len("members.edges") {
				if r.String("members.edges."+string(rune('0'+i))+".node.id") == ada.ID.String() {
					members++
				}
			}
			return members, r.Len("search.edges"), r.Len("node.memberships.edges")
		}
		t := w.T
		if m, f, p := listed(); m != 1 || f != 1 || p != 3 {
			t.Fatalf("listed %d, found %d, %d places", m, f, p)
		}
		t.Run("a member closes their own account and is in no list, is found by nobody and called by nobody", func(t *testing.T) {
			if code := ada.Do(deactivateMember, input(vars{"reason": "I am off."})).Code(); code != "INVALID_INPUT" {
				t.Errorf("with a reason: %q", code)
			}
			if got := ada.Must(deactivateMember, input(vars{})).String("deactivateMember.member.status"); got != "DEACTIVATED" {
				t.Errorf("status %q", got)
			}
			if code := ada.Do(`{ viewer { id } }`, nil).Code(); code != "UNAUTHENTICATED" {
				t.Errorf("still signed in: %q", code)
			}
			if m, f, p := listed(); m != 0 || f != 0 || p != 2 {
				t.Errorf("listed %d, found %d, %d places", m, f, p)
			}
			w.Post(ben, thread, "Where is @"+ada.Handle+"?")
			if n := w.App.Store.Client(w.System()).Notification.Query().CountX(w.System()); n != 0 {
				t.Errorf("%d notifications", n)
			}
		})
		t.Run("what they wrote stays under their name", func(t *testing.T) {
			r := ben.Must(`query($id: ID!) { node(id: $id) { ... on Thread { author { name status } posts(first: 1) { edges { node { body } } } } } }`, vars{"id": thread})
			if r.String("node.author.name") != "Adelgunde" || r.String("node.posts.edges.0.node.body") != "Said by ada" {
				t.Errorf("%s", r.Body)
			}
		})
		t.Run("a group whose last facilitator left passes to its oldest member", func(t *testing.T) {
			r := cleo.Must(`query($id: ID!) { node(id: $id) { ... on Space { viewerMembership { role } } } }`, vars{"id": group})
			if got := r.String("node.viewerMembership.role"); got != "FACILITATOR" {
				t.Errorf("cleo is %q", got)
			}
			if e := audited(w, audit.GroupHandedOver, cleo.ID); len(e) != 1 || e[0].ActorID != nil || *e[0].SpaceID != group {
				t.Errorf("the audit log has %v", e)
			}
		})
		t.Run("staff find the account and open it again, with all its places", func(t *testing.T) {
			r := staff.Must(`{ members(first: 50, status: DEACTIVATED) { edges { node { id } } } }`, nil)
			if r.Len("members.edges") != 1 || r.String("members.edges.0.node.id") != ada.ID.String() {
				t.Errorf("%s", r.Body)
			}
			staff.Must(reactivateMember, input(vars{"memberId": ada.ID}))
			staff.Must(reactivateMember, input(vars{"memberId": ada.ID}))
			if m, f, p := listed(); m != 1 || f != 1 || p != 3 {
				t.Errorf("listed %d, found %d, %d places", m, f, p)
			}
			if code := ada.Do(`{ viewer { id } }`, nil).Code(); code != "UNAUTHENTICATED" {
				t.Errorf("an old token signs in again: %q", code)
			}
			again := w.As(w.Token(ada, accesstoken.ScopeWRITE))
			if n := again.Must(`{ spaces(first: 10) { edges { cursor } } }`, nil).Len("spaces.edges"); n != 2 {
				t.Errorf("sees %d spaces", n)
			}
		})
		t.Run("staff close the account of others with a reason; an administrator's only administrators do", func(t *testing.T) {
			if code := staff.Do(deactivateMember, input(vars{"memberId": ben.ID})).Code(); code != "INVALID_INPUT" {
				t.Errorf("without a reason: %q", code)
			}
			staff.Must(deactivateMember, input(vars{"memberId": ben.ID, "reason": "Left the program."}))
			staff.Must(deactivateMember, input(vars{"memberId": ben.ID, "reason": "Twice."}))
			if code := staff.Do(deactivateMember, input(vars{"memberId": admin.ID, "reason": "R"})).Code(); code != "FORBIDDEN" {
				t.Errorf("an administrator's: %q", code)
			}
			if code := admin.Do(deactivateMember, input(vars{})).Code(); code != "FORBIDDEN" {
				t.Errorf("the last administrator's: %q", code)
			}
			reasons := make([]string, 0, 1)
			for _, e := range audited(w, audit.MemberDeactivated, ben.ID) {
				reasons = append(reasons, e.Reason)
			}
			if !slices.Equal(reasons, []string{"Left the program."}) {
				t.Errorf("the audit log has %s", strings.Join(reasons, "; "))
			}
		})
	})
}

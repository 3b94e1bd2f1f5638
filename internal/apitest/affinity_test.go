package apitest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/breakglass"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	breakGlass    = `mutation($input: BreakGlassInput!) { breakGlass(input: $input) { breakGlass { id endsAt } errors { code message path } } }`
	endBreakGlass = `mutation($input: EndBreakGlassInput!) { endBreakGlass(input: $input) { breakGlass { id } errors { code message path } } }`
	requestToJoin = `mutation($input: RequestToJoinInput!) { requestToJoin(input: $input) { joinRequest { id address message member { id } } errors { code message path } } }`
	decideRequest = `mutation($input: %sInput!) { %s(input: $input) { joinRequest { id member { name } } errors { code message path } } }`
	glassReason   = "A member asked us to look at a threat."
)

func TestBreakGlass(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		admin, staff := w.Role(w.Member("admin"), roleassignment.RoleADMIN), w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		w.Role(w.Member("another"), roleassignment.RoleADMIN)
		ada, ben := w.Member("ada"), w.Member("ben")
		for _, kind := range []space.Kind{space.KindAFFINITY, space.KindDIRECT} {
			w.T.Run(string(kind), func(t *testing.T) {
				group := w.Space(kind, "Safe room", ada, ben)
				thread := w.Thread(ada, group, "Heron "+string(kind), "In confidence.")
				place := w.Join(group, admin, spacemembership.RoleMEMBER)
				own := w.Post(admin, thread, "written before")
				w.Tx(func(ctx context.Context, tx *ent.Client) error {
					return tx.SpaceMembership.UpdateOneID(place).SetEndsAt(w.App.Config.Now().Add(-time.Second)).Exec(ctx)
				})
				glass := func(p *apitest.Person, id gid.ID) *apitest.Response {
					return p.Do(breakGlass, input(vars{"spaceId": id, "reason": glassReason, "hours": 2}))
				}
				reads := func(p *apitest.Person) bool {
					return p.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": thread}).Code() == ""
				}
				w.T.Run(string(kind)+": an administrator does not see it, and everybody but administrators is told that there is nothing", func(t *testing.T) {
					if reads(admin) {
						t.Error("an administrator reads it without breaking the glass")
					}
					for _, p := range []*apitest.Person{staff, ada} {
						a, b := glass(p, group), glass(p, w.NewID(gid.Space))
						if a.Body != b.Body || a.Code() != "NOT_FOUND" {
							t.Errorf("%s\n%s", a.Body, b.Body)
						}
					}
					if r := staff.Do(breakGlass, input(vars{"spaceId": group, "reason": "", "hours": 0})); r.Body != glass(staff, group).Body {
						t.Errorf("something was looked at before: %s", r.Body)
					}
					if glass(staff, group).Body != glass(admin, w.NewID(gid.Space)).Body {
						t.Error("an administrator is told something else of what never existed")
					}
				})
				w.T.Run(string(kind)+": a reason and a time are needed", func(t *testing.T) {
					for _, in := range []vars{{"reason": "too short", "hours": 2}, {"reason": glassReason, "hours": 0}, {"reason": glassReason, "hours": 25}, {"reason": strings.Repeat("x", 2001), "hours": 2}} {
						in["spaceId"] = group
						if code := admin.Do(breakGlass, input(in)).Code(); code != "INVALID_INPUT" {
							t.Errorf("%v: %q", in["hours"], code)
						}
					}
				})
				broken := admin.Must(breakGlass, input(vars{"spaceId": group, "reason": glassReason, "hours": 2})).String("breakGlass.breakGlass.id")
				w.T.Run(string(kind)+": while it lasts the administrator reads the space, finds what is in it, and follows it", func(t *testing.T) {
					r := admin.Must(`query($id: ID!) { node(id: $id) { ... on Space { threads(first: 5) { edges { node { posts(first: 5) { edges { node { body } } } } } }
						memberships(first: 5) { edges { node { member { name } } } } viewerCanCreateThread viewerCanUpdate joinAddress viewerUnreadCount } } }`, vars{"id": group})
					if r.String("node.threads.edges.0.node.posts.edges.0.node.body") != "In confidence." || r.Len("node.memberships.edges") != 2 ||
						r.At("node.viewerCanCreateThread") != false || r.At("node.viewerCanUpdate") != false || r.At("node.joinAddress") != nil {
						t.Errorf("%v", r.Data)
					}
					if n := admin.Must(`query($q: String!) { search(first: 5, query: $q) { edges { node { __typename } } } }`, vars{"q": "heron " + string(kind)}).Len("search.edges"); n != 1 {
						t.Errorf("%d hits", n)
					}
				})
				w.T.Run(string(kind)+": the administrator writes nothing in it, not even over what they wrote there before", func(t *testing.T) {
					for query, in := range map[string]vars{
						`mutation($input: CreateThreadInput!) { createThread(input: $input) { errors { code } } }`:                   {"spaceId": group, "title": "T", "body": "B"},
						`mutation($input: CreatePostInput!) { createPost(input: $input) { errors { code } } }`:                       {"threadId": thread, "body": "B"},
						`mutation($input: EditPostInput!) { editPost(input: $input) { errors { code } } }`:                           {"postId": own, "body": "B", "expectedVersion": 1},
						`mutation($input: DeletePostInput!) { deletePost(input: $input) { errors { code } } }`:                       {"postId": own},
						`mutation($input: AddReactionInput!) { addReaction(input: $input) { errors { code } } }`:                     {"postId": own, "emoji": "👍"},
						`mutation($input: LockThreadInput!) { lockThread(input: $input) { errors { code } } }`:                       {"threadId": thread},
						`mutation($input: IndicateTypingInput!) { indicateTyping(input: $input) { errors { code } } }`:               {"threadId": thread},
						`mutation($input: UpdateSpaceInput!) { updateSpace(input: $input) { errors { code } } }`:                     {"spaceId": group, "about": "x"},
						`mutation($input: ArchiveSpaceInput!) { archiveSpace(input: $input) { errors { code } } }`:                   {"spaceId": group},
						`mutation($input: CreateSpaceMembershipInput!) { createSpaceMembership(input: $input) { errors { code } } }`: {"spaceId": group, "memberId": admin.ID},
						`mutation($input: CreateResourceInput!) { createResource(input: $input) { errors { code } } }`:               {"spaceId": group, "kind": "LINK", "title": "T", "audience": "SPACE"},
						`mutation($input: RenewJoinAddressInput!) { renewJoinAddress(input: $input) { errors { code } } }`:           {"spaceId": group},
					} {
						if code := admin.Do(query, input(in)).Code(); code != "FORBIDDEN" {
							t.Errorf("%s: %q", query, code)
						}
					}
				})
				w.T.Run(string(kind)+": its members see who, when, why and until when, and nobody else does", func(t *testing.T) {
					query := `query($id: ID!) { node(id: $id) { ... on Space { breakGlasses(first: 5) { edges { node { id reason endsAt createdAt member { name } } } } } }
						auditEntries(first: 10) { edges { node { action reason space { id } actor { name } subject { id } address } } } }`
					r := ben.Must(query, vars{"id": group})
					if r.Len("node.breakGlasses.edges") != 1 || r.String("node.breakGlasses.edges.0.node.reason") != glassReason || r.String("node.breakGlasses.edges.0.node.member.name") != "admin" {
						t.Errorf("%v", r.Data)
					}
					if at := "auditEntries.edges.0.node."; r.String(at+"action") != "GLASS_BROKEN" || r.String(at+"reason") != glassReason || r.String(at+"subject.id") != broken ||
						r.String(at+"actor.name") != "admin" || r.At(at+"address") != nil {
						t.Errorf("the audit log: %v", r.Data)
					}
					if code := staff.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": broken}).Code(); code != "NOT_FOUND" {
						t.Errorf("staff: %q", code)
					}
				})
				w.T.Run(string(kind)+": it is not broken twice, and only who broke it ends it; then nothing more is delivered", func(t *testing.T) {
					if code := glass(admin, group).Code(); code != "ALREADY_EXISTS" {
						t.Errorf("again: %q", code)
					}
					if code := ben.Do(endBreakGlass, input(vars{"breakGlassId": broken})).Code(); code != "FORBIDDEN" {
						t.Errorf("a member: %q", code)
					}
					if code := staff.Do(endBreakGlass, input(vars{"breakGlassId": broken})).Code(); code != "NOT_FOUND" {
						t.Errorf("staff: %q", code)
					}
					sub := admin.Subscribe(watch, vars{"thread": thread, "after": now(admin)})
					w.Post(ada, thread, "before")
					sub.Next()
					admin.Must(endBreakGlass, input(vars{"breakGlassId": broken}))
					ended := time.Now()
					w.Post(ada, thread, "after")
					if code := sub.Failure(); code != "NOT_FOUND" || time.Since(ended) > 2*time.Second {
						t.Errorf("%q after %v", code, time.Since(ended))
					}
					if reads(admin) {
						t.Error("the administrator reads on")
					}
				})
				w.T.Run(string(kind)+": it ends by the clock", func(t *testing.T) {
					id := admin.Must(breakGlass, input(vars{"spaceId": group, "reason": glassReason, "hours": 1})).String("breakGlass.breakGlass.id")
					sub := admin.Subscribe(watch, vars{"thread": thread, "after": now(admin)})
					w.Post(ada, thread, "before")
					sub.Next()
					ends := w.App.Config.Now().Add(300 * time.Millisecond)
					w.Tx(func(ctx context.Context, tx *ent.Client) error {
						return tx.BreakGlass.Update().Where(breakglass.ID(must(t, id))).SetEndsAt(ends).Exec(ctx)
					})
					if code := sub.Failure(); code != "NOT_FOUND" || time.Since(ends) > 2*time.Second {
						t.Errorf("%q after %v", code, time.Since(ends))
					}
					if reads(admin) {
						t.Error("the administrator reads on")
					}
				})
				w.T.Run(string(kind)+": it ends with the administrator's role", func(t *testing.T) {
					former := w.Role(w.Member("former"), roleassignment.RoleADMIN)
					former.Must(breakGlass, input(vars{"spaceId": group, "reason": glassReason, "hours": 1}))
					sub := former.Subscribe(watch, vars{"thread": thread, "after": now(former)})
					w.Post(ada, thread, "before")
					sub.Next()
					w.Tx(func(ctx context.Context, tx *ent.Client) error {
						return tx.RoleAssignment.Update().Where(roleassignment.MemberID(former.ID)).SetEndsAt(w.App.Config.Now().Add(-time.Second)).Exec(ctx)
					})
					w.Post(ada, thread, "after")
					if code := sub.Failure(); code != "NOT_FOUND" || reads(former) {
						t.Errorf("%q", code)
					}
				})
			})
		}
	})
}

func TestJoinRequests(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Microsecond) // it stands still: so a sign-in that was looked up once is known
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, eve, out := w.Member("ada"), w.Member("ben"), w.Member("eve"), w.Member("out")
		group := w.Space(space.KindAFFINITY, "Safe room", ada, ben)
		renew := `mutation($input: RenewJoinAddressInput!) { renewJoinAddress(input: $input) { space { joinAddress } errors { code message path } } }`
		address := ada.Must(renew, input(vars{"spaceId": group})).String("renewJoinAddress.space.joinAddress")
		ask := func(p *apitest.Person, address string, more ...any) *apitest.Response {
			in := vars{"address": address, "message": "Me, too."}
			if len(more) > 0 {
				in["idempotencyKey"] = more[0]
			}
			return p.Do(requestToJoin, input(in))
		}
		decide := func(p *apitest.Person, how string, id any) *apitest.Response {
			return p.Do(fmt.Sprintf(decideRequest, strings.ToUpper(how[:1])+how[1:], how), input(vars{"joinRequestId": id}))
		}
		waiting := func(p *apitest.Person) *apitest.Response {
			return p.Do(`query($id: ID!) { node(id: $id) { ... on Space { joinAddress joinRequests(first: 20) { edges { node { id message member { id name } } } } } } }`, vars{"id": group})
		}
		w.T.Run("only facilitators know the address and see who asks", func(t *testing.T) {
			if r := waiting(ben); r.Code() != "" || r.At("node.joinAddress") != nil || len(address) < 16 {
				t.Errorf("%q, a member: %v", address, r.Data)
			}
			if code := ben.Do(renew, input(vars{"spaceId": group})).Code(); code != "FORBIDDEN" {
				t.Errorf("a member renews: %q", code)
			}
		})
		var asked string
		w.T.Run("the answer and the statements are the same whether there is such a group or not", func(t *testing.T) {
			var there, nowhere *apitest.Response
			ask(eve, "warm up")
			a := w.Statements(func() { there = ask(eve, strings.ToUpper(address)) })
			b := w.Statements(func() { nowhere = ask(eve, strings.Repeat("x", len(address))) })
			asked = there.String("requestToJoin.joinRequest.id")
			same := func(r *apitest.Response) string {
				return strings.NewReplacer(r.String("requestToJoin.joinRequest.id"), "id", r.String("requestToJoin.joinRequest.address"), "address").Replace(r.Body)
			}
			if there.Code() != "" || same(there) != same(nowhere) || a != b {
				t.Errorf("%d and %d statements\n%s\n%s", a, b, there.Body, nowhere.Body)
			}
		})
		w.T.Run("a facilitator sees who asks, whom they cannot see otherwise, and nobody else sees that", func(t *testing.T) {
			if r := waiting(ada); r.Len("node.joinRequests.edges") != 1 || r.String("node.joinRequests.edges.0.node.member.name") != "eve" {
				t.Errorf("%v", r.Data)
			}
			if r := waiting(ben); r.Len("node.joinRequests.edges") != 0 {
				t.Errorf("a member sees %v", r.Data)
			}
			node := `query($id: ID!) { node(id: $id) { id } }`
			if ada.Do(node, vars{"id": eve.ID}).Code() != "NOT_FOUND" || ben.Do(node, vars{"id": asked}).Code() != "NOT_FOUND" || eve.Do(node, vars{"id": asked}).Code() != "" {
				t.Error("somebody sees more or less than they should")
			}
		})
		w.T.Run("who asked cannot find out what became of it", func(t *testing.T) {
			look := `query($id: ID!) { node(id: $id) { __typename ... on JoinRequest { id address message createdAt member { id } } } viewer { name } }`
			before := eve.Must(look, vars{"id": asked}).Body
			for _, how := range []string{"acceptJoinRequest", "declineJoinRequest"} {
				mine, none := decide(eve, how, asked), decide(eve, how, w.NewID(gid.JoinRequest))
				if mine.Body != none.Body || mine.Code() != "NOT_FOUND" {
					t.Errorf("%s\n%s", mine.Body, none.Body)
				}
			}
			if code := decide(ada, "declineJoinRequest", asked).Code(); code != "" {
				t.Fatal(code)
			}
			if after := eve.Must(look, vars{"id": asked}).Body; after != before {
				t.Errorf("it shows that it was declined: %s", after)
			}
			if again := ask(eve, address).String("requestToJoin.joinRequest.id"); again == "" || again == asked {
				t.Errorf("asking again gives %q", again)
			}
			if code := decide(ada, "acceptJoinRequest", asked).Code(); code != "ALREADY_EXISTS" {
				t.Errorf("a declined request was accepted: %q", code)
			}
		})
		w.T.Run("an accepted request lets in, and takes the others of the same member off the list", func(t *testing.T) {
			ask(eve, address)
			id := waiting(ada).String("node.joinRequests.edges.0.node.id")
			for range 2 {
				if r := decide(ada, "acceptJoinRequest", id); r.Code() != "" || r.String("acceptJoinRequest.joinRequest.member.name") != "eve" {
					t.Errorf("%s", r.Body)
				}
			}
			if r := waiting(ada); r.Len("node.joinRequests.edges") != 0 {
				t.Errorf("still waiting: %v", r.Data)
			}
			if eve.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": group}).Code() != "" {
				t.Error("who was let in does not see the group")
			}
		})
		w.T.Run("an address that was renewed takes its requests with it", func(t *testing.T) {
			ask(out, address)
			id := waiting(ada).String("node.joinRequests.edges.0.node.id")
			ada.Must(renew, input(vars{"spaceId": group}))
			if r := waiting(ada); r.Len("node.joinRequests.edges") != 0 || decide(ada, "acceptJoinRequest", id).Code() != "NOT_FOUND" {
				t.Errorf("%v", r.Data)
			}
		})
		w.T.Run("ten a day are enough, and what is sent again does not count", func(t *testing.T) {
			for i := range 9 { // one was asked above
				for range 2 {
					if code := ask(out, "somewhere", fmt.Sprint("key ", i)).Code(); code != "" {
						t.Fatalf("request %d: %q", i, code)
					}
				}
			}
			if code := ask(out, "somewhere else").Code(); code != "LIMIT_REACHED" {
				t.Errorf("code %q", code)
			}
		})
	}, apitest.Clock(func() time.Time { return now }))
}

// What was learned with a right must not be learned again without it, by sending the same thing once more.
func TestReplaysAfterLosingAccess(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		group := w.Space(space.KindAFFINITY, "Safe room", ada)
		place := w.Join(group, ben, spacemembership.RoleFACILITATOR)
		thread := w.Thread(ada, group, "T", "B")
		requests := map[string]vars{
			`mutation($input: CreateThreadInput!) { createThread(input: $input) { thread { id } errors { code message path } } }`:                            {"spaceId": group, "title": "T", "body": "B"},
			`mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } errors { code message path } } }`:                                  {"threadId": thread, "body": "B"},
			`mutation($input: CreateResourceInput!) { createResource(input: $input) { resource { id } errors { code message path } } }`:                      {"spaceId": group, "kind": "LINK", "title": "T", "audience": "SPACE"},
			`mutation($input: CreateSpaceMembershipInput!) { createSpaceMembership(input: $input) { spaceMembership { id } errors { code message path } } }`: {"spaceId": group, "memberId": ben.ID},
		}
		other := w.Member("other")
		w.Space(space.KindDIRECT, "", ben, other) // so that ben sees them
		key := 0
		for query, in := range requests {
			key++
			in["idempotencyKey"] = fmt.Sprint(key)
			if in["memberId"] != nil {
				in["memberId"] = other.ID
			}
			ben.Must(query, input(in))
		}
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			return tx.SpaceMembership.UpdateOneID(place).SetEndsAt(w.App.Config.Now().Add(-time.Second)).Exec(ctx)
		})
		for query, in := range requests {
			if r := ben.Do(query, input(in)); r.Code() != "NOT_FOUND" {
				w.T.Errorf("%s: %s", query, r.Body)
			}
		}
	})
}

// Who left a hidden space hears nothing more of it, not even that what they were told of was taken back.
func TestNotificationsAfterLeaving(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		group, network := w.Space(space.KindAFFINITY, "Safe room", ada), w.Space(space.KindNETWORK, "Network", ada, ben)
		place := w.Join(group, ben, spacemembership.RoleMEMBER)
		seen := w.Thread(ada, network, "T", "B")
		thread := w.Thread(ada, group, "T", "B")
		post := w.Post(ada, thread, "Hello @"+ben.Handle)
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			return tx.SpaceMembership.UpdateOneID(place).SetEndsAt(w.App.Config.Now().Add(-time.Second)).Exec(ctx)
		})
		sub := ben.Subscribe(`subscription($after: Cursor) { notificationEvents(after: $after) { __typename cursor } }`, vars{"after": now(ben)})
		ada.Must(`mutation($input: DeletePostInput!) { deletePost(input: $input) { errors { code message } } }`, input(vars{"postId": post}))
		ben.Must(`mutation { markNotificationsRead(input: {}) { errors { code message } } }`, nil)
		w.Post(ada, thread, "Again, @"+ben.Handle)
		w.Post(ada, seen, "Here, @"+ben.Handle)
		if got := sub.Next().String("notificationEvents.__typename"); got != "NotificationCreated" {
			w.T.Errorf("%s: who left is told that something happened", got)
		}
	})
}

func TestAuditLog(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		admin, staff := w.Role(w.Member("admin"), roleassignment.RoleADMIN), w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		group := w.Space(space.KindAFFINITY, "Safe room", ada)
		thread := w.Thread(ada, network, "T", "B")
		post := w.Post(ben, thread, "B")
		did := func(p *apitest.Person, args string) string {
			r := p.Must(`{ auditEntries(first: 50`+args+`) { edges { node { action } } } }`, nil)
			var actions []string
			for i := range r.Len("auditEntries.edges") {
				actions = append(actions, r.String(fmt.Sprintf("auditEntries.edges.%d.node.action", i)))
			}
			return strings.Join(actions, " ")
		}
		role := admin.Must(`mutation($input: CreateRoleAssignmentInput!) { createRoleAssignment(input: $input) { roleAssignment { id } errors { code message } } }`,
			input(vars{"memberId": ben.ID, "role": "EXPERT", "scope": "PLATFORM"})).String("createRoleAssignment.roleAssignment.id")
		staff.Must(`mutation($input: LockThreadInput!) { lockThread(input: $input) { errors { code message } } }`, input(vars{"threadId": thread, "reason": "Enough."}))
		staff.Must(`mutation($input: UnlockThreadInput!) { unlockThread(input: $input) { errors { code message } } }`, input(vars{"threadId": thread}))
		staff.Must(`mutation($input: DeletePostInput!) { deletePost(input: $input) { errors { code message } } }`, input(vars{"postId": post}))
		place := ada.Must(`mutation($input: CreateSpaceMembershipInput!) { createSpaceMembership(input: $input) { spaceMembership { id } errors { code message } } }`,
			input(vars{"spaceId": group, "memberId": ben.ID})).String("createSpaceMembership.spaceMembership.id")
		ada.Must(`mutation($input: EndSpaceMembershipInput!) { endSpaceMembership(input: $input) { errors { code message } } }`, input(vars{"spaceMembershipId": place}))
		admin.Must(`mutation($input: EndRoleAssignmentInput!) { endRoleAssignment(input: $input) { errors { code message } } }`, input(vars{"roleAssignmentId": role}))

		w.T.Run("administrators read all but what happened in hidden spaces, and others what they did and what was done to them", func(t *testing.T) {
			for _, c := range []struct {
				who        *apitest.Person
				args, want string
			}{
				{admin, "", "ROLE_ENDED POST_DELETED THREAD_UNLOCKED THREAD_LOCKED ROLE_GIVEN"},
				{staff, "", "POST_DELETED THREAD_UNLOCKED THREAD_LOCKED"},
				{ada, "", "SPACE_MEMBERSHIP_ENDED SPACE_MEMBERSHIP_GIVEN"},
				{ben, "", "ROLE_ENDED ROLE_GIVEN"},
				{admin, fmt.Sprintf(", subjectId: %q", ben.ID), "ROLE_ENDED ROLE_GIVEN"},
				{admin, fmt.Sprintf(", subjectId: %q", thread), "THREAD_UNLOCKED THREAD_LOCKED"},
				{admin, fmt.Sprintf(", actorId: %q", ada.ID), ""},
				{admin, fmt.Sprintf(", actorId: %q", admin.ID), "ROLE_ENDED ROLE_GIVEN"},
			} {
				if got := did(c.who, c.args); got != c.want {
					t.Errorf("%s%s: %q, want %q", c.who.Handle, c.args, got, c.want)
				}
			}
			if r := w.As("").Must(`{ auditEntries(first: 5) { edges { node { id } } } }`, nil); r.Len("auditEntries.edges") != 0 {
				t.Errorf("a visitor: %v", r.Data)
			}
		})
		w.T.Run("addresses of others are for administrators", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.AuditEntry.Create().SetID(w.NewID(gid.AuditEntry)).SetCreatedAt(w.App.Config.Now()).SetAction("MEMBER_SUSPENDED").
					SetActorID(staff.ID).SetSubjectID(ben.ID).SetAddress("192.0.2.7").Exec(ctx)
			})
			for p, want := range map[*apitest.Person]any{admin: "192.0.2.7", staff: "192.0.2.7", ben: nil} {
				if r := p.Must(`{ auditEntries(first: 1) { edges { node { address action actor { name } } } } }`, nil); r.At("auditEntries.edges.0.node.address") != want || r.String("auditEntries.edges.0.node.action") != "MEMBER_SUSPENDED" {
					t.Errorf("%s: %v", p.Handle, r.Data)
				}
			}
		})
		w.T.Run("the database refuses to change an entry and to delete one", func(t *testing.T) {
			for what, change := range map[string]func(ctx context.Context, tx *ent.Client) error{
				"update": func(ctx context.Context, tx *ent.Client) error {
					return tx.AuditEntry.Update().Where(auditentry.ActorID(admin.ID)).SetSubjectID(ada.ID).Exec(ctx)
				},
				"delete": func(ctx context.Context, tx *ent.Client) error {
					_, err := tx.AuditEntry.Delete().Where(auditentry.ActorID(admin.ID)).Exec(ctx)
					return err
				},
				"plain update": func(ctx context.Context, tx *ent.Client) error {
					_, err := tx.ExecContext(ctx, "UPDATE audit_entries SET reason = 'x'")
					return err
				},
				"plain delete": func(ctx context.Context, tx *ent.Client) error {
					_, err := tx.ExecContext(ctx, "DELETE FROM audit_entries")
					return err
				},
			} {
				if err := w.Change(change); err == nil {
					t.Errorf("%s was done", what)
				}
			}
		})
	})
}

// What is in an affinity group leaves it in no archive and in no figure.
func TestExportsLeaveAffinityGroupsOut(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network, direct, group := w.Space(space.KindNETWORK, "Network", ada, ben), w.Space(space.KindDIRECT, "", ada, ben), w.Space(space.KindAFFINITY, "Safe room", ada, ben)
		for _, in := range []gid.ID{network, direct, group} {
			w.Post(ben, w.Thread(ada, in, "T", "B"), "C")
		}
		c := w.App.Store.Client(w.System())
		for _, of := range []struct {
			who                         string
			v                           viewer.Viewer
			posts, threads, memberships int
		}{
			{"the program", viewer.System("test"), 4, 2, 4}, {"who started the threads", ada.Viewer, 2, 2, 2},
			{"who answered", ben.Viewer, 2, 0, 2}, {"a visitor", viewer.Anonymous(), 0, 0, 0},
		} {
			w.T.Run(of.who, func(t *testing.T) {
				posts, err := c.Post.Query().Where(access.ExportablePosts(of.v)).Count(w.System())
				must0(t, err)
				threads, err := c.Thread.Query().Where(access.ExportableThreads(of.v)).Count(w.System())
				must0(t, err)
				memberships, err := c.SpaceMembership.Query().Where(access.ExportableSpaceMemberships(of.v)).Count(w.System())
				must0(t, err)
				if posts != of.posts || threads != of.threads || memberships != of.memberships {
					t.Errorf("%d posts, %d threads, %d memberships", posts, threads, memberships)
				}
			})
		}
	})
}

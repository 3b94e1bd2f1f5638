package apitest_test

import (
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
)

func TestWarnings(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, eve, host, outsider := w.Member("ada"), w.Member("eve"), w.Member("host"), w.Member("outsider")
		network := w.Space(space.KindNETWORK, "Network", host, ada, eve)
		said := w.Post(eve, w.Thread(ada, network, "T", "B"), "rude")
		acknowledge := `mutation($input: AcknowledgeWarningInput!) { acknowledgeWarning(input: $input) { warning { acknowledgedAt } errors { code } } }`

		live := follow(w, eve)
		r := host.Must(warn, input(vars{"memberId": eve.ID, "postId": said, "text": "Be kind.", "idempotencyKey": "k"}))
		host.Must(warn, input(vars{"memberId": eve.ID, "postId": said, "text": "Be kind.", "idempotencyKey": "k"}))
		id := r.String("warnMember.warning.id")
		if got := live.Next(); got.String("notificationEvents.warning.id") != id || got.String("notificationEvents.warning.reason") != "Be kind." || got.At("notificationEvents.warning.moderator") != nil {
			t.Errorf("the member is told %s", got.Body)
		}
		host.Must(warn, input(vars{"memberId": ada.ID, "spaceId": network, "text": "You too."}))
		w.T.Run("the member reads the warning, not who gave it, and acknowledges it", func(t *testing.T) {
			r := eve.Must(warnings, nil)
			if r.Len("account.warnings") != 1 || r.String("account.warnings.0.reason") != "Be kind." || r.At("account.warnings.0.acknowledgedAt") != nil || r.At("account.warnings.0.moderator") != nil {
				t.Errorf("%s", r.Body)
			}
			if code := ada.Do(acknowledge, input(vars{"warningId": id})).Code(); code != "NOT_FOUND" {
				t.Errorf("somebody else: %q", code)
			}
			at := eve.Must(acknowledge, input(vars{"warningId": id})).String("acknowledgeWarning.warning.acknowledgedAt")
			if again := eve.Must(acknowledge, input(vars{"warningId": id})).String("acknowledgeWarning.warning.acknowledgedAt"); at == "" || again != at {
				t.Errorf("%s and %s", at, again)
			}
			r = host.Must(actions, vars{"id": network})
			if r.Len("node.moderationActions.edges") != 2 || r.String("node.moderationActions.edges.1.node.moderator.name") != "host" {
				t.Errorf("%s", r.Body)
			}
		})
		w.T.Run("only whom a moderator sees there is warned", func(t *testing.T) {
			for what, c := range map[string]struct {
				by   *apitest.Person
				in   vars
				code string
			}{
				"a reader":                 {ada, vars{"memberId": eve.ID, "postId": said, "text": "x"}, "FORBIDDEN"},
				"an outsider":              {outsider, vars{"memberId": eve.ID, "postId": said, "text": "x"}, "NOT_FOUND"},
				"not its author":           {host, vars{"memberId": ada.ID, "postId": said, "text": "x"}, "NOT_FOUND"},
				"who does not belong":      {host, vars{"memberId": outsider.ID, "spaceId": network, "text": "x"}, "NOT_FOUND"},
				"themselves":               {host, vars{"memberId": host.ID, "spaceId": network, "text": "x"}, "FORBIDDEN"},
				"neither a space nor post": {host, vars{"memberId": eve.ID, "text": "x"}, "INVALID_INPUT"},
			} {
				if code := c.by.Do(warn, input(c.in)).Code(); code != c.code {
					t.Errorf("%s: %q", what, code)
				}
			}
		})
		w.T.Run("locks and suspensions stand in the log", func(t *testing.T) {
			thread := w.Thread(ada, network, "T", "B")
			host.Must(`mutation($input: LockThreadInput!) { lockThread(input: $input) { errors { code } } }`, input(vars{"threadId": thread, "reason": "Enough"}))
			host.Must(`mutation($input: UnlockThreadInput!) { unlockThread(input: $input) { errors { code } } }`, input(vars{"threadId": thread}))
			r := host.Must(actions, vars{"id": network})
			if r.String("node.moderationActions.edges.0.node.kind") != "UNLOCK" || r.String("node.moderationActions.edges.1.node.kind") != "LOCK" || r.String("node.moderationActions.edges.1.node.reason") != "Enough" {
				t.Errorf("%s", r.Body)
			}
			staff := w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
			until := w.App.Config.Now().AddDate(0, 0, 3)
			staff.Must(`mutation($input: SuspendMemberInput!) { suspendMember(input: $input) { errors { code } } }`, input(vars{"memberId": eve.ID, "until": until, "reason": "Again."}))
			m := w.App.Store.Client(w.System()).ModerationAction.Query().Where(moderationaction.KindEQ(moderationaction.KindSUSPEND)).OnlyX(w.System())
			node := `query($id: ID!) { node(id: $id) { ... on ModerationAction { kind reason endsAt member { name } } } }`
			if r := staff.Must(node, vars{"id": m.ID}); r.String("node.reason") != "Again." || r.At("node.endsAt") == nil || r.String("node.member.name") != "eve" {
				t.Errorf("%s", r.Body)
			}
			if code := host.Do(node, vars{"id": m.ID}).Code(); code != "NOT_FOUND" {
				t.Errorf("a facilitator: %q", code)
			}
		})
	})
}

// Of several who moderate a hidden group, one whom another judges learns neither of the flags on their post nor who warned them.
func TestModeratorsWhoAreJudged(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, eve := w.Member("ada"), w.Member("ben"), w.Member("eve")
		group := w.Space(space.KindAFFINITY, "Group", ada, ben, eve)
		w.App.Store.Client(w.System()).SpaceMembership.Update().Where(spacemembership.SpaceID(group), spacemembership.MemberID(ben.ID)).
			SetRole(spacemembership.RoleFACILITATOR).ExecX(w.System())
		said := w.Post(ben, w.Thread(ada, group, "T", "B"), "hasty")
		eve.Must(flagPost, input(vars{"postId": said, "reason": "SPAM"}))
		ada.Must(resolve, input(vars{"postId": said, "outcome": "UPHELD", "action": "WARN", "reason": "Slowly."}))
		for p, want := range map[*apitest.Person]int{ada: 1, ben: 0} {
			r := p.Must(`{ auditEntries(first: 100) { edges { node { action } } } }`, nil)
			if strings.Count(r.Body, "FLAGS_RESOLVED") != want || strings.Count(r.Body, "MEMBER_WARNED") != want {
				t.Errorf("%s reads %s", p.Handle, r.Body)
			}
			if r := p.Must(actions, vars{"id": group}); r.Len("node.moderationActions.edges") != want {
				t.Errorf("%s reads %s", p.Handle, r.Body)
			}
		}
		if r := ben.Must(warnings, nil); r.String("account.warnings.0.reason") != "Slowly." || r.At("account.warnings.0.moderator") != nil {
			t.Errorf("%s", r.Body)
		}
	})
}

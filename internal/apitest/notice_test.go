package apitest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/conflict"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	notices = `query($first: Int, $after: Cursor) { viewer { unreadNotificationCount notices(first: $first, after: $after) {
		edges { cursor node { id reason readAt application { id organizationName } warning { id reason } } } pageInfo { hasNextPage } } } }`
	noticeEvents = `subscription { notificationEvents { __typename ... on NotificationsRead { unreadNotificationCount }
		... on NoticeCreated { unreadNotificationCount notice { id reason application { organizationName } warning { reason } } } } }`
	markRead = `mutation($input: MarkNotificationsReadInput!) { markNotificationsRead(input: $input) { viewer { unreadNotificationCount } errors { code } } }`
)

// hears follows what somebody is told with another device of theirs.
func hears(w *apitest.World, p *apitest.Person) *apitest.Subscription {
	before, _ := w.App.Events.Subscriptions()
	live := w.As(w.Token(p, accesstoken.ScopeREAD)).Subscribe(noticeEvents, nil)
	w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n > before })
	return live
}

// next says what is heard next: the type of the event, the reason of a notice, and how many are unread.
func next(live *apitest.Subscription) string {
	got := live.Next()
	said := got.String("notificationEvents.__typename")
	if reason := got.String("notificationEvents.notice.reason"); reason != "" {
		said += " " + reason
	}
	if got.At("notificationEvents.unreadNotificationCount") != nil {
		said += fmt.Sprint(" ", got.Int("notificationEvents.unreadNotificationCount"))
	}
	return said
}

// noticed says what a member's notices are, the first first, and how many are unread in the bell.
func noticed(p *apitest.Person) string {
	r := p.Must(notices, vars{"first": 100})
	said := []string{fmt.Sprint(r.Int("viewer.unreadNotificationCount"))}
	for i := range r.Len("viewer.notices.edges") {
		at := fmt.Sprintf("viewer.notices.edges.%d.node.", i)
		state := "unread"
		if r.At(at+"readAt") != nil {
			state = "read"
		}
		said = append(said, r.String(at+"reason")+" "+state)
	}
	return strings.Join(said, ", ")
}

func is(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

// Who is to review an application learns of it in the bell, as long as it is theirs to review.
func TestNoticesOfReviews(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, staff, admin := w.Member("ada"), w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Role(w.Member("admin"), roleassignment.RoleADMIN)
		rev, peer, outsider := w.Member("rev"), w.Role(w.Member("peer"), roleassignment.RoleSTAFF), w.Member("outsider")
		var call gid.ID
		of := make([]gid.ID, 4)
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err == nil {
				call, err = judgedCallOf(ctx, tx, w, offering, true)
			}
			for i := range of {
				if err == nil {
					of[i], err = submittedOf(ctx, tx, w, call, ada)
				}
			}
			return err
		})
		asked := func(who *apitest.Person, applications ...gid.ID) string {
			return staff.Must(assign, input(vars{"applicationIds": applications, "reviewerIds": []gid.ID{who.ID}})).String("assignReviewers.outcomes.0.assignment.id")
		}
		live := hears(w, rev)
		var first, id string

		w.T.Run("who is asked to review hears of it, once, and of nobody who applies", func(t *testing.T) {
			first = asked(rev, of[0])
			asked(rev, of[0])
			got := live.Next()
			is(t, got.String("notificationEvents.notice.reason"), "REVIEW_ASSIGNED")
			is(t, got.String("notificationEvents.notice.application.organizationName"), "Application 1")
			is(t, fmt.Sprint(got.Int("notificationEvents.unreadNotificationCount")), "1")
			is(t, noticed(rev), "1, REVIEW_ASSIGNED unread")
			r := rev.Must(notices, vars{"first": 1})
			id = r.String("viewer.notices.edges.0.node.id")
			is(t, r.String("viewer.notices.edges.0.node.application.organizationName"), "Application 1")
			is(t, r.String("viewer.notices.edges.0.node.application.id"), of[0].String())
		})
		w.T.Run("nobody else sees it, or reads it for them", func(t *testing.T) {
			for _, p := range []*apitest.Person{admin, staff, peer, outsider, ada} {
				is(t, noticed(p), "0")
				is(t, p.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id}).Code(), "NOT_FOUND")
				p.Must(markRead, input(vars{"notificationIds": []string{id}}))
			}
			if r := admin.Must(`query($id: ID!) { node(id: $id) { ... on Member { unreadNotificationCount notices(first: 1) { edges { cursor } } } } }`, vars{"id": rev.ID}); r.At("node.notices") != nil || r.At("node.unreadNotificationCount") != nil {
				t.Errorf("%s", r.Body)
			}
			is(t, noticed(rev), "1, REVIEW_ASSIGNED unread")
		})
		w.T.Run("what is read on one device is read on the others", func(t *testing.T) {
			r := rev.Must(markRead, input(vars{"notificationIds": []string{id}}))
			is(t, fmt.Sprint(r.Int("markNotificationsRead.viewer.unreadNotificationCount")), "0")
			is(t, next(live), "NotificationsRead 0")
			is(t, noticed(rev), "0, REVIEW_ASSIGNED read")
		})
		w.T.Run("those that are told together are one event, and all are read at once", func(t *testing.T) {
			asked(rev, of[1], of[2])
			is(t, next(live), "NoticeCreated REVIEW_ASSIGNED 2")
			is(t, noticed(rev), "2, REVIEW_ASSIGNED unread, REVIEW_ASSIGNED unread, REVIEW_ASSIGNED read")
			rev.Must(markRead, input(vars{}))
			is(t, next(live), "NotificationsRead 0")
		})
		w.T.Run("what is taken away is gone", func(t *testing.T) {
			one := asked(rev, of[3])
			is(t, next(live), "NoticeCreated REVIEW_ASSIGNED 1")
			staff.Must(removeReviewer, input(vars{"assignmentId": one}))
			is(t, next(live), "NotificationsRead 0")
			is(t, noticed(rev), "0, REVIEW_ASSIGNED read, REVIEW_ASSIGNED read, REVIEW_ASSIGNED read")
			asked(rev, of[3])
			is(t, next(live), "NoticeCreated REVIEW_ASSIGNED 1")
			rev.Must(declineReview, input(vars{"assignmentId": asked(rev, of[3]), "reason": "No time"}))
			is(t, next(live), "NotificationsRead 0")
			if n := w.App.Store.Client(w.System()).Notice.Query().Where(notice.ApplicationID(of[3])).CountX(w.System()); n != 0 {
				t.Errorf("%d are left", n)
			}
		})
		w.T.Run("who has a conflict of interest has no notice, staff or not, until it ends", func(t *testing.T) {
			for _, who := range []*apitest.Person{rev, peer} {
				asked(who, of[3])
				if who == rev {
					is(t, next(live), "NoticeCreated REVIEW_ASSIGNED 1")
				}
				before := noticed(who)
				who.Must(declareConflict, input(vars{"applicationId": of[3]}))
				if who == rev {
					is(t, next(live), "NotificationsRead 0")
				}
				if got := noticed(who); strings.Contains(got, "unread") || !strings.HasPrefix(got, "0") {
					t.Errorf("%s knows %s", who.Handle, got)
				}
				declared := w.App.Store.Client(w.System()).Conflict.Query().Where(conflict.MemberID(who.ID)).OnlyX(w.System())
				staff.Must(endConflict, input(vars{"conflictId": declared.ID}))
				if who == rev {
					is(t, next(live), "NotificationsRead 1")
				}
				is(t, noticed(who), before)
			}
			rev.Must(markRead, input(vars{}))
			is(t, next(live), "NotificationsRead 0")
		})
		w.T.Run("a review that is submitted is read, and one that is reopened is told again", func(t *testing.T) {
			asked(rev, of[0])
			finish := func(version int) string {
				v := rev.Must(saveReview, input(vars{"assignmentId": first, "scores": scores(4, 4, "Well"), "recommendation": "ACCEPT", "expectedVersion": version})).Int("saveReview.review.version")
				return rev.Must(submitReview, input(vars{"assignmentId": first, "expectedVersion": v})).String("submitReview.review.id")
			}
			written := finish(0)
			for _, version := range []int{3, 6} {
				staff.Must(reopenReview, input(vars{"reviewId": written}))
				is(t, next(live), "NoticeCreated REVIEW_REOPENED 1")
				is(t, strings.Join(strings.Split(noticed(rev), ", ")[:2], ", "), "1, REVIEW_REOPENED unread")
				finish(version)
				is(t, next(live), "NotificationsRead 0")
			}
			is(t, fmt.Sprint(strings.Count(noticed(rev), "REOPENED")), "1")
		})
		w.T.Run("what is withdrawn is gone, and what was told with it is still told", func(t *testing.T) {
			two := make([]gid.ID, 2)
			w.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
				for i := range two {
					if err == nil {
						two[i], err = submittedOf(ctx, tx, w, call, ada)
					}
				}
				return err
			})
			since := rev.Must(`{ eventCursor }`, nil).String("eventCursor")
			asked(rev, two...)
			is(t, next(live), "NoticeCreated REVIEW_ASSIGNED 2")
			ada.Must(withdraw, input(vars{"applicationId": two[1]}))
			is(t, next(live), "NotificationsRead 1")
			again := rev.Subscribe(strings.Replace(strings.Replace(noticeEvents, "subscription", "subscription($after: Cursor)", 1), "notificationEvents", "notificationEvents(after: $after)", 1), vars{"after": since})
			defer again.Close()
			is(t, next(again), "NoticeCreated REVIEW_ASSIGNED 1")
			rev.Must(markRead, input(vars{}))
			is(t, next(live), "NotificationsRead 0")
		})
		w.T.Run("balancing tells too", func(t *testing.T) {
			staff.Must(spread, input(vars{"callId": call, "reviewerIds": []gid.ID{outsider.ID}}))
			is(t, strings.Split(noticed(outsider), ", ")[1], "REVIEW_ASSIGNED unread")
		})
	})
}

// Warnings that are of no post have no notification.
func TestNoticesOfWarnings(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, eve, host := w.Member("ada"), w.Member("eve"), w.Member("host")
		network := w.Space(space.KindNETWORK, "Network", host, ada, eve)
		live := hears(w, eve)
		warned := input(vars{"memberId": eve.ID, "spaceId": network, "text": "Be kind.", "idempotencyKey": "k"})
		id := host.Must(warn, warned).String("warnMember.warning.id")
		host.Must(warn, warned)
		is(w.T, next(live), "MemberWarned")
		got := live.Next()
		is(w.T, got.String("notificationEvents.notice.reason"), "WARNED")
		is(w.T, got.String("notificationEvents.notice.warning.reason"), "Be kind.")
		is(w.T, noticed(eve), "1, WARNED unread")
		is(w.T, noticed(host)+noticed(ada), "00")
		w.T.Run("it is read with the warning", func(t *testing.T) {
			acknowledge := `mutation($input: AcknowledgeWarningInput!) { acknowledgeWarning(input: $input) { errors { code } } }`
			eve.Must(acknowledge, input(vars{"warningId": id}))
			is(t, next(live), "NotificationsRead 0")
			is(t, noticed(eve), "0, WARNED read")
		})
		w.T.Run("a warning because of a post is a notification, and is read beside notices in one event", func(t *testing.T) {
			said := w.Post(eve, w.Thread(ada, network, "T", "B"), "rude")
			host.Must(warn, input(vars{"memberId": eve.ID, "postId": said, "text": "Again."}))
			host.Must(warn, input(vars{"memberId": eve.ID, "spaceId": network, "text": "And again."}))
			for _, want := range []string{"MemberWarned", "NotificationCreated", "MemberWarned", "NoticeCreated WARNED 2"} {
				is(t, next(live), want)
			}
			is(t, noticed(eve), "2, WARNED unread, WARNED read")
			eve.Must(markRead, input(vars{}))
			is(t, next(live), "NotificationsRead 0")
			host.Must(warn, input(vars{"memberId": eve.ID, "spaceId": network, "text": "Still."}))
			is(t, next(live), "MemberWarned")
			live.Next()
		})
		w.T.Run("it goes with who was told", func(t *testing.T) {
			if _, err := w.App.Accounts.Erase(eve.Context(), inBrowser(eve), nil, eve.Handle, ""); err != nil {
				t.Fatal(err)
			}
			must0(t, w.App.Accounts.FinishErasures(w.System()))
			if n := w.App.Store.Client(w.System()).Notice.Query().CountX(w.System()); n != 0 {
				t.Errorf("%d are left", n)
			}
		})
	})
}

// Who writes an application hears in the bell of what they have mail of.
func TestNoticesOfApplications(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, staff := w.Member("ada"), w.Member("ben"), w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		w.Space(space.KindNETWORK, "Network", ada, ben)
		var call, id, draft gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err == nil {
				call, err = callOf(ctx, tx, w, offering)
			}
			if err == nil {
				id, err = submittedOf(ctx, tx, w, call, ada)
			}
			if err == nil {
				draft, err = applicationOf(ctx, tx, w, call, ada)
			}
			return err
		})
		live := hears(w, ada)
		w.T.Run("who is added hears of it, and the others do not", func(t *testing.T) {
			ada.Must(addEditor, input(vars{"applicationId": id, "memberId": ben.ID}))
			is(t, noticed(ben), "1, EDITOR_ADDED unread")
			is(t, noticed(ada), "0")
		})
		w.T.Run("what is asked again is unread again, once", func(t *testing.T) {
			more := input(vars{"applicationId": id, "keys": []string{"why"}, "text": "Why?", "dueLocal": "2099-01-01T17:00"})
			staff.Must(askMore, more)
			is(t, next(live), "NoticeCreated INFORMATION_REQUESTED 1")
			ada.Must(markRead, input(vars{}))
			is(t, next(live), "NotificationsRead 0")
			staff.Must(extend, input(vars{"applicationId": draft, "untilLocal": "2099-01-01T17:00"}))
			is(t, next(live), "NoticeCreated EXTENSION_GRANTED 1")
			staff.Must(askMore, more)
			is(t, next(live), "NoticeCreated INFORMATION_REQUESTED 2")
			is(t, noticed(ada), "2, INFORMATION_REQUESTED unread, EXTENSION_GRANTED unread")
			is(t, noticed(ben), "2, INFORMATION_REQUESTED unread, EDITOR_ADDED unread")
			is(t, noticed(staff), "0")
		})
		var gone func() int
		var last int
		w.T.Run("who is an editor no more has none, and has them again", func(t *testing.T) {
			his := hears(w, ben)
			ada.Must(removeEditor, input(vars{"applicationId": id, "memberId": ben.ID}))
			is(t, next(his), "NotificationsRead 0")
			is(t, noticed(ben), "0")
			ada.Must(addEditor, input(vars{"applicationId": id, "memberId": ben.ID}))
			is(t, noticed(ben), "2, INFORMATION_REQUESTED unread, EDITOR_ADDED unread")
			ada.Must(removeEditor, input(vars{"applicationId": id, "memberId": ben.ID}))
			is(t, next(his), "NotificationsRead 0")
			gone = func() int { return w.App.Store.Client(w.System()).Member.GetX(w.System(), ben.ID).EventSeq }
			last = gone()
		})
		w.T.Run("submitting reads what was asked", func(t *testing.T) {
			for key, value := range map[string]string{"why": "Because", "agree": "yes"} {
				ada.Do(saveAnswer, input(vars{"applicationId": id, "key": key, "value": value, "expectedVersion": 0}))
			}
			ada.Must(submit, input(vars{"applicationId": id}))
			is(t, next(live), "NotificationsRead 1")
			if n := gone(); n != last {
				t.Errorf("who is an editor no more is told that it was submitted: %d events, before %d", n, last)
			}
			is(t, noticed(ada), "1, INFORMATION_REQUESTED read, EXTENSION_GRANTED unread")
		})
		w.T.Run("decisions are told when they are released", func(t *testing.T) {
			staff.Must(prepareDecision, input(vars{"applicationId": id, "kind": "DECLINE", "expectedVersion": 0, "reason": "Too many applied."}))
			is(t, noticed(ada), "1, INFORMATION_REQUESTED read, EXTENSION_GRANTED unread")
			staff.Must(release, input(vars{"callId": call}))
			is(t, next(live), "NoticeCreated APPLICATION_DECIDED 2")
			is(t, strings.Join(strings.Split(noticed(ada), ", ")[:2], ", "), "2, APPLICATION_DECIDED unread")
		})
		w.T.Run("what is due soon is told, by the clock and by staff", func(t *testing.T) {
			ada.Must(markRead, input(vars{}))
			is(t, next(live), "NotificationsRead 0")
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				due := w.App.Config.Now().Add(5 * time.Hour)
				if err := tx.Call.UpdateOneID(call).SetDueAt(due).Exec(ctx); err != nil {
					return err
				}
				return tx.Application.UpdateOneID(draft).SetExtendedUntil(due).SetNextReminderAt(due.Add(-6 * time.Hour)).Exec(ctx)
			})
			must0(t, w.App.Admission.Remind(w.System()))
			is(t, next(live), "NoticeCreated APPLICATION_REMINDER 1")
			ada.Must(markRead, input(vars{}))
			is(t, next(live), "NotificationsRead 0")
			staff.Must(startBulk, input(vars{"callId": call, "kind": "REMIND", "applicationIds": []gid.ID{draft}, "message": "Soon."}))
			is(t, next(live), "NoticeCreated APPLICATION_REMINDER 1")
			is(t, fmt.Sprint(strings.Count(noticed(ada), "APPLICATION_REMINDER")), "1")
		})
	})
}

// A list of notices is turned page by page, with as many statements for a hundred as for one.
func TestListsOfNotices(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, staff, rev := w.Member("ada"), w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Member("rev")
		var all []gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err != nil {
				return err
			}
			call, err := callOf(ctx, tx, w, offering)
			for range 30 {
				if err == nil {
					all = append(all, gid.ID{})
					all[len(all)-1], err = submittedOf(ctx, tx, w, call, ada)
				}
			}
			return err
		})
		staff.Must(assign, input(vars{"applicationIds": all[:1], "reviewerIds": []gid.ID{rev.ID}}))
		few := w.LeastStatements(func() { rev.Must(notices, vars{"first": 50}) })
		staff.Must(assign, input(vars{"applicationIds": all, "reviewerIds": []gid.ID{rev.ID}}))
		if many := w.LeastStatements(func() { rev.Must(notices, vars{"first": 50}) }); many != few {
			w.T.Errorf("%d statements for thirty, and %d for one", many, few)
		}
		var whole, turned []string
		r := rev.Must(notices, vars{"first": 100})
		for i := range r.Len("viewer.notices.edges") {
			whole = append(whole, r.String(fmt.Sprintf("viewer.notices.edges.%d.node.id", i)))
		}
		var after any
		for more := true; more; {
			r := rev.Must(notices, vars{"first": 7, "after": after})
			for i := range r.Len("viewer.notices.edges") {
				at := fmt.Sprintf("viewer.notices.edges.%d.", i)
				turned, after = append(turned, r.String(at+"node.id")), r.At(at+"cursor")
			}
			more = r.At("viewer.notices.pageInfo.hasNextPage") == true
		}
		if len(whole) != 30 || !slices.Equal(whole, turned) {
			w.T.Errorf("%q, and page by page %q", whole, turned)
		}
		if last := rev.Must(`{ viewer { notices(last: 1) { edges { node { application { id } } } } } }`, nil).String("viewer.notices.edges.0.node.application.id"); last != all[0].String() {
			w.T.Errorf("the first that was told is not the last: %s", last)
		}
		const readAll = `mutation($input: MarkAllReadInput!) { markAllRead(input: $input) { viewer { unreadNotificationCount } errors { code } } }`
		for _, step := range []struct {
			notifications bool
			left          int
		}{{false, 30}, {true, 0}} {
			if n := rev.Must(readAll, input(vars{"notifications": step.notifications})).Int("markAllRead.viewer.unreadNotificationCount"); n != step.left {
				w.T.Errorf("%d are unread, not %d", n, step.left)
			}
		}
	})
}

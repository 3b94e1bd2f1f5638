package apitest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/bulkaction"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/casework"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	startBulk  = `mutation($input: StartBulkActionInput!) { startBulkAction(input: $input) { bulkAction { id total dryRun state } errors { code path } } }`
	cancelBulk = `mutation($input: CancelBulkActionInput!) { cancelBulkAction(input: $input) { bulkAction { id state done finishedAt } errors { code path } } }`
	lookBulk   = `query($id: ID!, $skip: Int! = 0) { node(id: $id) { ... on BulkAction { kind state total done failureCount finishedAt actor { id } call { id } failures(skip: $skip) { application { id } code message } } } }`
	followBulk = `subscription($id: ID!, $after: Cursor) { bulkActionEvents(bulkActionId: $id, after: $after) { cursor bulkAction { id done total state failureCount } } }`
)

// reminders is how many mails there are for an application, or for all.
func reminders(w *apitest.World) int {
	return w.App.Store.Client(w.System()).Mail.Query().Where(mail.Template(casework.MailReminder)).CountX(w.System())
}

// over waits for the end of a bulk action.
func over(w *apitest.World, p *apitest.Person, id string) *apitest.Response {
	w.T.Helper()
	var r *apitest.Response
	w.Eventually("the bulk action is over", func() bool { r = p.Must(lookBulk, vars{"id": id}); return r.At("node.finishedAt") != nil })
	return r
}

func TestBulkActions(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		c := newIntake(w)
		c.grow(50)
		waits := 0
		for _, a := range c.applications {
			if a.State == application.StateDRAFT || a.State == application.StateINFORMATION_REQUESTED {
				waits++
			}
		}
		in := func(more vars) vars {
			v := vars{"callId": c.call, "kind": "REMIND"}
			maps.Copy(v, more)
			return input(v)
		}
		w.T.Run("a dry run says what would happen, and nothing does", func(t *testing.T) {
			r := c.staff.Must(startBulk, in(vars{"filter": vars{}, "dryRun": true}))
			got := over(w, c.staff, r.String("startBulkAction.bulkAction.id"))
			if got.At("node.done") != 50.0 || got.At("node.failureCount") != float64(50-waits) || got.Len("node.failures") != 50-waits ||
				got.String("node.failures.0.code") != "FORBIDDEN" || got.String("node.state") != "DONE" {
				t.Error(got)
			}
			if n := reminders(w); n != 0 {
				t.Errorf("%d mails", n)
			}
		})
		id := ""
		w.T.Run("each application has its own outcome, and one key starts it once", func(t *testing.T) {
			v := in(vars{"filter": vars{}, "message": "Please hurry.\n\nThank you.", "idempotencyKey": "k"})
			r := c.staff.Must(startBulk, v)
			id = r.String("startBulkAction.bulkAction.id")
			if again := c.staff.Must(startBulk, v); again.String("startBulkAction.bulkAction.id") != id {
				t.Error(again)
			}
			got := over(w, c.staff, id)
			if got.At("node.done") != 50.0 || got.At("node.failureCount") != float64(50-waits) || got.String("node.actor.id") != c.staff.ID.String() {
				t.Error(got)
			}
			if n := reminders(w); n != waits {
				t.Errorf("%d mails, want %d", n, waits)
			}
			if n := w.App.Store.Client(w.System()).AuditEntry.Query().Where(auditentry.Action("BULK_ACTION_STARTED")).CountX(w.System()); n != 1 {
				t.Errorf("%d entries", n)
			}
			if r := c.staff.Must(lookBulk, vars{"id": id, "skip": 50 - waits - 1}); r.Len("node.failures") != 1 {
				t.Error(r)
			}
		})
		w.T.Run("more time and more information are what staff do alone", func(t *testing.T) {
			drafts, submitted := 0, 0
			for _, a := range c.applications {
				if a.State == application.StateDRAFT {
					drafts++
				}
				if a.State == application.StateSUBMITTED {
					submitted++
				}
			}
			later := w.App.Config.Now().Add(48 * time.Hour).Format("2006-01-02T15:04")
			try := vars{"kind": "EXTEND", "filter": vars{}, "untilLocal": later, "message": "A storm."}
			extended := func() int {
				return w.App.Store.Client(w.System()).Extension.Query().CountX(w.System())
			}
			dry := maps.Clone(try)
			dry["dryRun"] = true
			if got := over(w, c.staff, c.staff.Must(startBulk, in(dry)).String("startBulkAction.bulkAction.id")); got.At("node.failureCount") != float64(50-drafts) || extended() != 0 {
				t.Error(got, extended())
			}
			if got := over(w, c.staff, c.staff.Must(startBulk, in(try)).String("startBulkAction.bulkAction.id")); got.At("node.failureCount") != float64(50-drafts) || extended() != drafts {
				t.Error(got, extended())
			}
			got := over(w, c.staff, c.staff.Must(startBulk, in(vars{"kind": "REQUEST_INFORMATION", "filter": vars{"states": []string{"SUBMITTED"}}, "keys": []string{"why"},
				"untilLocal": later, "message": "Why?"})).String("startBulkAction.bulkAction.id"))
			if got.At("node.failureCount") != 0.0 || got.At("node.done") != float64(submitted) {
				t.Error(got)
			}
		})
		w.T.Run("its events come in order and go on behind a cursor", func(t *testing.T) {
			r := c.staff.Must(`query { eventCursor }`, nil)
			started := c.staff.Must(startBulk, in(vars{"filter": vars{}, "dryRun": true})).String("startBulkAction.bulkAction.id")
			live := c.staff.Subscribe(followBulk, vars{"id": started, "after": r.String("eventCursor")})
			var cursors []string
			for {
				e := live.Next()
				cursors = append(cursors, e.String("bulkActionEvents.cursor"))
				if e.String("bulkActionEvents.bulkAction.state") == "DONE" && len(cursors) == 3 {
					break
				}
			}
			again := c.staff.Subscribe(followBulk, vars{"id": started, "after": cursors[1]})
			if e := again.Next(); e.String("bulkActionEvents.cursor") != cursors[2] {
				t.Error(e)
			}
			if code := c.owner.FirstOf(followBulk, vars{"id": started}); code != "NOT_FOUND" {
				t.Error(code)
			}
		})
		w.T.Run("what it takes is checked", func(t *testing.T) {
			first := c.applications[0].ID
			for what, try := range map[string]struct {
				v    vars
				code string
			}{
				"neither": {vars{}, "INVALID_INPUT"}, "both": {vars{"filter": vars{}, "applicationIds": []gid.ID{first}}, "INVALID_INPUT"},
				"nothing": {vars{"filter": vars{"text": "nowhere"}}, "INVALID_INPUT"}, "missing": {vars{"applicationIds": []gid.ID{first, w.NewID(gid.Application)}}, "NOT_FOUND"},
				"long": {vars{"filter": vars{}, "message": string(slices.Repeat([]byte("x"), 2001))}, "INVALID_INPUT"},
			} {
				if r := c.staff.Do(startBulk, in(try.v)); r.Code() != try.code {
					t.Errorf("%s: %v", what, r)
				}
			}
			if r := c.owner.Do(startBulk, in(vars{"filter": vars{}})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			if r := c.owner.Do(lookBulk, vars{"id": id}); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			if r := c.staff.Must(cancelBulk, input(vars{"bulkActionId": id})); r.String("cancelBulkAction.bulkAction.state") != "DONE" {
				t.Error(r)
			}
		})
		w.T.Run("who is not staff any more does nothing more, and their subscription ends", func(t *testing.T) {
			other := w.Role(w.Member("other"), roleassignment.RoleSTAFF)
			before, stopped := reminders(w), w.NewID(gid.BulkAction)
			w.Tx(func(ctx context.Context, tx *ent.Client) error { // started before, and left by a worker that died
				now := w.App.Config.Now()
				var targets []string
				for _, a := range c.applications {
					targets = append(targets, a.ID.String())
				}
				return tx.BulkAction.Create().SetID(stopped).SetCreatedAt(now).SetCallID(c.call).SetActorID(other.ID).SetKind("REMIND").
					SetInput(map[string]any{"kind": "REMIND"}).SetTargets(targets).SetState(bulkaction.StateRUNNING).SetLeasedUntil(now.Add(1 << 40)).Exec(ctx)
			})
			live := other.Subscribe(followBulk, vars{"id": stopped})
			w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n >= 1 })
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				_, err := tx.RoleAssignment.Delete().Where(roleassignment.MemberID(other.ID)).Exec(ctx)
				return err
			})
			if code := live.Failure(); code != "NOT_FOUND" {
				t.Error(code)
			}
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.BulkAction.UpdateOneID(stopped).ClearLeasedUntil().Exec(ctx)
			})
			if _, err := w.App.Casework.WorkOnce(w.System()); err != nil {
				t.Fatal(err)
			}
			got := over(w, c.staff, stopped.String())
			if got.At("node.failureCount") != 50.0 || reminders(w) != before {
				t.Error(got)
			}
		})
		w.T.Run("it stops where it is cancelled", func(t *testing.T) {
			before, stopped := reminders(w), w.NewID(gid.BulkAction)
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				now := w.App.Config.Now()
				return tx.BulkAction.Create().SetID(stopped).SetCreatedAt(now).SetCallID(c.call).SetActorID(c.staff.ID).SetKind("REMIND").SetInput(map[string]any{"kind": "REMIND"}).
					SetTargets([]string{c.applications[0].ID.String(), c.applications[1].ID.String()}).SetState(bulkaction.StateRUNNING).SetLeasedUntil(now.Add(1 << 40)).Exec(ctx)
			})
			r := c.staff.Must(cancelBulk, input(vars{"bulkActionId": stopped}))
			if r.String("cancelBulkAction.bulkAction.state") != "CANCELLED" || r.At("cancelBulkAction.bulkAction.finishedAt") == nil {
				t.Error(r)
			}
			if _, err := w.App.Casework.WorkOnce(w.System()); err != nil || reminders(w) != before {
				t.Error(err, reminders(w)-before)
			}
		})
	})
}

// Each application is reminded once, however often the server that does it is killed on the way.
func TestBulkActionsSurviveKills(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		const many = 600
		v := newVictim(t, url)
		c := newIntake(v.World)
		c.grow(many)
		v.Tx(func(ctx context.Context, tx *ent.Client) error {
			return tx.Application.Update().SetState(application.StateDRAFT).ClearSubmittedAt().Exec(ctx)
		})
		b, err := v.App.Casework.StartBulkAction(c.staff.Context(), c.staff.Viewer, casework.NewBulkAction{
			CallID: c.call, Filter: &casework.Filter{}, Work: casework.Work{Kind: casework.Remind},
		})
		must0(t, err)
		client := v.App.Store.Client(v.System())
		done := func() int { return client.BulkAction.GetX(v.System(), b.ID).Done }
		amidst := 0
		for _, n := range []int{1, many / 3, 2 * many / 3} {
			if got := v.killAt(n, done); got < many {
				amidst++
			}
			v.expire("bulk_actions", "leased_until")
		}
		if amidst == 0 {
			t.Error("it was never killed in the middle: this proves nothing")
		}
		must0(t, v.server.Start(t.Context()))
		v.until("all are done", func() bool { return client.BulkAction.GetX(v.System(), b.ID).FinishedAt != nil })
		must0(t, v.server.Kill())
		of := map[string]int{}
		for _, m := range client.Mail.Query().Where(mail.Template(casework.MailReminder)).AllX(v.System()) {
			of[m.Data["application"]]++
		}
		for id, n := range of {
			if n != 1 {
				t.Errorf("%s was reminded %d times", id, n)
			}
		}
		got := client.BulkAction.GetX(v.System(), b.ID)
		if len(of) != many || got.Done != many || got.Failed != 0 {
			t.Error(fmt.Sprint(len(of), " were reminded, ", got.Done, " done, ", got.Failed, " failed"))
		}
		t.Logf("killed in the middle %d times of 3", amidst)
	})
}

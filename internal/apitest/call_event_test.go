package apitest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	followCall  = `subscription($id: ID!, $after: Cursor) { callEvents(callId: $id, after: $after) { cursor call { title state dueLocal requirements { key } questions { key } version } } }`
	followTitle = `subscription($id: ID!, $after: Cursor) { callEvents(callId: $id, after: $after) { cursor call { title state } } }`
)

// idAfter is the id of the server-sent event that comes behind another one for who is not signed in.
func idAfter(w *apitest.World, call, after string) string {
	w.T.Helper()
	variables, err := json.Marshal(vars{"id": call})
	must0(w.T, err)
	req, err := http.NewRequestWithContext(w.T.Context(), http.MethodGet, w.URL+"/graphql?"+url.Values{"query": {followTitle}, "variables": {string(variables)}}.Encode(), nil)
	must0(w.T, err)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Last-Event-ID", after)
	resp, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	must0(w.T, err)
	defer func() { _ = resp.Body.Close() }()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			return id
		}
	}
	return ""
}

func TestCallEvents(t *testing.T) {
	later(t, func(w *apitest.World, pass func(time.Duration)) {
		staff, ada, visitor := w.Role(w.Member("staff"), "STAFF"), w.Member("ada"), w.As("")
		var offering gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
			offering, err = offeringOf(ctx, tx, w)
			return err
		})
		start := ada.Must(`{ eventCursor }`, nil).String("eventCursor")
		open := func(n int) {
			w.Eventually("they are open", func() bool { is, _ := w.App.Events.Subscriptions(); return is == n })
		}
		in := newCallInput(w, offering)
		in["opensLocal"] = local(w, time.Minute)
		id := staff.Must(createCall, input(in)).String("createCall.call.id")
		desk := staff.Subscribe(followCall, vars{"id": id})
		open(1)
		w.T.Run("of a call that staff prepare staff alone are told", func(t *testing.T) {
			for _, c := range []*apitest.Client{ada.Client, visitor} {
				if code := c.FirstOf(followTitle, vars{"id": id}); code != "NOT_FOUND" {
					t.Error(code)
				}
			}
			staff.Must(updateCall, input(vars{"callId": id, "expectedVersion": 1, "title": "Network"}))
			if e := desk.Next(); e.String("callEvents.call.title") != "Network" || e.Int("callEvents.call.version") != 2 {
				t.Error(e)
			}
			staff.Must(saveForm, input(vars{"callId": id, "expectedVersion": 2, "questions": questions("why")}))
			if e := desk.Next(); e.Int("callEvents.call.version") != 3 || e.Len("callEvents.call.questions") != 0 {
				t.Error(e)
			}
			staff.Must(publishForm, input(vars{"callId": id, "expectedVersion": 3}))
			if e := desk.Next(); e.String("callEvents.call.questions.0.key") != "why" {
				t.Error(e)
			}
		})
		before := ""
		w.T.Run("once it is published everybody is told of what they see of it, signed in or not", func(t *testing.T) {
			staff.Must(publishCall, input(vars{"callId": id, "expectedVersion": 4}))
			if e := desk.Next(); e.String("callEvents.call.state") != "UPCOMING" {
				t.Error(e)
			} else {
				before = e.String("callEvents.cursor")
			}
			form, page := ada.Subscribe(followTitle, vars{"id": id}), visitor.Subscribe(followTitle, vars{"id": id})
			defer form.Close()
			defer page.Close()
			open(3)
			staff.Must(saveForm, input(vars{"callId": id, "expectedVersion": 5, "questions": questions("why", "how")}))
			if e := desk.Next(); e.Int("callEvents.call.version") != 6 {
				t.Error(e)
			}
			staff.Must(publishForm, input(vars{"callId": id, "expectedVersion": 6}))
			staff.Must(updateCall, input(vars{"callId": id, "expectedVersion": 7, "title": "Learning", "requirements": []vars{{"key": "film", "kind": "VIDEO", "label": "Film"}}}))
			staff.Must(updateCall, input(vars{"callId": id, "expectedVersion": 8, "title": "Learning"})) // changes nothing
			desk.Next()
			if e := desk.Next(); e.String("callEvents.call.requirements.0.key") != "film" || e.Len("callEvents.call.questions") != 2 {
				t.Error(e)
			}
			pass(2 * time.Minute)
			if e := desk.Next(); e.String("callEvents.call.state") != "OPEN" {
				t.Error("the clock opened it:", e)
			}
			var seen []string
			for _, s := range []*apitest.Subscription{form, page} {
				s.Next() // the form
				s.Next() // the title; of what is being written nothing
				if e := s.Next(); e.String("callEvents.call.state") != "OPEN" || e.String("callEvents.call.title") != "Learning" {
					t.Error(e)
				}
			}
			again := ada.Subscribe(followTitle, vars{"id": id, "after": before})
			defer again.Close()
			for range 3 {
				seen = append(seen, again.Next().String("callEvents.cursor"))
			}
			hers := visitor.Subscribe(followTitle, vars{"id": id, "after": seen[1]})
			defer hers.Close()
			if e := hers.Next(); e.String("callEvents.cursor") != seen[2] {
				t.Error(e)
			}
		})
		w.T.Run("how often staff changed what they prepare nobody else finds out", func(t *testing.T) {
			forged := event.Cursor(must(t, id), 0)
			if code := visitor.FirstOf(followTitle, vars{"id": id, "after": forged}); code != "INVALID_CURSOR" {
				t.Error(code)
			}
			all := visitor.Subscribe(followTitle, vars{"id": id, "after": start})
			defer all.Close()
			if e := all.Next(); e.String("callEvents.cursor") != before {
				t.Error("something of before it was published:", e)
			}
		})
		w.T.Run("over server-sent events, too, an id does not tell, and resumes", func(t *testing.T) {
			first := idAfter(w, id, before)
			if second := idAfter(w, id, first); first == "" || second == "" || first == before || second == first {
				t.Errorf("%q, and %q behind it", first, second)
			}
			stream := must(t, id)
			if open, err := base64.RawURLEncoding.DecodeString(first); err != nil || bytes.Contains(open, stream[:]) {
				t.Errorf("%q can be read: %v", first, err)
			}
		})
		w.T.Run("a deadline that is moved moves what the clock tells", func(t *testing.T) {
			due := local(w, 30*time.Minute+time.Hour)
			staff.Must(updateCall, input(vars{"callId": id, "expectedVersion": 8, "dueLocal": due}))
			if e := desk.Next(); e.String("callEvents.call.dueLocal") != due || e.String("callEvents.call.state") != "OPEN" {
				t.Error(e)
			}
			late := visitor.Subscribe(followTitle, vars{"id": id})
			defer late.Close()
			w.Eventually("it is open", func() bool { is, _ := w.App.Events.Subscriptions(); return is >= 1 })
			pass(80 * time.Minute) // when it was due
			told := func() int {
				return w.App.Store.Client(w.System()).Call.GetX(w.System(), must(t, id)).EventSeq
			}
			was := told()
			must0(t, w.App.Admission.Turn(t.Context()))
			if n := told(); n != was {
				t.Errorf("the old deadline is an event: %d, before %d", n, was)
			}
			pass(15 * time.Minute)
			if e := late.Next(); e.String("callEvents.call.state") != "LATE" {
				t.Error(e)
			}
			pass(time.Hour)
			if e := late.Next(); e.String("callEvents.call.state") != "CLOSED" {
				t.Error(e)
			}
		})
		w.T.Run("who is staff no more, and who follows a call that is deleted, is told that it is not there", func(t *testing.T) {
			one, two := w.Role(w.Member("one"), "STAFF"), w.Role(w.Member("two"), "STAFF")
			gone := one.Must(createCall, input(newCallInput(w, offering))).String("createCall.call.id")
			first, second := one.Subscribe(followTitle, vars{"id": gone}), two.Subscribe(followTitle, vars{"id": gone})
			w.Eventually("they are open", func() bool { is, _ := w.App.Events.Subscriptions(); return is >= 2 })
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				_, err := tx.RoleAssignment.Delete().Where(roleassignment.MemberID(two.ID)).Exec(ctx)
				return err
			})
			if code := second.Failure(); code != "NOT_FOUND" {
				t.Error(code)
			}
			one.Must(deleteCall, input(vars{"callId": gone}))
			if code := first.Failure(); code != "NOT_FOUND" {
				t.Error(code)
			}
		})
		w.T.Run("a stream that is published outlasts that everybody's access is looked at again", func(t *testing.T) {
			page := visitor.Subscribe(followTitle, vars{"id": id})
			w.Eventually("it is open", func() bool { is, _ := w.App.Events.Subscriptions(); return is >= 1 })
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				_, err := tx.ExecContext(ctx, "INSERT INTO access_changes (subject) VALUES (NULL)")
				return err
			})
			at := w.Role(w.Member("last"), "STAFF")
			version := at.Must(lookCall, vars{"id": id}).Int("node.version")
			at.Must(updateCall, input(vars{"callId": id, "expectedVersion": version, "title": "Closed"}))
			if e := page.Next(); e.String("callEvents.call.title") != "Closed" {
				t.Error(e)
			}
		})
	})
}

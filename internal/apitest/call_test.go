package apitest_test

import (
	"context"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	callFields = `id title summary state opensAt dueAt closesAt opensLocal dueLocal closesLocal timeZone capacity offerDays reviewsWanted blind formVersion publishedAt version
		viewerCanUpdate cohort { id } offering { name fee { amount currency } sponsorships { sponsorName } } rubric { key label max weight commentRequired }
		requirements { key kind label help signers letter optional } questions { key section kind label required identifying options min max minLength maxLength }
		formVersions { number publishedAt questions { key } }`
	createCall  = `mutation($input: CreateCallInput!) { createCall(input: $input) { call { ` + callFields + ` } errors { code message path } } }`
	updateCall  = `mutation($input: UpdateCallInput!) { updateCall(input: $input) { call { ` + callFields + ` } errors { code message path } } }`
	publishCall = `mutation($input: PublishCallInput!) { publishCall(input: $input) { call { ` + callFields + ` } errors { code message path } } }`
	deleteCall  = `mutation($input: DeleteCallInput!) { deleteCall(input: $input) { deletedCallId errors { code message path } } }`
	saveForm    = `mutation($input: SaveFormInput!) { saveForm(input: $input) { call { version formVersion questions { key } } form { number publishedAt questions { key } } errors { code message path } } }`
	publishForm = `mutation($input: PublishFormInput!) { publishForm(input: $input) { call { version formVersion questions { key } } form { number publishedAt } errors { code message path } } }`
	lookCall    = `query($id: ID!) { node(id: $id) { ... on Call { ` + callFields + ` } } }`
	listCalls   = `query($state: CallState) { calls(first: 50, state: $state) { edges { node { id state offering { id calls { id } } } } } }`
)

// newCallInput is a call that opens in a minute, is due in an hour and closes in two, by the clock of New York.
func newCallInput(w *apitest.World, offering gid.ID) vars {
	return vars{
		"offeringId": offering, "title": "Learning Network", "summary": "Join **us**.", "timeZone": "America/New_York",
		"opensLocal": local(w, -time.Minute), "dueLocal": local(w, time.Hour), "closesLocal": local(w, 2*time.Hour),
	}
}

// local is what the clock in New York shows so long from now.
func local(w *apitest.World, in time.Duration) string {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		w.T.Fatal(err)
	}
	return w.App.Config.Now().Add(in).In(zone).Format("2006-01-02T15:04:05")
}

func questions(keys ...string) []vars {
	out := make([]vars, len(keys))
	for i, key := range keys {
		out[i] = vars{"key": key, "kind": "TEXT", "label": "What of " + key + "?"}
	}
	return out
}

func TestCalls(t *testing.T) {
	later(t, func(w *apitest.World, pass func(time.Duration)) {
		staff, ada, visitor := w.Role(w.Member("staff"), "STAFF"), w.Member("ada"), w.As("")
		var offering gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
			offering, err = offeringOf(ctx, tx, w)
			return err
		})
		var id string
		w.T.Run("staff prepare a call once, and nobody else learns of it", func(t *testing.T) {
			in := newCallInput(w, offering)
			in["idempotencyKey"] = "k"
			in["requirements"] = []vars{
				{"key": "form", "kind": "FORM", "label": "Form"},
				{"key": "letter", "kind": "LETTER", "label": "Letter", "signers": []string{"CEO", "Board Chair"}, "letter": "I commit.", "help": "Ask early."},
				{"key": "video", "kind": "VIDEO", "label": "Video", "optional": true},
			}
			in["rubric"] = []vars{{"key": "will", "label": "Will to change", "max": 5, "weight": 2, "commentRequired": true}, {"key": "team", "label": "Team", "max": 5, "weight": 1}}
			r := staff.Must(createCall, input(in))
			id = r.String("createCall.call.id")
			if r.String("createCall.call.state") != "UNPUBLISHED" || r.At("createCall.call.publishedAt") != nil || r.Int("createCall.call.version") != 1 ||
				r.String("createCall.call.requirements.1.letter") != "I commit." || r.Int("createCall.call.rubric.0.weight") != 2 ||
				r.At("createCall.call.rubric.0.commentRequired") != true || r.At("createCall.call.rubric.1.commentRequired") != false || r.Int("createCall.call.offerDays") != 14 {
				t.Fatal(r)
			}
			if again := staff.Must(createCall, input(in)); again.String("createCall.call.id") != id {
				t.Error(again)
			}
			for _, c := range []*apitest.Client{ada.Client, visitor} {
				none := c.Do(lookCall, vars{"id": w.NewID(gid.Call)})
				if r := c.Do(lookCall, vars{"id": id}); r.Code() != "NOT_FOUND" || r.Code() != none.Code() {
					t.Error(r)
				}
				if r := c.Must(listCalls, nil); r.Len("calls.edges") != 0 {
					t.Error(r)
				}
				if r := c.Must(`query($id: ID!) { node(id: $id) { ... on Offering { calls { id } } } }`, vars{"id": offering}); r.Len("node.calls") != 0 {
					t.Error(r)
				}
			}
			if r := ada.Do(startApplication, input(vars{"callId": id, "organizationName": "Clinic", "organizationKind": "CLINIC"})); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			if r := ada.Do(updateCall, input(vars{"callId": id, "expectedVersion": 1, "title": "Mine"})); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			if r := staff.Must(listCalls, vars{"state": "UNPUBLISHED"}); r.Len("calls.edges") != 1 || r.Len("calls.edges.0.node.offering.calls") != 1 {
				t.Error(r)
			}
		})
		w.T.Run("what a call cannot be is refused at its place", func(t *testing.T) {
			for path, change := range map[string]vars{
				"timeZone":               {"timeZone": "Local"},
				"dueLocal":               {"dueLocal": local(w, -time.Hour)},
				"closesLocal":            {"closesLocal": local(w, 30*time.Minute)},
				"opensLocal":             {"opensLocal": "2023-03-12T02:30", "dueLocal": "2023-03-12T04:00", "closesLocal": "2023-03-12T04:00"},
				"requirements.1.key":     {"requirements": []vars{{"key": "a", "kind": "FORM", "label": "A"}, {"key": "a", "kind": "VIDEO", "label": "B"}}},
				"requirements.0.signers": {"requirements": []vars{{"key": "a", "kind": "LETTER", "label": "A"}}},
				"rubric.0.max":           {"rubric": []vars{{"key": "a", "label": "A", "max": 0, "weight": 1}}},
				"offerDays":              {"offerDays": 0},
				"title":                  {"title": " "},
			} {
				in := newCallInput(w, offering)
				maps.Copy(in, change)
				r := staff.Do(createCall, input(in))
				if path == "timeZone" { // the scalar refuses it
					if r.Code() == "" {
						t.Error(r)
					}
					continue
				}
				if got := pathOf(r, "createCall"); r.Code() != "INVALID_INPUT" || got != path {
					t.Errorf("%s: %s at %s: %s", path, r.Code(), got, r.Body)
				}
			}
		})
		w.T.Run("it is published with a form only, and then everybody sees it", func(t *testing.T) {
			if r := staff.Do(publishCall, input(vars{"callId": id, "expectedVersion": 1})); r.Code() != "INVALID_INPUT" {
				t.Error(r)
			}
			if r := staff.Do(publishForm, input(vars{"callId": id, "expectedVersion": 1})); r.Code() != "INVALID_INPUT" {
				t.Error(r)
			}
			staff.Must(saveForm, input(vars{"callId": id, "expectedVersion": 1, "questions": questions("why", "how")}))
			if r := staff.Do(saveForm, input(vars{"callId": id, "expectedVersion": 1, "questions": questions("mine")})); r.Code() != "STALE_VERSION" {
				t.Error(r)
			}
			staff.Must(saveForm, input(vars{"callId": id, "expectedVersion": 2, "questions": questions("why")}))
			staff.Must(publishForm, input(vars{"callId": id, "expectedVersion": 3}))
			staff.Must(publishCall, input(vars{"callId": id, "expectedVersion": 4}))
			staff.Must(publishCall, input(vars{"callId": id, "expectedVersion": 4}))
			for _, c := range []*apitest.Client{ada.Client, visitor} {
				r := c.Must(lookCall, vars{"id": id})
				if r.String("node.state") != "OPEN" || r.Len("node.questions") != 1 || r.At("node.version") != nil || r.Len("node.formVersions") != 0 ||
					r.At("node.viewerCanUpdate") != false || r.Len("node.requirements") != 3 || r.String("node.offering.fee.currency") != "USD" {
					t.Error(r)
				}
				if r := c.Must(listCalls, vars{"state": "OPEN"}); r.Len("calls.edges") != 1 {
					t.Error(r)
				}
			}
			if r := staff.Do(deleteCall, input(vars{"callId": id})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			if r := ada.Do(updateCall, input(vars{"callId": id, "expectedVersion": 5, "title": "Mine"})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
		})
		w.T.Run("a new version of the form is for drafts, and what was submitted keeps its own", func(t *testing.T) {
			of := ada.Must(startApplication, input(vars{"callId": id, "organizationName": "Clinic", "organizationKind": "CLINIC"})).String("startApplication.application.id")
			ada.Must(saveAnswer, input(vars{"applicationId": of, "key": "why", "value": "Equity", "expectedVersion": 0}))
			w.Tx(func(ctx context.Context, tx *ent.Client) error { // no letters yet
				return tx.Call.UpdateOneID(must(t, id)).SetRequirements(nil).Exec(ctx)
			})
			changed := append(questions("why"), vars{"key": "how", "kind": "NUMBER", "label": "How many?", "section": "Numbers", "min": 1.5, "max": 2.5, "identifying": true})
			if r := staff.Do(saveForm, input(vars{"callId": id, "expectedVersion": 5, "questions": []vars{{"key": "why", "kind": "DATE", "label": "When?"}}})); r.Code() != "INVALID_INPUT" {
				t.Error(r)
			}
			staff.Must(saveForm, input(vars{"callId": id, "expectedVersion": 5, "questions": changed}))
			asked := `query($id: ID!) { node(id: $id) { ... on Application { questions { key section identifying } answers { key } } } }`
			if r := ada.Must(asked, vars{"id": of}); r.Len("node.questions") != 1 {
				t.Error("applicants see what is not published:", r)
			}
			staff.Must(publishForm, input(vars{"callId": id, "expectedVersion": 6}))
			if r := ada.Must(asked, vars{"id": of}); r.Len("node.questions") != 2 || r.String("node.questions.1.section") != "Numbers" || r.Len("node.answers") != 1 {
				t.Error(r)
			}
			ada.Must(saveAnswer, input(vars{"applicationId": of, "key": "how", "value": "2", "expectedVersion": 0}))
			ada.Must(submit, input(vars{"applicationId": of}))
			staff.Must(saveForm, input(vars{"callId": id, "expectedVersion": 7, "questions": questions("else")}))
			staff.Must(publishForm, input(vars{"callId": id, "expectedVersion": 8}))
			if r := ada.Must(asked, vars{"id": of}); r.Len("node.questions") != 2 || r.Len("node.answers") != 2 {
				t.Error(r)
			}
			if r := staff.Must(lookCall, vars{"id": id}); r.Len("node.formVersions") != 3 || r.String("node.questions.0.key") != "else" {
				t.Error(r)
			}
		})
		w.T.Run("after the opening deadlines move later only, and what was submitted to stays", func(t *testing.T) {
			version := staff.Must(lookCall, vars{"id": id}).Int("node.version")
			deny := func(change vars) {
				t.Helper()
				change["callId"], change["expectedVersion"] = id, version
				if r := staff.Do(updateCall, input(change)); r.Code() != "FORBIDDEN" {
					t.Errorf("%v: %s", change, r.Body)
				}
			}
			deny(vars{"opensLocal": local(w, -time.Hour)})
			deny(vars{"dueLocal": local(w, 10*time.Minute)})
			deny(vars{"closesLocal": local(w, 90*time.Minute)})
			deny(vars{"blind": true})
			deny(vars{"requirements": []vars{{"key": "video", "kind": "VIDEO", "label": "Video"}}})
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Application.Update().SetState(application.StateOFFERED).Exec(ctx)
			})
			staff.Must(updateCall, input(vars{"callId": id, "expectedVersion": version, "capacity": 2}))
			version++
			deny(vars{"capacity": 0})
			staff.Must(updateCall, input(vars{"callId": id, "expectedVersion": version, "capacity": 1}))
			version++
			due := local(w, 2*time.Hour)
			r := staff.Must(updateCall, input(vars{"callId": id, "expectedVersion": version, "dueLocal": due, "closesLocal": due, "title": "Longer"}))
			if r.String("updateCall.call.dueLocal") != due || r.String("updateCall.call.dueAt") != r.String("updateCall.call.closesAt") || r.Int("updateCall.call.version") != version+1 {
				t.Error(r)
			}
			if r := staff.Must(updateCall, input(vars{"callId": id, "expectedVersion": version + 1, "title": "Longer"})); r.Int("updateCall.call.version") != version+1 {
				t.Error("nothing changed, and it counted:", r)
			}
			pass(121 * time.Minute)
			if r := visitor.Must(listCalls, vars{"state": "CLOSED"}); r.Len("calls.edges") != 1 {
				t.Error(r)
			}
		})
		w.T.Run("what was never published is deleted, and all is in the audit log", func(t *testing.T) {
			at := w.Role(w.Member("other"), "STAFF") // the first one's token has ended
			r := at.Must(createCall, input(newCallInput(w, offering)))
			gone := r.String("createCall.call.id")
			at.Must(saveForm, input(vars{"callId": gone, "expectedVersion": 1, "questions": questions("why")}))
			if r := at.Must(deleteCall, input(vars{"callId": gone})); r.String("deleteCall.deletedCallId") != gone {
				t.Error(r)
			}
			if r := at.Do(lookCall, vars{"id": gone}); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				for action, want := range map[string]int{"CALL_CREATED": 2, "CALL_PUBLISHED": 1, "CALL_CHANGED": 3, "CALL_DELETED": 1, "FORM_SAVED": 5, "FORM_PUBLISHED": 3} {
					if n, err := tx.AuditEntry.Query().Where(auditentry.Action(action)).Count(ctx); err != nil || n != want {
						t.Errorf("%s: %d entries, want %d (%v)", action, n, want, err)
					}
				}
				return nil
			})
		})
	})
}

// pathOf is the place of the first error that a mutation returned.
func pathOf(r *apitest.Response, mutation string) string {
	text := ""
	for i := range r.Len(mutation + ".errors.0.path") {
		if i > 0 {
			text += "."
		}
		text += r.String(mutation + ".errors.0.path." + strconv.Itoa(i))
	}
	return text
}

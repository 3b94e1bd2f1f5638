package apitest_test

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	addDocument = `mutation($input: AddDocumentInput!) { addDocument(input: $input) { application { missing { key signer } documents { id requirement signer url file { name mediaType size url } } }
		errors { code message path } } }`
	removeDocument = `mutation($input: RemoveDocumentInput!) { removeDocument(input: $input) { application { documents { id } documentHistory { id removedAt } } errors { code message path } } }`
	askSignature   = `mutation($input: RequestSignatureInput!) { requestSignature(input: $input) { application { signerRequests { id state letterHash signedName refusal email } missing { key signer } }
		errors { code message path } } }`
	cancelSignature = `mutation($input: CancelSignatureRequestInput!) { cancelSignatureRequest(input: $input) { application { signerRequests { state } } errors { code message path } } }`
	resendSignature = `mutation($input: ResendSignatureRequestInput!) { resendSignatureRequest(input: $input) { application { signerRequests { id state } } errors { code message path } } }`
	askMore         = `mutation($input: RequestInformationInput!) { requestInformation(input: $input) { application { state reopened informationRequest informationDueAt } errors { code message path } } }`
	extend          = `mutation($input: GrantExtensionInput!) { grantExtension(input: $input) { application { extendedUntil extensions { untilLocal reason } } errors { code message path } } }`
	lookWhole       = `query($id: ID!) { node(id: $id) { ... on Application { state viewerCanEdit missing { key signer } editors { member { id } } signerRequests { state signedName refusal } informationRequest
		documents { requirement signer file { url } signerRequest { signedName } } submissions { number hash answers { key value version } documents { requirement signer } }
		answerHistory(key: "why") { version value editor { id } } } } }`
)

var (
	letterOf = schema.Requirement{Key: "letter", Kind: "LETTER", Label: "Letter of support", Signers: []string{"CEO"}, Letter: "We support this application."}
	chairOf  = schema.Requirement{Key: "letter", Kind: "LETTER", Label: "Letters of support", Signers: []string{"CEO", "BOARD_CHAIR"}, Letter: "We support this."}
	videoOf  = schema.Requirement{Key: "video", Kind: "VIDEO", Label: "Video of the team", Optional: true}
)

// draftFor is a draft of somebody's to a new call with requirements, due in ten days and closed in eleven.
func draftFor(w *apitest.World, owner *apitest.Person, requirements ...schema.Requirement) (call, id gid.ID) {
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		offering, err := tx.Offering.Query().FirstID(ctx)
		if ent.IsNotFound(err) {
			offering, err = offeringOf(ctx, tx, w)
		}
		if err != nil {
			return err
		}
		if call, err = callOf(ctx, tx, w, offering, requirements...); err != nil {
			return err
		}
		now := w.App.Config.Now()
		if err := tx.Call.UpdateOneID(call).SetTitle("Learning Network").SetDueAt(now.Add(10 * 24 * time.Hour)).SetClosesAt(now.Add(11 * 24 * time.Hour)).Exec(ctx); err != nil {
			return err
		}
		id, err = applicationOf(ctx, tx, w, call, owner)
		return err
	})
	return call, id
}

// completed answers what must be.
func completed(w *apitest.World, who *apitest.Client, id gid.ID) {
	w.T.Helper()
	who.Must(saveAnswer, input(vars{"applicationId": id, "key": "why", "value": "Equity in care", "expectedVersion": 0}))
	who.Must(saveAnswer, input(vars{"applicationId": id, "key": "agree", "value": "yes", "expectedVersion": 0}))
}

func newYork(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	must0(t, err)
	return zone
}

// pdfOf is the smallest that is taken for one.
func pdfOf(text string) *bytes.Reader {
	return bytes.NewReader([]byte("%PDF-1.4\n" + text + "\n%%EOF\n"))
}

// mailsGone waits until all mail was sent.
func mailsGone(w *apitest.World) {
	w.T.Helper()
	w.App.Sender.Wake()
	w.Eventually("all mail went", func() bool { return w.App.Store.Client(w.System()).Mail.Query().CountX(w.System()) == 0 })
}

var letterLink = regexp.MustCompile(`https?://\S+/letters/\S+`)

// linkIn is the link to a letter in the latest mail to an address.
func linkIn(t *testing.T, o *apitest.Office, address string) string {
	t.Helper()
	all := o.For(address)
	if len(all) == 0 {
		t.Fatal("no mail came")
	}
	link := letterLink.FindString(all[len(all)-1].Text)
	if link == "" {
		t.Fatal(all[len(all)-1].Text)
	}
	return link
}

func answerLetter(t *testing.T, link string, form url.Values) reply {
	t.Helper()
	return send(t, http.MethodPost, link, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

func TestApplyingFromDraftToReceipt(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, c *clock) {
		ada, ben, staff, reviewer := w.Member("ada"), w.Member("ben"), w.Role(w.Member("staff"), "STAFF"), w.Member("reviewer")
		w.Space(space.KindNETWORK, "Network", ada, ben, reviewer)
		_, id := draftFor(w, ada, letterOf, videoOf)
		completed(w, ada.Client, id)
		ada.Must(addEditor, input(vars{"applicationId": id, "memberId": ben.ID}))
		mailsGone(w)
		if all := o.To(ben); len(all) != 1 {
			t.Errorf("%d mails told ben that he is an editor", len(all))
		}
		ask := func(email string) *apitest.Response {
			return ben.Do(askSignature, input(vars{"applicationId": id, "requirement": "letter", "signer": "CEO", "name": "Cyd Chief", "email": email}))
		}
		w.T.Run("a letter is asked for, sent again and taken back: only the newest link works", func(t *testing.T) {
			first := ask("cyd@clinic.example")
			if first.Code() != "" || len(first.String("requestSignature.application.signerRequests.0.letterHash")) != 64 {
				t.Fatal(first)
			}
			if r := ask("other@clinic.example"); r.Code() != "ALREADY_EXISTS" {
				t.Fatal(r)
			}
			mailsGone(w)
			old := linkIn(t, o, "cyd@clinic.example")
			again := ada.Must(resendSignature, input(vars{"applicationId": id, "signerRequestId": first.String("requestSignature.application.signerRequests.0.id"), "idempotencyKey": "k"}))
			ada.Must(resendSignature, input(vars{"applicationId": id, "signerRequestId": first.String("requestSignature.application.signerRequests.0.id"), "idempotencyKey": "k"}))
			if again.String("resendSignatureRequest.application.signerRequests.0.state") != "PENDING" || again.String("resendSignatureRequest.application.signerRequests.1.state") != "CANCELLED" {
				t.Fatal(again)
			}
			if r := answerLetter(t, old, url.Values{"decision": {"sign"}, "name": {"Cyd"}, "agree": {"yes"}}); r.status != http.StatusGone {
				t.Errorf("a void link: %d %s", r.status, r.body)
			}
			if r := answerLetter(t, w.URL+"/letters/none", url.Values{"decision": {"sign"}, "name": {"Cyd"}, "agree": {"yes"}}); r.status != http.StatusGone {
				t.Errorf("no link: %d %s", r.status, r.body)
			}
			ada.Must(cancelSignature, input(vars{"applicationId": id, "signerRequestId": again.String("resendSignatureRequest.application.signerRequests.0.id")}))
			mailsGone(w)
			ask("cyd@clinic.example")
			mailsGone(w)
		})
		w.T.Run("the signer reads, types a name and agrees: opening the link changes nothing, and twice is once", func(t *testing.T) {
			live := ada.Subscribe(`subscription($id: ID!) { applicationEvents(applicationId: $id) { __typename ... on SignerRequestChanged { signerRequest { state signedName } } ... on DocumentAdded { document { signer } } } }`, vars{"id": id})
			w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n == 1 })
			link := linkIn(t, o, "cyd@clinic.example")
			for range 2 {
				r := send(t, http.MethodGet, link, nil)
				if r.status != http.StatusOK || !bytes.Contains(r.body, []byte("We support this application.")) || bytes.Contains(r.body, []byte("<script")) ||
					!strings.Contains(r.header.Get("Content-Security-Policy"), "default-src 'none'") || r.header.Get("Cache-Control") != "no-store" || r.header.Get("Referrer-Policy") != "no-referrer" {
					t.Fatalf("%d %v %s", r.status, r.header, r.body)
				}
			}
			for _, wrong := range []url.Values{{"decision": {"sign"}, "name": {"Cyd"}}, {"decision": {"sign"}, "agree": {"yes"}}, {"name": {"Cyd"}, "agree": {"yes"}}, {}} {
				if r := answerLetter(t, link, wrong); r.status != http.StatusUnprocessableEntity {
					t.Errorf("%v: %d", wrong, r.status)
				}
			}
			for range 2 {
				if r := answerLetter(t, link, url.Values{"decision": {"sign"}, "name": {"Cyd  Q. Chief"}, "agree": {"yes"}}); r.status != http.StatusOK || !bytes.Contains(r.body, []byte("The letter is signed")) {
					t.Fatalf("%d %s", r.status, r.body)
				}
			}
			if r := answerLetter(t, link, url.Values{"decision": {"refuse"}, "reason": {"Changed my mind"}}); !bytes.Contains(r.body, []byte("The letter is signed")) {
				t.Errorf("%d %s", r.status, r.body)
			}
			if got := live.Next(); got.String("applicationEvents.document.signer") != "CEO" {
				t.Error(got)
			}
			if got := live.Next(); got.String("applicationEvents.signerRequest.signedName") != "Cyd Q. Chief" {
				t.Error(got)
			}
			r := ada.Must(lookWhole, vars{"id": id})
			if r.Len("node.documents") != 1 || r.String("node.documents.0.signerRequest.signedName") != "Cyd Q. Chief" || r.Len("node.missing") != 0 {
				t.Error(r)
			}
			if n := w.App.Store.Client(w.System()).AuditEntry.Query().Where(auditentry.Action("LETTER_SIGNED"), auditentry.ActorIDIsNil(), auditentry.AddressNEQ("")).CountX(w.System()); n != 1 {
				t.Errorf("%d entries in the audit log", n)
			}
		})
		w.T.Run("documents are looked at, replaced and kept, and their links are the viewer's own", func(t *testing.T) {
			mine := must(t, upload(t, w, ada.Token(), called("letter.pdf", "APPLICATION"), pdfOf("one")).field("id"))
			in := func(with vars) *apitest.Response {
				with["applicationId"] = id
				return ada.Do(addDocument, input(with))
			}
			for _, wrong := range []vars{
				{"requirement": "letter", "signer": "CFO", "fileId": mine}, {"requirement": "letter", "signer": "CEO", "url": "https://example.org/letter"}, {"requirement": "none", "fileId": mine},
				{"requirement": "video", "fileId": mine}, {"requirement": "video", "url": "http://example.org/film"}, {"requirement": "video"},
				{"requirement": "letter", "signer": "CEO", "fileId": must(t, upload(t, w, ada.Token(), called("a.png", "APPLICATION"), bytes.NewReader(encodedPNG(drawn(4, 4)))).field("id"))},
				{"requirement": "letter", "signer": "CEO", "fileId": must(t, upload(t, w, ada.Token(), called("b.pdf", "RESOURCE"), pdfOf("two")).field("id"))},
			} {
				if r := in(wrong); r.Code() != "INVALID_INPUT" {
					t.Errorf("%v: %v", wrong, r)
				}
			}
			if r := in(vars{"requirement": "letter", "signer": "CEO", "fileId": must(t, upload(t, w, ben.Token(), called("c.pdf", "APPLICATION"), pdfOf("three")).field("id"))}); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			r := in(vars{"requirement": "letter", "signer": "CEO", "fileId": mine, "idempotencyKey": "d"})
			if again := in(vars{"requirement": "letter", "signer": "CEO", "fileId": mine, "idempotencyKey": "d"}); r.Code() != "" || again.Code() != "" || r.Len("addDocument.application.documents") != 1 {
				t.Fatal(r, again)
			}
			in(vars{"requirement": "video", "url": "https://example.org/film"})
			link := w.URL + r.String("addDocument.application.documents.0.file.url")
			his := w.URL + ben.Must(lookWhole, vars{"id": id}).String("node.documents.0.file.url")
			if got := send(t, http.MethodGet, link, nil); got.status != http.StatusOK || !bytes.HasPrefix(got.body, []byte("%PDF")) {
				t.Fatalf("%d %s", got.status, got.body)
			}
			if got := send(t, http.MethodGet, strings.Replace(link, ada.ID.String(), ben.ID.String(), 1), nil); got.status != http.StatusNotFound {
				t.Errorf("another's link: %d", got.status)
			}
			if got := send(t, http.MethodGet, his, nil); got.status != http.StatusOK {
				t.Errorf("ben's link: %d", got.status)
			}
			ada.Must(removeEditor, input(vars{"applicationId": id, "memberId": ben.ID}))
			if got := send(t, http.MethodGet, his, nil); got.status != http.StatusNotFound {
				t.Errorf("the link of who left: %d", got.status)
			}
			ada.Must(addEditor, input(vars{"applicationId": id, "memberId": ben.ID}))
			if r := reviewer.Do(lookWhole, vars{"id": id}); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			c.add(16 * time.Minute)
			if got := send(t, http.MethodGet, link, nil); got.status != http.StatusNotFound {
				t.Errorf("an old link: %d", got.status)
			}
			film := ada.Must(lookWhole, vars{"id": id})
			if film.Len("node.documents") != 2 {
				t.Fatal(film)
			}
			all := ada.Must(`query($id: ID!) { node(id: $id) { ... on Application { documents { id requirement } } } }`, vars{"id": id})
			for range 2 {
				gone := ada.Must(removeDocument, input(vars{"applicationId": id, "documentId": all.String("node.documents.1.id")}))
				if gone.Len("removeDocument.application.documents") != 1 || gone.Len("removeDocument.application.documentHistory") != 3 {
					t.Error(gone)
				}
			}
		})
		w.T.Run("submitting mails one receipt to each editor, with what was submitted", func(t *testing.T) {
			mailsGone(w)
			hers, his := len(o.To(ada)), len(o.To(ben))
			r := ada.Must(submit, input(vars{"applicationId": id, "idempotencyKey": "s"}))
			ada.Must(submit, input(vars{"applicationId": id, "idempotencyKey": "s"}))
			mailsGone(w)
			if len(o.To(ada)) != hers+1 || len(o.To(ben)) != his+1 {
				t.Fatalf("%d and %d mails", len(o.To(ada))-hers, len(o.To(ben))-his)
			}
			text := latest(t, o, ben).Text
			for _, part := range []string{r.String("submitApplication.application.submissionHash"), "Equity in care", "Letter of support (CEO)", "America/New_York", "Number: " + r.String("submitApplication.application.submissionHash")[:8] + ".1"} {
				if !strings.Contains(text, part) {
					t.Errorf("the receipt does not say %q: %s", part, text)
				}
			}
			if r := ada.Do(addDocument, input(vars{"applicationId": id, "requirement": "video", "url": "https://example.org/film"})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
		})
		w.T.Run("a reviewer sees what was submitted and nothing of how it came about, staff all of it", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				now := w.App.Config.Now()
				return tx.ReviewAssignment.Create().SetID(w.NewID(gid.ReviewAssignment)).SetCreatedAt(now).SetUpdatedAt(now).SetApplicationID(id).SetReviewerID(reviewer.ID).SetAssignedByID(staff.ID).Exec(ctx)
			})
			r := reviewer.Must(lookWhole, vars{"id": id})
			if r.Len("node.editors")+r.Len("node.signerRequests")+r.Len("node.answerHistory") != 0 || r.Len("node.documents") != 1 || r.Len("node.submissions") != 1 {
				t.Fatal(r)
			}
			if got := send(t, http.MethodGet, w.URL+r.String("node.documents.0.file.url"), nil); got.status != http.StatusOK {
				t.Errorf("the reviewer's link: %d", got.status)
			}
			if r := staff.Must(lookWhole, vars{"id": id}); r.Len("node.editors") != 2 || r.Len("node.answerHistory") != 1 || r.Len("node.signerRequests") != 3 {
				t.Error(r)
			}
			for who, code := range map[*apitest.Person]string{reviewer: "FORBIDDEN", ada: "FORBIDDEN", w.Member("out"): "NOT_FOUND"} {
				if r := who.Do(askMore, input(vars{"applicationId": id, "keys": []string{"why"}, "text": "More", "dueLocal": "2099-01-01T17:00"})); r.Code() != code {
					t.Error(r)
				}
			}
		})
		w.T.Run("more information reopens what staff name, until it is due, and is frozen anew", func(t *testing.T) {
			zone := newYork(w.T)
			due := w.App.Config.Now().Add(30 * time.Minute).In(zone).Truncate(time.Minute)
			with := vars{"applicationId": id, "keys": []string{"why", "video"}, "text": "Why now?", "dueLocal": due.Format("2006-01-02T15:04")}
			for _, wrong := range []vars{{"keys": []string{"none"}}, {"keys": []string{}}, {"text": ""}, {"dueLocal": "2020-01-01T17:00"}, {"dueLocal": "tomorrow"}} {
				in := vars{}
				maps.Copy(in, with)
				maps.Copy(in, wrong)
				if r := staff.Do(askMore, input(in)); r.Code() != "INVALID_INPUT" {
					t.Errorf("%v: %v", wrong, r)
				}
			}
			if r := staff.Must(askMore, input(with)); r.String("requestInformation.application.state") != "INFORMATION_REQUESTED" || r.String("requestInformation.application.informationRequest") != "Why now?" {
				t.Fatal(r)
			}
			mailsGone(w)
			if text := latest(t, o, ben).Text; !strings.Contains(text, "Why now?") {
				t.Error(text)
			}
			if r := ben.Do(saveAnswer, input(vars{"applicationId": id, "key": "people", "value": "12", "expectedVersion": 0})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			ben.Must(saveAnswer, input(vars{"applicationId": id, "key": "why", "value": "Because of the data", "expectedVersion": 1}))
			if r := reviewer.Must(lookWhole, vars{"id": id}); r.String("node.submissions.0.answers.0.value") != "Equity in care" || r.String("node.informationRequest") != "" {
				t.Error(r)
			}
			ada.Must(submit, input(vars{"applicationId": id}))
			r := staff.Must(lookWhole, vars{"id": id})
			if r.String("node.state") != "SUBMITTED" || r.Len("node.submissions") != 2 || r.String("node.submissions.0.answers.0.value") != "Because of the data" || r.String("node.submissions.1.answers.0.value") != "Equity in care" {
				t.Error(r)
			}
			due = w.App.Config.Now().Add(5 * time.Minute).In(zone).Truncate(time.Minute)
			with["dueLocal"] = due.Format("2006-01-02T15:04")
			staff.Must(askMore, input(with))
			c.add(due.Sub(w.App.Config.Now()))
			for _, r := range []*apitest.Response{
				ada.Do(submit, input(vars{"applicationId": id})), ada.Do(saveAnswer, input(vars{"applicationId": id, "key": "why", "value": "Too late", "expectedVersion": 2})),
			} {
				if r.Code() != "CALL_CLOSED" {
					t.Error(r)
				}
			}
		})
	})
}

func TestApplyingLate(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, c *clock) {
		ada, eve, staff := w.Member("ada"), w.Member("eve"), w.Role(w.Member("staff"), "STAFF")
		call, id := draftFor(w, ada, chairOf, videoOf)
		var other gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
			now := w.App.Config.Now()
			if err := tx.Call.UpdateOneID(call).SetDueAt(now.Add(2 * time.Minute)).SetClosesAt(now.Add(3 * time.Minute)).Exec(ctx); err != nil {
				return err
			}
			other, err = applicationOf(ctx, tx, w, call, eve)
			return err
		})
		completed(w, ada.Client, id)
		hand := func(signer string) {
			mine := must(t, upload(t, w, ada.Token(), called("letter.pdf", "APPLICATION"), pdfOf(signer)).field("id"))
			ada.Must(addDocument, input(vars{"applicationId": id, "requirement": "letter", "signer": signer, "fileId": mine}))
		}
		hand("CEO")
		if r := ada.Do(submit, input(vars{"applicationId": id})); r.Code() != "INVALID_INPUT" || r.Len("submitApplication.errors") != 1 || r.String("submitApplication.errors.0.path.2") != "BOARD_CHAIR" {
			t.Fatalf("without the Board Chair's letter: %v", r)
		}
		c.add(3 * time.Minute)
		if r := ada.Do(submit, input(vars{"applicationId": id})); r.Code() != "CALL_CLOSED" {
			t.Fatal(r)
		}
		zone := newYork(w.T)
		until := w.App.Config.Now().Add(20 * time.Minute).In(zone).Truncate(time.Minute)
		with := vars{"applicationId": id, "untilLocal": until.Format("2006-01-02T15:04"), "reason": "The chair was away.", "idempotencyKey": "x"}
		for who, code := range map[*apitest.Person]string{ada: "FORBIDDEN", eve: "NOT_FOUND"} {
			if r := who.Do(extend, input(with)); r.Code() != code {
				t.Error(r)
			}
		}
		if r := staff.Do(extend, input(vars{"applicationId": id, "untilLocal": "2099-03-08T02:30"})); r.Code() != "INVALID_INPUT" {
			t.Error(r)
		}
		staff.Must(extend, input(with))
		if r := staff.Must(extend, input(with)); r.Len("grantExtension.application.extensions") != 1 {
			t.Fatal(r)
		}
		mailsGone(w)
		if text := latest(t, o, ada).Text; !strings.Contains(text, "The chair was away.") || !strings.Contains(text, "America/New_York") {
			t.Error(text)
		}
		if r := eve.Do(saveAnswer, input(vars{"applicationId": other, "key": "why", "value": "Late, too", "expectedVersion": 0})); r.Code() != "CALL_CLOSED" {
			t.Errorf("the others stay closed: %v", r)
		}
		hand("BOARD_CHAIR")
		c.add(until.Sub(w.App.Config.Now()) - 10*time.Second)
		if r := ada.Must(submit, input(vars{"applicationId": id})); r.String("submitApplication.application.state") != "SUBMITTED" || r.At("submitApplication.application.late") != false {
			t.Fatal(r)
		}
		c.add(11 * time.Second)
		if r := staff.Do(extend, input(vars{"applicationId": id, "untilLocal": "2099-01-01T17:00"})); r.Code() != "FORBIDDEN" {
			t.Error(r)
		}
		if n := w.App.Store.Client(w.System()).AuditEntry.Query().Where(auditentry.Action("EXTENSION_GRANTED"), auditentry.Reason("The chair was away.")).CountX(w.System()); n != 1 {
			t.Errorf("%d entries in the audit log", n)
		}
	})
}

func TestRemindersOfApplications(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, c *clock) {
		ada, staff := w.Member("ada"), w.Role(w.Member("staff"), "STAFF")
		call, _ := draftFor(w, ada)
		due := w.App.Store.Client(w.System()).Call.GetX(w.System(), call).DueAt
		started := ada.Must(startApplication, input(vars{"callId": call, "organizationName": "Clinic", "organizationKind": "CLINIC"})).String("startApplication.application.id")
		remind := func(at time.Time, want int) {
			t.Helper()
			c.add(at.Sub(w.App.Config.Now()))
			for range 2 {
				must0(w.T, w.App.Admission.Remind(w.T.Context()))
			}
			mailsGone(w)
			if got := len(o.To(ada)); got != want {
				t.Errorf("at %s before it is due: %d mails, not %d", due.Sub(at), got, want)
			}
		}
		remind(due.Add(-7*24*time.Hour-time.Minute), 0)
		remind(due.Add(-7*24*time.Hour), 1)
		if text := latest(t, o, ada).Text; !strings.Contains(text, "America/New_York") {
			t.Error(text)
		}
		remind(due.Add(-2*24*time.Hour), 2)
		zone := newYork(w.T)
		until := due.Add(5 * 24 * time.Hour).In(zone).Truncate(time.Minute)
		w.As(w.Token(staff, accesstoken.ScopeWRITE)).Must(extend, input(vars{"applicationId": started, "untilLocal": until.Format("2006-01-02T15:04")}))
		mailsGone(w)
		remind(due.Add(-6*time.Hour), 3) // the mail of the extension; reminders follow that
		remind(until.Add(-2*24*time.Hour), 4)
		later := w.As(w.Token(ada, accesstoken.ScopeWRITE))
		completed(w, later, must(t, started))
		later.Must(submit, input(vars{"applicationId": started}))
		mailsGone(w)
		remind(until.Add(-6*time.Hour), 5) // the receipt
		if n := w.App.Store.Client(w.System()).Application.Query().Where(application.NextReminderAtNotNil()).CountX(w.System()); n != 0 {
			t.Errorf("%d are to be reminded of still", n)
		}
	})
}

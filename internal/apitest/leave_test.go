package apitest_test

import (
	"context"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestErasureOfEditors(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		w.Space(space.KindNETWORK, "Network", ada, ben)
		_, shared := draftFor(w, ada, letterOf)
		_, alone := draftFor(w, ada)
		completed(w, ada.Client, shared)
		completed(w, ada.Client, alone)
		ada.Must(addEditor, input(vars{"applicationId": shared, "memberId": ben.ID}))
		mine := must(t, upload(t, w, ada.Token(), called("letter.pdf", "APPLICATION"), pdfOf("CEO")).field("id"))
		ada.Must(addDocument, input(vars{"applicationId": shared, "requirement": "letter", "signer": "CEO", "fileId": mine}))
		if _, err := w.App.Accounts.Erase(ada.Context(), inBrowser(ada), nil, ada.Handle, ""); err != nil {
			t.Fatal(err)
		}
		must0(w.T, w.App.Accounts.FinishErasures(w.System()))
		his := w.As(w.Token(ben, accesstoken.ScopeWRITE))
		r := his.Must(lookWhole, vars{"id": shared})
		if r.Len("node.editors") != 1 || r.Len("node.missing") != 0 || r.Len("node.answerHistory") != 1 {
			w.T.Fatal(r)
		}
		if got := send(w.T, "GET", w.URL+r.String("node.documents.0.file.url"), nil); got.status != 200 {
			w.T.Errorf("the letter: %d", got.status)
		}
		his.Must(submit, input(vars{"applicationId": shared}))
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			a, err := tx.Application.Get(ctx, alone)
			if err == nil && a.State != application.StateWITHDRAWN {
				w.T.Errorf("a draft that nobody writes is %s", a.State)
			}
			return err
		})
		if ids := []gid.ID{shared, alone}; w.App.Store.Client(w.System()).Application.Query().Where(application.IDIn(ids...)).CountX(w.System()) != 2 {
			w.T.Error("an application went with its editor")
		}
	})
}

// A draft that nobody can go on with keeps nobody from applying, and of two drafts of a team one is submitted.
func TestDraftsOfWhoLeft(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, admin := w.Member("ada"), w.Member("ben"), w.Role(w.Member("admin"), roleassignment.RoleADMIN)
		call, _ := draftFor(w, w.Member("first"))
		o := w.NewID(gid.Organization)
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			now := w.App.Config.Now()
			if err := tx.Organization.Create().SetID(o).SetCreatedAt(now).SetUpdatedAt(now).SetName("Clinic").SetKind(organization.KindCLINIC).Exec(ctx); err != nil {
				return err
			}
			for _, p := range []*apitest.Person{ada, ben} {
				if err := tx.Affiliation.Create().SetID(w.NewID(gid.Affiliation)).SetCreatedAt(now).SetMemberID(p.ID).SetOrganizationID(o).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		start := func(p *apitest.Person) *apitest.Response {
			return p.Do(startApplication, input(vars{"callId": call, "organizationId": o, "teamName": "North"}))
		}
		hers := must(w.T, start(ada).String("startApplication.application.id"))
		if r := start(ben); r.Code() != "ALREADY_EXISTS" {
			w.T.Fatalf("%s", r.Body)
		}
		admin.Must(deactivateMember, input(vars{"memberId": ada.ID, "reason": "R"}))
		r := start(ben)
		if r.Code() != "" {
			w.T.Fatalf("%s", r.Body)
		}
		his := must(w.T, r.String("startApplication.application.id"))
		if r := start(ben); r.Code() != "ALREADY_EXISTS" {
			w.T.Errorf("%s", r.Body)
		}
		admin.Must(reactivateMember, input(vars{"memberId": ada.ID, "reason": "R"}))
		back := w.As(w.Token(ada, accesstoken.ScopeWRITE))
		completed(w, back, hers)
		completed(w, ben.Client, his)
		ben.Must(submit, input(vars{"applicationId": his}))
		if r := back.Do(submit, input(vars{"applicationId": hers})); r.Code() != "ALREADY_EXISTS" {
			w.T.Errorf("%s", r.Body)
		}
		ben.Must(`mutation($input: WithdrawApplicationInput!) { withdrawApplication(input: $input) { errors { code } } }`, input(vars{"applicationId": his}))
		back.Must(submit, input(vars{"applicationId": hers}))
	})
}

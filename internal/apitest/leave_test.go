package apitest_test

import (
	"context"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/application"
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

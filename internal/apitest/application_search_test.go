package apitest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestApplicationsOfBeforeAreFound(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, ada := w.Role(w.Member("staff"), "STAFF"), w.Member("ada")
		var call gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err == nil {
				call, err = callOf(ctx, tx, w, offering)
			}
			return err
		})
		apply := func(organization, team, why string, hand bool) string {
			id := ada.Must(startApplication, input(vars{"callId": call, "organizationName": organization, "organizationKind": "CLINIC", "teamName": team})).String("startApplication.application.id")
			for _, a := range [][2]string{{"why", why}, {"people", "12"}, {"agree", "yes"}} {
				ada.Must(saveAnswer, input(vars{"applicationId": id, "key": a[0], "value": a[1], "expectedVersion": 0}))
			}
			if hand {
				ada.Must(submit, input(vars{"applicationId": id}))
			}
			return id
		}
		one := apply("Kiribati \"Clinic\"", "", "Equity: ça va, 你好", true)
		two := apply("Tuvalu Hospital", "North Team", "Midwifery for all", true)
		apply("Nauru Hospital", "South", "A draft of something", false)
		client := w.App.Store.Client(w.System())
		all := func() []*ent.SearchDocument {
			return client.SearchDocument.Query().Where(searchdocument.KindEQ(searchdocument.KindAPPLICATION)).Order(searchdocument.ByObjectID()).AllX(w.System())
		}
		find := func(p *apitest.Person, text string) []string {
			r := p.Must(`query($q: String!) { search(query: $q, kinds: [APPLICATION], first: 10) { edges { node { ... on Application { id } } } } }`, vars{"q": text})
			ids := make([]string, r.Len("search.edges"))
			for i := range ids {
				ids[i] = r.String("search.edges." + string(rune('0'+i)) + ".node.id")
			}
			return ids
		}
		was := all()
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			_, err := tx.SearchDocument.Delete().Where(searchdocument.ObjectIDIn(must(t, one), must(t, two))).Exec(ctx)
			return err
		})
		if got := find(staff, "Kiribati"); len(got) != 0 {
			w.T.Error(got)
		}
		migrated(w, "20261128211000_application_search", "INSERT")
		migrated(w, "20261128211000_application_search", "INSERT") // what is there stays as it is
		now := all()
		if len(was) != 2 || len(now) != len(was) {
			w.T.Fatalf("%v, before %v", now, was)
		}
		for i := range was {
			if was[i].ObjectID != now[i].ObjectID || was[i].Title != now[i].Title || was[i].Body != now[i].Body {
				w.T.Errorf("%+v, before %+v", now[i], was[i])
			}
		}
		for text, want := range map[string]string{"Kiribati": one, "midwifery": two, "North Team": two, "Nauru": ""} {
			if got := strings.Join(find(staff, text), " "); got != want {
				w.T.Errorf("%s finds %s", text, got)
			}
		}
	})
}

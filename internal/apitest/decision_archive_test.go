package apitest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/internal/apitest"
)

// A member's archive has what they were told of their applications, and neither staff's notes nor what is in preparation, nor what others were told.
func TestDecisionsAreInTheArchive(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		a := newAdmissions(w, 1, 3)
		a.prepare("ACCEPT", "WAITLIST")
		a.staff.Must(release, input(vars{"callId": a.call}))
		a.people[0].Must(acceptOffer, input(vars{"applicationId": a.ids[0]}))
		a.staff.Must(prepareDecision, input(vars{"applicationId": a.ids[2], "kind": "DECLINE", "reason": "Not yet told", "expectedVersion": 0}))
		for name, of := range map[string]struct {
			who   *apitest.Person
			holds []string
		}{
			"who was admitted": {a.people[0], []string{a.ids[0].String(), "Because of ACCEPT", "CONFIRMED"}},
			"who waits":        {a.people[1], []string{a.ids[1].String(), "Because of WAITLIST"}},
			"who was not told": {a.people[2], nil},
			"who decided":      {a.staff, nil},
		} {
			files := archive(w, of.who.Must(createExport, input(vars{"idempotencyKey": "k"})).String("createExport.url"))
			var rows []map[string]any
			if err := json.Unmarshal([]byte(files["decisions.json"]), &rows); err != nil || len(rows) != min(len(of.holds), 1) {
				t.Errorf("%s: %s, %v", name, files["decisions.json"], err)
			}
			for _, text := range of.holds {
				if !strings.Contains(files["decisions.json"], text) {
					t.Errorf("%s: no %q in %s", name, text, files["decisions.json"])
				}
			}
			if of.who == a.staff {
				continue
			}
			if all := fmt.Sprint(files); strings.Contains(all, "Between us") || strings.Contains(all, "Not yet told") || strings.Contains(files["decisions.json"], "rank") {
				t.Errorf("%s learns too much: %s", name, all)
			}
		}
	})
}

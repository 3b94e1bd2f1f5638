package apitest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/apitest"
)

// manyApplications is how many a call gets at most.
const manyApplications = 2_000

// Staff's list of 2,000 applications with documents and answers: a page takes the same few statements whatever it holds and wherever it
// is, each order walks an index, and every filter answers at once.
func TestManyApplications(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		c := newIntake(w)
		c.grow(manyApplications)
		if _, err := w.App.Store.Client(w.System()).ExecContext(w.System(), "ANALYZE"); err != nil {
			w.T.Fatal(err)
		}
		read := func(v vars) *apitest.Response {
			v["id"] = c.call
			return c.staff.Must(callApplications, v)
		}
		w.T.Run("the number of statements is the page's, not the rows'", func(t *testing.T) {
			for name, filter := range map[string]vars{"all": nil, "complete": {"complete": true, "states": []string{"SUBMITTED"}, "minReviews": 0, "withDocument": "letter"}} {
				late := read(vars{"first": 100, "filter": filter}).At("node.applications.pageInfo.endCursor")
				few := w.LeastStatements(func() { read(vars{"first": 2, "filter": filter}) })
				for what, v := range map[string]vars{"many": {"first": 100, "filter": filter}, "late": {"first": 100, "filter": filter, "after": late}} {
					if n := w.LeastStatements(func() { read(v) }); n > few || n > 12 {
						t.Errorf("%s, %s: %d statements, and %d for two rows", name, what, n, few)
					}
				}
			}
		})
		for _, order := range []string{"NUMBER", "ORGANIZATION", "SUBMITTED_AT", "UPDATED_AT", "POINTS", "POINTS_ASCENDING"} {
			w.T.Run("an index has the order "+order, func(t *testing.T) {
				var after any
				for range 10 {
					after = read(vars{"first": 100, "orderBy": order, "after": after}).At("node.applications.pageInfo.endCursor")
				}
				for what, v := range map[string]vars{"first": {"first": 20, "orderBy": order}, "late": {"first": 20, "orderBy": order, "after": after}} {
					var p plan
					for _, s := range w.App.Store.Record(func() { read(v) }) {
						if strings.Contains(s.Query, "LIMIT") && strings.Contains(s.Query, "applications") {
							p = explained(t, w, s.Query, s.Args)
						}
					}
					if p.text == "" || p.sorts || p.scans || strings.Contains(p.text, "SCAN applications") {
						t.Errorf("%s page: %s", what, p.text)
					}
					t.Logf("%s page: %d buffers", what, p.buffers)
				}
			})
		}
		w.T.Run("filters answer at once", func(t *testing.T) {
			for name, filter := range map[string]vars{
				"all": nil, "text that is nowhere": {"text": "nowhere at all"}, "incomplete": {"complete": false}, "complete and reviewed": {"complete": true, "minReviews": 1},
				"never reviewed": {"minReviews": 5}, "decided": {"decisionPrepared": true}, "withdrawn and late": {"states": []string{"WITHDRAWN"}, "late": true},
			} {
				fastest := time.Hour
				for range 3 {
					begin := time.Now()
					read(vars{"first": 50, "filter": filter, "orderBy": "UPDATED_AT"})
					fastest = min(fastest, time.Since(begin))
				}
				t.Logf("%s: %v", name, fastest)
				if fastest > time.Second {
					t.Errorf("%s takes %v", name, fastest)
				}
			}
		})
	})
}

package apitest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/server"
)

// A viewer who alternates between two replicas has about one budget, not two.
func TestRatesHoldOverReplicas(t *testing.T) {
	t.Parallel()
	const burst = 600
	databaseURL := database.Postgres(t)
	limits := apitest.Limits(server.Limits{RateBurst: burst, RatePerSec: 1})
	a, b := apitest.Serve(t, databaseURL, apitest.Rates(), limits), apitest.Serve(t, databaseURL, apitest.Rates(), limits)
	spend := func(t *testing.T, clients ...*apitest.Client) (answered int) {
		for refused := 0; refused < 2*len(clients); {
			r := clients[(answered+refused)%len(clients)].Do(`{ eventCursor }`, nil)
			switch r.Code() {
			case "":
				answered++
			case "RATE_LIMITED":
				refused++
			default:
				t.Fatal(r.Body)
			}
		}
		return answered
	}
	t.Run("in turns", func(t *testing.T) {
		ada := a.Member("ada")
		if n := spend(t, ada.Client, b.As(ada.Token())); n < burst*9/10 || n > burst*5/4 {
			t.Errorf("%d operations with a budget of %d", n, burst)
		}
	})
	t.Run("one after the other", func(t *testing.T) {
		ben := a.Member("ben")
		n := spend(t, ben.Client)
		a.Eventually("the other replica knows", func() bool {
			return b.As(ben.Token()).Do(`{ rateLimit { remaining } }`, nil).Int("rateLimit.remaining") < burst/2
		})
		if n += spend(t, b.As(ben.Token())); n > burst*5/4 {
			t.Errorf("%d operations with a budget of %d", n, burst)
		}
	})
	t.Run("others are not affected", func(t *testing.T) {
		if left := b.Member("cy").Must(`{ rateLimit { limit remaining cost } }`, nil); left.Int("rateLimit.remaining") < burst-2 || left.Int("rateLimit.limit") != burst || left.Int("rateLimit.cost") != 1 {
			t.Errorf("%v", left.Data)
		}
	})
	t.Run("while the database is away, each counts on its own", func(t *testing.T) {
		dot := a.As("") // whose sign-in asks no database
		ada := a.Member("ada")
		back := away(t, databaseURL)
		for range 10 { // and until no connection of before is left
			if code := ada.Do(`{ viewer { id } }`, nil).Code() + b.As(ada.Token()).Do(`{ viewer { id } }`, nil).Code(); code != "UNAVAILABLEUNAVAILABLE" {
				t.Errorf("%s", code)
			}
		}
		n := 0
		for ; dot.Do(`{ __typename }`, nil).Code() == ""; n++ {
			if n > 2*burst {
				t.Fatal("nobody counts")
			}
		}
		back()
	})
}

// Visitors behind a proxy have a budget each, when the proxy is trusted; nobody else gets one by claiming an address.
func TestVisitorsBehindAProxy(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		remaining := func(address string) string {
			w.T.Helper()
			req, err := http.NewRequestWithContext(w.T.Context(), http.MethodPost, w.URL+"/graphql", strings.NewReader(`{"query":"{ rateLimit { remaining } }"}`))
			if err != nil {
				w.T.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("X-Forwarded-For", address)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				w.T.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			return fmt.Sprint(resp.StatusCode)
		}
		count := func(address string) (n int) {
			for remaining(address) == "200" {
				n++
			}
			return n
		}
		if n := count("198.51.100.7"); n < 4 || n > 6 {
			w.T.Errorf("%d operations", n)
		}
		if n := count("203.0.113.1, 198.51.100.7"); n > 1 {
			w.T.Errorf("a claim of the client was believed: %d operations", n)
		}
		if n := count("198.51.100.8"); n < 4 {
			w.T.Errorf("another visitor: %d operations", n)
		}
	}, apitest.Rates(), apitest.Limits(server.Limits{RateBurst: 5, RatePerSec: 1}), apitest.Proxies(netip.MustParsePrefix("127.0.0.0/8")))
}

// A sign-in is believed for a moment without a look at the database, but not one that has ended: here at once, and on another
// replica within two seconds.
func TestEndedSignInsAreNotBelieved(t *testing.T) {
	ends := map[string]func(tx *ent.Client, ada *apitest.Person, now time.Time) func(context.Context) error{
		"a revoked token": func(tx *ent.Client, ada *apitest.Person, now time.Time) func(context.Context) error {
			return tx.AccessToken.Update().Where(accesstoken.MemberID(ada.ID)).SetRevokedAt(now).Exec
		},
		"a suspended member": func(tx *ent.Client, ada *apitest.Person, now time.Time) func(context.Context) error {
			return tx.Member.UpdateOneID(ada.ID).SetSuspendedUntil(now.Add(time.Hour)).Exec
		},
		"a deactivated member": func(tx *ent.Client, ada *apitest.Person, _ time.Time) func(context.Context) error {
			return tx.Member.UpdateOneID(ada.ID).SetStatus(member.StatusDEACTIVATED).Exec
		},
	}
	everywhere(t, func(t *testing.T, here, there *apitest.World) {
		for name, end := range ends {
			t.Run(name, func(t *testing.T) {
				ada := here.Member("ada")
				elsewhere := there.As(ada.Token())
				const q = `{ viewer { id } }`
				for range 3 {
					ada.Must(q, nil)
					elsewhere.Must(q, nil)
				}
				here.Tx(func(ctx context.Context, tx *ent.Client) error {
					return end(tx, ada, here.App.Config.Now())(ctx)
				})
				ended := time.Now()
				if r := ada.Do(q, nil); r.Code() != "UNAUTHENTICATED" {
					t.Errorf("here: %s", r.Body)
				}
				there.Eventually("refused", func() bool { return elsewhere.Do(q, nil).Code() == "UNAUTHENTICATED" })
				if took := time.Since(ended); took > 2*time.Second {
					t.Errorf("there: after %v", took)
				}
			})
		}
	})
}

// A sign-in of a moment ago costs no statement.
func TestRecentSignInsCostNothing(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		if n := w.LeastStatements(func() { ada.Must(`{ __typename }`, nil) }); n != 0 {
			w.T.Errorf("%d statements", n)
		}
	})
}

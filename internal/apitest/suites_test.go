package apitest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/storage"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/apitest/process"
	"github.com/pursuing-equity/commons/internal/apitest/suites"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/explorer"
	"github.com/pursuing-equity/commons/internal/openid"
	"github.com/pursuing-equity/commons/internal/signin"
)

// The public suites, against the schema and against a running server.
func TestPublicSuites(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"lint", "relay", "codegen"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suites.Run(t, name)
		})
	}
	t.Run("audits", func(t *testing.T) {
		t.Parallel()
		w := apitest.Serve(t, database.SQLite(t))
		suites.Run(t, "audits", "COMMONS_URL="+w.URL, "COMMONS_TOKEN="+w.Member("ada").Token())
	})
	t.Run("the npm client subscribes, is cut, and resumes with what it missed", func(t *testing.T) {
		t.Parallel()
		database.Each(t, func(t *testing.T, url string) {
			w := apitest.Serve(t, url)
			ada := w.Member("ada")
			thread := w.Thread(ada, w.Space(space.KindNETWORK, "Network", ada), "Live", "first")
			suites.Run(t, "resume", "COMMONS_URL="+w.URL, "COMMONS_TOKEN="+ada.Token(), "COMMONS_THREAD="+thread.String())
		})
	})
	t.Run("the npm client comes back after a kill and a drain, and stops when its sign-in or access is over", func(t *testing.T) {
		t.Parallel()
		retries(t)
	})
	t.Run("the explorer works in a browser and asks no other host", func(t *testing.T) {
		t.Parallel()
		browser := suites.Chromium(t)
		w := apitest.Serve(t, database.SQLite(t), apitest.Explorer(func(a *app.App) explorer.Options {
			ctx := t.Context()
			if err := a.LoadDemo(ctx, 1, 1); err != nil {
				t.Fatal(err)
			}
			tokens, err := a.DemoTokens(ctx)
			if err != nil {
				t.Fatal(err)
			}
			thread, err := a.ExampleThread(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return explorer.Options{DemoTokens: tokens, ExampleThread: thread}
		}))
		suites.Run(t, "explorer", "COMMONS_URL="+w.URL, "CHROMIUM="+browser)
	})
	t.Run("a browser signs in in three ways, reloads and signs out", func(t *testing.T) {
		t.Parallel()
		browser := suites.Chromium(t)
		database.Each(t, func(t *testing.T, url string) {
			known := people{"stranger": {ID: "stranger", Username: "stranger", Password: "verysecure", Email: "stranger@example.org", EmailVerified: true}}
			issuer, open := realProvider(t, known)
			w := apitest.Serve(t, url, apitest.Explorer(func(*app.App) explorer.Options { return explorer.Options{} }), apitest.Mailbox(),
				apitest.OpenID(openid.Config{Issuer: issuer, ClientID: "commons", ClientSecret: "secret", Label: "Example Health"}))
			ada := w.Member("ada")
			setPassword(w, ada)
			known["ada"] = &storage.User{ID: "ada", Username: "ada", Password: "verysecure", Email: email(ada), EmailVerified: true}
			open(w.URL + signin.OpenIDCallback)
			suites.Run(t, "sign-in", "COMMONS_URL="+w.URL, "CHROMIUM="+browser, "COMMONS_PROVIDER="+issuer,
				"COMMONS_EMAIL="+email(ada), "COMMONS_NAME=ada", "COMMONS_PASSWORD="+secretPassword)
		})
	})
}

// retries runs the npm client against a server of its own process, which it has killed, drained and started; another replica
// takes the posts meanwhile.
func retries(t *testing.T) {
	url := database.Postgres(t)
	w := apitest.Serve(t, url)
	dir := t.TempDir()
	binary := filepath.Join(dir, "commons")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/commons").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	address, err := process.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	server := &process.Server{Binary: binary, Dir: dir, Address: address, Env: []string{"COMMONS_DATABASE_URL=" + url}}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)

	ada, ben := w.Member("ada"), w.Member("ben")
	network := w.Space(space.KindNETWORK, "Network", ada)
	membership := w.Join(network, ben, spacemembership.RoleMEMBER)
	thread := w.Thread(ada, network, "Live", "first")
	orders := map[string]func(r *http.Request) (string, error){
		"/kill":  func(*http.Request) (string, error) { return "", server.Kill() },
		"/drain": func(*http.Request) (string, error) { return "", server.Drain() },
		"/start": func(*http.Request) (string, error) { return "", server.Start(t.Context()) },
		"/token": func(r *http.Request) (string, error) {
			lasts, _ := time.ParseDuration(r.FormValue("lasts"))
			return w.App.Accounts.Issue(w.System(), ada.Handle+"@example.org", "short", accesstoken.ScopeWRITE, lasts)
		},
		"/revoke": func(r *http.Request) (string, error) {
			return "", w.Change(func(ctx context.Context, tx *ent.Client) error {
				return tx.AccessToken.Update().Where(accesstoken.Hash(account.Hash(r.FormValue("token")))).SetRevokedAt(w.App.Config.Now()).Exec(ctx)
			})
		},
		"/leaver": func(*http.Request) (string, error) { return ben.Token(), nil },
		"/leave": func(*http.Request) (string, error) {
			return "", w.Change(func(ctx context.Context, tx *ent.Client) error {
				return tx.SpaceMembership.UpdateOneID(membership).SetEndsAt(w.App.Config.Now()).Exec(ctx)
			})
		},
	}
	control := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		order := orders[r.URL.Path]
		if order == nil {
			http.NotFound(rw, r)
			return
		}
		answer, err := order(r)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(rw, answer)
	}))
	defer control.Close()
	suites.Run(t, "retries", "COMMONS_URL="+w.URL, "COMMONS_TOKEN="+ada.Token(), "COMMONS_THREAD="+thread.String(),
		"COMMONS_SOCKET_URL=ws://"+address+"/graphql", "COMMONS_CONTROL="+control.URL)
}

package apitest_test

import (
	"testing"

	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/apitest/suites"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/explorer"
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
}

package demo_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
	"github.com/pursuing-equity/commons/internal/apitest/postgres"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/demo"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/markdown"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// followsFromTeams derives all memberships of spaces as the services do, and wants none of them to change.
func followsFromTeams(ctx context.Context, t *testing.T, s *store.Store) {
	t.Helper()
	before := s.Client(ctx).SpaceMembership.Query().Order(spacemembership.ByID()).AllX(ctx)
	err := s.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		_, err := community.Derive(ctx, tx, time.Now(), func(k gid.Kind) gid.ID { return gid.New(k, time.Now()) }, tx.Member.Query().IDsX(ctx))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	after := s.Client(ctx).SpaceMembership.Query().Order(spacemembership.ByID()).AllX(ctx)
	same := func(a, b *ent.SpaceMembership) bool {
		return a.ID == b.ID && a.Role == b.Role && a.StartsAt.Equal(b.StartsAt) && (a.EndsAt == nil) == (b.EndsAt == nil)
	}
	if !slices.EqualFunc(before, after, same) {
		t.Errorf("the services derive other memberships of spaces: %d, loaded were %d", len(after), len(before))
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "commons.db") },
		"postgres": func(t *testing.T) string { return postgres.New(t, postgres.Template{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := viewer.NewContext(t.Context(), viewer.System("test"))
			s, err := store.Open(ctx, url(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if _, err := s.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			w, render := world(t, demo.Options{Scale: 1, Seed: 1}), markdown.New()
			if err := demo.Load(ctx, s, w, render.HTML); err != nil {
				t.Fatal(err)
			}
			// The same rules hold for what the services write: the loaded rows are of the same kind.
			invariant.Check(ctx, t, s.Client(ctx))

			c := s.Client(ctx)
			followsFromTeams(ctx, t, s)
			if n := c.Post.Query().CountX(ctx); n != w.Posts() {
				t.Errorf("%d posts, the world has %d", n, w.Posts())
			}
			lead := c.Member.Query().Where(member.Email("lead@demo.example")).OnlyX(ctx)
			if want, _ := w.Account("lead"); lead.ID != want.ID || !lead.CreatedAt.Equal(want.CreatedAt) || len(lead.Expertise) != len(want.Expertise) {
				t.Errorf("%+v, want %+v", lead, want)
			}
			d := w.Discussion(3)
			for i, p := range c.Post.Query().Where(post.ThreadID(d.Thread.ID)).Order(post.BySeq()).AllX(ctx) {
				want := d.Posts[i]
				if p.ID != want.ID || p.Body != want.Body || p.BodyHTML != render.HTML(want.Body) || !p.CreatedAt.Equal(want.CreatedAt) || len(p.ReactionCounts) != len(want.ReactionCounts) ||
					(p.ReplyToID == nil) != want.ReplyToID.IsZero() {
					t.Errorf("%+v, want %+v", p, want)
				}
			}
			if f := c.Resource.Query().Where(resource.Title("Debrief guide for teams")).QueryFrameworks().CountX(ctx); f != 2 {
				t.Errorf("a resource with %d frameworks, want 2", f)
			}
			if err := demo.Load(ctx, s, w, render.HTML); !errors.Is(err, demo.ErrNotEmpty) {
				t.Errorf("loaded into a database that is not empty: %v", err)
			}
		})
	}
}

package library_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/library"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// world is a database with builders for what a test needs. Its clock goes on by a second with every look.
type world struct {
	testing.TB
	T   *testing.T // of a test; nil in a fuzz target
	ctx context.Context
	*library.Service
	network *ent.Space
	clock   time.Time
}

func newWorld(tb testing.TB, url string) *world {
	tb.Helper()
	w := &world{TB: tb, ctx: viewer.NewContext(tb.Context(), viewer.System("test"))}
	s, err := store.Open(w.ctx, url)
	w.must(err)
	tb.Cleanup(func() { w.must(s.Close()) })
	w.clock = time.Now().UTC().Add(-time.Hour).Truncate(time.Second) // memberships count by the database's clock
	w.Service = &library.Service{Store: s, Now: w.now, NewID: func(k gid.Kind) gid.ID { return gid.New(k, w.clock) }}
	w.network = w.space(space.KindNETWORK)
	return w
}

// onBoth runs a test on either database.
func onBoth(t *testing.T, test func(w *world)) {
	t.Helper()
	database.Each(t, func(t *testing.T, url string) {
		t.Helper()
		w := newWorld(t, url)
		w.T = t
		test(w)
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) now() time.Time {
	w.clock = w.clock.Add(time.Second)
	return w.clock
}

func (w *world) write(fn func(ctx context.Context, tx *ent.Client) error) {
	w.Helper()
	w.must(w.Store.InTx(w.ctx, fn))
}

// member makes a member with platform roles who belongs to no space.
func (w *world) member(name string, roles ...roleassignment.Role) viewer.Viewer {
	w.Helper()
	id, at := w.NewID(gid.Member), w.now()
	w.write(func(ctx context.Context, tx *ent.Client) error {
		handle := strings.ToLower(strings.ReplaceAll(name, " ", "-"))
		err := tx.Member.Create().SetID(id).SetName(name).SetHandle(handle).SetEmail(handle + "@demo.example").SetTimeZone("UTC").SetCreatedAt(at).SetUpdatedAt(at).Exec(ctx)
		if err != nil {
			return err
		}
		for _, r := range roles {
			err := tx.RoleAssignment.Create().SetID(w.NewID(gid.RoleAssignment)).SetMemberID(id).SetRole(r).SetScope(roleassignment.ScopePLATFORM).SetCreatedAt(at).Exec(ctx)
			if err != nil {
				return err
			}
		}
		return store.Index(ctx, tx, store.Document{Kind: searchdocument.KindMEMBER, Object: id, Title: name})
	})
	return viewer.Member(id, gid.ID{}, viewer.Write)
}

// participant is a member of the network.
func (w *world) participant(name string) viewer.Viewer {
	w.Helper()
	v := w.member(name)
	w.join(w.network, v, spacemembership.RoleMEMBER)
	return v
}

func (w *world) staff() viewer.Viewer {
	w.Helper()
	return w.member("Staff", roleassignment.RoleSTAFF)
}

func (w *world) space(kind space.Kind) *ent.Space {
	w.Helper()
	var s *ent.Space
	w.write(func(ctx context.Context, tx *ent.Client) (err error) {
		at := w.now()
		s, err = tx.Space.Create().SetID(w.NewID(gid.Space)).SetKind(kind).SetCreatedAt(at).SetUpdatedAt(at).Save(ctx)
		return err
	})
	return s
}

func (w *world) join(s *ent.Space, v viewer.Viewer, role spacemembership.Role) {
	w.Helper()
	w.write(func(ctx context.Context, tx *ent.Client) error {
		at := w.now()
		return tx.SpaceMembership.Create().SetID(w.NewID(gid.SpaceMembership)).SetSpaceID(s.ID).SetMemberID(me(v)).SetRole(role).SetStartsAt(at).SetCreatedAt(at).Exec(ctx)
	})
}

func (w *world) framework(name string) gid.ID {
	w.Helper()
	id := w.NewID(gid.Framework)
	w.write(func(ctx context.Context, tx *ent.Client) error {
		return tx.Framework.Create().SetID(id).SetName(name).SetCreatedAt(w.now()).Exec(ctx)
	})
	return id
}

// thread makes a thread, and post a post in it, found by their text.
func (w *world) thread(s *ent.Space, by viewer.Viewer, title string) gid.ID {
	w.Helper()
	id, at := w.NewID(gid.Thread), w.now()
	w.write(func(ctx context.Context, tx *ent.Client) error {
		err := tx.Thread.Create().SetID(id).SetSpaceID(s.ID).SetAuthorID(me(by)).SetTitle(title).SetCreatedAt(at).SetUpdatedAt(at).SetLastActivityAt(at).Exec(ctx)
		if err != nil {
			return err
		}
		return store.Index(ctx, tx, store.Document{Kind: searchdocument.KindTHREAD, Object: id, Thread: &id, Title: title})
	})
	return id
}

func (w *world) post(thread gid.ID, by viewer.Viewer, seq int, body string) gid.ID {
	w.Helper()
	id, at := w.NewID(gid.Post), w.now()
	w.write(func(ctx context.Context, tx *ent.Client) error {
		err := tx.Post.Create().SetID(id).SetThreadID(thread).SetAuthorID(me(by)).SetSeq(seq).SetBody(body).SetBodyHTML("").SetCreatedAt(at).Exec(ctx)
		if err != nil {
			return err
		}
		return store.Index(ctx, tx, store.Document{Kind: searchdocument.KindPOST, Object: id, Thread: &thread, Body: body})
	})
	return id
}

func (w *world) organization(name, city string) gid.ID {
	w.Helper()
	id, at := w.NewID(gid.Organization), w.now()
	w.write(func(ctx context.Context, tx *ent.Client) error {
		err := tx.Organization.Create().SetID(id).SetName(name).SetKind("CLINIC").SetCity(city).SetCreatedAt(at).SetUpdatedAt(at).Exec(ctx)
		if err != nil {
			return err
		}
		return store.Index(ctx, tx, store.Document{Kind: searchdocument.KindORGANIZATION, Object: id, Title: name, Body: city})
	})
	return id
}

// as is a context in which somebody asks.
func (w *world) as(v viewer.Viewer) context.Context { return viewer.NewContext(w.Context(), v) }

func me(v viewer.Viewer) gid.ID {
	id, _ := v.MemberID()
	return id
}

func first(n int) page.Args { return page.Args{First: &n} }

func last(n int) page.Args { return page.Args{Last: &n} }

// refused demands a fault with a code at a path.
func refused(t *testing.T, err error, code fault.Code, path string) {
	t.Helper()
	for _, f := range fault.All(err) {
		if f.Code == code && strings.Join(f.Path, ".") == path {
			return
		}
	}
	t.Errorf("error %v, want %s at %q", err, code, path)
}

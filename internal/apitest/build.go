package apitest

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewID makes an id.
func (w *World) NewID(k gid.Kind) gid.ID { return w.App.Config.NewID(k) }

// Tx runs fn in a transaction of the system and fails the test if it fails.
func (w *World) Tx(fn func(ctx context.Context, tx *ent.Client) error) {
	w.T.Helper()
	if err := w.Change(fn); err != nil {
		w.T.Fatal(err)
	}
}

// Change is Tx for who looks at the error.
func (w *World) Change(fn func(ctx context.Context, tx *ent.Client) error) error {
	return w.App.Store.InTx(w.System(), fn)
}

// Person is a member with a client that is signed in as them.
type Person struct {
	*Client
	ID     gid.ID
	Handle string
	Viewer viewer.Viewer
}

// Member makes a member who belongs to nothing, with a token that may write.
func (w *World) Member(name string) *Person {
	w.T.Helper()
	p := &Person{ID: w.NewID(gid.Member), Handle: fmt.Sprintf("%s%d", name, w.made.Add(1))}
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		now := w.App.Config.Now()
		m, err := tx.Member.Create().SetID(p.ID).SetCreatedAt(now).SetUpdatedAt(now).SetEmail(p.Handle + "@example.org").SetHandle(p.Handle).
			SetName(name).SetTimeZone("America/Chicago").Save(ctx)
		if err != nil {
			return err
		}
		return community.IndexTerms(ctx, tx, m)
	})
	p.Viewer = viewer.Member(p.ID, gid.ID{}, viewer.Write)
	p.Client = w.As(w.Token(p, accesstoken.ScopeWRITE))
	return p
}

// Token issues a token to a member.
func (w *World) Token(p *Person, scope accesstoken.Scope) string {
	w.T.Helper()
	token, err := w.App.Accounts.Issue(w.System(), p.Handle+"@example.org", "test", scope, time.Hour)
	if err != nil {
		w.T.Fatal(err)
	}
	return token
}

// Role gives a member a role on the platform.
func (w *World) Role(p *Person, role roleassignment.Role) *Person {
	w.T.Helper()
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.RoleAssignment.Create().SetID(w.NewID(gid.RoleAssignment)).SetCreatedAt(w.App.Config.Now()).
			SetMemberID(p.ID).SetRole(role).SetScope(roleassignment.ScopePLATFORM).Exec(ctx)
	})
	return p
}

// Space makes a space of a kind with members; the first is its facilitator.
func (w *World) Space(kind space.Kind, name string, people ...*Person) gid.ID {
	w.T.Helper()
	id := w.NewID(gid.Space)
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		now := w.App.Config.Now()
		return tx.Space.Create().SetID(id).SetKind(kind).SetName(name).SetCreatedAt(now).SetUpdatedAt(now).Exec(ctx)
	})
	for i, p := range people {
		role := spacemembership.RoleMEMBER
		if i == 0 {
			role = spacemembership.RoleFACILITATOR
		}
		w.Join(id, p, role)
	}
	return id
}

// Join makes a member belong to a space.
func (w *World) Join(spaceID gid.ID, p *Person, role spacemembership.Role) gid.ID {
	w.T.Helper()
	id := w.NewID(gid.SpaceMembership)
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		now := w.App.Config.Now()
		return tx.SpaceMembership.Create().SetID(id).SetCreatedAt(now).SetStartsAt(now.Add(-time.Minute)).SetSpaceID(spaceID).SetMemberID(p.ID).SetRole(role).Exec(ctx)
	})
	return id
}

// Thread starts a thread.
func (w *World) Thread(p *Person, spaceID gid.ID, title, body string) gid.ID {
	w.T.Helper()
	t, err := w.App.Forum.CreateThread(p.Context(), p.Viewer, forum.NewThread{SpaceID: spaceID, Title: title, Body: body})
	if err != nil {
		w.T.Fatal(err)
	}
	return t.ID
}

// Post writes a post.
func (w *World) Post(p *Person, threadID gid.ID, body string) gid.ID {
	w.T.Helper()
	post, err := w.App.Forum.CreatePost(p.Context(), p.Viewer, forum.NewPost{ThreadID: threadID, Body: body})
	if err != nil {
		w.T.Fatal(err)
	}
	return post.ID
}

// Context is a context in which the person asks, for calling services directly.
func (p *Person) Context() context.Context {
	return viewer.NewContext(context.Background(), p.Viewer)
}

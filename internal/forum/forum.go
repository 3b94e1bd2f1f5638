// Package forum has the rules of discussion: threads, posts, reactions and how far each member has read.
//
// Every change of a thread locks the thread's row first. That gives posts and events their dense numbers and keeps the
// row's counters exact.
package forum

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/markdown"
	"github.com/pursuing-equity/commons/internal/newcomer"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
	"github.com/pursuing-equity/commons/internal/webhook"
)

// Service has the rules of discussion. All fields but PublicURL are needed.
type Service struct {
	Store    *store.Store
	Events   *event.Log
	Notify   *notify.Service
	Audit    *audit.Log
	Webhooks *webhook.Service // nil: nobody outside is told of merges and splits
	Markdown *markdown.Renderer
	// Newcomers limits what those write who are new.
	Newcomers *newcomer.Service
	// PublicURL is where this server is: addresses below it can name objects of the graph. Empty: no address does.
	PublicURL string
	Now       func() time.Time
	NewID     func(gid.Kind) gid.ID
	Logger    *slog.Logger
}

// locked is a thread whose row the transaction holds, with what the viewer may do in its space.
type locked struct {
	*ent.Thread
	space  *ent.Space
	rights access.SpaceRights
}

// lock loads a thread that the viewer can see and holds its row; NOT_FOUND otherwise.
func (s *Service) lock(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) (*locked, error) {
	t, err := tx.Thread.Query().Where(thread.ID(id), access.VisibleThreads(v), store.LockRow).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing().At("threadId")
	}
	if err != nil {
		return nil, fmt.Errorf("lock thread: %w", err)
	}
	spaces, rights, err := access.HeldSpaces(ctx, tx, v, space.ID(t.SpaceID))
	if err != nil {
		return nil, err
	}
	return &locked{Thread: t, space: spaces[t.SpaceID], rights: rights[t.SpaceID]}, nil
}

// writable says whether the thread takes posts, edits and reactions of the viewer's now.
func (l *locked) writable() error {
	switch {
	case l.space.ArchivedAt != nil:
		return fault.New(fault.Archived, "This space was archived; it is read only.")
	case !l.rights.Write:
		return fault.Denied("You can read this space but not write in it.")
	case l.MergedIntoID != nil:
		return fault.New(fault.ThreadLocked, "This thread was merged into another one; write there.")
	case l.Locked:
		return fault.New(fault.ThreadLocked, "This thread is locked.")
	}
	return nil
}

func (l *locked) moderable() error {
	if !l.rights.Moderate {
		return fault.Denied("Only those who moderate this space can do that.")
	}
	return nil
}

// record appends events to the thread's stream and remembers their number in the thread; save writes the row.
func (s *Service) record(ctx context.Context, tx *ent.Client, t *locked, at time.Time, e event.Entry) (*ent.ThreadUpdate, error) {
	seq, err := s.Events.Append(ctx, tx, t.ID, t.EventSeq, at, e)
	if err != nil {
		return nil, err
	}
	t.EventSeq = seq
	return tx.Thread.Update().Where(thread.ID(t.ID)).SetEventSeq(seq), nil
}

// Thread loads a thread that the viewer can see.
func (s *Service) Thread(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Thread, error) {
	t, err := s.Store.Client(ctx).Thread.Query().Where(thread.ID(id), access.VisibleThreads(v)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing()
	}
	return t, err
}

// IndicateTyping tells those who follow the thread's activity that the viewer is writing.
func (s *Service) IndicateTyping(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Thread, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	t, err := s.Thread(ctx, v, id)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Missing().At("threadId")
	}
	if err != nil {
		return nil, err
	}
	held, err := s.held(ctx, v, []*ent.Thread{t})
	if err != nil {
		return nil, err
	}
	l := held[t.SpaceID]
	l.Thread = t
	if err := l.writable(); err != nil {
		return nil, err
	}
	s.Events.Typing(id, me)
	return t, nil
}

// Readers returns a function that picks from members those who can see a thread: one statement, whatever their number.
func (s *Service) Readers(threadID gid.ID) func(context.Context, []gid.ID) ([]gid.ID, error) {
	return func(ctx context.Context, members []gid.ID) ([]gid.ID, error) {
		return s.Store.Client(ctx).Member.Query().Where(page.AnyOf(member.FieldID, members), access.ThreadReaders(threadID)).IDs(ctx)
	}
}

// Post loads a post that the viewer can see.
func (s *Service) Post(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Post, error) {
	p, err := s.Store.Client(ctx).Post.Query().Where(post.ID(id), access.VisiblePosts(v)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing()
	}
	return p, err
}

// maxMoves is how often a post may move while lockOf is after it.
const maxMoves = 3

// lockOf locks the thread of a post and loads the post; NOT_FOUND when the viewer cannot see it.
func (s *Service) lockOf(ctx context.Context, tx *ent.Client, v viewer.Viewer, postID gid.ID) (*locked, *ent.Post, error) {
	missing := fault.Missing().At("postId")
	for range maxMoves {
		p, err := tx.Post.Query().Where(post.ID(postID), access.VisiblePosts(v)).Only(ctx)
		if ent.IsNotFound(err) {
			return nil, nil, missing
		}
		if err != nil {
			return nil, nil, fmt.Errorf("load post: %w", err)
		}
		t, err := s.lock(ctx, tx, v, p.ThreadID)
		if fault.Is(err, fault.NotFound) {
			return nil, nil, missing
		}
		if err != nil {
			return nil, nil, err
		}
		p, err = tx.Post.Get(ctx, postID) // again, now that nobody else changes it
		if err != nil {
			return nil, nil, fmt.Errorf("load post: %w", err)
		}
		if p.ThreadID == t.ID { // else it was moved between the two
			return t, p, nil
		}
	}
	return nil, nil, fmt.Errorf("post %s moves from thread to thread", postID)
}

package forum

import (
	"cmp"
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/newcomer"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Limits of what can be written, in characters.
const (
	maxTitle  = 200
	maxBody   = 50_000
	maxReason = 2_000
)

// NewThread is a thread to start, with its first post.
type NewThread struct {
	SpaceID        gid.ID
	Title, Body    string
	Kind           thread.Kind `json:",omitempty"` // DISCUSSION when empty
	Tags           []string    `json:",omitempty"`
	PostExtras                 // of the first post
	IdempotencyKey *string     `json:"-"`
	// Then, if it is set, runs in the transaction once the thread is started: what it refuses was not started.
	Then func(ctx context.Context, tx *ent.Client) error `json:"-"`
	// Place, if it is set, makes the space in the transaction, for those who are named in With: what an idempotency key stands for.
	Place func(ctx context.Context, tx *ent.Client) (gid.ID, error) `json:"-"`
	With  []gid.ID                                                  `json:",omitempty"`
}

// CreateThread starts a thread with its first post. It returns NOT_FOUND when the viewer cannot see the space, FORBIDDEN when
// they may not write in it, ARCHIVED when nobody may.
func (s *Service) CreateThread(ctx context.Context, v viewer.Viewer, in NewThread) (*ent.Thread, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	title := check.Line("title", in.Title, 1, maxTitle)
	first := checkPost(&check, in.Body, in.PostExtras)
	kind := cmp.Or(in.Kind, thread.DefaultKind)
	checkKind(&check, kind)
	tags := CheckTags(&check, in.Tags)
	if err := check.Err(); err != nil {
		return nil, err
	}
	count, err := s.Newcomers.Post(ctx, v, newcomer.Written{Starts: true, Weigh: s.weigh(first.body)})
	if err != nil {
		return nil, err
	}
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		once := store.Once{Member: me, Operation: "createThread", Key: in.IdempotencyKey, Payload: in, At: s.Now()}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) {
			if err := count(ctx, tx); err != nil {
				return gid.ID{}, err
			}
			place := in.SpaceID
			if in.Place != nil {
				if place, err = in.Place(ctx, tx); err != nil {
					return gid.ID{}, err
				}
			}
			sp, rights, err := access.Space(ctx, tx, v, place)
			if fault.Is(err, fault.NotFound) {
				return gid.ID{}, fault.Missing().At("spaceId")
			}
			if err != nil {
				return gid.ID{}, err
			}
			now := s.Now()
			t := &locked{Thread: &ent.Thread{ID: s.NewID(gid.Thread), SpaceID: sp.ID, AuthorID: me, Title: title}, space: sp, rights: rights}
			if err := t.writable(); err != nil {
				return gid.ID{}, err
			}
			if err := t.filed(kind); err != nil {
				return gid.ID{}, err
			}
			err = tx.Thread.Create().SetID(t.ID).SetSpaceID(sp.ID).SetAuthorID(me).SetTitle(title).SetKind(kind).
				SetCreatedAt(now).SetUpdatedAt(now).SetLastActivityAt(now).Exec(ctx)
			if err != nil {
				return gid.ID{}, fmt.Errorf("create thread: %w", err)
			}
			if err := s.tag(ctx, tx, t.ID, tags, now); err != nil {
				return gid.ID{}, err
			}
			if err := indexThread(ctx, tx, t.ID, title, tags); err != nil {
				return gid.ID{}, err
			}
			_, err = s.addPost(ctx, tx, t, me, now, first)
			if err == nil && in.Then != nil {
				err = in.Then(ctx, tx)
			}
			return t.ID, err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Thread(ctx, v, id)
}

// RenameThread gives a thread another title. For its author, and whoever moderates it.
func (s *Service) RenameThread(ctx context.Context, v viewer.Viewer, id gid.ID, title string) (*ent.Thread, error) {
	var check input.Checker
	title = check.Line("title", title, 1, maxTitle)
	if err := check.Err(); err != nil {
		return nil, err
	}
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, t *locked, u *ent.ThreadUpdate) error {
		if err := t.changeable(v); err != nil {
			return err
		}
		tags, err := tagsOf(ctx, tx, t.ID)
		if err != nil {
			return err
		}
		u.SetTitle(title)
		return indexThread(ctx, tx, t.ID, title, tags)
	})
}

// PinThread holds a thread at the top of its space, or lets it go.
func (s *Service) PinThread(ctx context.Context, v viewer.Viewer, id gid.ID, pinned bool) (*ent.Thread, error) {
	return s.change(ctx, v, id, func(_ context.Context, _ *ent.Client, t *locked, u *ent.ThreadUpdate) error {
		u.SetPinned(pinned)
		return t.moderable()
	})
}

// LockThread stops new posts, edits and reactions. The reason stands with the thread and not in the audit log, which never forgets:
// members who look after a group write it.
func (s *Service) LockThread(ctx context.Context, v viewer.Viewer, id gid.ID, reason string) (*ent.Thread, error) {
	var check input.Checker
	reason = check.Text("reason", reason, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, t *locked, u *ent.ThreadUpdate) error {
		if err := t.moderable(); err != nil {
			return err
		}
		u.SetLocked(true).SetLockReason(reason)
		if me, ok := v.MemberID(); ok {
			u.SetLockedByID(me)
		}
		return s.lockedBy(ctx, tx, v, t, reason)
	})
}

// lockedBy writes down that a thread was locked.
func (s *Service) lockedBy(ctx context.Context, tx *ent.Client, v viewer.Viewer, t *locked, reason string) error {
	return s.Audit.Moderated(ctx, tx, v, audit.Act{
		Kind: moderationaction.KindLOCK, Action: audit.ThreadLocked, Subject: t.ID, Space: t.space, Thread: t.ID, Member: t.AuthorID, Reason: reason,
	})
}

// UnlockThread opens a locked thread again.
func (s *Service) UnlockThread(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Thread, error) {
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, t *locked, u *ent.ThreadUpdate) error {
		if err := t.moderable(); err != nil {
			return err
		}
		u.SetLocked(false).SetLockReason("").ClearLockedByID()
		return s.Audit.Moderated(ctx, tx, v, audit.Act{Kind: moderationaction.KindUNLOCK, Action: audit.ThreadUnlocked, Subject: t.ID, Space: t.space, Thread: t.ID, Member: t.AuthorID})
	})
}

// MoveThread moves a thread to another space that the viewer moderates too. Nothing leaves or enters a hidden space: what was
// said in confidence stays there, and no name of such a space gets into a log outside.
func (s *Service) MoveThread(ctx context.Context, v viewer.Viewer, id, spaceID gid.ID) (*ent.Thread, error) {
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, t *locked, u *ent.ThreadUpdate) error {
		if err := t.moderable(); err != nil {
			return err
		}
		to, rights, err := access.Space(ctx, tx, v, spaceID)
		if fault.Is(err, fault.NotFound) {
			return fault.Missing().At("spaceId")
		}
		if err != nil {
			return err
		}
		target := &locked{Thread: t.Thread, space: to, rights: rights}
		if err := target.moderable(); err != nil {
			return err
		}
		if access.Hidden(t.space.Kind) || access.Hidden(to.Kind) {
			return fault.Denied("A thread never leaves or enters a hidden space.")
		}
		if to.ArchivedAt != nil || t.space.ArchivedAt != nil {
			return fault.New(fault.Archived, "This space was archived; it is read only.")
		}
		if err := forgetArchivesOf(ctx, tx, t.SpaceID, s.Now()); err != nil { // what is deleted there is not looked for here
			return err
		}
		u.SetSpaceID(to.ID)
		return s.tell(ctx, tx, v, t, audit.Entry{Action: audit.ThreadMoved, Subject: t.ID})
	})
}

// tell writes down what was done in a thread's space to others' words.
func (s *Service) tell(ctx context.Context, tx *ent.Client, v viewer.Viewer, t *locked, e audit.Entry) error {
	e.Space = access.HiddenID(t.space)
	return s.Audit.Append(ctx, tx, v, e)
}

// change runs one change of a thread's own fields and tells those who follow it.
func (s *Service) change(ctx context.Context, v viewer.Viewer, id gid.ID, do func(context.Context, *ent.Client, *locked, *ent.ThreadUpdate) error) (*ent.Thread, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		t, err := s.lock(ctx, tx, v, id)
		if err != nil {
			return err
		}
		now := s.Now()
		u, err := s.record(ctx, tx, t, now, event.Entry{Kind: event.ThreadChanged, Object: t.ID, Actor: me})
		if err != nil {
			return err
		}
		if err := do(ctx, tx, t, u.SetUpdatedAt(now)); err != nil {
			return err
		}
		return u.Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return s.Thread(ctx, v, id)
}

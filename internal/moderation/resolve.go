package moderation

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/flag"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Outcome is what a moderator finds of flags.
type Outcome string

// Outcomes.
const (
	Upheld    Outcome = "UPHELD"
	Dismissed Outcome = "DISMISSED"
)

// Measure is what a moderator does about a post that was flagged.
type Measure string

// Measures.
const (
	Nothing Measure = "NONE"
	Hide    Measure = "HIDE"
	Warn    Measure = "WARN"
	Lock    Measure = "LOCK"
)

// Resolution is what a moderator decides about the flags on a post.
type Resolution struct {
	PostID  gid.ID
	Outcome Outcome
	Measure Measure
	Reason  string
}

func (r Resolution) check() (Resolution, error) {
	var check input.Checker
	least := 0
	if r.Measure == Warn {
		least = 1
	}
	r.Reason = check.Text("reason", r.Reason, least, maxReason)
	if r.Outcome == Dismissed && r.Measure != Nothing {
		check.Refuse("action", "Flags that are dismissed have no consequence.")
	}
	return r, check.Err()
}

// ResolveFlags decides about all flags on a post that wait. It returns NOT_FOUND when the viewer cannot see the post, FORBIDDEN when they do
// not moderate it or wrote it, and ALREADY_EXISTS, with the post as it is now, when no flag waits: somebody else was first.
func (s *Service) ResolveFlags(ctx context.Context, v viewer.Viewer, r Resolution) (*ent.Post, error) {
	r, err := r.check()
	if err != nil {
		return nil, err
	}
	err = s.judge(ctx, v, r.PostID, func(ctx context.Context, tx *ent.Client, j *forum.Judged, at time.Time) error {
		waiting, err := open(ctx, tx, r.PostID)
		if err != nil {
			return err
		}
		if len(waiting) == 0 {
			return fault.New(fault.AlreadyExists, "No flag on this post waits: somebody else decided.").At("postId")
		}
		switch r.Measure {
		case Hide:
			err = j.Hide(ctx, tx, r.Reason)
		case Lock:
			err = j.Lock(ctx, tx, r.Reason)
		case Warn:
			_, err = s.warn(ctx, tx, v, warning{space: j.Space, post: j.Post, member: j.Post.AuthorID, text: r.Reason, at: at})
		case Nothing:
		}
		if err != nil {
			return err
		}
		return s.resolve(ctx, tx, v, j, waiting, flag.State(r.Outcome), r.Reason, at)
	})
	if err != nil && !fault.Is(err, fault.AlreadyExists) {
		return nil, err
	}
	p, failed := s.Forum.Post(ctx, v, r.PostID)
	if failed != nil {
		return nil, failed
	}
	return p, err
}

// HidePost hides a post, and upholds the flags on it that wait. It returns NOT_FOUND and FORBIDDEN as ResolveFlags does.
func (s *Service) HidePost(ctx context.Context, v viewer.Viewer, id gid.ID, reason string) (*ent.Post, error) {
	return s.decide(ctx, v, id, reason, func(ctx context.Context, tx *ent.Client, j *forum.Judged, reason string, at time.Time) error {
		if err := j.Hide(ctx, tx, reason); err != nil {
			return err
		}
		waiting, err := open(ctx, tx, id)
		if err != nil || len(waiting) == 0 {
			return err
		}
		return s.resolve(ctx, tx, v, j, waiting, flag.StateUPHELD, reason, at)
	})
}

// UnhidePost shows a hidden post again. It returns NOT_FOUND and FORBIDDEN as ResolveFlags does.
func (s *Service) UnhidePost(ctx context.Context, v viewer.Viewer, id gid.ID, reason string) (*ent.Post, error) {
	return s.decide(ctx, v, id, reason, func(ctx context.Context, tx *ent.Client, j *forum.Judged, reason string, _ time.Time) error {
		return j.Restore(ctx, tx, reason)
	})
}

// decide is a moderator's act on a post, for a reason.
func (s *Service) decide(ctx context.Context, v viewer.Viewer, id gid.ID, reason string,
	do func(ctx context.Context, tx *ent.Client, j *forum.Judged, reason string, at time.Time) error,
) (*ent.Post, error) {
	var check input.Checker
	reason = check.Text("reason", reason, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	err := s.judge(ctx, v, id, func(ctx context.Context, tx *ent.Client, j *forum.Judged, at time.Time) error {
		return do(ctx, tx, j, reason, at)
	})
	if err != nil {
		return nil, err
	}
	return s.Forum.Post(ctx, v, id)
}

// judge runs a moderator's act on a post while its thread is held.
func (s *Service) judge(ctx context.Context, v viewer.Viewer, id gid.ID, do func(ctx context.Context, tx *ent.Client, j *forum.Judged, at time.Time) error) error {
	if _, err := access.SignedIn(v); err != nil {
		return err
	}
	var judged *forum.Judged
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		at := s.Now()
		j, err := s.Forum.Judge(ctx, tx, v, id, at)
		if err != nil {
			return err
		}
		judged = j
		return do(ctx, tx, j, at)
	})
	if err != nil {
		return err
	}
	// It is done, whatever becomes of what is told elsewhere.
	if err := s.Forum.RequoteElsewhere(ctx, judged); err != nil {
		s.Logger.WarnContext(ctx, "who follows other threads is not told of a quote that changed", "post", id, "error", err.Error())
	}
	return nil
}

// open are the flags on a post that wait. The thread is held, and so nobody else raises or resolves one.
func open(ctx context.Context, tx *ent.Client, postID gid.ID) ([]*ent.Flag, error) {
	rows, err := tx.Flag.Query().Where(flag.PostID(postID), flag.ResolvedAtIsNil(), store.LockRow).Order(flag.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load flags: %w", err)
	}
	return rows, nil
}

// resolve closes flags, and tells those who raised them, if they can still read there, and who else moderates.
func (s *Service) resolve(ctx context.Context, tx *ent.Client, v viewer.Viewer, j *forum.Judged, waiting []*ent.Flag, state flag.State, reason string, at time.Time) error {
	me, err := access.SignedIn(v)
	if err != nil {
		return err
	}
	ids, reporters := make([]gid.ID, len(waiting)), make([]gid.ID, len(waiting))
	of := make(map[gid.ID]gid.ID, len(waiting))
	for i, f := range waiting {
		ids[i], reporters[i], of[f.ReporterID] = f.ID, f.ReporterID, f.ID
	}
	err = tx.Flag.Update().Where(page.AnyOf(flag.FieldID, ids)).SetState(state).SetResolverID(me).SetResolvedAt(at).SetResolution(reason).Exec(ctx)
	if err != nil {
		return fmt.Errorf("resolve flags: %w", err)
	}
	readers, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, reporters), access.ThreadReaders(j.Post.ThreadID)).IDs(ctx)
	if err != nil {
		return fmt.Errorf("find whom to tell: %w", err)
	}
	entries := make(map[gid.ID]event.Entry, len(readers))
	for _, id := range readers {
		entries[id] = event.Entry{Kind: event.FlagResolved, Object: of[id]}
	}
	if err := s.Events.AppendToMembers(ctx, tx, at, entries); err != nil {
		return err
	}
	if err := s.tellModerators(ctx, tx, j, at); err != nil {
		return err
	}
	if err := s.Notify.FlagsResolved(ctx, tx, j.Post.ID, at); err != nil {
		return err
	}
	others := slices.DeleteFunc(readers, func(id gid.ID) bool { return id == me })
	if err := s.Notify.Moderated(ctx, tx, j.Post, notify.FlagResolved, others, at); err != nil {
		return err
	}
	return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.FlagsResolved, Subject: j.Post.ID, Space: access.HiddenID(j.Space)})
}

// MarshalGQL writes the SDL's FlagOutcome.
func (o Outcome) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(o))) }

// UnmarshalGQL reads the SDL's FlagOutcome.
func (o *Outcome) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if *o = Outcome(s); !ok || *o != Upheld && *o != Dismissed {
		return fmt.Errorf("%v is no outcome", v)
	}
	return nil
}

// MarshalGQL writes the SDL's FlagMeasure.
func (m Measure) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(m))) }

// UnmarshalGQL reads the SDL's FlagMeasure.
func (m *Measure) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	switch *m = Measure(s); {
	case !ok:
		return fmt.Errorf("%v is no measure", v)
	case *m == Nothing, *m == Hide, *m == Warn, *m == Lock:
		return nil
	}
	return fmt.Errorf("%v is no measure", v)
}

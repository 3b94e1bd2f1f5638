package moderation

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/flag"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
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

const (
	maxReason = 2_000 // characters
	// newest is how many of their own flags and warnings a member is shown.
	newest = 100
	// mostTold is how many moderators are told of one flag at once. The others find it in their queue.
	mostTold = 200
)

// flagRate is how often a member can flag.
var flagRate = store.Throttle{Burst: 20, Refill: time.Hour}

// NewFlag is a post to flag, and why.
type NewFlag struct {
	PostID         gid.ID
	Reason         flag.Reason
	Note           string
	IdempotencyKey *string `json:"-"`
}

// FlagPost tells those who moderate a post's space that it does harm. It returns NOT_FOUND when the viewer cannot see the post, FORBIDDEN
// for their own and in direct conversations, ALREADY_EXISTS while a flag of theirs waits, and LIMIT_REACHED for too many.
//
// Nothing of it is in the audit log: the log of a hidden space is read by all who belong to it, and who flagged is not for them.
func (s *Service) FlagPost(ctx context.Context, v viewer.Viewer, in NewFlag) (*ent.Flag, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	least := 0
	if in.Reason == flag.ReasonOTHER {
		least = 1
	}
	in.Note = check.Text("note", in.Note, least, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	if err := s.countFlag(ctx, me, in.IdempotencyKey); err != nil {
		return nil, err
	}
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		once := store.Once{Member: me, Operation: "flagPost", Key: in.IdempotencyKey, Payload: in, At: s.Now()}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) { return s.flag(ctx, tx, v, me, in) })
		return err
	})
	if err != nil {
		return nil, err
	}
	f, err := s.Store.Client(ctx).Flag.Query().Where(flag.ID(id), access.VisibleFlags(v)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing()
	}
	return f, err
}

// countFlag counts a flag of a member's, unless it was raised with the key before.
func (s *Service) countFlag(ctx context.Context, me gid.ID, key *string) error {
	if s.Unlimited {
		return nil
	}
	if key != nil {
		if _, found, err := s.Store.Result(ctx, me, *key); err != nil || found {
			return err
		}
	}
	wait, err := s.Store.Take(ctx, "flag "+me.String(), flagRate, s.Now())
	if err != nil || wait == 0 {
		return err
	}
	return fault.New(fault.LimitReached, "You have flagged %d posts. You can flag one more every hour.", flagRate.Burst).After(wait)
}

func (s *Service) flag(ctx context.Context, tx *ent.Client, v viewer.Viewer, me gid.ID, in NewFlag) (gid.ID, error) {
	now := s.Now()
	held, err := s.Forum.Hold(ctx, tx, v, in.PostID, now)
	if err != nil {
		return gid.ID{}, err
	}
	if err := held.CanFlag(); err != nil {
		return gid.ID{}, err
	}
	waits, err := tx.Flag.Query().Where(flag.PostID(in.PostID), flag.ReporterID(me), flag.ResolvedAtIsNil()).Exist(ctx)
	if err != nil {
		return gid.ID{}, fmt.Errorf("look for a flag: %w", err)
	}
	if waits {
		return gid.ID{}, fault.New(fault.AlreadyExists, "You flagged this post. It waits for a moderator.").At("postId")
	}
	id := s.NewID(gid.Flag)
	err = tx.Flag.Create().SetID(id).SetCreatedAt(now).SetPostID(in.PostID).SetReporterID(me).SetReason(in.Reason).SetNote(in.Note).Exec(ctx)
	if err != nil {
		return gid.ID{}, fmt.Errorf("flag post: %w", err)
	}
	if err := s.tellModerators(ctx, tx, held, now); err != nil {
		return gid.ID{}, err
	}
	more, err := tx.Flag.Query().Where(flag.PostID(in.PostID), flag.ResolvedAtIsNil(), flag.IDNEQ(id)).Exist(ctx)
	if err != nil || more { // those who moderate were told with the first one
		return id, err
	}
	moderators, err := moderatorsOf(ctx, tx, held, me)
	if err != nil {
		return gid.ID{}, err
	}
	return id, s.Notify.Moderated(ctx, tx, held.Post, notify.Flagged, moderators, now)
}

// moderatorsOf are those who moderate a post's space, but for its author and one more.
func moderatorsOf(ctx context.Context, tx *ent.Client, of *forum.Judged, but gid.ID) ([]gid.ID, error) {
	ids, err := tx.Member.Query().Where(access.SpaceModerators(of.Space.ID), member.IDNotIn(of.Post.AuthorID, but)).Order(member.ByID()).Limit(mostTold).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("find moderators: %w", err)
	}
	return ids, nil
}

// tellModerators tells the devices of those who moderate a post's space that its flags have changed: not its author, and not who did it.
func (s *Service) tellModerators(ctx context.Context, tx *ent.Client, of *forum.Judged, at time.Time) error {
	ids, err := moderatorsOf(ctx, tx, of, of.Post.AuthorID)
	if err != nil {
		return err
	}
	entries := make(map[gid.ID]event.Entry, len(ids))
	for _, id := range ids {
		entries[id] = event.Entry{Kind: event.QueueChanged, Object: of.Post.ID}
	}
	return s.Events.AppendToMembers(ctx, tx, at, entries)
}

// Flags are those that the viewer raised on posts that they can still see, the newest first: 100 at most. One statement.
func (s *Service) Flags(ctx context.Context, v viewer.Viewer) ([]*ent.Flag, error) {
	rows, err := s.Store.Client(ctx).Flag.Query().Where(access.OwnFlags(v)).Order(ent.Desc(flag.FieldID)).Limit(newest).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load flags: %w", err)
	}
	return rows, nil
}

// FlagsByID loads flags that the viewer can see: one statement.
func (s *Service) FlagsByID(ctx context.Context, v viewer.Viewer, ids []gid.ID) ([]*ent.Flag, error) {
	rows, err := s.Store.Client(ctx).Flag.Query().Where(page.AnyOf(flag.FieldID, ids), access.VisibleFlags(v)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load flags: %w", err)
	}
	return rows, nil
}

// ViewerFlags are the viewer's own on posts that wait, nil for none: one statement.
func (s *Service) ViewerFlags(ctx context.Context, v viewer.Viewer, posts []*ent.Post) ([]*ent.Flag, error) {
	out := make([]*ent.Flag, len(posts))
	me, ok := v.MemberID()
	if !ok {
		return out, nil
	}
	ids := make([]gid.ID, len(posts))
	for i, p := range posts {
		ids[i] = p.ID
	}
	rows, err := s.Store.Client(ctx).Flag.Query().Where(page.AnyOf(flag.FieldPostID, ids), flag.ReporterID(me), flag.ResolvedAtIsNil()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the viewer's flags: %w", err)
	}
	for i, p := range posts {
		for _, f := range rows {
			if f.PostID == p.ID {
				out[i] = f
			}
		}
	}
	return out, nil
}

// Judges says for each flag whether the viewer moderates its post and did not write it: one statement.
func (s *Service) Judges(ctx context.Context, v viewer.Viewer, flags []*ent.Flag) ([]bool, error) {
	ids := make([]gid.ID, len(flags))
	for i, f := range flags {
		ids[i] = f.ID
	}
	judged, err := s.Store.Client(ctx).Flag.Query().Where(page.AnyOf(flag.FieldID, ids), access.JudgedFlags(v)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for what the viewer moderates: %w", err)
	}
	is := make(map[gid.ID]bool, len(judged))
	for _, id := range judged {
		is[id] = true
	}
	out := make([]bool, len(flags))
	for i, f := range flags {
		out[i] = is[f.ID]
	}
	return out, nil
}

// first is true for the first of the flags on a post that wait: it stands for the post.
func first(s *sql.Selector) {
	before := sql.Dialect(s.Dialect()).Select().From(sql.Table(flag.Table).As("before"))
	before.Select(before.C(flag.FieldID)).Where(sql.And(
		sql.ColumnsEQ(before.C(flag.FieldPostID), s.C(flag.FieldPostID)), sql.ColumnsLT(before.C(flag.FieldID), s.C(flag.FieldID)),
		sql.IsNull(before.C(flag.FieldResolvedAt))))
	s.Where(sql.And(sql.IsNull(s.C(flag.FieldResolvedAt)), sql.Not(sql.Exists(before))))
}

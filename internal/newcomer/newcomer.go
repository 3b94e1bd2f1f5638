// Package newcomer keeps those who are new from doing much at once: an account in the wrong hands, or made to do harm, is new. Rates are
// counted in the database, and so over all servers together.
package newcomer

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Who is new: for newFor after they joined, and until enough posts of theirs stand. These, and what they may do, are those of Discourse's
// new users, but for the posts: here people come to answer each other in a call of an hour.
const (
	newFor = 7 * 24 * time.Hour
	enough = 5

	postsAnHour       = 10
	threadsADay       = 3
	linksAPost        = 3
	mentionsAPost     = 5
	conversationsADay = 3
	introductionsADay = 1

	day = 24 * time.Hour
)

// Service has the limits of those who are new. All fields but Off are needed. Of nil, nobody is new.
type Service struct {
	Store *store.Store
	Now   func() time.Time
	Off   bool // no rates hold: nobody is new
}

// Limits are what a member who is new may do.
type Limits struct {
	JoinedLongAgoAt time.Time
	PostsToGo       int

	PostsPerHour, ThreadsPerDay, LinksPerPost, MentionsPerPost, DirectConversationsPerDay, IntroductionsPerDay int
}

// Limits are the viewer's; nil for who is not new. At most three statements.
func (s *Service) Limits(ctx context.Context, v viewer.Viewer) (*Limits, error) {
	me, is, err := s.isNew(ctx, v)
	if err != nil || !is {
		return nil, err
	}
	c := s.Store.Client(ctx)
	m, err := c.Member.Query().Where(member.ID(me)).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load member: %w", err)
	}
	standing, err := c.Post.Query().Where(post.AuthorID(me), post.DeletedAtIsNil(), post.HiddenAtIsNil()).Limit(enough).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for the member's posts: %w", err)
	}
	return &Limits{
		JoinedLongAgoAt: m.CreatedAt.Add(newFor), PostsToGo: enough - len(standing),
		PostsPerHour: postsAnHour, ThreadsPerDay: threadsADay, LinksPerPost: linksAPost, MentionsPerPost: mentionsAPost,
		DirectConversationsPerDay: conversationsADay, IntroductionsPerDay: introductionsADay,
	}, nil
}

// isNew says whether the viewer is new: one statement.
func (s *Service) isNew(ctx context.Context, v viewer.Viewer) (gid.ID, bool, error) {
	me, ok := v.MemberID()
	if !ok || s == nil || s.Off {
		return me, false, nil
	}
	known, err := s.Store.Client(ctx).Member.Query().Where(member.ID(me), sql.OrPredicates(
		access.TrustedMembers(), sql.AndPredicates(member.CreatedAtLTE(s.Now().Add(-newFor)), hasWritten))).Exist(ctx)
	if err != nil {
		return me, false, fmt.Errorf("look for who is new: %w", err)
	}
	return me, !known, nil
}

// hasWritten is true for a member of whom enough posts stand: the last of them is looked for, and no more.
func hasWritten(s *sql.Selector) {
	p := sql.Dialect(s.Dialect()).Select().From(sql.Table(post.Table))
	p.Select(p.C(post.FieldID)).Where(sql.And(
		sql.ColumnsEQ(p.C(post.FieldAuthorID), s.C(member.FieldID)), sql.IsNull(p.C(post.FieldDeletedAt)), sql.IsNull(p.C(post.FieldHiddenAt)))).
		Offset(enough - 1).Limit(1)
	s.Where(sql.Exists(p))
}

// Written is a post that somebody is about to write.
type Written struct {
	Edit   bool // the post is there already
	Starts bool // it begins a thread
	// Weigh counts what is in it: links, and members, teams and roles that are mentioned.
	Weigh func() (links, mentions int)
}

// Count counts a post in the transaction that writes it, before any other row is locked: what is not written is not counted. It returns
// LIMIT_REACHED for who has written too many.
type Count func(ctx context.Context, tx *ent.Client) error

// Post looks at a post of the viewer's, and returns what counts it. It returns LIMIT_REACHED for who is new and has too much in it.
func (s *Service) Post(ctx context.Context, v viewer.Viewer, w Written) (Count, error) {
	free := func(context.Context, *ent.Client) error { return nil }
	me, is, err := s.isNew(ctx, v)
	if err != nil || !is {
		return free, err
	}
	links, mentions := w.Weigh()
	switch {
	case links > linksAPost:
		return nil, fault.New(fault.LimitReached, "While you are new here, a post of yours holds at most %d links.", linksAPost).At("body")
	case mentions > mentionsAPost:
		return nil, fault.New(fault.LimitReached, "While you are new here, a post of yours mentions at most %d members, teams and roles.", mentionsAPost).At("body")
	case w.Edit:
		return free, nil
	}
	return func(ctx context.Context, tx *ent.Client) error {
		in := func(key string, t store.Throttle) (time.Duration, error) {
			return s.Store.TakeIn(ctx, tx, key, t, s.Now())
		}
		if err := take(in, me, "posts", postsAnHour, time.Hour); err != nil || !w.Starts {
			return err
		}
		return take(in, me, "threads", threadsADay, day)
	}, nil
}

// Conversation counts a direct conversation that the viewer is about to start. It returns LIMIT_REACHED for who is new and has started too
// many.
func (s *Service) Conversation(ctx context.Context, v viewer.Viewer, key *string) error {
	return s.count(ctx, v, key, "direct conversations", conversationsADay)
}

// Introduction counts members whom the viewer is about to bring together, as Conversation does.
func (s *Service) Introduction(ctx context.Context, v viewer.Viewer, key *string) error {
	return s.count(ctx, v, key, "introductions", introductionsADay)
}

func (s *Service) count(ctx context.Context, v viewer.Viewer, key *string, what string, most int) error {
	me, is, err := s.isNew(ctx, v)
	if err != nil || !is {
		return err
	}
	if done, err := s.done(ctx, me, key); err != nil || done {
		return err
	}
	return take(func(key string, t store.Throttle) (time.Duration, error) { return s.Store.Take(ctx, key, t, s.Now()) }, me, what, most, day)
}

// done says whether something was done with an idempotency key before.
func (s *Service) done(ctx context.Context, me gid.ID, key *string) (bool, error) {
	if key == nil {
		return false, nil
	}
	_, found, err := s.Store.Result(ctx, me, *key)
	return found, err
}

// take counts an act, of which there are so many at once, and then so many within a time.
func take(by func(key string, t store.Throttle) (time.Duration, error), me gid.ID, what string, most int, within time.Duration) error {
	wait, err := by("newcomer "+what+" "+me.String(), store.Throttle{Burst: most, Refill: within / time.Duration(most)})
	if err != nil || wait == 0 {
		return err
	}
	return fault.New(fault.LimitReached, "While you are new here, you have %d %s within %s. Try again in %s.",
		most, what, within, max(time.Minute, wait.Round(time.Minute))).After(wait)
}

package forum

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/poll"
	"github.com/pursuing-equity/commons/ent/polloption"
	"github.com/pursuing-equity/commons/ent/pollvote"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Limits of polls: how many options there are, and how long question and options, in characters.
const (
	minOptions  = 2
	maxOptions  = 10
	maxQuestion = 200
	maxLabel    = 100
)

// NewPoll is a poll that comes with a post.
type NewPoll struct {
	Question string
	Options  []string
	Multiple bool       // whether a member may choose several options
	ClosesAt *time.Time `json:",omitempty"`
}

// checkPoll returns the poll as it is kept; nil for none.
func checkPoll(check *input.Checker, in *NewPoll) *NewPoll {
	if in == nil {
		return nil
	}
	p := &NewPoll{Question: check.Line("poll.question", in.Question, 1, maxQuestion), Multiple: in.Multiple, ClosesAt: in.ClosesAt}
	if len(in.Options) < minOptions || len(in.Options) > maxOptions {
		check.Refuse("poll.options", "A poll has %d to %d options.", minOptions, maxOptions)
		return p
	}
	for i, o := range in.Options {
		path := "poll.options." + strconv.Itoa(i)
		label := check.Line(path, o, 1, maxLabel)
		if slices.ContainsFunc(p.Options, func(other string) bool { return strings.EqualFold(other, label) }) {
			check.Refuse(path, "This option is there already.")
		}
		p.Options = append(p.Options, label)
	}
	return p
}

// addPoll writes the poll of a new post.
func (s *Service) addPoll(ctx context.Context, tx *ent.Client, postID gid.ID, in *NewPoll, now time.Time) error {
	if in == nil {
		return nil
	}
	if in.ClosesAt != nil && !in.ClosesAt.After(now) { // here, so that a retry with the same key finds what it made, however late it comes
		return fault.Invalid("poll.closesAt", "This must be in the future.")
	}
	id := s.NewID(gid.Poll)
	err := tx.Poll.Create().SetID(id).SetCreatedAt(now).SetPostID(postID).SetQuestion(in.Question).SetMultiple(in.Multiple).SetNillableClosesAt(in.ClosesAt).Exec(ctx)
	if err != nil {
		return fmt.Errorf("create poll: %w", err)
	}
	rows := make([]*ent.PollOptionCreate, len(in.Options))
	for i, label := range in.Options {
		rows[i] = tx.PollOption.Create().SetID(s.NewID(gid.PollOption)).SetCreatedAt(now).SetPollID(id).SetPosition(i).SetLabel(label)
	}
	if err := tx.PollOption.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("create options: %w", err)
	}
	return nil
}

// PollClosed reports whether a poll takes no more votes: from the instant at which it closes.
func (s *Service) PollClosed(p *ent.Poll) bool {
	return p.ClosesAt != nil && !s.Now().Before(*p.ClosesAt)
}

// Vote gives the viewer's vote in a poll, in the place of any that they gave before; no options take it back. It returns NOT_FOUND for a
// poll that they cannot see and for an option of another poll, and FORBIDDEN once the poll is closed. For whoever may write in the thread.
func (s *Service) Vote(ctx context.Context, v viewer.Viewer, pollID gid.ID, optionIDs []gid.ID) (*ent.Poll, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	if len(optionIDs) > maxOptions {
		return nil, fault.Invalid("optionIds", "A poll has at most %d options.", maxOptions)
	}
	found, err := s.Poll(ctx, v, pollID)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Missing().At("pollId")
	}
	if err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		t, p, err := s.lockOf(ctx, tx, v, found.PostID)
		if fault.Is(err, fault.NotFound) {
			return fault.Missing().At("pollId")
		}
		if err != nil {
			return err
		}
		if p.DeletedAt != nil || p.HiddenAt != nil { // meanwhile
			return fault.Missing().At("pollId")
		}
		if err := t.writable(); err != nil {
			return err
		}
		if s.PollClosed(found) {
			return fault.Denied("This poll is closed.")
		}
		if len(optionIDs) > 1 && !found.Multiple {
			return fault.Invalid("optionIds", "Choose one option.")
		}
		changed, err := s.count(ctx, tx, found, me, optionIDs)
		if err != nil || !changed {
			return err
		}
		return s.touch(ctx, tx, t, s.Now(), event.Entry{Kind: event.PollChanged, Object: p.ID})
	})
	if err != nil {
		return nil, err
	}
	return s.Poll(ctx, v, pollID)
}

// count keeps a member's vote and the poll's counts, while the thread is held, and reports whether there was anything to change.
func (s *Service) count(ctx context.Context, tx *ent.Client, p *ent.Poll, me gid.ID, chosen []gid.ID) (bool, error) {
	options, err := tx.PollOption.Query().Where(polloption.PollID(p.ID)).All(ctx)
	if err != nil {
		return false, fmt.Errorf("load options: %w", err)
	}
	for i, id := range chosen {
		if !slices.ContainsFunc(options, func(o *ent.PollOption) bool { return o.ID == id }) {
			return false, fault.Missing().At("optionIds." + strconv.Itoa(i))
		}
	}
	votes, err := tx.PollVote.Query().Where(pollvote.PollID(p.ID), pollvote.MemberID(me)).All(ctx)
	if err != nil {
		return false, fmt.Errorf("load votes: %w", err)
	}
	changed := false
	for _, o := range options {
		had := slices.ContainsFunc(votes, func(v *ent.PollVote) bool { return v.OptionID == o.ID })
		has := slices.Contains(chosen, o.ID)
		if had == has {
			continue
		}
		changed = true
		more := 1
		if has {
			err = tx.PollVote.Create().SetID(s.NewID(gid.PollVote)).SetCreatedAt(s.Now()).SetPollID(p.ID).SetOptionID(o.ID).SetMemberID(me).Exec(ctx)
		} else {
			more = -1
			_, err = tx.PollVote.Delete().Where(pollvote.OptionID(o.ID), pollvote.MemberID(me)).Exec(ctx)
		}
		if err != nil {
			return false, fmt.Errorf("keep a vote: %w", err)
		}
		if err := tx.PollOption.UpdateOneID(o.ID).AddVotes(more).Exec(ctx); err != nil {
			return false, fmt.Errorf("count votes: %w", err)
		}
	}
	if before, after := len(votes) > 0, len(chosen) > 0; before != after {
		more := 1
		if before {
			more = -1
		}
		if err := tx.Poll.UpdateOneID(p.ID).AddVoters(more).Exec(ctx); err != nil {
			return false, fmt.Errorf("count voters: %w", err)
		}
	}
	return changed, nil
}

// Poll loads a poll that the viewer can see.
func (s *Service) Poll(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Poll, error) {
	p, err := s.Store.Client(ctx).Poll.Query().Where(poll.ID(id), access.VisiblePolls(v)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing()
	}
	if err != nil {
		return nil, fmt.Errorf("load poll: %w", err)
	}
	return p, nil
}

// Polls are the polls of posts, nil where there is none or the post is hidden: one statement for all.
func (s *Service) Polls(ctx context.Context, posts []*ent.Post) ([]*ent.Poll, error) {
	rows, err := s.Store.Client(ctx).Poll.Query().Where(page.AnyOf(poll.FieldPostID, shown(posts))).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load polls: %w", err)
	}
	of := make(map[gid.ID]*ent.Poll, len(rows))
	for _, p := range rows {
		of[p.PostID] = p
	}
	polls := make([]*ent.Poll, len(posts))
	for i, p := range posts {
		polls[i] = of[p.ID]
	}
	return polls, nil
}

// PollOptions are the options of polls in their order: one statement for all.
func (s *Service) PollOptions(ctx context.Context, polls []*ent.Poll) ([][]*ent.PollOption, error) {
	ids := make([]gid.ID, len(polls))
	for i, p := range polls {
		ids[i] = p.ID
	}
	rows, err := s.Store.Client(ctx).PollOption.Query().Where(page.AnyOf(polloption.FieldPollID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load options: %w", err)
	}
	of := make(map[gid.ID][]*ent.PollOption, len(polls))
	for _, o := range rows {
		of[o.PollID] = append(of[o.PollID], o)
	}
	options := make([][]*ent.PollOption, len(polls))
	for i, p := range polls {
		slices.SortFunc(of[p.ID], func(a, b *ent.PollOption) int { return cmp.Compare(a.Position, b.Position) })
		options[i] = of[p.ID]
	}
	return options, nil
}

// ViewerVotes are the options that the viewer chose, and the polls in which they did: one statement for all polls.
func (s *Service) ViewerVotes(ctx context.Context, v viewer.Viewer, polls []gid.ID) (map[gid.ID]bool, error) {
	me, ok := v.MemberID()
	if !ok {
		return nil, nil
	}
	rows, err := s.Store.Client(ctx).PollVote.Query().Where(pollvote.MemberID(me), page.AnyOf(pollvote.FieldPollID, polls)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the viewer's votes: %w", err)
	}
	mine := make(map[gid.ID]bool, 2*len(rows))
	for _, r := range rows {
		mine[r.PollID], mine[r.OptionID] = true, true
	}
	return mine, nil
}

// CanVote says for each poll whether the viewer may vote in it now.
func (s *Service) CanVote(ctx context.Context, v viewer.Viewer, polls []*ent.Poll) ([]bool, error) {
	ids := make([]gid.ID, len(polls))
	for i, p := range polls {
		ids[i] = p.PostID
	}
	posts, err := s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load posts: %w", err)
	}
	able, err := s.PostAbilities(ctx, v, posts)
	if err != nil {
		return nil, err
	}
	of := make(map[gid.ID]bool, len(posts))
	for i, p := range posts {
		of[p.ID] = able[i].React
	}
	can := make([]bool, len(polls))
	for i, p := range polls {
		can[i] = of[p.PostID] && !s.PollClosed(p)
	}
	return can, nil
}

// erasePollVotes takes back how a member voted, as if they had done it by hand.
func (s *Service) erasePollVotes(ctx context.Context, voter gid.ID) error {
	votes, err := s.Store.Client(ctx).PollVote.Query().Where(pollvote.MemberID(voter)).All(ctx)
	if err != nil {
		return fmt.Errorf("load votes: %w", err)
	}
	ids := make([]gid.ID, len(votes))
	for i, v := range votes {
		ids[i] = v.PollID
	}
	polls, err := s.Store.Client(ctx).Poll.Query().Where(page.AnyOf(poll.FieldID, ids)).WithPost().All(ctx)
	if err != nil {
		return fmt.Errorf("load polls: %w", err)
	}
	of, posts := make(map[gid.ID]*ent.Poll, len(polls)), make([]*ent.Post, len(polls))
	for i, p := range polls {
		of[p.PostID], posts[i] = p, p.Edges.Post
	}
	return s.perThread(ctx, posts, func(ctx context.Context, tx *ent.Client, t *locked, posts []*ent.Post, now time.Time) error {
		var changed []*ent.Post
		for _, p := range posts {
			did, err := s.count(ctx, tx, of[p.ID], voter, nil)
			if err != nil {
				return err
			}
			if did {
				changed = append(changed, p)
			}
		}
		if len(changed) == 0 {
			return nil
		}
		u, err := s.announce(ctx, tx, t, changed, now, event.PollChanged, gid.ID{})
		if err != nil {
			return err
		}
		return u.Exec(ctx)
	})
}

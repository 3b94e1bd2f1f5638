package invariant

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/ent/watchsetting"
	"github.com/pursuing-equity/commons/internal/gid"
)

// Unread is what a member has not read.
type Unread struct{ Posts, Mentions int }

// pair is a member with a thread, a space or another member.
type pair struct{ member, other gid.ID }

// Recount counts what members have not read from the rows themselves, one by one. It uses no kept counter (not how many posts a thread
// has, nor how many of them do not count for a reader), and shares no code with the services, so that it can be held against them.
type Recount struct {
	threads   []*ent.Thread
	posts     map[gid.ID][]*ent.Post         // by thread
	mentions  map[gid.ID][]*ent.Notification // by thread: unread ones that are mentions
	authors   map[gid.ID]*ent.Post           // by post
	read      map[pair]int                   // of a member, how far they read a thread
	level     map[pair]watchsetting.Level    // of a member, for a thread or a space
	deaf      map[pair]bool                  // of a member, to another member
	belonging map[pair]bool                  // of a member, to a space
}

// NewRecount reads the rows of some spaces as they are at a time. The context must say that the system asks.
func NewRecount(ctx context.Context, client *ent.Client, at time.Time, spaces ...gid.ID) (*Recount, error) {
	r := &Recount{
		posts: map[gid.ID][]*ent.Post{}, mentions: map[gid.ID][]*ent.Notification{}, authors: map[gid.ID]*ent.Post{},
		read: map[pair]int{}, level: map[pair]watchsetting.Level{}, deaf: map[pair]bool{}, belonging: map[pair]bool{},
	}
	var err error
	if r.threads, err = client.Thread.Query().Where(thread.SpaceIDIn(spaces...)).All(ctx); err != nil {
		return nil, fmt.Errorf("read threads: %w", err)
	}
	within := thread.SpaceIDIn(spaces...)
	posts, err := client.Post.Query().Where(post.HasThreadWith(within)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read posts: %w", err)
	}
	for _, p := range posts {
		r.posts[p.ThreadID] = append(r.posts[p.ThreadID], p)
		r.authors[p.ID] = p
	}
	told, err := client.Notification.Query().Where(notification.HasThreadWith(within)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read notifications: %w", err)
	}
	for _, n := range told {
		if n.ReadAt == nil && n.Mentions {
			r.mentions[n.ThreadID] = append(r.mentions[n.ThreadID], n)
		}
	}
	states, err := client.ReadState.Query().Where(readstate.HasThreadWith(within)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read read states: %w", err)
	}
	for _, s := range states {
		r.read[pair{s.MemberID, s.ThreadID}] = s.LastReadSeq
	}
	return r, r.people(ctx, client, at, spaces)
}

// people reads who belongs to the spaces, what members want to hear and of whom they do not.
func (r *Recount) people(ctx context.Context, client *ent.Client, at time.Time, spaces []gid.ID) error {
	places, err := client.SpaceMembership.Query().Where(spacemembership.SpaceIDIn(spaces...)).All(ctx)
	if err != nil {
		return fmt.Errorf("read memberships: %w", err)
	}
	for _, m := range places {
		if m.EndsAt == nil || m.EndsAt.After(at) {
			r.belonging[pair{m.MemberID, m.SpaceID}] = true
		}
	}
	settings, err := client.WatchSetting.Query().All(ctx)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	for _, w := range settings {
		if w.ThreadID != nil {
			r.level[pair{w.MemberID, *w.ThreadID}] = w.Level
		} else if w.SpaceID != nil {
			r.level[pair{w.MemberID, *w.SpaceID}] = w.Level
		}
	}
	blocks, err := client.Block.Query().All(ctx)
	if err != nil {
		return fmt.Errorf("read blocks: %w", err)
	}
	for _, b := range blocks {
		r.deaf[pair{b.MemberID, b.BlockedID}] = true
	}
	return nil
}

// Threads are those that were read.
func (r *Recount) Threads() []*ent.Thread { return r.threads }

// Posts are those of a thread, in no order.
func (r *Recount) Posts(threadID gid.ID) []*ent.Post { return r.posts[threadID] }

// Belongs says whether a member belongs to a space.
func (r *Recount) Belongs(member, spaceID gid.ID) bool { return r.belonging[pair{member, spaceID}] }

// hears says whether a member hears of a post: blocking and muting silence its author, but for what opens an announcement.
func (r *Recount) hears(member gid.ID, t *ent.Thread, p *ent.Post) bool {
	return !r.deaf[pair{member, p.AuthorID}] || t.Kind == thread.KindANNOUNCEMENT && p.Seq == 1
}

// Thread is what a member has not read of a thread, whether or not they mute it.
func (r *Recount) Thread(member gid.ID, t *ent.Thread) Unread {
	var n Unread
	for _, p := range r.posts[t.ID] {
		if p.Seq > r.read[pair{member, t.ID}] && p.AuthorID != member && p.DeletedAt == nil && p.HiddenAt == nil && r.hears(member, t, p) {
			n.Posts++
		}
	}
	for _, m := range r.mentions[t.ID] {
		if m.RecipientID == member && r.hears(member, t, r.authors[m.PostID]) {
			n.Mentions++
		}
	}
	return n
}

// muted says whether what is unread in a thread counts in no total of a member's.
func (r *Recount) muted(member gid.ID, t *ent.Thread) bool {
	if level, ok := r.level[pair{member, t.ID}]; ok {
		return level == watchsetting.LevelMUTED
	}
	return r.level[pair{member, t.SpaceID}] == watchsetting.LevelMUTED
}

// Space is what a member has not read in a space that they belong to.
func (r *Recount) Space(member, spaceID gid.ID) Unread {
	var sum Unread
	for _, t := range r.threads {
		if t.SpaceID == spaceID && r.Belongs(member, spaceID) && !r.muted(member, t) {
			n := r.Thread(member, t)
			sum.Posts += n.Posts
			sum.Mentions += n.Mentions
		}
	}
	return sum
}

package demo_test

import (
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/internal/demo"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestDiscussions(t *testing.T) {
	t.Parallel()
	w := world(t, demo.Options{Scale: 1, Seed: 1})
	allowed := map[gid.ID]map[gid.ID]bool{}
	for _, s := range w.Spaces {
		allowed[s.ID] = map[gid.ID]bool{}
		if s.Kind == "NETWORK" || s.Kind == "COHORT" || s.Kind == "WORKGROUP" {
			for _, r := range w.Roles {
				if r.Role == "STAFF" {
					allowed[s.ID][r.MemberID] = true
				}
			}
		}
	}
	inside := map[[2]gid.ID]bool{}
	for _, m := range w.SpaceMemberships {
		allowed[m.SpaceID][m.MemberID], inside[[2]gid.ID{m.SpaceID, m.MemberID}] = true, true
	}
	ids, bodies := map[gid.ID]bool{}, map[string]bool{}
	var posts, deleted, edited, repeated, replies, notifications int
	longest := 0
	for d := range w.Discussions() {
		longest = max(longest, len(d.Posts))
		counts := map[gid.ID]map[string]int{}
		for _, r := range d.Reactions {
			if counts[r.PostID] == nil {
				counts[r.PostID] = map[string]int{}
			}
			counts[r.PostID][r.Emoji]++
		}
		versions := map[gid.ID]int{}
		for _, r := range d.Revisions {
			versions[r.PostID]++
			if r.Version != versions[r.PostID] || r.Body == "" {
				t.Errorf("revision %d of %s comes as number %d", r.Version, r.PostID, versions[r.PostID])
			}
		}
		seqs := map[gid.ID]int{}
		tombstones := 0
		for i, p := range d.Posts {
			posts++
			if p.Seq != i+1 || ids[p.ID] {
				t.Fatalf("post %s has seq %d at place %d", p.ID, p.Seq, i)
			}
			ids[p.ID], seqs[p.ID] = true, p.Seq
			if i > 0 && !p.CreatedAt.After(d.Posts[i-1].CreatedAt) {
				t.Errorf("post %s is not later than the one before", p.ID)
			}
			if !allowed[d.Thread.SpaceID][p.AuthorID] {
				t.Errorf("%s writes where they have no business", p.AuthorID)
			}
			if !p.ReplyToID.IsZero() {
				if replies++; seqs[p.ReplyToID] == 0 || seqs[p.ReplyToID] >= p.Seq {
					t.Errorf("post %s answers a later post", p.ID)
				}
			}
			if p.Version != versions[p.ID]+1 || (p.Version > 1) != !p.EditedAt.IsZero() {
				t.Errorf("post %s: version %d, %d revisions, edited %s", p.ID, p.Version, versions[p.ID], p.EditedAt)
			}
			if p.Version > 1 {
				edited++
			}
			for _, c := range p.ReactionCounts {
				if counts[p.ID][c.Emoji] != c.Count {
					t.Errorf("post %s: %d × %s, want %d", p.ID, c.Count, c.Emoji, counts[p.ID][c.Emoji])
				}
				delete(counts[p.ID], c.Emoji)
			}
			if len(counts[p.ID]) > 0 {
				t.Errorf("post %s has uncounted reactions", p.ID)
			}
			if (p.DeletedAt.IsZero() && p.HiddenAt.IsZero()) == (p.Body == "") || p.HiddenAt.IsZero() != (p.HiddenBody == "") {
				t.Errorf("post %s: body %q, deleted %s", p.ID, p.Body, p.DeletedAt)
			}
			if p.Body == "" {
				tombstones++
				continue
			}
			if bodies[p.Body] {
				repeated++
			}
			bodies[p.Body] = true
			if strings.ContainsAny(p.Body, "{}|\x00") || strings.Contains(p.Body, "  ") {
				t.Errorf("post %s: %q", p.ID, p.Body)
			}
		}
		deleted += tombstones
		last := d.Posts[len(d.Posts)-1]
		if th := d.Thread; th.PostSeq != last.Seq || th.LastPostID != last.ID || !th.LastActivityAt.Equal(last.CreatedAt) || th.DeletedPosts != tombstones || strings.Contains(th.Title, "{") {
			t.Errorf("thread %+v does not fit its posts", th)
		}
		for _, r := range d.ReadStates {
			uncounted := 0
			for _, p := range d.Posts[r.LastReadSeq:] {
				if p.AuthorID == r.MemberID || p.Body == "" {
					uncounted++
				}
			}
			if r.Uncounted != uncounted {
				t.Errorf("read state %+v: uncounted should be %d", r, uncounted)
			}
		}
		for _, n := range d.Notifications {
			notifications++
			if n.RecipientID == n.ActorID || len(n.Reasons) == 0 || !inside[[2]gid.ID{d.Thread.SpaceID, n.RecipientID}] {
				t.Errorf("notification %+v", n)
			}
		}
	}
	if posts != w.Posts() || longest < 200 || deleted < 20 || edited < 150 || replies < 1000 || notifications < 1000 {
		t.Errorf("%d posts (longest thread %d), %d deleted, %d edited, %d replies, %d notifications", posts, longest, deleted, edited, replies, notifications)
	}
	if repeated > posts/100 {
		t.Errorf("%d of %d posts say what another says", repeated, posts)
	}
}

func TestLargeScaleHasExactlyTheMadeSize(t *testing.T) {
	t.Parallel()
	w := world(t, demo.Options{Scale: 100, Seed: 1})
	if w.Posts() != 500_000 || w.Threads() < 13_000 || len(w.Members) < 5000 {
		t.Errorf("%d posts in %d threads, %d members", w.Posts(), w.Threads(), len(w.Members))
	}
	longest := 0
	for i := range w.Threads() {
		if n := w.Discussion(i).Thread.PostSeq; n > longest {
			longest = n
		}
		if i == 3 {
			break // the welcome thread is among the first: making all of them takes a while under the race detector
		}
	}
	if longest < 20_000 {
		t.Errorf("the longest thread has %d posts", longest)
	}
}

func BenchmarkDiscussions(b *testing.B) {
	w := world(b, demo.Options{Scale: 1, Seed: 1})
	for b.Loop() {
		for range w.Discussions() {
		}
	}
}

package forum

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// maxSplit is how many posts can be split off at once.
const maxSplit = 100

// Split says which posts of a thread begin a thread of their own.
type Split struct {
	ThreadID       gid.ID
	PostIDs        []gid.ID
	Title          string
	SpaceID        *gid.ID // nil: the thread's
	IdempotencyKey *string `json:"-"`
}

// SplitThread moves posts of a thread to a new one, whose author is the first post's. At least one post stays. For who moderates the thread
// and the space that the new one is in; nothing leaves or enters a hidden space.
func (s *Service) SplitThread(ctx context.Context, v viewer.Viewer, in Split) (*ent.Thread, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	title := check.Line("title", in.Title, 1, maxTitle)
	if len(in.PostIDs) == 0 || len(in.PostIDs) > maxSplit {
		check.Refuse("postIds", "Name 1 to %d posts.", maxSplit)
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		once := store.Once{Member: me, Operation: "splitThread", Key: in.IdempotencyKey, Payload: in, At: s.Now()}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) {
			from, err := s.lock(ctx, tx, v, in.ThreadID)
			if err != nil {
				return gid.ID{}, err
			}
			if err := from.moderable(); err != nil {
				return gid.ID{}, err
			}
			into := &locked{space: from.space, rights: from.rights}
			if in.SpaceID != nil {
				into.space, into.rights, err = access.Space(ctx, tx, v, *in.SpaceID)
				if fault.Is(err, fault.NotFound) {
					return gid.ID{}, fault.Missing().At("spaceId")
				}
				if err != nil {
					return gid.ID{}, err
				}
				if err := into.moderable(); err != nil {
					return gid.ID{}, err
				}
			}
			if err := exchangeable(from.space, into.space); err != nil {
				return gid.ID{}, err
			}
			r := &relocation{from: from, into: into, actor: me, at: s.Now()}
			if r.posts, err = chosen(ctx, tx, from, in.PostIDs); err != nil {
				return gid.ID{}, err
			}
			return s.split(ctx, tx, v, r, title)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Thread(ctx, v, id)
}

// chosen loads the posts that are to go, by their numbers.
func chosen(ctx context.Context, tx *ent.Client, from *locked, ids []gid.ID) ([]*ent.Post, error) {
	posts, err := tx.Post.Query().Where(post.ThreadID(from.ID), page.AnyOf(post.FieldID, ids)).Order(post.BySeq()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load posts: %w", err)
	}
	for i, id := range ids {
		at := slices.IndexFunc(posts, func(p *ent.Post) bool { return p.ID == id })
		path := "postIds." + strconv.Itoa(i)
		switch {
		case at < 0:
			return nil, fault.Missing().At(path)
		case posts[at].DeletedAt != nil:
			return nil, fault.Invalid(path, "This post was deleted, or moved before.")
		}
	}
	if len(shown(posts)) >= from.PostSeq-from.DeletedPosts {
		return nil, fault.Invalid("postIds", "At least one post stays. To move all of them, move the thread or merge it.")
	}
	return posts, nil
}

func (s *Service) split(ctx context.Context, tx *ent.Client, v viewer.Viewer, r *relocation, title string) (gid.ID, error) {
	first := r.posts[0]
	id := s.NewID(gid.Thread)
	r.into.Thread = &ent.Thread{ID: id, SpaceID: r.into.space.ID, AuthorID: first.AuthorID, Title: title, Kind: thread.DefaultKind}
	err := tx.Thread.Create().SetID(id).SetSpaceID(r.into.space.ID).SetAuthorID(first.AuthorID).SetTitle(title).
		SetCreatedAt(r.at).SetUpdatedAt(r.at).SetLastActivityAt(first.CreatedAt).Exec(ctx)
	if err != nil {
		return id, fmt.Errorf("create thread: %w", err)
	}
	if err := indexThread(ctx, tx, id, title, nil); err != nil {
		return id, err
	}
	if err := s.relocate(ctx, tx, r); err != nil {
		return id, err
	}
	states, err := tx.ReadState.Query().Where(readstate.ThreadID(r.from.ID)).Select(readstate.FieldMemberID, readstate.FieldLastReadSeq).All(ctx)
	if err != nil {
		return id, fmt.Errorf("load read positions: %w", err)
	}
	positions := make(map[gid.ID]int)
	for _, author := range r.authors() {
		positions[author] = 0
	}
	for _, state := range states {
		if read, _ := slices.BinarySearchFunc(r.posts, state.LastReadSeq+1, func(p *ent.Post, seq int) int { return p.Seq - seq }); read > 0 {
			positions[state.MemberID] = read
		}
	}
	if err := s.begin(ctx, tx, r, positions); err != nil {
		return id, err
	}
	for _, changed := range []gid.ID{id, r.from.ID} {
		if err := recount(ctx, tx, changed); err != nil {
			return id, err
		}
	}
	if err := s.Webhooks.Split(ctx, tx, r.at, r.actor, r.from.Thread, r.into.Thread, r.ids()); err != nil {
		return id, err
	}
	return id, s.tell(ctx, tx, v, r.from, audit.Entry{Action: audit.ThreadSplit, Subject: r.from.ID})
}

// authors are those who wrote what moves, each once.
func (r *relocation) authors() []gid.ID {
	ids := make([]gid.ID, len(r.posts))
	for i, p := range r.posts {
		ids[i] = p.AuthorID
	}
	slices.SortFunc(ids, func(a, b gid.ID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// begin writes positions of members who have none in the thread that posts come to.
func (s *Service) begin(ctx context.Context, tx *ent.Client, r *relocation, positions map[gid.ID]int) error {
	rows := make([]*ent.ReadStateCreate, 0, len(positions))
	for id, read := range positions {
		rows = append(rows, tx.ReadState.Create().SetID(s.NewID(gid.ReadState)).SetCreatedAt(r.at).SetUpdatedAt(r.at).
			SetThreadID(r.into.ID).SetMemberID(id).SetLastReadSeq(read))
	}
	for some := range slices.Chunk(rows, insertBatch) {
		if err := tx.ReadState.CreateBulk(some...).Exec(ctx); err != nil {
			return fmt.Errorf("begin read positions: %w", store.RetryOnConflict(err))
		}
	}
	return nil
}

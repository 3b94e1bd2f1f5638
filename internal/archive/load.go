package archive

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/poll"
	"github.com/pursuing-equity/commons/ent/polloption"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/postattachment"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/ent/threadtag"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	threadsAtOnce = 100
	postsAtOnce   = 500
)

// talk is a thread with its tags.
type talk struct {
	*ent.Thread
	tags   []string
	author *ent.Member
}

// batch is some posts, in the order of their threads and numbers, with what is shown of them.
type batch struct {
	posts   []*ent.Post
	authors map[gid.ID]*ent.Member // without those who were erased
	quotes  []*string
	files   map[gid.ID][]*ent.File
	polls   map[gid.ID]*ent.Poll
	options map[gid.ID][]*ent.PollOption
}

// reader gives the view of the database that an archive is made of to who writes it.
type reader struct {
	*Service
	client *ent.Client
	space  gid.ID
}

// eachTalk hands over the space's threads, a page at a time in the order in which they were started.
func (r *reader) eachTalk(ctx context.Context, do func([]*talk) error) error {
	outside := access.ExportableThreads(viewer.System("export spaces"))
	return page.Walk(threadsAtOnce, func(t *ent.Thread) gid.ID { return t.ID }, func(within func(*sql.Selector)) ([]*ent.Thread, error) {
		return r.client.Thread.Query().Where(thread.SpaceID(r.space), outside, within).All(ctx)
	}, func(rows []*ent.Thread) error {
		ids, by := make([]gid.ID, len(rows)), make([]gid.ID, len(rows))
		for i, t := range rows {
			ids[i], by[i] = t.ID, t.AuthorID
		}
		tags, err := r.client.ThreadTag.Query().Where(page.AnyOf(threadtag.FieldThreadID, ids)).Order(threadtag.ByTag()).All(ctx)
		if err != nil {
			return fmt.Errorf("load tags: %w", err)
		}
		authors, err := r.members(ctx, by)
		if err != nil {
			return err
		}
		talks := make([]*talk, len(rows))
		for i, t := range rows {
			talks[i] = &talk{Thread: t, author: authors[t.AuthorID], tags: []string{}}
			for _, tag := range tags {
				if tag.ThreadID == t.ID {
					talks[i].tags = append(talks[i].tags, tag.Tag)
				}
			}
		}
		return do(talks)
	})
}

// eachBatch hands over the posts of threads, a page at a time: short threads share one, so that the statements grow with the posts and
// not with the threads.
func (r *reader) eachBatch(ctx context.Context, talks []*talk, do func(*talk, *batch) error) error {
	var few []*talk
	sum := 0
	flush := func() error {
		defer func() { few, sum = nil, 0 }()
		return r.together(ctx, few, do)
	}
	for _, t := range talks {
		if t.PostSeq > postsAtOnce {
			if err := flush(); err != nil {
				return err
			}
			if err := r.long(ctx, t, do); err != nil {
				return err
			}
			continue
		}
		if sum+t.PostSeq > postsAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
		few, sum = append(few, t), sum+t.PostSeq
	}
	return flush()
}

// together reads threads that have no more posts than a page has.
func (r *reader) together(ctx context.Context, few []*talk, do func(*talk, *batch) error) error {
	if len(few) == 0 {
		return nil
	}
	ids := make([]gid.ID, len(few))
	for i, t := range few {
		ids[i] = t.ID
	}
	all, err := r.client.Post.Query().Where(page.AnyOf(post.FieldThreadID, ids)).Order(post.BySeq()).All(ctx)
	if err != nil {
		return fmt.Errorf("load posts: %w", err)
	}
	of := make(map[gid.ID][]*ent.Post, len(few))
	for _, p := range all {
		of[p.ThreadID] = append(of[p.ThreadID], p)
	}
	b, err := r.dress(ctx, all)
	if err != nil {
		return err
	}
	quotes := make(map[gid.ID]*string, len(all))
	for i, p := range all {
		quotes[p.ID] = b.quotes[i]
	}
	for _, t := range few {
		mine := *b
		mine.posts, mine.quotes = of[t.ID], nil
		for _, p := range mine.posts {
			mine.quotes = append(mine.quotes, quotes[p.ID])
		}
		if err := do(t, &mine); err != nil {
			return err
		}
	}
	return nil
}

// long reads a thread that has more, a page at a time.
func (r *reader) long(ctx context.Context, t *talk, do func(*talk, *batch) error) error {
	for after := 0; ; {
		posts, err := r.client.Post.Query().Where(post.ThreadID(t.ID), post.SeqGT(after)).Order(post.BySeq()).Limit(postsAtOnce).All(ctx)
		if err != nil {
			return fmt.Errorf("load posts: %w", err)
		}
		if len(posts) == 0 {
			return nil
		}
		b, err := r.dress(ctx, posts)
		if err != nil {
			return err
		}
		if err := do(t, b); err != nil {
			return err
		}
		after = posts[len(posts)-1].Seq
	}
}

// dress loads what is shown of posts: five statements at most.
func (r *reader) dress(ctx context.Context, posts []*ent.Post) (b *batch, err error) {
	b = &batch{posts: posts}
	by := make([]gid.ID, len(posts))
	var said []gid.ID
	for i, p := range posts {
		by[i] = p.AuthorID
		if p.DeletedAt == nil && p.HiddenAt == nil {
			said = append(said, p.ID)
		}
	}
	if b.authors, err = r.members(ctx, by); err != nil {
		return nil, err
	}
	if b.quotes, err = r.Forum.Quotes(ctx, posts); err != nil {
		return nil, err
	}
	if b.files, err = r.attachments(ctx, said); err != nil {
		return nil, err
	}
	return b, r.votes(ctx, b, said)
}

// members are those of members who were not erased: of who was, nothing is told.
func (r *reader) members(ctx context.Context, ids []gid.ID) (map[gid.ID]*ent.Member, error) {
	slices.SortFunc(ids, func(a, b gid.ID) int { return slices.Compare(a[:], b[:]) })
	rows, err := r.client.Member.Query().Where(page.AnyOf(member.FieldID, slices.Compact(ids)), member.StatusNEQ(member.StatusERASED)).
		Select(member.FieldID, member.FieldName, member.FieldHandle).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load authors: %w", err)
	}
	of := make(map[gid.ID]*ent.Member, len(rows))
	for _, m := range rows {
		of[m.ID] = m
	}
	return of, nil
}

func (r *reader) attachments(ctx context.Context, posts []gid.ID) (map[gid.ID][]*ent.File, error) {
	rows, err := r.client.PostAttachment.Query().Where(page.AnyOf(postattachment.FieldPostID, posts)).Order(postattachment.ByPosition()).
		WithFile(func(q *ent.FileQuery) { q.Select(file.FieldID, file.FieldName, file.FieldMediaType, file.FieldSize) }).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load attachments: %w", err)
	}
	of := make(map[gid.ID][]*ent.File)
	for _, a := range rows {
		of[a.PostID] = append(of[a.PostID], a.Edges.File)
	}
	return of, nil
}

// votes loads polls with what was voted for, and not by whom.
func (r *reader) votes(ctx context.Context, b *batch, posts []gid.ID) error {
	polls, err := r.client.Poll.Query().Where(page.AnyOf(poll.FieldPostID, posts)).All(ctx)
	if err != nil {
		return fmt.Errorf("load polls: %w", err)
	}
	b.polls, b.options = make(map[gid.ID]*ent.Poll), make(map[gid.ID][]*ent.PollOption)
	if len(polls) == 0 {
		return nil
	}
	ids := make([]gid.ID, len(polls))
	for i, p := range polls {
		b.polls[p.PostID], ids[i] = p, p.ID
	}
	options, err := r.client.PollOption.Query().Where(page.AnyOf(polloption.FieldPollID, ids)).Order(polloption.ByPosition()).All(ctx)
	if err != nil {
		return fmt.Errorf("load options: %w", err)
	}
	for _, o := range options {
		b.options[o.PollID] = append(b.options[o.PollID], o)
	}
	return nil
}

package archive

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/gid"
)

// readme says what an archive is.
const readme = `This archive holds what was said in a space on Commons, as of %s.

space.json   everything, for programs: the space, its threads, their posts
threads/     a file a thread, to be read; the names are the threads' ids

space.json is one object:

  space    id, kind, name, about, createdAt, archivedAt
  threads  in the order in which they were started, each with
    id, title, kind, tags, author, pinned, locked, acceptedPostId, mergedIntoId, createdAt, lastActivityAt
    posts  by their numbers, each with
      id, seq, author, createdAt, replyToId, quote, body (Markdown, as it was written), editedAt, edits (how often it was edited),
      state (SAID, DELETED, HIDDEN by a moderator, or MOVED to another thread), movedToId,
      reactions (emoji and count), attachments (id, name, mediaType, size, in bytes), poll (question, multiple, voters, options with label and votes)

An author is an id, a handle and a name; null for somebody who has left and was forgotten. Fields are added later; none changes its meaning.
Times are in UTC. What was deleted or hidden has no text here. Files are named, and fetched from Commons by who may see them:
Query.node of a file's id gives its link.
`

// written is an archive being written.
type written struct {
	*reader
	zip    *zip.Writer
	export *ent.SpaceExport
	at     time.Time
	posts  int
	tell   func(posts int) error
}

// write writes an archive, and returns how many posts are in it. It reads one view of the database, twice, a page at a time, and keeps no more than
// a page in memory. That view has all of which somebody was at work when the archive was asked for: who takes something back and saw no archive is
// waited for, and who comes later has it begun anew. Names in the zip are ids and fixed words: no text of anybody's becomes a path.
func (s *Service) write(ctx context.Context, e *ent.SpaceExport, out io.Writer) (int, error) {
	a := &written{zip: zip.NewWriter(out), export: e, at: s.Now(), tell: func(posts int) error { return s.progress(ctx, e, posts) }}
	if err := s.whileMine(ctx, e, 0, s.Store.Settled); err != nil {
		return 0, err
	}
	err := s.Store.Snapshot(ctx, func(ctx context.Context) error {
		a.reader = &reader{Service: s, client: s.Store.Client(ctx), space: e.SpaceID}
		for _, part := range []func(context.Context) error{a.readme, a.json, a.markdown} {
			if err := part(ctx); err != nil {
				return fmt.Errorf("export %s: %w", e.SpaceID, err)
			}
		}
		return a.zip.Close()
	})
	return a.posts, err
}

func (a *written) create(name string) (io.Writer, error) {
	return a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.at})
}

func (a *written) readme(context.Context) error {
	w, err := a.create("README.txt")
	if err == nil {
		_, err = fmt.Fprintf(w, readme, a.at.UTC().Format(time.RFC3339))
	}
	return err
}

// The shapes of space.json.
type (
	spaceJSON struct {
		ID         gid.ID     `json:"id"`
		Kind       space.Kind `json:"kind"`
		Name       string     `json:"name"`
		About      string     `json:"about"`
		CreatedAt  time.Time  `json:"createdAt"`
		ArchivedAt *time.Time `json:"archivedAt"`
	}
	authorJSON struct {
		ID     gid.ID `json:"id"`
		Handle string `json:"handle"`
		Name   string `json:"name"`
	}
	threadJSON struct {
		ID             gid.ID      `json:"id"`
		Title          string      `json:"title"`
		Kind           string      `json:"kind"`
		Tags           []string    `json:"tags"`
		Author         *authorJSON `json:"author"`
		Pinned         bool        `json:"pinned"`
		Locked         bool        `json:"locked"`
		AcceptedPostID *gid.ID     `json:"acceptedPostId"`
		MergedIntoID   *gid.ID     `json:"mergedIntoId"`
		CreatedAt      time.Time   `json:"createdAt"`
		LastActivityAt time.Time   `json:"lastActivityAt"`
	}
	postJSON struct {
		ID          gid.ID         `json:"id"`
		Seq         int            `json:"seq"`
		Author      *authorJSON    `json:"author"`
		CreatedAt   time.Time      `json:"createdAt"`
		ReplyToID   *gid.ID        `json:"replyToId"`
		Quote       string         `json:"quote"`
		Body        string         `json:"body"`
		EditedAt    *time.Time     `json:"editedAt"`
		Edits       int            `json:"edits"`
		State       string         `json:"state"`
		MovedToID   *gid.ID        `json:"movedToId"`
		Reactions   []reactionJSON `json:"reactions"`
		Attachments []fileJSON     `json:"attachments"`
		Poll        *pollJSON      `json:"poll"`
	}
	reactionJSON struct {
		Emoji string `json:"emoji"`
		Count int    `json:"count"`
	}
	fileJSON struct {
		ID        gid.ID `json:"id"`
		Name      string `json:"name"`
		MediaType string `json:"mediaType"`
		Size      int64  `json:"size"`
	}
	pollJSON struct {
		Question string       `json:"question"`
		Multiple bool         `json:"multiple"`
		Voters   int          `json:"voters"`
		Options  []optionJSON `json:"options"`
	}
	optionJSON struct {
		Label string `json:"label"`
		Votes int    `json:"votes"`
	}
)

// What has become of a post.
const (
	said    = "SAID"
	deleted = "DELETED"
	hidden  = "HIDDEN"
	moved   = "MOVED"
)

func fate(p *ent.Post) string {
	switch {
	case p.MovedToID != nil:
		return moved
	case p.DeletedAt != nil:
		return deleted
	case p.HiddenAt != nil:
		return hidden
	default:
		return said
	}
}

func authorOf(m *ent.Member) *authorJSON {
	if m == nil {
		return nil
	}
	return &authorJSON{m.ID, m.Handle, m.Name}
}

func threadOf(t *talk) threadJSON {
	return threadJSON{
		ID: t.ID, Title: t.Title, Kind: string(t.Kind), Tags: t.tags, Author: authorOf(t.author), Pinned: t.Pinned, Locked: t.Locked,
		AcceptedPostID: t.AcceptedPostID, MergedIntoID: t.MergedIntoID, CreatedAt: t.CreatedAt.UTC(), LastActivityAt: t.LastActivityAt.UTC(),
	}
}

// post is one post of a batch. Of what is not said any more there is only that it was there.
func (b *batch) post(i int) postJSON {
	p := b.posts[i]
	out := postJSON{
		ID: p.ID, Seq: p.Seq, Author: authorOf(b.authors[p.AuthorID]), CreatedAt: p.CreatedAt.UTC(), ReplyToID: p.ReplyToID, State: fate(p), MovedToID: p.MovedToID,
		Reactions: []reactionJSON{}, Attachments: []fileJSON{},
	}
	if out.State != said {
		return out
	}
	out.Body, out.EditedAt, out.Edits = p.Body, p.EditedAt, p.Version-1
	if q := b.quotes[i]; q != nil {
		out.Quote = *q
	}
	for _, r := range p.ReactionCounts {
		out.Reactions = append(out.Reactions, reactionJSON{r.Emoji, r.Count})
	}
	for _, f := range b.files[p.ID] {
		out.Attachments = append(out.Attachments, fileJSON{f.ID, f.Name, f.MediaType, f.Size})
	}
	if o := b.polls[p.ID]; o != nil {
		out.Poll = &pollJSON{Question: o.Question, Multiple: o.Multiple, Voters: o.Voters, Options: []optionJSON{}}
		for _, option := range b.options[o.ID] {
			out.Poll.Options = append(out.Poll.Options, optionJSON{option.Label, option.Votes})
		}
	}
	return out
}

// json writes space.json, a post a line.
func (a *written) json(ctx context.Context) error {
	w, err := a.create("space.json")
	if err != nil {
		return err
	}
	sp, err := a.client.Space.Query().Where(space.ID(a.space)).Only(ctx)
	if err != nil {
		return fmt.Errorf("load space: %w", err)
	}
	lines := &lines{w: w}
	lines.raw(`{"space":`)
	lines.value(spaceJSON{sp.ID, sp.Kind, sp.Name, sp.About, sp.CreatedAt.UTC(), sp.ArchivedAt})
	lines.raw(`,"threads":[`)
	var open *talk // whose array of posts is not closed yet
	end := func() {
		if open != nil {
			lines.raw("]}")
		}
	}
	err = a.eachTalk(ctx, func(talks []*talk) error {
		return a.eachBatch(ctx, talks, func(t *talk, b *batch) error {
			if t != open {
				end()
				if open != nil {
					lines.raw(",")
				}
				lines.raw("\n")
				lines.opened(threadOf(t), "posts")
				open = t
			}
			for i, p := range b.posts {
				if p.Seq > 1 {
					lines.raw(",")
				}
				lines.raw("\n")
				lines.value(b.post(i))
			}
			return a.count(len(b.posts), lines.err)
		})
	})
	end()
	lines.raw("]}\n")
	if err != nil {
		return err
	}
	return lines.err
}

// count adds posts to those that are written, and tells of it now and then.
func (a *written) count(n int, err error) error {
	before := a.posts
	a.posts += n
	if err != nil || before/tell == a.posts/tell {
		return err
	}
	return a.tell(a.posts)
}

// lines writes JSON piece by piece, and keeps the first error.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) raw(text string) {
	if l.err == nil {
		_, l.err = io.WriteString(l.w, text)
	}
}

func (l *lines) value(v any) {
	text, err := json.Marshal(v)
	if l.err == nil && err != nil {
		l.err = err
	}
	l.raw(string(text))
}

// opened writes an object that goes on with an array under a key.
func (l *lines) opened(v any, key string) {
	text, err := json.Marshal(v)
	if l.err == nil && err != nil {
		l.err = err
		return
	}
	l.raw(string(text[:max(len(text)-1, 0)]) + `,"` + key + `":[`)
}

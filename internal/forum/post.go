package forum

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/newcomer"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewPost is a post to write.
type NewPost struct {
	ThreadID  gid.ID
	Body      string
	ReplyToID *gid.ID
	Quote     string `json:",omitempty"` // of the post that is answered
	PostExtras
	IdempotencyKey *string `json:"-"`
	// Then, if it is set, runs in the transaction once the post is written: what it refuses was not written.
	Then func(ctx context.Context, tx *ent.Client) error `json:"-"`
}

// PostExtras are what a new post can hold beside its text.
type PostExtras struct {
	AttachmentFileIDs []gid.ID `json:",omitempty"` // uploaded files of the author's own
	Poll              *NewPoll `json:",omitempty"`
	KeptFileIDs       []gid.ID `json:"-"` // those of the files that the author's draft keeps, which the post takes over
}

// written is a new post as it was checked.
type written struct {
	body    string
	replyTo *ent.Post // nil for none
	quote   string
	PostExtras
}

// checkPost returns a new post's own part as it is kept.
func checkPost(check *input.Checker, body string, e PostExtras) written {
	CheckAttachments(check, e.AttachmentFileIDs)
	e.Poll = checkPoll(check, e.Poll)
	return written{body: check.Text("body", body, 1, maxBody), PostExtras: e}
}

// CreatePost writes a post. It returns NOT_FOUND when the viewer cannot see the thread, FORBIDDEN, THREAD_LOCKED or ARCHIVED when
// they cannot write in it.
func (s *Service) CreatePost(ctx context.Context, v viewer.Viewer, in NewPost) (*ent.Post, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	w := checkPost(&check, in.Body, in.PostExtras)
	w.quote = check.Text("quote", in.Quote, 0, maxQuote)
	if err := check.Err(); err != nil {
		return nil, err
	}
	count, err := s.Newcomers.Post(ctx, v, newcomer.Written{Weigh: s.weigh(w.body)})
	if err != nil {
		return nil, err
	}
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		once := store.Once{Member: me, Operation: "createPost", Key: in.IdempotencyKey, Payload: in, At: s.Now()}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) {
			if err := count(ctx, tx); err != nil {
				return gid.ID{}, err
			}
			t, err := s.lock(ctx, tx, v, in.ThreadID)
			if err != nil {
				return gid.ID{}, err
			}
			if err := t.writable(); err != nil {
				return gid.ID{}, err
			}
			if in.ReplyToID != nil {
				w.replyTo, err = tx.Post.Query().Where(post.ID(*in.ReplyToID), post.ThreadID(t.ID)).Only(ctx)
				if ent.IsNotFound(err) {
					return gid.ID{}, fault.Missing().At("replyToId")
				}
				if err != nil {
					return gid.ID{}, fmt.Errorf("load the post that is answered: %w", err)
				}
			}
			if err := quotable(w.quote, w.replyTo); err != nil {
				return gid.ID{}, err
			}
			id, err := s.addPost(ctx, tx, t, me, s.Now(), w)
			if err == nil && in.Then != nil {
				err = in.Then(ctx, tx)
			}
			return id, err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Post(ctx, v, id)
}

// addPost writes the next post of a thread that the transaction holds, and all that follows from it.
func (s *Service) addPost(ctx context.Context, tx *ent.Client, t *locked, me gid.ID, now time.Time, w written) (gid.ID, error) {
	p := &ent.Post{ID: s.NewID(gid.Post), ThreadID: t.ID, AuthorID: me, Seq: t.PostSeq + 1, Body: w.body}
	create := tx.Post.Create().SetID(p.ID).SetThreadID(t.ID).SetAuthorID(me).SetSeq(p.Seq).SetQuote(w.quote).
		SetBody(w.body).SetBodyHTML(s.Markdown.HTML(w.body)).SetCreatedAt(now)
	if w.replyTo != nil {
		create.SetReplyToID(w.replyTo.ID)
	}
	if err := create.Exec(ctx); err != nil {
		return gid.ID{}, fmt.Errorf("create post: %w", err)
	}
	if len(w.AttachmentFileIDs) > 0 {
		if err := s.attach(ctx, tx, me, p.ID, w.AttachmentFileIDs, w.KeptFileIDs, now); err != nil {
			return gid.ID{}, err
		}
	}
	if err := s.addPoll(ctx, tx, p.ID, w.Poll, now); err != nil {
		return gid.ID{}, err
	}
	if err := s.link(ctx, tx, p.ID, w.body, now); err != nil {
		return gid.ID{}, err
	}
	u, err := s.record(ctx, tx, t, now, event.Entry{Kind: event.PostCreated, Object: p.ID, Actor: me})
	if err != nil {
		return gid.ID{}, err
	}
	if err := u.SetPostSeq(p.Seq).SetLastPostID(p.ID).SetLastActivityAt(now).Exec(ctx); err != nil {
		return gid.ID{}, fmt.Errorf("number post: %w", err)
	}
	if err := store.IndexNew(ctx, tx, store.Document{Kind: searchdocument.KindPOST, Object: p.ID, Thread: &t.ID, Body: w.body}); err != nil {
		return gid.ID{}, err
	}
	if err := s.readOwn(ctx, tx, t, me, p.Seq, now); err != nil {
		return gid.ID{}, err
	}
	told := notify.Written{Post: p, Space: t.space, At: now}
	if w.replyTo != nil {
		told.RepliedTo = &w.replyTo.AuthorID
	}
	return p.ID, s.Notify.PostWritten(ctx, tx, told)
}

// EditPost changes what a post says and, unless attachments is nil, which files it holds. expectedVersion guards against overwriting
// another edit: STALE_VERSION.
func (s *Service) EditPost(ctx context.Context, v viewer.Viewer, id gid.ID, expectedVersion int, body string, attachments *[]gid.ID) (*ent.Post, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	body = check.Text("body", body, 1, maxBody)
	if attachments != nil {
		CheckAttachments(&check, *attachments)
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	if _, err := s.Newcomers.Post(ctx, v, newcomer.Written{Edit: true, Weigh: s.weigh(body)}); err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		t, p, err := s.lockOf(ctx, tx, v, id)
		if err != nil {
			return err
		}
		if err := t.writable(); err != nil {
			return err
		}
		switch {
		case p.AuthorID != me:
			return fault.Denied("Only its author can edit a post.")
		case p.DeletedAt != nil:
			return fault.Denied("This post was deleted.")
		case p.HiddenAt != nil:
			return hiddenPost()
		case p.Version != expectedVersion:
			return fault.New(fault.StaleVersion, "This post has version %d by now. Fetch it, merge, and send again.", p.Version).At("expectedVersion")
		}
		held, err := attached(ctx, tx, id)
		if err != nil {
			return err
		}
		if p.Body == body && (attachments == nil || slices.Equal(held, *attachments)) {
			return nil
		}
		now := s.Now()
		if attachments != nil {
			if err := s.attach(ctx, tx, me, id, *attachments, nil, now); err != nil {
				return err
			}
		}
		if err := s.link(ctx, tx, id, body, now); err != nil {
			return err
		}
		written := p.CreatedAt
		if p.EditedAt != nil {
			written = *p.EditedAt
		}
		err = tx.PostRevision.Create().SetID(s.NewID(gid.PostRevision)).SetPostID(id).SetEditorID(me).
			SetVersion(p.Version).SetBody(p.Body).SetCreatedAt(written).Exec(ctx)
		if err != nil {
			return fmt.Errorf("keep the old text: %w", err)
		}
		if err := tx.Post.UpdateOneID(id).SetBody(body).SetBodyHTML(s.Markdown.HTML(body)).SetVersion(p.Version + 1).SetEditedAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("edit post: %w", err)
		}
		if err := store.Index(ctx, tx, store.Document{Kind: searchdocument.KindPOST, Object: id, Thread: &t.ID, Body: body}); err != nil {
			return err
		}
		return s.touch(ctx, tx, t, now, event.Entry{Kind: event.PostEdited, Object: id, Actor: me})
	})
	if err != nil {
		return nil, err
	}
	return s.Post(ctx, v, id)
}

// DeletePost makes a tombstone of a post: what it said, held and got is gone, number and replies stay. Deleting a
// tombstone changes nothing.
func (s *Service) DeletePost(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Post, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var elsewhere []*ent.Post
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		elsewhere = nil
		t, p, err := s.lockOf(ctx, tx, v, id)
		if err != nil {
			return err
		}
		if p.AuthorID != me || t.rights.Glass {
			if err := t.moderable(); err != nil {
				return err
			}
		}
		if p.DeletedAt != nil {
			return nil
		}
		now := s.Now()
		if elsewhere, err = s.bury(ctx, tx, t, []gid.ID{id}, now); err != nil {
			return err
		}
		if err := s.Notify.PostDeleted(ctx, tx, t.ID, id, now); err != nil {
			return err
		}
		if p.HiddenAt == nil { // else it is counted among the tombstones already
			if err := s.uncount(ctx, tx, p, 1); err != nil {
				return err
			}
			t.DeletedPosts++
		}
		u, err := s.record(ctx, tx, t, now, event.Entry{Kind: event.PostDeleted, Object: id, Actor: me})
		if err != nil {
			return err
		}
		if p.AuthorID != me {
			if err := s.tell(ctx, tx, v, t, audit.Entry{Action: audit.PostDeleted, Subject: id}); err != nil {
				return err
			}
		}
		return u.SetDeletedPosts(t.DeletedPosts).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	// It is done, whatever becomes of what is told elsewhere.
	if err := s.tellOfQuotes(ctx, elsewhere); err != nil {
		s.Logger.WarnContext(ctx, "who follows other threads is not told of a quote that is gone", "post", id, "error", err.Error())
	}
	return s.Post(ctx, v, id)
}

// touch records an event that changes nothing else of the thread's row.
func (s *Service) touch(ctx context.Context, tx *ent.Client, t *locked, at time.Time, e event.Entry) error {
	u, err := s.record(ctx, tx, t, at, e)
	if err != nil {
		return err
	}
	return u.Exec(ctx)
}

package forum

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/poll"
	"github.com/pursuing-equity/commons/ent/polloption"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/postrevision"
	"github.com/pursuing-equity/commons/ent/reaction"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/ent/threadtag"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

const (
	// erasedTitle is what a thread is called whose author was erased: a title is words of theirs. The thread stays, for what others
	// have written in it.
	erasedTitle = "Erased thread"
	// eraseBatch is how many posts of one thread a transaction changes at most: it holds the thread's row, and nobody shall wait
	// long for it.
	eraseBatch = 100
	// readBatch is how many rows are looked up, or deleted where they hold up nobody, at once.
	readBatch = 1000
)

// Erase scrubs what a member wrote and did in discussions. Posts become tombstones, so that numbers stay dense and replies keep their
// place; titles of their threads and reasons of their locks are replaced; reactions, votes and read positions are deleted. Whoever follows a
// thread is told as if each had been done by hand.
//
// It works in many short transactions, may be broken off at any moment, and done again changes nothing more.
func (s *Service) Erase(ctx context.Context, author gid.ID) error {
	for _, part := range []func(context.Context, gid.ID) error{s.erasePosts, s.eraseThreads, s.eraseReactions, s.erasePollVotes, s.eraseReadStates} {
		if err := part(ctx, author); err != nil {
			return fmt.Errorf("erase what %s wrote: %w", author, err)
		}
	}
	return nil
}

func postID(p *ent.Post) gid.ID { return p.ID }

// perThread runs do in a transaction for each thread of some posts, with at most eraseBatch of them, while it holds the thread.
func (s *Service) perThread(ctx context.Context, posts []*ent.Post, do func(ctx context.Context, tx *ent.Client, t *locked, posts []*ent.Post, now time.Time) error) error {
	of := make(map[gid.ID][]gid.ID)
	var threads []gid.ID
	for _, p := range posts {
		if of[p.ThreadID] == nil {
			threads = append(threads, p.ThreadID)
		}
		of[p.ThreadID] = append(of[p.ThreadID], p.ID)
	}
	for _, id := range threads {
		for chunk := range slices.Chunk(of[id], eraseBatch) {
			err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
				t, err := tx.Thread.Query().Where(thread.ID(id), store.LockRow).Only(ctx)
				if err != nil {
					return fmt.Errorf("lock thread: %w", err)
				}
				held, err := tx.Post.Query().Where(page.AnyOf(post.FieldID, chunk), post.ThreadID(id), post.DeletedAtIsNil()).Order(post.BySeq()).All(ctx)
				if err != nil || len(held) == 0 {
					return err
				}
				return do(ctx, tx, &locked{Thread: t}, held, s.Now())
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// announce records an event of each post, and returns the update of the thread's row.
func (s *Service) announce(ctx context.Context, tx *ent.Client, t *locked, posts []*ent.Post, at time.Time, kind string, actor gid.ID) (*ent.ThreadUpdate, error) {
	entries := make([]event.Entry, len(posts))
	for i, p := range posts {
		entries[i] = event.Entry{Kind: kind, Object: p.ID, Actor: actor, Moved: kind == event.PostCreated} // what is written is recorded by itself
	}
	seq, err := s.Events.Append(ctx, tx, t.ID, t.EventSeq, at, entries...)
	if err != nil {
		return nil, err
	}
	t.EventSeq = seq
	return tx.Thread.Update().Where(thread.ID(t.ID)).SetEventSeq(seq), nil
}

func (s *Service) erasePosts(ctx context.Context, author gid.ID) error {
	return page.Walk(readBatch, postID, func(within func(*sql.Selector)) ([]*ent.Post, error) {
		return s.Store.Client(ctx).Post.Query().Where(post.AuthorID(author), post.DeletedAtIsNil(), within).
			Select(post.FieldID, post.FieldThreadID).All(ctx)
	}, func(posts []*ent.Post) error {
		var quoted []*ent.Post // in other threads
		err := s.perThread(ctx, posts, func(ctx context.Context, tx *ent.Client, t *locked, posts []*ent.Post, now time.Time) error {
			ids := make([]gid.ID, len(posts))
			for i, p := range posts {
				ids[i] = p.ID
			}
			elsewhere, err := s.bury(ctx, tx, t, ids, now)
			if err != nil {
				return err
			}
			quoted = append(quoted, elsewhere...)
			counted := slices.DeleteFunc(slices.Clone(posts), silent) // what is hidden is counted among the tombstones already
			if err := s.uncountAll(ctx, tx, counted); err != nil {
				return err
			}
			u, err := s.announce(ctx, tx, t, posts, now, event.PostDeleted, author)
			if err != nil {
				return err
			}
			if err := u.SetDeletedPosts(t.DeletedPosts + len(counted)).Exec(ctx); err != nil {
				return fmt.Errorf("count tombstones: %w", err)
			}
			return s.Notify.PostsErased(ctx, tx, ids, now)
		})
		if err != nil {
			return err
		}
		return s.tellOfQuotes(ctx, quoted)
	})
}

// uncountAll is uncount for tombstones of one author in one thread: one statement, however many they are.
func (s *Service) uncountAll(ctx context.Context, tx *ent.Client, posts []*ent.Post) error {
	if len(posts) == 0 {
		return nil
	}
	ids := make([]gid.ID, len(posts))
	for i, p := range posts {
		ids[i] = p.ID
	}
	last := posts[len(posts)-1]
	err := tx.ReadState.Update().
		Where(readstate.ThreadID(last.ThreadID), readstate.LastReadSeqLT(last.Seq), readstate.MemberIDNEQ(last.AuthorID)).
		Modify(func(u *sql.UpdateBuilder) {
			unread := sql.Dialect(u.Dialect()).Select(sql.Count("*")).From(sql.Table(post.Table))
			page.AnyOf(post.FieldID, ids)(unread)
			unread.Where(sql.ColumnsGT(unread.C(post.FieldSeq), sql.Dialect(u.Dialect()).Table(readstate.Table).C(readstate.FieldLastReadSeq)))
			u.Set(readstate.FieldUncounted, sql.ExprFunc(func(b *sql.Builder) {
				b.Ident(readstate.FieldUncounted).WriteString(" + (").Join(unread).WriteByte(')')
			}))
		}).Exec(ctx)
	if err != nil {
		return fmt.Errorf("uncount tombstones: %w", err)
	}
	return nil
}

// tagged is true for a thread that has a tag.
func tagged(s *sql.Selector) {
	tags := sql.Dialect(s.Dialect()).Select().From(sql.Table(threadtag.Table))
	s.Where(sql.Exists(tags.Select(tags.C(threadtag.FieldID)).Where(sql.ColumnsEQ(tags.C(threadtag.FieldThreadID), s.C(thread.FieldID)))))
}

// eraseThreads replaces titles of the author's threads, and why they locked a thread, and deletes the tags.
func (s *Service) eraseThreads(ctx context.Context, author gid.ID) error {
	theirs := func(s *sql.Selector) {
		thread.Or(
			thread.And(thread.AuthorID(author), thread.TitleNEQ(erasedTitle)),
			thread.And(thread.AuthorID(author), tagged),
			thread.And(thread.LockedByID(author), thread.LockReasonNEQ("")),
		)(s)
	}
	return page.Walk(readBatch, func(t *ent.Thread) gid.ID { return t.ID }, func(within func(*sql.Selector)) ([]*ent.Thread, error) {
		return s.Store.Client(ctx).Thread.Query().Where(theirs, within).Select(thread.FieldID).All(ctx)
	}, func(threads []*ent.Thread) error {
		for _, found := range threads {
			err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
				t, err := tx.Thread.Query().Where(thread.ID(found.ID), theirs, store.LockRow).Only(ctx)
				if ent.IsNotFound(err) {
					return nil
				}
				if err != nil {
					return fmt.Errorf("lock thread: %w", err)
				}
				now := s.Now()
				u, err := s.record(ctx, tx, &locked{Thread: t}, now, event.Entry{Kind: event.ThreadChanged, Object: t.ID, Actor: author})
				if err != nil {
					return err
				}
				if t.AuthorID == author {
					u.SetTitle(erasedTitle)
					if _, err := tx.ThreadTag.Delete().Where(threadtag.ThreadID(t.ID)).Exec(ctx); err != nil {
						return fmt.Errorf("delete tags: %w", err)
					}
					if err := indexThread(ctx, tx, t.ID, erasedTitle, nil); err != nil {
						return err
					}
				}
				if t.LockedByID != nil && *t.LockedByID == author {
					u.SetLockReason("")
				}
				return u.SetUpdatedAt(now).Exec(ctx)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) eraseReactions(ctx context.Context, author gid.ID) error {
	return page.Walk(readBatch, func(r *ent.Reaction) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Reaction, error) {
		return s.Store.Client(ctx).Reaction.Query().Where(reaction.MemberID(author), within).All(ctx)
	}, func(reactions []*ent.Reaction) error {
		ids := make([]gid.ID, len(reactions))
		for i, r := range reactions {
			ids[i] = r.PostID
		}
		posts, err := s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids)).Select(post.FieldID, post.FieldThreadID).All(ctx)
		if err != nil {
			return fmt.Errorf("load posts: %w", err)
		}
		return s.perThread(ctx, posts, func(ctx context.Context, tx *ent.Client, t *locked, posts []*ent.Post, now time.Time) error {
			var changed []*ent.Post
			for _, p := range posts {
				mine, err := tx.Reaction.Query().Where(reaction.PostID(p.ID), reaction.MemberID(author)).All(ctx)
				if err != nil {
					return fmt.Errorf("load reactions: %w", err)
				}
				if len(mine) == 0 {
					continue
				}
				changed = append(changed, p)
				counts := []schema.ReactionCount{}
				for _, c := range p.ReactionCounts {
					if slices.ContainsFunc(mine, func(r *ent.Reaction) bool { return r.Emoji == c.Emoji }) {
						c.Count--
					}
					if c.Count > 0 {
						counts = append(counts, c)
					}
				}
				if err := tx.Post.UpdateOneID(p.ID).SetReactionCounts(counts).Exec(ctx); err != nil {
					return fmt.Errorf("count reactions: %w", err)
				}
				if _, err := tx.Reaction.Delete().Where(reaction.PostID(p.ID), reaction.MemberID(author)).Exec(ctx); err != nil {
					return fmt.Errorf("delete reactions: %w", err)
				}
			}
			if len(changed) == 0 {
				return nil
			}
			u, err := s.announce(ctx, tx, t, changed, now, event.ReactionsChanged, author)
			if err != nil {
				return err
			}
			return u.Exec(ctx)
		})
	})
}

func (s *Service) eraseReadStates(ctx context.Context, author gid.ID) error {
	return page.Walk(readBatch, func(r *ent.ReadState) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.ReadState, error) {
		return s.Store.Client(ctx).ReadState.Query().Where(readstate.MemberID(author), within).Select(readstate.FieldID).All(ctx)
	}, func(rows []*ent.ReadState) error {
		ids := make([]gid.ID, len(rows))
		for i, r := range rows {
			ids[i] = r.ID
		}
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			_, err := tx.ReadState.Delete().Where(page.AnyOf(readstate.FieldID, ids)).Exec(ctx)
			return err
		})
	})
}

// EraseMentions writes another handle in place of an erased member's wherever others mention them, in posts and in what posts said
// before, as Discourse does it. It is no edit: there is no new version, or the old one would keep the handle. A name that
// somebody wrote without an @ stays; those words are that somebody's.
//
// The database looks through all posts for it once; nobody waits for that.
func (s *Service) EraseMentions(ctx context.Context, handle, instead string) error {
	mentions := "@" + handle
	err := page.Walk(readBatch, postID, func(within func(*sql.Selector)) ([]*ent.Post, error) {
		return s.Store.Client(ctx).Post.Query().Where(post.Or(post.BodyContainsFold(mentions), post.QuoteContainsFold(mentions), post.HiddenBodyContainsFold(mentions)), within).Select(post.FieldID, post.FieldThreadID).All(ctx)
	}, func(posts []*ent.Post) error {
		return s.perThread(ctx, posts, func(ctx context.Context, tx *ent.Client, t *locked, posts []*ent.Post, now time.Time) error {
			var changed []*ent.Post
			for _, p := range posts {
				body := notify.Rename(p.Body, handle, instead)
				quote := notify.Rename(p.Quote, handle, instead)
				kept := notify.Rename(p.HiddenBody, handle, instead)
				if body == p.Body && quote == p.Quote && kept == p.HiddenBody {
					continue
				}
				changed = append(changed, p)
				if err := tx.Post.UpdateOneID(p.ID).SetQuote(quote).SetBody(body).SetBodyHTML(s.Markdown.HTML(body)).SetHiddenBody(kept).Exec(ctx); err != nil {
					return fmt.Errorf("replace a mention: %w", err)
				}
				if silent(p) {
					continue
				}
				if err := store.Index(ctx, tx, store.Document{Kind: searchdocument.KindPOST, Object: p.ID, Thread: &t.ID, Body: body}); err != nil {
					return err
				}
			}
			if len(changed) == 0 {
				return nil
			}
			u, err := s.announce(ctx, tx, t, changed, now, event.PostEdited, gid.ID{})
			if err != nil {
				return err
			}
			return u.Exec(ctx)
		})
	})
	if err != nil {
		return fmt.Errorf("erase mentions: %w", err)
	}
	err = page.Walk(eraseBatch, func(r *ent.PostRevision) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.PostRevision, error) {
		return s.Store.Client(ctx).PostRevision.Query().Where(postrevision.BodyContainsFold(mentions), within).All(ctx)
	}, func(revisions []*ent.PostRevision) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			for _, r := range revisions {
				// By its id alone: the post may have been deleted meanwhile, and its revisions with it.
				err := tx.PostRevision.Update().Where(postrevision.ID(r.ID)).SetBody(notify.Rename(r.Body, handle, instead)).Exec(ctx)
				if err != nil {
					return fmt.Errorf("replace a mention: %w", err)
				}
			}
			return nil
		})
	})
	if err == nil {
		err = s.erasePollMentions(ctx, mentions, handle, instead)
	}
	if err != nil {
		return fmt.Errorf("erase mentions: %w", err)
	}
	return nil
}

// erasePollMentions is EraseMentions for what polls ask and offer.
func (s *Service) erasePollMentions(ctx context.Context, mentions, handle, instead string) error {
	err := page.Walk(eraseBatch, func(p *ent.Poll) gid.ID { return p.ID }, func(within func(*sql.Selector)) ([]*ent.Poll, error) {
		return s.Store.Client(ctx).Poll.Query().Where(poll.QuestionContainsFold(mentions), within).All(ctx)
	}, func(polls []*ent.Poll) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			for _, p := range polls { // by their ids alone: the posts may have been deleted meanwhile
				if err := tx.Poll.Update().Where(poll.ID(p.ID)).SetQuestion(notify.Rename(p.Question, handle, instead)).Exec(ctx); err != nil {
					return fmt.Errorf("replace a mention: %w", err)
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return page.Walk(eraseBatch, func(o *ent.PollOption) gid.ID { return o.ID }, func(within func(*sql.Selector)) ([]*ent.PollOption, error) {
		return s.Store.Client(ctx).PollOption.Query().Where(polloption.LabelContainsFold(mentions), within).All(ctx)
	}, func(options []*ent.PollOption) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			for _, o := range options {
				if err := tx.PollOption.Update().Where(polloption.ID(o.ID)).SetLabel(notify.Rename(o.Label, handle, instead)).Exec(ctx); err != nil {
					return fmt.Errorf("replace a mention: %w", err)
				}
			}
			return nil
		})
	})
}

package forum

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/postattachment"
	"github.com/pursuing-equity/commons/internal/fault"
	files "github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
)

// maxAttachments is how many files a post holds.
const maxAttachments = 10

const attachmentPath = "attachmentFileIds"

// CheckAttachments checks the list of the files that a post, or a draft of one, is to hold.
func CheckAttachments(check *input.Checker, ids []gid.ID) {
	if len(ids) > maxAttachments {
		check.Refuse(attachmentPath, "A post holds at most %d files.", maxAttachments)
		return
	}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			check.Refuse(attachmentPath+"."+strconv.Itoa(i), "This file was named before.")
		}
	}
}

// attach makes a post hold files from now on, and no others: what it held already stays, what it does not any more is released. Those that the
// author's draft kept go over to the post.
func (s *Service) attach(ctx context.Context, tx *ent.Client, author, postID gid.ID, ids, kept []gid.ID, now time.Time) error {
	held, err := attached(ctx, tx, postID)
	if err != nil || slices.Equal(held, ids) {
		return err
	}
	// Files are taken in the order of their ids, so that two posts that want the same ones never wait for each other in a circle.
	for _, id := range slices.SortedFunc(slices.Values(ids), func(a, b gid.ID) int { return bytes.Compare(a[:], b[:]) }) {
		if slices.Contains(held, id) {
			continue
		}
		take := files.Attach
		if slices.Contains(kept, id) {
			take = files.Adopt
		}
		err := take(ctx, tx, author, id, file.PurposePOST, now)
		if refused := new(fault.Error); errors.As(err, &refused) {
			return refused.At(attachmentPath + "." + strconv.Itoa(slices.Index(ids, id)))
		}
		if err != nil {
			return err
		}
	}
	if _, err := tx.PostAttachment.Delete().Where(postattachment.PostID(postID)).Exec(ctx); err != nil {
		return fmt.Errorf("take files from a post: %w", err)
	}
	rows := make([]*ent.PostAttachmentCreate, len(ids))
	for i, id := range ids {
		rows[i] = tx.PostAttachment.Create().SetID(s.NewID(gid.PostAttachment)).SetCreatedAt(now).SetPostID(postID).SetFileID(id).SetPosition(i)
	}
	if err := tx.PostAttachment.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("attach files to a post: %w", err)
	}
	for _, id := range held {
		if slices.Contains(ids, id) {
			continue
		}
		if err := files.Release(ctx, tx, id, now); err != nil {
			return err
		}
	}
	return nil
}

// attached are the files that a post holds, in their order.
func attached(ctx context.Context, tx *ent.Client, postID gid.ID) ([]gid.ID, error) {
	rows, err := tx.PostAttachment.Query().Where(postattachment.PostID(postID)).Order(postattachment.ByPosition()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load attachments: %w", err)
	}
	ids := make([]gid.ID, len(rows))
	for i, r := range rows {
		ids[i] = r.FileID
	}
	return ids, nil
}

// detach lets all files go that posts hold.
func detach(ctx context.Context, tx *ent.Client, posts []gid.ID, now time.Time) error {
	rows, err := tx.PostAttachment.Query().Where(page.AnyOf(postattachment.FieldPostID, posts)).Order(postattachment.ByFileID()).All(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	if _, err := tx.PostAttachment.Delete().Where(page.AnyOf(postattachment.FieldPostID, posts)).Exec(ctx); err != nil {
		return fmt.Errorf("take files from posts: %w", err)
	}
	for _, r := range rows {
		if err := files.Release(ctx, tx, r.FileID, now); err != nil {
			return err
		}
	}
	return nil
}

// Attachments are the files that each post holds, in their order; none of a hidden post. One statement for all.
func (s *Service) Attachments(ctx context.Context, posts []*ent.Post) ([][]gid.ID, error) {
	rows, err := s.Store.Client(ctx).PostAttachment.Query().Where(page.AnyOf(postattachment.FieldPostID, shown(posts))).
		Order(postattachment.ByPosition()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load attachments: %w", err)
	}
	of := make(map[gid.ID][]gid.ID)
	for _, r := range rows {
		of[r.PostID] = append(of[r.PostID], r.FileID)
	}
	ids := make([][]gid.ID, len(posts))
	for i, p := range posts {
		ids[i] = of[p.ID]
	}
	return ids, nil
}

// silent reports whether a post says nothing to those who can see it: it was deleted or hidden.
func silent(p *ent.Post) bool { return p.DeletedAt != nil || p.HiddenAt != nil }

// shown are the ids of those posts that say something to everybody who can see them.
func shown(posts []*ent.Post) []gid.ID {
	ids := make([]gid.ID, 0, len(posts))
	for _, p := range posts {
		if !silent(p) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

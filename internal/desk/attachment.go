package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/draftattachment"
	"github.com/pursuing-equity/commons/ent/draftversion"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/postattachment"
	"github.com/pursuing-equity/commons/internal/fault"
	files "github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

const attachmentPath = "attachmentFileIds"

// texts are ids as a draft keeps them.
func texts(ids []gid.ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}

// FileIDs are the files that a draft or a version of one names, in their order.
func FileIDs(attachments []string) []gid.ID {
	ids := make([]gid.ID, 0, len(attachments))
	for _, text := range attachments {
		if id, err := gid.Parse(text); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// keep gives a draft the files that it names and did not keep yet. They are taken in the order of their ids, as for posts.
func (s *Service) keep(ctx context.Context, tx *ent.Client, d *ent.Draft, now time.Time) error {
	named := FileIDs(d.Attachments)
	if len(named) == 0 {
		return nil
	}
	rows, err := tx.DraftAttachment.Query().Where(draftattachment.DraftID(d.ID)).All(ctx)
	if err != nil {
		return fmt.Errorf("load a draft's files: %w", err)
	}
	for _, id := range slices.SortedFunc(slices.Values(named), func(a, b gid.ID) int { return bytes.Compare(a[:], b[:]) }) {
		if slices.ContainsFunc(rows, func(r *ent.DraftAttachment) bool { return r.FileID == id }) {
			continue
		}
		err := files.Attach(ctx, tx, d.MemberID, id, file.PurposePOST, now)
		if refused := new(fault.Error); errors.As(err, &refused) {
			return refused.At(attachmentPath + "." + strconv.Itoa(slices.Index(named, id)))
		}
		if err != nil {
			return err
		}
		if err := tx.DraftAttachment.Create().SetID(s.NewID(gid.DraftAttachment)).SetCreatedAt(now).SetDraftID(d.ID).SetFileID(id).Exec(ctx); err != nil {
			return fmt.Errorf("keep a file for a draft: %w", err)
		}
	}
	return nil
}

// settle lets the files go that neither a draft nor one of its versions names any more.
func settle(ctx context.Context, tx *ent.Client, d *ent.Draft, now time.Time) error {
	rows, err := tx.DraftAttachment.Query().Where(draftattachment.DraftID(d.ID)).Order(draftattachment.ByFileID()).All(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	versions, err := tx.DraftVersion.Query().Where(draftversion.DraftID(d.ID)).Select(draftversion.FieldAttachments).All(ctx)
	if err != nil {
		return fmt.Errorf("load versions of a draft: %w", err)
	}
	named := slices.Clone(d.Attachments)
	for _, v := range versions {
		named = append(named, v.Attachments...)
	}
	return letGo(ctx, tx, slices.DeleteFunc(rows, func(r *ent.DraftAttachment) bool { return slices.Contains(named, r.FileID.String()) }), now)
}

// letGoOf lets all files of drafts go, but for those that a post has taken over.
func letGoOf(ctx context.Context, tx *ent.Client, drafts []gid.ID, now time.Time) error {
	rows, err := tx.DraftAttachment.Query().Where(page.AnyOf(draftattachment.FieldDraftID, drafts)).Order(draftattachment.ByFileID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load the files of drafts: %w", err)
	}
	return letGo(ctx, tx, rows, now)
}

func letGo(ctx context.Context, tx *ent.Client, rows []*ent.DraftAttachment, now time.Time) error {
	if len(rows) == 0 {
		return nil
	}
	ids, of := make([]gid.ID, len(rows)), make([]gid.ID, len(rows))
	for i, r := range rows {
		ids[i], of[i] = r.ID, r.FileID
	}
	if _, err := tx.DraftAttachment.Delete().Where(page.AnyOf(draftattachment.FieldID, ids)).Exec(ctx); err != nil {
		return fmt.Errorf("take files from drafts: %w", err)
	}
	taken, err := tx.PostAttachment.Query().Where(page.AnyOf(postattachment.FieldFileID, of)).All(ctx)
	if err != nil {
		return fmt.Errorf("look for posts that hold files: %w", err)
	}
	for _, id := range of {
		if slices.ContainsFunc(taken, func(p *ent.PostAttachment) bool { return p.FileID == id }) {
			continue
		}
		if err := files.Release(ctx, tx, id, now); err != nil {
			return err
		}
	}
	return nil
}

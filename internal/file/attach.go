package file

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Attach gives a member's file to what will refer to it, within the transaction of that. A file can be given once. It returns NOT_FOUND
// for a file that is not the member's own, whoever else's it is, and INVALID_INPUT for one of another purpose, or one that was given away.
func Attach(ctx context.Context, tx *ent.Client, owner, id gid.ID, purpose file.Purpose, at time.Time) error {
	f, err := tx.File.Query().Where(file.ID(id), access.OwnFiles(owner), store.LockRow).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return fault.Missing()
	case err != nil:
		return fmt.Errorf("lock file: %w", err)
	case f.Purpose != purpose:
		return fault.New(fault.InvalidInput, "This file was uploaded for another purpose. Upload it again with purpose=%s.", purpose)
	case f.AttachedAt != nil:
		return fault.New(fault.InvalidInput, "This file is in use already. Upload it again.")
	}
	if err := tx.File.UpdateOneID(id).SetAttachedAt(at).Exec(ctx); err != nil {
		return fmt.Errorf("attach file: %w", err)
	}
	return nil
}

// Adopt gives a member's file, which something else of theirs refers to and lets go in the same transaction, to what will refer to it. It returns
// what Attach does.
func Adopt(ctx context.Context, tx *ent.Client, owner, id gid.ID, purpose file.Purpose, _ time.Time) error {
	there, err := tx.File.Query().Where(file.ID(id), access.OwnFiles(owner), file.PurposeEQ(purpose), file.AttachedAtNotNil(), file.DeletedAtIsNil()).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look for a file: %w", err)
	}
	if !there {
		return fault.Missing()
	}
	return nil
}

// Release lets a file go that nothing refers to any more, within the transaction of that. Its links end with it; its bytes go soon.
func Release(ctx context.Context, tx *ent.Client, id gid.ID, at time.Time) error {
	if err := tx.File.Update().Where(file.ID(id), file.DeletedAtIsNil()).SetDeletedAt(at).Exec(ctx); err != nil {
		return fmt.Errorf("release file: %w", err)
	}
	return nil
}

// ReplaceAvatar gives a member another picture, or none for a zero id, within the transaction of a change of the profile. It returns
// what Attach does.
func ReplaceAvatar(ctx context.Context, tx *ent.Client, me, id gid.ID, at time.Time) error {
	m, err := tx.Member.Query().Where(member.ID(me), store.LockRow).Only(ctx)
	if err != nil {
		return fmt.Errorf("hold the member: %w", err)
	}
	if m.AvatarFileID != nil && *m.AvatarFileID == id {
		return nil
	}
	update := tx.Member.UpdateOneID(me).ClearAvatarFileID()
	if !id.IsZero() {
		if err := Attach(ctx, tx, me, id, file.PurposeAVATAR, at); err != nil {
			return err
		}
		update = tx.Member.UpdateOneID(me).SetAvatarFileID(id)
	}
	if err := update.Exec(ctx); err != nil {
		return fmt.Errorf("replace the avatar: %w", err)
	}
	if m.AvatarFileID == nil {
		return nil
	}
	return Release(ctx, tx, *m.AvatarFileID, at)
}

// DeleteFile deletes a file of the viewer's own that nothing refers to, and returns its id. It returns NOT_FOUND for one that they cannot see, and FORBIDDEN for
// one that is another's or in use.
func (s *Service) DeleteFile(ctx context.Context, v viewer.Viewer, id gid.ID) (*gid.ID, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		f, err := tx.File.Query().Where(file.ID(id), access.VisibleFiles(v), store.LockRow).Only(ctx)
		if ent.IsNotFound(err) {
			return fault.Missing().At("fileId")
		}
		if err != nil {
			return fmt.Errorf("lock file: %w", err)
		}
		if err := access.CanDeleteFile(v, f); err != nil {
			return err
		}
		return Release(ctx, tx, id, s.Now())
	})
	if err != nil {
		return nil, err
	}
	if err := s.discard(ctx, keyOf(id)); err != nil { // the sweep tries again
		s.Logger.WarnContext(ctx, "a deleted file's bytes stay for the sweep", "file", id, "error", err)
	}
	return &id, nil
}

package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"gocloud.dev/blob"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	sweepEvery = 10 * time.Minute
	// spare is how long what nothing refers to is kept. No upload takes as long: internal/server cuts what is slower than 4 KiB/s.
	spare = 24 * time.Hour
	// orphanDays is how far back bytes without a row are looked for. They are made by processes that were killed, and found within a
	// day or two by any other: only where none ran for a month would some stay.
	orphanDays = 30
	sweepBatch = 500
)

// Run sweeps every ten minutes until ctx ends. Any number of processes may.
func (s *Service) Run(ctx context.Context) {
	ctx = viewer.NewContext(ctx, viewer.System("sweep files"))
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.Logger.WarnContext(ctx, "files not swept", "error", err)
			}
		}
	}
}

// Sweep deletes what is not needed: files that nothing took within a day, with their bytes, and bytes that have had no row for a day.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.Now()
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		return tx.File.Update().Where(file.AttachedAtIsNil(), file.DeletedAtIsNil(), file.CreatedAtLT(now.Add(-spare))).SetDeletedAt(now).Exec(ctx)
	})
	if err != nil {
		return fmt.Errorf("release what nothing took: %w", err)
	}
	if err := s.sweepDeleted(ctx); err != nil {
		return err
	}
	return s.sweepOrphans(ctx, now)
}

// sweepDeleted deletes the bytes of deleted files and then their rows: were it the other way round, bytes could stay.
func (s *Service) sweepDeleted(ctx context.Context) error {
	for {
		files, err := s.Store.Client(ctx).File.Query().Where(file.DeletedAtNotNil()).Order(file.ByID()).Limit(sweepBatch).All(ctx)
		if err != nil {
			return fmt.Errorf("list deleted files: %w", err)
		}
		ids := make([]gid.ID, len(files))
		for i, f := range files {
			ids[i] = f.ID
			if err := s.discard(ctx, keyOf(f.ID)); err != nil {
				return err
			}
		}
		err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			_, err := tx.File.Delete().Where(page.AnyOf(file.FieldID, ids)).Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("delete files: %w", err)
		}
		if len(files) < sweepBatch {
			return nil
		}
	}
}

// sweepOrphans deletes bytes that no row tells of: an upload that was killed left them.
func (s *Service) sweepOrphans(ctx context.Context, now time.Time) error {
	bucket, err := s.open(ctx)
	if err != nil {
		return err
	}
	for back := range orphanDays {
		at := now.Add(-spare - time.Duration(back)*24*time.Hour)
		list := bucket.List(&blob.ListOptions{Prefix: dayOf(at)})
		for more := true; more; {
			var keys []string
			for len(keys) < sweepBatch {
				object, err := list.Next(ctx)
				if errors.Is(err, io.EOF) {
					more = false
					break
				}
				if err != nil {
					return storageAway(err)
				}
				if id, err := idOf(object.Key); err == nil && id.Time().Before(now.Add(-spare)) {
					keys = append(keys, object.Key)
				}
			}
			if err := s.discardOrphans(ctx, keys); err != nil {
				return err
			}
		}
	}
	return nil
}

// idOf is the id in a key. A directory has what was being written as well: an id and more.
func idOf(key string) (gid.ID, error) {
	name, _, _ := strings.Cut(path.Base(key), ".")
	return gid.Parse(name)
}

// discardOrphans deletes those of the keys that are no file's.
func (s *Service) discardOrphans(ctx context.Context, keys []string) error {
	ids := make([]gid.ID, 0, len(keys))
	for _, key := range keys {
		if id, err := idOf(key); err == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	known, err := s.Store.Client(ctx).File.Query().Where(page.AnyOf(file.FieldID, ids)).IDs(ctx)
	if err != nil {
		return fmt.Errorf("look for the rows of bytes: %w", err)
	}
	of := make(map[string]bool, len(known))
	for _, id := range known {
		of[keyOf(id)] = true
	}
	for _, key := range keys {
		if of[key] {
			continue
		}
		if err := s.discard(ctx, key); err != nil {
			return err
		}
		s.Logger.InfoContext(ctx, "bytes without a file deleted", "key", key)
	}
	return nil
}

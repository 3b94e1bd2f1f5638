package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/spaceexport"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	mediaType = "application/zip"

	look = 5 * time.Second
	// mostAttempts is how often an archive is begun before it is given up.
	mostAttempts = 5
	retry        = 30 * time.Second
	// tell is how often, in posts, it is written down how far an archive is.
	tell = 1_000
)

// errTaken says that another process has the archive: this one was too slow.
var errTaken = errors.New("another process puts this archive together")

// Run puts archives together, one after the other, until ctx ends. One runs in each process; they share the work.
func (s *Service) Run(ctx context.Context) {
	ctx = viewer.NewContext(store.Upkeep(ctx), viewer.System("export spaces"))
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		if err := s.Work(ctx); err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "archives wait", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-s.woken:
		case <-ticker.C:
		}
	}
}

// Wake makes Run look for archives now. It never blocks.
func (s *Service) Wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// Work puts together what is due, and forgets what is older than a day.
func (s *Service) Work(ctx context.Context) error {
	for {
		e, err := s.take(ctx)
		if err != nil {
			return err
		}
		if e == nil {
			return s.forget(ctx)
		}
		if err := s.make(ctx, e); err != nil {
			return err
		}
	}
}

// take makes an archive that is due this process's own for the time of a lease. Nil when there is none.
func (s *Service) take(ctx context.Context) (taken *ent.SpaceExport, err error) {
	now := s.Now()
	due := spaceexport.NextAtLTE(now)
	// A look comes first, so that a process with nothing to do never asks for the write lock.
	if some, err := s.Store.Client(ctx).SpaceExport.Query().Where(due).Exist(ctx); err != nil || !some {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		taken = nil
		rows, err := tx.SpaceExport.Query().Where(due, store.LockFreeRows).Order(spaceexport.ByNextAt(), spaceexport.ByID()).Limit(1).All(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		e, until := rows[0], now.Add(s.Lease)
		if e.Attempts >= mostAttempts {
			return tx.SpaceExport.UpdateOneID(e.ID).ClearNextAt().SetFailedAt(now).Exec(ctx)
		}
		taken, e.NextAt = e, &until
		return tx.SpaceExport.UpdateOneID(e.ID).SetNextAt(until).SetPosts(0).AddAttempts(1).Exec(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("take a space export: %w", err)
	}
	return taken, nil
}

// make puts an archive together and stores it. What goes wrong is tried again later; who lost the lease leaves it to who has it.
func (s *Service) make(ctx context.Context, e *ent.SpaceExport) error {
	err := s.build(ctx, e)
	switch {
	case err == nil || errors.Is(err, errTaken):
		return nil
	case ctx.Err() != nil: // at the end of the process: the next one need not wait for the lease
		return s.mine(context.WithoutCancel(ctx), e, func(u *ent.SpaceExportUpdate) { u.SetNextAt(s.Now()).AddAttempts(-1) })
	}
	s.Logger.WarnContext(ctx, "a space is not exported yet", "export", e.ID, "error", err.Error())
	return s.mine(ctx, e, func(u *ent.SpaceExportUpdate) { u.SetNextAt(s.Now().Add(retry)) })
}

func (s *Service) build(ctx context.Context, e *ent.SpaceExport) (err error) {
	if err := os.MkdirAll(s.Directory, 0o750); err != nil {
		return fmt.Errorf("make room for an archive: %w", err)
	}
	file, err := os.CreateTemp(s.Directory, "space-*")
	if err != nil {
		return fmt.Errorf("make room for an archive: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := os.Remove(file.Name()); err != nil { // it is gone when it is closed, even by a kill
		return fmt.Errorf("make room for an archive: %w", err)
	}
	posts, err := s.write(ctx, e, file)
	if err != nil {
		return err
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("measure an archive: %w", err)
	}
	id := s.NewID(gid.SpaceExport) // by itself: who was too slow writes over nobody's bytes
	if err := s.whileMine(ctx, e, posts, func(ctx context.Context) error { return s.Files.Keep(ctx, id, mediaType, file) }); err != nil {
		return err
	}
	return s.mine(ctx, e, func(u *ent.SpaceExportUpdate) {
		u.ClearNextAt().SetKeptID(id).SetFinishedAt(s.Now()).SetPosts(posts).SetSize(size)
	})
}

// whileMine does something that takes long, and renews the lease all the time. It stops, with errTaken, once another process has the archive.
func (s *Service) whileMine(ctx context.Context, e *ent.SpaceExport, posts int, do func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		renew := time.NewTicker(s.Lease / 3)
		defer renew.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-renew.C:
				if err := s.progress(ctx, e, posts); err != nil {
					stop(err)
					return
				}
			}
		}
	}()
	err := do(ctx)
	stop(nil)
	<-over
	if cause := context.Cause(ctx); errors.Is(cause, errTaken) {
		return cause
	}
	return err
}

// progress writes down how many posts are written, and renews the lease.
func (s *Service) progress(ctx context.Context, e *ent.SpaceExport, posts int) error {
	until := s.Now().Add(s.Lease)
	err := s.mine(ctx, e, func(u *ent.SpaceExportUpdate) { u.SetPosts(posts).SetNextAt(until) })
	if err == nil {
		e.NextAt = &until
	}
	return err
}

// mine changes an archive that this process still has; errTaken otherwise.
func (s *Service) mine(ctx context.Context, e *ent.SpaceExport, change func(*ent.SpaceExportUpdate)) error {
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		u := tx.SpaceExport.Update().Where(spaceexport.ID(e.ID), spaceexport.NextAt(*e.NextAt))
		change(u)
		n, err := u.Save(ctx)
		if err != nil {
			return fmt.Errorf("write down how far an archive is: %w", err)
		}
		if n == 0 {
			return errTaken
		}
		return nil
	})
}

// forget deletes the rows of archives that are older than a day. Their bytes go with the storage's sweep.
func (s *Service) forget(ctx context.Context) error {
	old := spaceexport.CreatedAtLT(s.Now().Add(-lasts))
	if some, err := s.Store.Client(ctx).SpaceExport.Query().Where(old).Exist(ctx); err != nil || !some {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		_, err := tx.SpaceExport.Delete().Where(old).Exec(ctx)
		return err
	})
}

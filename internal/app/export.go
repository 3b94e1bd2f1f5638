package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/server"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	// exportsAtOnce is how many archives a process puts together at a time: each holds a connection to the database.
	exportsAtOnce = 2
	// exportTime is how long that may take.
	exportTime = 5 * time.Minute
)

// exports serves GET /exports/{token}: an archive of the member's data whom the link is for, to whoever has the link. The archive is
// put together in a file that has no name, and sent from there: so who reads slowly, or comes back for the rest, holds no snapshot
// of the database and keeps nobody else waiting.
func (a *App) exports() server.Page {
	places := make(chan struct{}, exportsAtOnce)
	return func(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
		m, err := a.Accounts.OpenExport(r.Context(), r.PathValue("token"))
		if err != nil {
			return err
		}
		head := func() {
			w.Header().Set("Content-Type", "application/zip")
			w.Header().Set("Content-Disposition", `attachment; filename="commons-export.zip"`)
		}
		if r.Method == http.MethodHead {
			head()
			return nil
		}
		select {
		case places <- struct{}{}:
		default:
			return fault.New(fault.Unavailable, "Others are fetching their data just now. Try again in a minute.")
		}
		archive, err := a.archive(r.Context(), v, m)
		<-places
		if err != nil {
			return err
		}
		defer func() { _ = archive.Close() }()
		head()
		http.ServeContent(w, r, "", time.Time{}, archive)
		return nil
	}
}

// archive puts a member's archive together and writes down that it was fetched.
func (a *App) archive(ctx context.Context, v viewer.Viewer, m *ent.Member) (_ *os.File, err error) {
	ctx, cancel := context.WithTimeout(ctx, exportTime)
	defer cancel()
	if err := a.Accounts.NoteExport(ctx, v, m); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(a.Config.DataDir, 0o750); err != nil {
		return nil, fmt.Errorf("make room for an archive: %w", err)
	}
	file, err := os.CreateTemp(a.Config.DataDir, "export-*")
	if err != nil {
		return nil, fmt.Errorf("make room for an archive: %w", err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()
		}
	}()
	err = errors.Join(os.Remove(file.Name()), a.Accounts.WriteExport(ctx, m, file)) // it is gone when it is closed, even by a kill
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	return file, err
}

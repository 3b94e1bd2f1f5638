package app

import (
	"context"
	"net/http"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/server"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	// exportsAtOnce is how many archives a process writes at a time: each holds a connection to the database.
	exportsAtOnce = 2
	// exportTime is how long one may take, and exportPause how long its reader may take nothing.
	exportTime  = 15 * time.Minute
	exportPause = 30 * time.Second
)

// exports serves GET /exports/{token}: an archive of the member's data whom the link is for, to whoever has the link.
func (a *App) exports() server.Page {
	places := make(chan struct{}, exportsAtOnce)
	return func(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
		m, err := a.Accounts.OpenExport(r.Context(), r.PathValue("token"))
		if err != nil {
			return err
		}
		head := r.Method == http.MethodHead
		if !head {
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
			default:
				return fault.New(fault.Unavailable, "Others are fetching their data just now. Try again in a minute.")
			}
			if err := a.Accounts.NoteExport(r.Context(), v, m); err != nil {
				return err
			}
		}
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Content-Disposition", `attachment; filename="commons-export.zip"`)
		if head {
			return nil
		}
		ctx, cancel := context.WithTimeout(r.Context(), exportTime)
		defer cancel()
		return a.Accounts.WriteExport(ctx, m, &steady{w: w, control: http.NewResponseController(w)})
	}
}

// steady lets a long answer go on as long as its reader reads.
type steady struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// Write gives each write its own time.
func (s *steady) Write(b []byte) (int, error) {
	_ = s.control.SetWriteDeadline(time.Now().Add(exportPause)) // recorders have none
	return s.w.Write(b)
}

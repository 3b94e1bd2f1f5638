package app

import (
	"net/http"

	"github.com/pursuing-equity/commons/internal/casework"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// applicationExports serves GET /application-exports/{token}: an export of a call's applications, to whoever has the link. It is written while it is
// read: who reads slowly holds neither memory nor the database, and who stops reading is cut. What breaks off in the middle breaks the
// connection, so that nobody takes it for the whole.
func (a *App) applicationExports(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	if r.Method == http.MethodHead {
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return nil
	}
	e, err := a.Casework.OpenExport(r.Context(), v, r.PathValue("token"))
	if err != nil {
		return err
	}
	kind, name := "text/csv; charset=utf-8", "applications.csv"
	if e.Format == casework.XLSX {
		kind, name = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "applications.xlsx"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	out := &begun{ResponseWriter: w}
	if err := a.Casework.WriteExport(r.Context(), e, out); err != nil {
		if !out.wrote {
			w.Header().Del("Content-Disposition")
			return err
		}
		if r.Context().Err() == nil {
			a.Config.Logger.WarnContext(r.Context(), "export of applications broke off", "error", err)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

// begun knows whether an answer was begun.
type begun struct {
	http.ResponseWriter
	wrote bool
}

// Write begins the answer.
func (b *begun) Write(p []byte) (int, error) {
	b.wrote = true
	return b.ResponseWriter.Write(p)
}

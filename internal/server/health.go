package server

import (
	"context"
	"net/http"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
)

// readyTimeout bounds the question to the database.
const readyTimeout = 3 * time.Second

func (s *Server) serveLive(w http.ResponseWriter, _ *http.Request) {
	writeStatus(w, http.StatusOK, map[string]any{"alive": true})
}

// serveReady says 503 as soon as the drain begins, so that a balancer stops sending work.
func (s *Server) serveReady(w http.ResponseWriter, r *http.Request) {
	if s.live.draining() {
		writeStatus(w, http.StatusServiceUnavailable, map[string]any{"ready": false, "reason": "draining"})
		return
	}
	if s.cfg.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := s.cfg.Ready(ctx); err != nil {
			reason := "not ready; the log says why"
			if faults := fault.All(err); len(faults) > 0 {
				reason = faults[0].Message
			}
			s.logger(ctx).WarnContext(ctx, "not ready", "error", err.Error())
			writeStatus(w, http.StatusServiceUnavailable, map[string]any{"ready": false, "reason": reason})
			return
		}
	}
	writeStatus(w, http.StatusOK, map[string]any{"ready": true})
}

func writeStatus(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(appendJSON(nil, body), '\n')) // the prober is gone: nobody to tell
}

func (s *Server) serveSDL(w http.ResponseWriter, r *http.Request) {
	if s.cfg.HideSchema {
		refused := s.refuse(r.Context(), fault.New(fault.IntrospectionDisabled, "This server does not show its schema."))
		s.writeJSON(w, http.StatusNotFound, mediaResponse, refusalBody(refused.errs))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(s.cfg.SDL)) // the reader is gone: nobody to tell
}

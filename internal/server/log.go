package server

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"strings"
)

// observe gives each request an id, writes its log line, counts it, and turns a panic into a 500 with an error id.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &record{requestID: requestID(r), address: s.proxies.address(r), started: s.cfg.Now()}
		ctx := withRecord(r.Context(), rec)
		w.Header().Set("X-Request-Id", rec.requestID)
		out := &response{ResponseWriter: w}
		inner := r.WithContext(ctx)
		defer func() {
			p := recover()
			aborted := p == http.ErrAbortHandler //nolint:errorlint // net/http compares it so
			if p != nil && !aborted {
				refused := s.refuse(ctx, recovered(ctx, p))
				if out.status == 0 {
					s.writeRefusal(out, refused, mediaJSON)
				}
			}
			took := s.cfg.Now().Sub(rec.started)
			kind, code := rec.outcome()
			s.metrics.request(out.status)
			if r.URL.Path == "/graphql" && !rec.upgraded {
				s.metrics.operation(kind, code, took)
			}
			level := slog.LevelInfo
			if r.URL.Path != "/graphql" && out.status < 400 && !aborted {
				level = slog.LevelDebug // probes and scrapes come every few seconds
			}
			attrs := append(rec.attrs(), slog.String("method", r.Method), slog.String("path", loggedPath(inner)),
				slog.String("address", rec.address), slog.Int("status", out.status), slog.Int64("bytes", out.bytes), slog.Duration("duration", took))
			if aborted {
				attrs = append(attrs, slog.Bool("aborted", true))
			}
			s.log.LogAttrs(ctx, level, "request", attrs...)
			if aborted {
				panic(p) // net/http closes the connection for it
			}
		}()
		next.ServeHTTP(out, inner)
	})
}

// loggedPath is the path of a request; of a route with parameters the route, because whoever has the path of a link has the link.
func loggedPath(r *http.Request) string {
	if _, route, found := strings.Cut(r.Pattern, " "); found && strings.Contains(route, "/{") && route != "/{$}" {
		return route
	}
	return r.URL.Path
}

// requestID takes the caller's id if it could not harm a log, and makes one otherwise.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	ok := id != "" && len(id) <= 64
	for i := 0; ok && i < len(id); i++ {
		ok = isNameByte(id[i]) || id[i] == '-' || id[i] == '.'
	}
	if ok {
		return id
	}
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// response remembers what was answered.
type response struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader remembers the status.
func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (w *response) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach deadlines and Flush.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack is for gorilla/websocket, which asks for the interface and does not unwrap.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.status = http.StatusSwitchingProtocols
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/pursuing-equity/commons/internal/fault"
)

// origins decides which web pages may talk to us from a browser: our own, that of the public URL, and those that the
// configuration names.
type origins struct {
	allowed   map[string]bool
	secure    bool // the public URL is https
	crossSite *http.CrossOriginProtection
}

func newOrigins(allowed []string, publicURL string) (*origins, error) {
	o := &origins{allowed: map[string]bool{}, crossSite: http.NewCrossOriginProtection()}
	if publicURL != "" {
		u, err := url.Parse(publicURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("server: Config.PublicURL %q is no http or https URL", publicURL)
		}
		o.secure = u.Scheme == "https"
		allowed = append([]string{u.Scheme + "://" + u.Host}, allowed...)
	}
	for _, origin := range allowed {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			return nil, fmt.Errorf("server: Config.AllowedOrigins: %q is no origin like https://app.example", origin)
		}
		origin = strings.ToLower(origin)
		if err := o.crossSite.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("server: Config.AllowedOrigins: %w", err)
		}
		o.allowed[origin] = true
	}
	return o, nil
}

// socketAllowed reports whether a websocket may be opened: browsers send the page's origin and apply no rule of their own.
// Other clients send none.
func (o *origins) socketAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || o.allowed[strings.ToLower(origin)] {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// protect sets the headers that keep browsers in bounds, answers CORS preflights and refuses what another site's page
// sends with the viewer's cookies.
func (s *Server) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if s.origins.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		h.Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); origin != "" && s.origins.allowed[strings.ToLower(origin)] {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				h.Set("Access-Control-Allow-Methods", "GET, POST")
				h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id")
				h.Set("Access-Control-Max-Age", "7200")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		if err := s.origins.crossSite.Check(r); err != nil {
			f := fault.New(fault.Forbidden, "Pages of this origin may not use the API from a browser.")
			s.writeRefusal(w, s.refuse(r.Context(), f), mediaJSON)
			return
		}
		next.ServeHTTP(w, r)
	})
}

package server

import (
	"context"
	"net/http"

	"github.com/pursuing-equity/commons/internal/viewer"
)

// Page is an endpoint of plain HTTP beside /graphql: signing in, uploads, downloads. It gets who asks, and writes its answer; an
// error that it returns before it wrote anything becomes the same coded JSON as GraphQL's errors. It limits the size of what it
// reads; a body and an answer that stall are cut for it, however long they are.
type Page = func(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error

// servePage does for a page what the pipeline does for an operation: drain, sign-in, rate, errors.
func (s *Server) servePage(page Page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		control := http.NewResponseController(w)
		if r.Body != nil && r.Body != http.NoBody {
			body := &pacedBody{ReadCloser: r.Body, control: control, pace: s.newPace(), answer: 3 * s.limits.WriteTimeout}
			defer body.leave()
			r.Body = body
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Add("Vary", "Authorization, Cookie")
		refuse := func(err error) { s.writeRefusal(w, s.refuse(ctx, err), mediaResponse) }
		if !s.live.enter() {
			w.Header().Set("Connection", "close")
			refuse(stopping())
			return
		}
		defer s.live.leave()
		session, err := s.signIn(w, r)
		if err != nil {
			refuse(err)
			return
		}
		who := caller{session: session, address: recordOf(ctx).address}
		if err := s.charge(who, pagePoints); err != nil {
			refuse(err)
			return
		}
		v := session.Viewer.At(who.address)
		out := &response{ResponseWriter: &pacedWriter{ResponseWriter: w, control: control, pace: pace{stall: s.limits.WriteTimeout}}}
		if err := page(out, r.WithContext(viewer.NewContext(ctx, v)), v); err != nil {
			if out.status == 0 {
				refuse(err)
				return
			}
			s.log.WarnContext(ctx, "page broke off", "path", loggedPath(r), "error", s.unexpected(context.WithoutCancel(ctx), err).Error())
		}
	})
}

// pagePoints is what a page costs of the rate.
const pagePoints = 10

package server

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// authTimeout bounds the look at a token.
const authTimeout = 5 * time.Second

// serveGraphQL is GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/): POST with JSON, GET for queries,
// an upgrade to a websocket, or an event stream where the client accepts one.
func (s *Server) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	if websocket.IsWebSocketUpgrade(r) {
		s.serveSocket(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept, Authorization, Cookie")
	accept := negotiate(r)
	media := accept.json
	if media == "" {
		media = mediaJSON
	}
	ctx := r.Context()
	refuse := func(err error) { s.writeRefusal(w, s.refuse(ctx, err), media) }

	if !s.live.enter() {
		w.Header().Set("Connection", "close")
		refuse(stopping())
		return
	}
	defer s.live.leave()
	if accept == (accepted{}) {
		refuse(fault.New(fault.NotAcceptable, "Accept %s, %s or, for a stream, %s.", mediaResponse, mediaJSON, mediaEvents))
		return
	}
	req, err := s.readHTTP(w, r)
	if err != nil {
		refuse(err)
		return
	}
	session, err := s.signIn(w, r)
	if err != nil {
		refuse(err)
		return
	}
	who := caller{session: session, address: recordOf(ctx).address, checked: true}
	if accept.events {
		who.lastEvent = r.Header.Get("Last-Event-ID")
	}
	if r.Method == http.MethodGet {
		who.noMutate = fault.New(fault.MethodNotAllowed, "Send mutations with POST.")
	}
	ctx, op, err := s.accept(ctx, who, req)
	switch {
	case err != nil:
		if fault.Is(err, fault.MethodNotAllowed) {
			w.Header().Set("Allow", http.MethodPost)
		}
		refuse(err)
	case accept.events && (op.kind == ast.Subscription || accept.json == ""):
		s.serveEvents(ctx, w, session, op)
	case op.kind == ast.Subscription:
		refuse(fault.New(fault.NotAcceptable, "A subscription needs a websocket, or Accept: %s.", mediaEvents))
	default:
		resp, refused := op.execute(ctx)
		if refused != nil {
			s.writeRefusal(w, refused, media)
			return
		}
		s.writeJSON(w, http.StatusOK, media, appendResponse(nil, resp, op.extensions()))
	}
}

// authenticate reads the Authorization header's values. Nobody is an anonymous viewer by mistake: a header that is there
// must be right.
func (s *Server) authenticate(ctx context.Context, headers []string, address string) (Session, error) {
	if len(headers) == 0 {
		return Session{Viewer: viewer.Anonymous()}, nil
	}
	scheme, token, ok := strings.Cut(headers[0], " ")
	token = strings.TrimSpace(token)
	if len(headers) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " \t") {
		return Session{}, fault.New(fault.Unauthenticated, "The Authorization header must be: Bearer, a space and an access token.")
	}
	return s.check(ctx, "bearer", token, func(ctx context.Context) (Session, error) { return s.cfg.Authenticate(ctx, token, address) })
}

func sessionExpired() error {
	return fault.New(fault.Unauthenticated, "The access token has expired. Sign in again.")
}

func (s *Server) readHTTP(w http.ResponseWriter, r *http.Request) (*request, error) {
	switch r.Method {
	case http.MethodPost:
		return s.readPost(w, r)
	case http.MethodGet:
		return readGet(r)
	default:
		w.Header().Set("Allow", "GET, POST")
		return nil, fault.New(fault.MethodNotAllowed, "Use POST, or GET for queries.")
	}
}

func (s *Server) readPost(w http.ResponseWriter, r *http.Request) (*request, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || media != mediaJSON || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, fault.New(fault.UnsupportedMediaType, "Send Content-Type: %s, in UTF-8.", mediaJSON)
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, fault.New(fault.UnsupportedMediaType, "Send the body without a Content-Encoding.")
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(s.limits.Deadline)) // tests' recorders have no deadlines
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.limits.BodyBytes)))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, fault.New(fault.PayloadTooLarge, "The body is larger than %d bytes.", s.limits.BodyBytes)
	}
	if err != nil {
		return nil, fault.New(fault.BadRequest, "The body could not be read.").Because(err)
	}
	_ = control.SetReadDeadline(time.Time{})
	return readRequest(body)
}

func readGet(r *http.Request) (*request, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.BadRequest, "The URL's parameters are not well-formed.")
	}
	for _, name := range []string{"query", "documentId", "operationName", "variables", "extensions"} {
		if given := values[name]; len(given) > 1 {
			return nil, fault.New(fault.BadRequest, "The parameter %s is given twice.", name)
		}
		if text := values.Get(name); !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
			return nil, fault.New(fault.BadRequest, "The parameter %s is not text in UTF-8 without U+0000.", name)
		}
	}
	req := &request{Query: values.Get("query"), DocumentID: values.Get("documentId"), OperationName: values.Get("operationName")}
	if req.Variables, err = readVariables("variables", values.Get("variables")); err != nil {
		return nil, err
	}
	if req.Extensions, err = readVariables("extensions", values.Get("extensions")); err != nil {
		return nil, err
	}
	return req, req.identify()
}

// writeRefusal answers what was not executed. A client of application/json reads 200 where the HTTP request was right and
// only its document was not; the newer media type has the status.
func (s *Server) writeRefusal(w http.ResponseWriter, r *refusal, media string) {
	status := r.code.Status()
	if media == mediaJSON && !r.whole {
		status = http.StatusOK
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="commons"`)
	}
	if r.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((r.wait+time.Second-1)/time.Second)))
	}
	s.writeJSON(w, status, media, refusalBody(r.errs))
}

func (s *Server) writeJSON(w http.ResponseWriter, status int, media string, body []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(3 * s.limits.WriteTimeout)) // recorders have none
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON, with nosniff: no browser renders it; and nobody to tell when the client is gone
}

// Package server is the HTTP edge: GraphQL over HTTP, server-sent events and websockets, with one pipeline of limits before
// all three, and beside them health, metrics and the schema.
//
// It knows no domain and no database. Who asks, whether the database answers and what the schema does come in through
// Config; what goes out are responses, metrics and one log line for each request. Subscriptions that follow the event log are
// executed once for all who share document, variables and what they may see; each socket adds an envelope and writes.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Session is a sign-in that was checked.
type Session struct {
	Viewer  viewer.Viewer
	Expires time.Time // zero: never

	Secret string        // a new one, which the browser's cookie takes; empty: it stays as it is
	Lasts  time.Duration // of that cookie

	changes uint64 // how often access had changed when the check began
	noRole  bool   // the viewer held no role when they were checked: not so for what lasts
}

// Config is what a Server needs. Schema and Authenticate are required; every other zero value is safe.
type Config struct {
	Schema graphql.ExecutableSchema
	SDL    string // served at /schema.graphql

	// Authenticate checks the token of an Authorization header or of a websocket's connection_init, from a network address. It
	// returns an UNAUTHENTICATED fault for a token that is wrong, expired or revoked, and UNAVAILABLE when it cannot tell.
	Authenticate func(ctx context.Context, bearer, address string) (Session, error)

	// Resume checks the secret of a browser's cookie in the same way, where no Authorization header is. Nil: there are no cookies.
	Resume func(ctx context.Context, secret, address string) (Session, error)

	// OnSignInChange has a function called after each change by this process that may end a sign-in, before whoever made the change
	// learns that it was made. With it and Events a sign-in is believed for a second without being asked for again. Nil: every
	// request asks.
	OnSignInChange func(changed func())

	// Events is the log that subscriptions follow, and that says whose access may have changed. Nil: subscriptions are their
	// resolvers' channels only.
	Events *event.Log

	// Recheck says which of the tokens that hold a websocket or an event stream open are no longer good. It is called when
	// Events says that one may not be, and every Limits.Recheck with each token once, so that one statement can answer for
	// all. Nil: sessions end by Expires only.
	Recheck func(ctx context.Context, tokens []gid.ID) (revoked []gid.ID, err error)

	// Explain turns an error of the layers below into a fault where a client should know more than that it was ours, such as
	// UNAVAILABLE for a database that does not answer; other errors it returns as they are. Nil: none are explained.
	Explain func(error) error

	// Ready returns nil when work can be done. A fault's message is shown at /readyz; any other error goes to the log only.
	Ready func(ctx context.Context) error

	Pages      map[string]Page // by the patterns of http.ServeMux: "POST /files"
	Explorer   http.Handler    // served at "/" exactly and under "/explorer/"; it sets its own Content-Security-Policy
	Extensions []graphql.HandlerExtension
	Logger     *slog.Logger // nil: slog.Default()
	Registry   *prometheus.Registry

	AllowedOrigins []string // browser origins beside our own: "https://app.example"
	PublicURL      string   // where browsers find us; its origin is allowed, and https turns on Strict-Transport-Security

	// TrustedProxies are the networks of proxies whose word on a client's address is believed. Without any, all who come through
	// one proxy count as one address.
	TrustedProxies []netip.Prefix

	// TrustedDocuments are the only documents that run, by their hashes. Nil: any document does.
	TrustedDocuments map[string]string
	HideSchema       bool // no introspection, no suggestions in errors, no /schema.graphql

	RateLimit bool // rates and a viewer's shares only; the limits of one request always hold
	// ShareRates adds to what all processes know to be spent, by a key and as the time that it takes to come back, and returns
	// how long each key needs until it is rested: at most most. Nil: there is one process.
	ShareRates func(ctx context.Context, spent map[string]time.Duration, most time.Duration) (owed map[string]time.Duration, err error)

	Limits Limits

	Now func() time.Time // nil: time.Now
}

// Limits bounds what one request, one socket and one viewer may use. A zero field takes the default that stands beside it.
type Limits struct {
	BodyBytes          int           // 64 KiB: a request's body, a websocket's message
	Tokens             int           // 1,000 in a document; comments do not count
	Depth              int           // 15 levels of fields
	IntrospectionDepth int           // 20 levels below __schema and __type; the standard query has 15
	Aliases            int           // 15 other names for one field in a document
	Directives         int           // 5 at one place
	Cost               int64         // 500,000 objects
	Deadline           time.Duration // 10 s for a query or mutation
	DocumentCacheBytes int           // 32 MiB of parsed documents

	Executing     int           // 64, or 8 for each core if that is more: operations that execute at once
	ExecutingEach int           // a quarter of them: of one viewer
	Waiting       int           // 1,024 operations that wait for a place
	WaitingEach   int           // a sixteenth of them: of one viewer
	Wait          time.Duration // 2 s for a place, and then UNAVAILABLE
	Connections   int           // 200 websockets and event streams of one viewer

	RateBurst  int // 6,000 points that a viewer has when rested; an operation takes one, and one more for every 1,000 of cost
	RatePerSec int // 100 points that come back each second

	Operations   int           // 20 on one socket
	QueueBytes   int           // 256 KiB waiting for one socket
	InitTimeout  time.Duration // 5 s from the upgrade to connection_init
	PingInterval time.Duration // 5 s between pings on a websocket
	PongTimeout  time.Duration // 12 s without a pong, and the socket is cut
	WriteTimeout time.Duration // 10 s for one write to make progress
	Heartbeat    time.Duration // 12 s between comments on an event stream
	Recheck      time.Duration // 30 s between looks at all tokens that hold a connection open
	CloseGrace   time.Duration // 1 s for a peer to answer our close frame

	Drain       time.Duration // 30 s for everything to finish after the stop
	DrainSpread time.Duration // 5 s at most over which sockets are sent away
}

func (l *Limits) setDefaults() {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	dur := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.BodyBytes, 64<<10)
	def(&l.Tokens, 1000)
	def(&l.Depth, 15)
	def(&l.IntrospectionDepth, 20)
	def(&l.Aliases, 15)
	def(&l.Directives, 5)
	def(&l.DocumentCacheBytes, 32<<20)
	def(&l.Executing, max(64, 8*runtime.GOMAXPROCS(0)))
	def(&l.ExecutingEach, max(1, l.Executing/4))
	def(&l.Waiting, 1024)
	def(&l.WaitingEach, max(1, l.Waiting/16))
	def(&l.Connections, 200)
	def(&l.RateBurst, 6000)
	def(&l.RatePerSec, 100)
	def(&l.Operations, 20)
	def(&l.QueueBytes, 256<<10)
	if l.Cost == 0 {
		l.Cost = 500_000
	}
	dur(&l.Deadline, 10*time.Second)
	dur(&l.Wait, 2*time.Second)
	dur(&l.InitTimeout, 5*time.Second)
	dur(&l.PingInterval, 5*time.Second)
	dur(&l.PongTimeout, 12*time.Second)
	dur(&l.WriteTimeout, 10*time.Second)
	dur(&l.Heartbeat, 12*time.Second)
	dur(&l.Recheck, 30*time.Second)
	dur(&l.CloseGrace, time.Second)
	dur(&l.Drain, 30*time.Second)
	dur(&l.DrainSpread, 5*time.Second)
}

// Server answers HTTP. Make one with New.
type Server struct {
	cfg       Config
	limits    Limits
	log       *slog.Logger
	exec      *executor.Executor
	documents *documents
	rates     *limiter
	places    *places
	recent    *recent // nil: every sign-in is looked up
	proxies   proxies
	metrics   *metrics
	origins   *origins
	cookie    Cookie
	live      *registry
	suspects  chan struct{} // holds one: that access of somebody may have changed
	upgrader  websocket.Upgrader
	handler   http.Handler
}

// New makes a server, or names the field of the configuration that is wrong.
func New(cfg Config) (*Server, error) {
	if cfg.Schema == nil {
		return nil, errors.New("server: Config.Schema is missing")
	}
	if cfg.Authenticate == nil {
		return nil, errors.New("server: Config.Authenticate is missing")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Explain == nil {
		cfg.Explain = func(err error) error { return err }
	}
	cfg.Limits.setDefaults()

	s := &Server{
		cfg:       cfg,
		limits:    cfg.Limits,
		log:       cfg.Logger,
		documents: newDocuments(cfg.Schema.Schema(), cfg.Limits, cfg.HideSchema),
		rates:     newLimiter(cfg.Limits.RateBurst, cfg.Limits.RatePerSec, cfg.Now, cfg.RateLimit && cfg.ShareRates != nil),
		places:    newPlaces(cfg.Limits, cfg.RateLimit),
		proxies:   cfg.TrustedProxies,
		cookie:    NewCookie(cfg.PublicURL),
		live:      newRegistry(cfg.RateLimit, cfg.Limits.Connections),
		suspects:  make(chan struct{}, 1),
	}
	var err error
	if cfg.TrustedDocuments != nil {
		if s.documents.trusted, err = s.documents.trust(cfg.TrustedDocuments); err != nil {
			return nil, fmt.Errorf("server: Config.TrustedDocuments: %w", err)
		}
	}
	if s.origins, err = newOrigins(cfg.AllowedOrigins, cfg.PublicURL); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(cfg.Registry, s.places); err != nil {
		return nil, fmt.Errorf("server: register metrics: %w", err)
	}
	s.exec = executor.New(cfg.Schema)
	s.exec.SetErrorPresenter(s.present)
	s.exec.SetRecoverFunc(recovered)
	s.exec.SetQueryCache(preparedDocument{})
	for _, ext := range cfg.Extensions {
		s.exec.Use(ext)
	}
	s.upgrader = websocket.Upgrader{
		HandshakeTimeout: cfg.Limits.InitTimeout,
		ReadBufferSize:   256, // what is larger is read past the buffer
		WriteBufferSize:  4096,
		WriteBufferPool:  &writeBuffers{},
		Subprotocols:     []string{subprotocol},
		CheckOrigin:      func(*http.Request) bool { return true }, // checked before, with a coded answer
	}
	s.handler = s.routes()
	if cfg.Events != nil {
		cfg.Events.OnAccessChange(s.accessChanged)
		if cfg.OnSignInChange != nil {
			s.recent = newRecent(cfg.Now)
			cfg.OnSignInChange(s.recent.forget)
		}
	}
	return s, nil
}

// Handler is the whole edge, for a test's own server. Serve adds the drain and the periodic recheck.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/graphql", s.serveGraphQL)
	mux.HandleFunc("GET /schema.graphql", s.serveSDL)
	mux.HandleFunc("GET /livez", s.serveLive)
	mux.HandleFunc("GET /readyz", s.serveReady)
	mux.Handle("GET /metrics", s.metrics.handler(s.cfg.Registry))
	for pattern, page := range s.cfg.Pages {
		mux.Handle(pattern, s.servePage(page))
	}
	if s.cfg.Explorer != nil {
		mux.Handle("GET /{$}", s.cfg.Explorer)
		mux.Handle("GET /explorer/", s.cfg.Explorer)
	}
	return s.observe(s.protect(mux))
}

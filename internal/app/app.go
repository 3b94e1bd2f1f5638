// Package app puts the parts together into one running program. The binary and the tests use the same, so that what is
// tested is what runs.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pursuing-equity/commons/graph"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/archive"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/casework"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/desk"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/event/bus"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/feed"
	"github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/inbound"
	"github.com/pursuing-equity/commons/internal/library"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/markdown"
	"github.com/pursuing-equity/commons/internal/moderation"
	"github.com/pursuing-equity/commons/internal/newcomer"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/openid"
	"github.com/pursuing-equity/commons/internal/people"
	"github.com/pursuing-equity/commons/internal/placement"
	"github.com/pursuing-equity/commons/internal/review"
	"github.com/pursuing-equity/commons/internal/server"
	"github.com/pursuing-equity/commons/internal/signin"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
	"github.com/pursuing-equity/commons/internal/webhook"
)

// Config is what the program runs with. DatabaseURL is required; every other zero value is safe.
type Config struct {
	DatabaseURL    string
	DataDir        string // for what is no database: "var" when empty
	FilesURL       string // a bucket for uploads; empty: a directory in DataDir
	ClamdAddress   string // where the virus scanner listens; empty for none
	Files          file.Limits
	PublicURL      string
	AllowedOrigins []string
	Demo           bool
	RateLimit      bool
	TrustedProxies []netip.Prefix    // whose X-Forwarded-For and Forwarded are believed
	Documents      map[string]string // the only documents that run, by their hashes; nil: any
	HideSchema     bool
	Retention      time.Duration  // how long events are kept for who resumes; zero: event.Retention
	BusURL         string         // NATS servers that carry wake-ups between processes; empty: the database does
	SMTPURL        string         // the mail server, as mail.ParseServer reads it; empty: mail waits, or goes to the mailbox of a demo
	MailFrom       string         // who mail is from; empty: commons@ and the public URL's host
	InboundListen  string         // where mail comes in, as inbound.ParseListening reads it; empty: nowhere
	InboundDomain  string         // of the addresses for answers by mail; empty: there are none
	OpenID         openid.Config  // a provider that members can sign in with; its Issuer is empty: none. RedirectURL and Now are filled in
	WebhookAllow   []netip.Prefix // networks of the operator's own that webhooks may go to
	HoldWebhooks   bool           // a test's switch: deliveries are written down and not sent
	DropWakeups    bool           // a test's switch: events arrive by the poll only
	Version        string
	Logger         *slog.Logger          // nil: slog.Default()
	Now            func() time.Time      // nil: time.Now in UTC microseconds, as the databases keep them
	NewID          func(gid.Kind) gid.ID // nil: gid.New of Now
	Limits         server.Limits
}

// App is the program with its database open. The services can be called directly; Serve answers requests.
type App struct {
	Moderation *moderation.Service
	Newcomers  *newcomer.Service

	Config    Config
	Store     *store.Store
	Accounts  *account.Service
	Community *community.Service
	Admission *admission.Service
	Casework  *casework.Service
	Reviews   *review.Service
	Placement *placement.Service
	Forum     *forum.Service
	Notify    *notify.Service
	Telling   *notify.Worker
	Desk      *desk.Service
	People    *people.Service
	Library   *library.Service
	Files     *file.Service
	Events    *event.Log
	Kept      graph.Kept // rows that stand on every page
	Markdown  *markdown.Renderer
	Audit     *audit.Log
	Webhooks  *webhook.Service
	Archives  *archive.Service
	Inbound   *inbound.Service // nil where there are no addresses for answers by mail
	Mail      *mail.Service
	Sender    *mail.Sender
	Mailbox   *mail.Mailbox // nil but in a demo without a mail server
}

// Open opens the database and makes the services. It changes nothing and starts nothing.
func Open(ctx context.Context, cfg Config) (*App, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	}
	if cfg.NewID == nil {
		cfg.NewID = func(k gid.Kind) gid.ID { return gid.New(k, cfg.Now()) }
	}
	if cfg.DataDir == "" {
		cfg.DataDir = "var"
	}
	s, err := store.Open(ctx, cfg.DatabaseURL)
	if err != nil {
		return nil, err
	}
	a := &App{Config: cfg, Store: s, Markdown: markdown.New()}
	newID := cfg.NewID
	a.Audit = &audit.Log{Store: s, Now: cfg.Now, NewID: newID}
	a.Mail = &mail.Service{Store: s, Audit: a.Audit, Now: cfg.Now, NewID: newID}
	a.Webhooks = webhook.New(webhook.Config{
		Store: s, Audit: a.Audit, Mail: a.Mail, Now: cfg.Now, NewID: newID, Logger: cfg.Logger, Allow: cfg.WebhookAllow, Hold: cfg.HoldWebhooks,
	})
	a.Accounts = &account.Service{
		Store: s, Audit: a.Audit, Mail: a.Mail, Webhooks: a.Webhooks, Hasher: account.NewHasher(), Now: cfg.Now, NewID: newID,
		PublicURL: strings.TrimRight(cfg.PublicURL, "/"), Erasing: make(chan struct{}, 1),
	}
	if err := a.openMail(); err != nil {
		_ = s.Close()
		return nil, err
	}
	var wakeups bus.Bus
	switch {
	case cfg.BusURL != "":
		if wakeups, err = bus.NATS(cfg.BusURL, cfg.Logger); err != nil {
			_ = s.Close()
			return nil, err
		}
	case s.Postgres():
		wakeups = bus.Postgres(s, cfg.Logger)
	}
	a.Events = event.New(s, event.Config{Bus: wakeups, Logger: cfg.Logger, Now: cfg.Now, Retention: cfg.Retention, Ended: a.Accounts.Ended, Appended: a.Webhooks.Appended, Deaf: cfg.DropWakeups})
	a.Community = &community.Service{Store: s, Audit: a.Audit, Webhooks: a.Webhooks, Now: cfg.Now, NewID: newID}
	a.Admission = &admission.Service{Store: s, Audit: a.Audit, Events: a.Events, Mail: a.Mail, Now: cfg.Now, NewID: newID, Logger: cfg.Logger, PublicURL: a.Accounts.PublicURL}
	a.Sender.Prepare[admission.MailSignature] = a.Admission.Compose
	a.Casework = casework.New(casework.Config{
		Store: s, Admission: a.Admission, Audit: a.Audit, Events: a.Events, Mail: a.Mail, PublicURL: a.Accounts.PublicURL, Logger: cfg.Logger, Now: cfg.Now, NewID: newID,
	})
	a.Accounts.Taking = a.Admission.Taking
	a.Reviews = &review.Service{Store: s, Audit: a.Audit, Mail: a.Mail, Admission: a.Admission, PublicURL: a.Accounts.PublicURL, Now: cfg.Now, NewID: newID}
	a.Sender.Prepare[review.MailAssigned] = a.Reviews.Compose
	a.Notify = &notify.Service{
		Store: s, Events: a.Events, Mail: a.Mail, PublicURL: a.Accounts.PublicURL, MailDomain: a.mailDomain(), Now: cfg.Now, NewID: newID,
	}
	a.Placement = &placement.Service{
		Store: s, Events: a.Events, Audit: a.Audit, Mail: a.Mail, Community: a.Community, PublicURL: a.Accounts.PublicURL, Now: cfg.Now, NewID: newID, Logger: cfg.Logger,
	}
	a.Community.HoldPlace, a.Community.PlaceChanged = a.Placement.HoldPlace, a.Placement.PlaceChanged
	a.Sender.Write = map[string]mail.Write{notify.Template: a.Notify.Letter, access.PrivateMail: a.Notify.Letter, admission.MailApplication: a.Admission.Letter, casework.MailReminder: a.Casework.Letter, placement.Template: a.Placement.Letter}
	a.Sender.Refused = a.Notify.MailRefused
	a.Telling = notify.NewWorker(a.Notify, cfg.Logger)
	a.Notify.Wake = a.Telling.Wake
	a.Newcomers = &newcomer.Service{Store: s, Now: cfg.Now, Off: !cfg.RateLimit}
	a.Community.Newcomers = a.Newcomers
	a.Kept = graph.Keep(s, cfg.Now)
	a.Events.OnAccessChange(a.Kept.Forget)
	a.Forum = &forum.Service{Newcomers: a.Newcomers, Store: s, Events: a.Events, Notify: a.Notify, Audit: a.Audit, Webhooks: a.Webhooks, Markdown: a.Markdown, PublicURL: a.Accounts.PublicURL, Now: cfg.Now, NewID: newID}
	a.Desk = &desk.Service{Store: s, Events: a.Events, Forum: a.Forum, Notify: a.Notify, Now: cfg.Now, NewID: newID, Logger: cfg.Logger}
	a.People = &people.Service{Newcomers: a.Newcomers, Store: s, Community: a.Community, Forum: a.Forum, Now: cfg.Now, NewID: newID}
	a.Library = &library.Service{Store: s, Now: cfg.Now, NewID: newID}
	a.Files = &file.Service{
		Store: s, Directory: filepath.Join(cfg.DataDir, "files"), BucketURL: cfg.FilesURL, Scanner: cfg.ClamdAddress,
		PublicURL: cfg.PublicURL, Limits: cfg.Files, Now: cfg.Now, NewID: newID, Logger: cfg.Logger,
	}
	a.Archives = archive.New(archive.Config{
		Store: s, Audit: a.Audit, Files: a.Files, Forum: a.Forum, Now: cfg.Now, NewID: newID, Directory: cfg.DataDir,
		PublicURL: func() string { return a.Accounts.PublicURL }, Logger: cfg.Logger,
	})
	a.Moderation = &moderation.Service{Store: s, Events: a.Events, Audit: a.Audit, Forum: a.Forum, Notify: a.Notify, Unlimited: !cfg.RateLimit, Now: cfg.Now, NewID: newID, Logger: cfg.Logger}
	if cfg.InboundDomain != "" {
		a.Inbound = &inbound.Service{Store: s, Forum: a.Forum, Files: a.Files, Domain: cfg.InboundDomain, Directory: cfg.DataDir, Now: cfg.Now, Unlimited: !cfg.RateLimit, Logger: cfg.Logger}
		a.Notify.ReplyAddress, a.Notify.ReturnPath = a.Inbound.AddressOf, a.Inbound.ReturnPathOf
		a.Inbound.Bounced = a.Notify.MailBounced
	}
	a.Accounts.Community, a.Accounts.Forum, a.Accounts.Notify, a.Accounts.Library = a.Community, a.Forum, a.Notify, a.Library
	a.Accounts.Desk, a.Accounts.Moderation, a.Accounts.Admission, a.Accounts.Reviews = a.Desk, a.Moderation, a.Admission, a.Reviews
	a.Accounts.Casework = a.Casework
	return a, nil
}

// Close closes the storage and the database.
func (a *App) Close() error { return errors.Join(a.Files.Close(), a.Store.Close()) }

// ErrInUse says that another process serves the same SQLite file. Many processes need PostgreSQL.
var ErrInUse = errors.New("another process serves this SQLite database; one file is for one serve: stop the other one, or use PostgreSQL for many")

// LockFile keeps a second serve off a SQLite file until the returned function is called. On PostgreSQL it does nothing.
func (a *App) LockFile() (func(), error) {
	path, ok := strings.CutPrefix(a.Config.DatabaseURL, "sqlite:")
	if !ok {
		return func() {}, nil
	}
	l := flock.New(path + ".lock")
	switch got, err := l.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock the database: %w", err)
	case !got:
		return nil, ErrInUse
	}
	return func() { _ = l.Unlock() }, nil
}

// Serve answers requests on ln until ctx ends, and then drains. The explorer may be nil.
func (a *App) Serve(ctx context.Context, ln net.Listener, explorer http.Handler) error {
	if a.Accounts.PublicURL == "" {
		a.Accounts.PublicURL = listeningURL(ln.Addr())
		a.Forum.PublicURL, a.Notify.PublicURL, a.Admission.PublicURL = a.Accounts.PublicURL, a.Accounts.PublicURL, a.Accounts.PublicURL
		a.Casework.PublicURL, a.Placement.PublicURL = a.Accounts.PublicURL, a.Accounts.PublicURL
	}
	pages, err := a.pages()
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	for _, c := range slices.Concat(a.Sender.Collectors(), a.Telling.Collectors()) {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	cfg := server.Config{
		Schema:         a.Resolver().Schema(),
		SDL:            graph.SDL(),
		Authenticate:   a.authenticate,
		Resume:         a.resume,
		Events:         a.Events,
		Recheck:        a.Accounts.Ended,
		Explain:        store.Fault,
		Ready:          a.ready,
		Pages:          pages,
		Explorer:       explorer,
		Extensions:     []graphql.HandlerExtension{graph.Snapshot{Store: a.Store}},
		Logger:         a.Config.Logger,
		Registry:       registry,
		AllowedOrigins: a.Config.AllowedOrigins,
		PublicURL:      a.Config.PublicURL,
		RateLimit:      a.Config.RateLimit,
		Limits:         a.Config.Limits,
		Now:            a.Config.Now,

		TrustedProxies:   a.Config.TrustedProxies,
		TrustedDocuments: a.Config.Documents,
		HideSchema:       a.Config.HideSchema,
		OnSignInChange:   a.Store.OnSignInChange,
	}
	if a.Store.Postgres() {
		cfg.ShareRates = a.shareRates
	}
	srv, err := server.New(cfg)
	if err != nil {
		return err
	}
	logCtx, stop := context.WithCancel(context.WithoutCancel(ctx)) // the log runs until the last subscriber has been sent away
	logDone := make(chan struct{})
	go func() {
		defer close(logDone)
		a.Events.Run(logCtx)
	}()
	forgetting := make(chan struct{})
	go func() {
		defer close(forgetting)
		a.forget(logCtx)
	}()
	mailing := make(chan struct{})
	go func() {
		defer close(mailing)
		a.sendMail(logCtx)
	}()
	letters, err := a.listenForMail(ctx)
	if err != nil {
		stop()
		<-logDone
		return err
	}
	receiving := make(chan struct{})
	go func() {
		defer close(receiving)
		letters(ctx)
	}()
	telling := make(chan struct{})
	go func() {
		defer close(telling)
		a.Telling.Run(logCtx)
	}()
	delivering := make(chan struct{})
	go func() {
		defer close(delivering)
		a.Webhooks.Run(logCtx)
	}()
	sweeping := make(chan struct{})
	go func() {
		defer close(sweeping)
		a.Files.Run(logCtx)
	}()
	erasing := make(chan struct{})
	go func() {
		defer close(erasing)
		a.erase(logCtx)
	}()
	indexing := make(chan struct{})
	go func() {
		defer close(indexing)
		a.Community.KeepIndex(store.Upkeep(logCtx), func(err error) {
			a.Config.Logger.WarnContext(logCtx, "members not found by name yet", "error", err)
		})
	}()
	reminding := make(chan struct{})
	go func() {
		defer close(reminding)
		a.Admission.Run(logCtx)
	}()
	publishing := make(chan struct{})
	go func() {
		defer close(publishing)
		a.Desk.Run(logCtx)
	}()
	working := make(chan struct{})
	go func() {
		defer close(working)
		a.Casework.Run(logCtx)
	}()
	placing := make(chan struct{})
	go func() {
		defer close(placing)
		a.Placement.Run(logCtx)
	}()
	archiving := make(chan struct{})
	go func() {
		defer close(archiving)
		a.Archives.Run(logCtx)
	}()
	err = srv.Serve(ctx, ln)
	stop()
	<-logDone
	<-forgetting
	<-mailing
	<-telling
	<-receiving
	<-delivering
	<-sweeping
	<-erasing
	<-reminding
	<-publishing
	<-working
	<-placing
	<-archiving
	<-indexing
	return err
}

// Resolver is the graph over the program's domains.
func (a *App) Resolver() *graph.Resolver {
	return &graph.Resolver{
		Kept:  a.Kept,
		Store: a.Store, Events: a.Events, Accounts: a.Accounts, Community: a.Community, Forum: a.Forum, Notify: a.Notify, Desk: a.Desk,
		People: a.People, Library: a.Library, Moderation: a.Moderation, Newcomers: a.Newcomers, Audit: a.Audit, Files: a.Files,
		Webhooks: a.Webhooks, Mail: a.Mail, Admission: a.Admission, Reviewing: a.Reviews, Casework: a.Casework,
		Placement: a.Placement,
		Archives:  a.Archives,
	}
}

// pages are the endpoints beside /graphql.
func (a *App) pages() (map[string]server.Page, error) {
	cookie := server.NewCookie(a.Config.PublicURL)
	cfg := signin.Config{Accounts: a.Accounts, SetCookie: cookie.Set, ClearCookie: cookie.Clear, Now: a.Config.Now}
	if a.Config.OpenID.Issuer != "" {
		provider := a.Config.OpenID
		provider.RedirectURL, provider.Now = a.Accounts.PublicURL+signin.OpenIDCallback, a.Config.Now
		var err error
		if cfg.OpenID, err = openid.New(provider); err != nil {
			return nil, fmt.Errorf("the OpenID provider: %w", err)
		}
	}
	pages := signin.Pages(cfg)
	maps.Copy(pages, a.Files.Pages())
	maps.Copy(pages, a.Notify.Pages())
	maps.Copy(pages, a.Admission.Pages())
	pages["GET /exports/{token}"] = a.exports()
	pages["GET /application-exports/{token}"] = a.applicationExports
	pages[archive.Path] = a.Archives.Serve
	pages["GET /spaces/{id}/feed.atom"] = (&feed.Service{Store: a.Store, Accounts: a.Accounts}).Serve
	if a.Mailbox != nil {
		pages["GET /mailbox"] = a.Mailbox.Page
	}
	return pages, nil
}

// forget deletes every hour what is kept for a while only, until ctx ends.
func (a *App) forget(ctx context.Context) {
	ctx = viewer.NewContext(ctx, viewer.System("forget what is old"))
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hourly.C:
			if _, err := a.Store.ForgetKeys(ctx, a.Config.Now()); err != nil && ctx.Err() == nil {
				a.Config.Logger.WarnContext(ctx, "idempotency keys not forgotten", "error", err)
			}
			if err := a.Accounts.Forget(ctx); err != nil && ctx.Err() == nil {
				a.Config.Logger.WarnContext(ctx, "old sign-ins not forgotten", "error", err)
			}
			if !a.Store.Postgres() {
				continue
			}
			if err := a.Store.ForgetRates(ctx); err != nil && ctx.Err() == nil {
				a.Config.Logger.WarnContext(ctx, "rates not forgotten", "error", err)
			}
		}
	}
}

func (a *App) shareRates(ctx context.Context, spent map[string]time.Duration, most time.Duration) (map[string]time.Duration, error) {
	return a.Store.ShareRates(viewer.NewContext(store.Upkeep(ctx), viewer.System("share rates")), spent, most)
}

// erase scrubs what erased members have left, as soon as somebody was erased, and every minute until nothing is left, until ctx ends.
func (a *App) erase(ctx context.Context) {
	again := time.NewTicker(time.Minute)
	defer again.Stop()
	for {
		if err := a.Accounts.FinishErasures(store.Upkeep(ctx)); err != nil && ctx.Err() == nil {
			a.Config.Logger.WarnContext(ctx, "erasure not finished, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-a.Accounts.Erasing:
		case <-again.C:
		}
	}
}

func (a *App) authenticate(ctx context.Context, bearer, address string) (server.Session, error) {
	v, expires, err := a.Accounts.SignIn(ctx, bearer, address)
	return server.Session{Viewer: v, Expires: expires}, err
}

func (a *App) resume(ctx context.Context, secret, address string) (server.Session, error) {
	r, err := a.Accounts.Resume(ctx, secret, address)
	if err != nil {
		return server.Session{}, err
	}
	return server.Session{Viewer: r.Viewer, Expires: r.Expires, Secret: r.Secret, Lasts: r.Lasts}, nil
}

// listeningURL is where a browser on this machine finds the server.
func listeningURL(address net.Addr) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return "http://" + address.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func (a *App) ready(ctx context.Context) error {
	ctx = viewer.NewContext(ctx, viewer.System("readiness"))
	if err := a.Store.Ping(ctx); err != nil {
		return fault.New(fault.Unavailable, "The database does not answer.").Because(err)
	}
	pending, err := a.Store.Pending(ctx)
	if err != nil {
		return fault.New(fault.Unavailable, "The database does not answer.").Because(err)
	}
	if pending {
		return fault.New(fault.Unavailable, "Migrations are pending: run commons migrate.")
	}
	return nil
}

package app

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pursuing-equity/commons/graph"
	"github.com/pursuing-equity/commons/internal/archive"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/feed"
	"github.com/pursuing-equity/commons/internal/openid"
	"github.com/pursuing-equity/commons/internal/server"
	"github.com/pursuing-equity/commons/internal/signin"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Serve answers requests on ln until ctx ends, and then drains. The explorer may be nil.
func (a *App) Serve(ctx context.Context, ln net.Listener, explorer http.Handler) error {
	if a.Accounts.PublicURL == "" {
		a.found(listeningURL(ln.Addr()))
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

// found tells all who write links where the program is found.
func (a *App) found(at string) {
	for _, url := range []*string{
		&a.Accounts.PublicURL, &a.Forum.PublicURL, &a.Notify.PublicURL, &a.Admission.PublicURL, &a.Casework.PublicURL, &a.Reviews.PublicURL, &a.Placement.PublicURL,
	} {
		*url = at
	}
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

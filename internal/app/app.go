// Package app puts the parts together into one running program. The binary and the tests use the same, so that what is
// tested is what runs.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

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
	"github.com/pursuing-equity/commons/internal/store"
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
	a.Notify = &notify.Service{
		Store: s, Events: a.Events, Mail: a.Mail, PublicURL: a.Accounts.PublicURL, MailDomain: a.mailDomain(), Now: cfg.Now, NewID: newID,
	}
	a.Admission = &admission.Service{Store: s, Audit: a.Audit, Events: a.Events, Mail: a.Mail, Notify: a.Notify, Now: cfg.Now, NewID: newID, Logger: cfg.Logger, PublicURL: a.Accounts.PublicURL}
	a.Sender.Prepare[admission.MailSignature] = a.Admission.Compose
	a.Accounts.Taking = a.Admission.Taking
	a.Reviews = &review.Service{Store: s, Audit: a.Audit, Mail: a.Mail, Notify: a.Notify, Admission: a.Admission, PublicURL: a.Accounts.PublicURL, Now: cfg.Now, NewID: newID}
	a.Sender.Prepare[review.MailAssigned] = a.Reviews.Compose
	a.Placement = &placement.Service{
		Store: s, Events: a.Events, Audit: a.Audit, Mail: a.Mail, Notify: a.Notify, Community: a.Community, PublicURL: a.Accounts.PublicURL, Now: cfg.Now, NewID: newID, Logger: cfg.Logger,
	}
	a.Casework = casework.New(casework.Config{
		Store: s, Admission: a.Admission, Reviews: a.Reviews, Placement: a.Placement, Audit: a.Audit, Events: a.Events, Mail: a.Mail, Notify: a.Notify, PublicURL: a.Accounts.PublicURL,
		Logger: cfg.Logger, Now: cfg.Now, NewID: newID,
	})
	a.Community.HoldPlace, a.Community.PlaceChanged, a.Admission.PlacesChanged = a.Placement.HoldPlace, a.Placement.PlaceChanged, a.Placement.PlacesAdded
	a.Sender.Write = map[string]mail.Write{notify.Template: a.Notify.Letter, access.PrivateMail: a.Notify.Letter, admission.MailApplication: a.Admission.Letter, casework.MailReminder: a.Casework.Letter, placement.Template: a.Placement.Letter}
	a.Sender.Refused = a.Notify.MailRefused
	a.Telling = notify.NewWorker(a.Notify, cfg.Logger)
	a.Notify.Wake = a.Telling.Wake
	a.Newcomers = &newcomer.Service{Store: s, Now: cfg.Now, Off: !cfg.RateLimit}
	a.Community.Newcomers = a.Newcomers
	a.Kept = graph.Keep(s, cfg.Now)
	a.Events.OnAccessChange(a.Kept.Forget)
	a.Forum = &forum.Service{Newcomers: a.Newcomers, Store: s, Events: a.Events, Notify: a.Notify, Audit: a.Audit, Webhooks: a.Webhooks, Markdown: a.Markdown, PublicURL: a.Accounts.PublicURL, Now: cfg.Now, NewID: newID, Logger: cfg.Logger}
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

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/event/bus"
	"github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/inbound"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/openid"
)

// config is the environment, checked.
type config struct {
	app.Config
	listen    string
	logFormat string
}

// variable is one environment variable. README's table is made of these; a test compares them.
type variable struct{ name, fallback, what string }

func variables() []variable {
	return []variable{
		{"COMMONS_LISTEN", "127.0.0.1:8080", "address and port to listen on"},
		{"COMMONS_DATABASE_URL", "sqlite:var/commons.db", "`sqlite:` and a path, or `postgres://…`"},
		{"COMMONS_DATA_DIR", "var", "directory for files beside the database"},
		{"COMMONS_PUBLIC_URL", "", "where browsers find the server, such as `https://commons.example`; links in mail begin with it, and https makes cookies secure; empty: the listening address"},
		{"COMMONS_FILES_URL", "", "bucket for uploads: `s3://name?region=…`, with `&endpoint=…&use_path_style=true` for one that is not Amazon's; keys come from AWS's own variables; empty: `files` in `COMMONS_DATA_DIR`"},
		{"COMMONS_CLAMD_ADDRESS", "", "virus scanner that every upload passes: clamd's `host:port` or `unix:/path`; its `StreamMaxLength` must be 200M; empty: none"},
		{"COMMONS_DEMO", "off", "`on` fills an empty database with the demo program and prints tokens; `make run` turns it on"},
		{"COMMONS_ALLOWED_ORIGINS", "", "origins of front ends elsewhere, with commas: `https://app.example,https://admin.example`"},
		{"COMMONS_BUS_URL", "", "what carries wake-ups between replicas: `nats://…` or `tls://…`, several with commas; empty: PostgreSQL does"},
		{"COMMONS_SMTP_URL", "", "mail server: `smtp://user:password@host:587` or `smtps://…`; empty: mail waits in the database, or under `COMMONS_DEMO=on` shows at `/mailbox`"},
		{"COMMONS_MAIL_FROM", "", "sender of mail, such as `Commons <commons@example.org>`; empty: `commons@` and the host of `COMMONS_PUBLIC_URL`"},
		{"COMMONS_INBOUND_LISTEN", "", "where answers by mail come in, from a mail server in front: `lmtp:unix:/path`, `lmtp:127.0.0.1:2424` or `smtp:…`; empty: nowhere"},
		{"COMMONS_INBOUND_DOMAIN", "", "domain of the addresses for answers by mail, such as `reply.commons.example`; empty: notifications have none"},
		{"COMMONS_OIDC_ISSUER", "", "OpenID provider that members can sign in with, such as `https://login.example.org`; empty: none"},
		{"COMMONS_OIDC_CLIENT_ID", "", "as whom the provider knows this installation; its redirect URL is `COMMONS_PUBLIC_URL` and `/auth/oidc/callback`"},
		{"COMMONS_OIDC_CLIENT_SECRET", "", "what the installation shows the provider; empty: a public client, PKCE only"},
		{"COMMONS_OIDC_LABEL", "your organization", "what people call the provider: `Sign in with …`"},
		{"COMMONS_EVENT_RETENTION", "30d", "how long events are kept for subscribers who resume, in days (`30d`) or hours (`12h`); at least `1h`"},
		{"COMMONS_LOG_FORMAT", "text", "`text` or `json`, on standard error"},
		{"COMMONS_RATE_LIMIT", "on", "`off` for load tests: rates only, never the limits of one request"},
		{"COMMONS_TRUSTED_PROXIES", "", "networks of proxies whose `X-Forwarded-For` or `Forwarded` tells a client's address, with commas: `10.0.0.0/8,fd00::/8`"},
		{"COMMONS_TRUSTED_DOCUMENTS", "", "a JSON file of documents by their hashes, as relay-compiler and GraphQL Code Generator write it: only these run; empty: any"},
		{"COMMONS_WEBHOOK_ALLOW", "", "networks of your own that webhooks may go to, at any port and without TLS, with commas: `10.1.0.0/16`; empty: the public internet only, by https"},
		{"COMMONS_INTROSPECTION", "on", "`off` refuses introspection and `/schema.graphql`, and takes suggestions out of errors"},
	}
}

// dropWakeups is a switch of tests: events then come by the poll only.
const dropWakeups = "COMMONS_TEST_DROP_WAKEUPS=on"

func printVariables(w io.Writer) {
	for _, v := range variables() {
		fallback := v.fallback
		if fallback == "" {
			fallback = "empty"
		}
		fmt.Fprintf(w, "  %-24s %s (%s)\n", v.name, strings.ReplaceAll(v.what, "`", ""), fallback)
	}
}

// parseEnvironment reads the variables that begin with COMMONS_. An unknown one is an error that names it: it is most likely
// a known one with a typing mistake.
func parseEnvironment(environ []string) (config, error) {
	values := make(map[string]string)
	known := variables()
	for _, v := range known {
		values[v.name] = v.fallback
	}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(name, "COMMONS_") || strings.HasPrefix(name, "COMMONS_TEST_") {
			continue
		}
		if !slices.ContainsFunc(known, func(v variable) bool { return v.name == name }) {
			return config{}, fmt.Errorf("%s is not a variable that commons knows; see commons --help", name)
		}
		if value != "" {
			values[name] = value
		}
	}
	c := config{listen: values["COMMONS_LISTEN"], logFormat: values["COMMONS_LOG_FORMAT"]}
	c.DropWakeups = slices.Contains(environ, dropWakeups)
	c.DatabaseURL, c.DataDir, c.PublicURL, c.Version = values["COMMONS_DATABASE_URL"], values["COMMONS_DATA_DIR"], values["COMMONS_PUBLIC_URL"], version
	for o := range strings.SplitSeq(values["COMMONS_ALLOWED_ORIGINS"], ",") {
		if o = strings.TrimSpace(o); o != "" {
			c.AllowedOrigins = append(c.AllowedOrigins, o)
		}
	}
	var err error
	if c.Demo, err = onOff("COMMONS_DEMO", values); err != nil {
		return c, err
	}
	if c.RateLimit, err = onOff("COMMONS_RATE_LIMIT", values); err != nil {
		return c, err
	}
	introspection, err := onOff("COMMONS_INTROSPECTION", values)
	if err != nil {
		return c, err
	}
	c.HideSchema = !introspection
	if c.TrustedProxies, err = networks(values["COMMONS_TRUSTED_PROXIES"]); err != nil {
		return c, fmt.Errorf("COMMONS_TRUSTED_PROXIES: %w", err)
	}
	if c.WebhookAllow, err = networks(values["COMMONS_WEBHOOK_ALLOW"]); err != nil {
		return c, fmt.Errorf("COMMONS_WEBHOOK_ALLOW: %w", err)
	}
	if c.Documents, err = manifest(values["COMMONS_TRUSTED_DOCUMENTS"]); err != nil {
		return c, fmt.Errorf("COMMONS_TRUSTED_DOCUMENTS: %w", err)
	}
	if _, _, err := net.SplitHostPort(c.listen); err != nil {
		return c, fmt.Errorf("COMMONS_LISTEN must be an address and a port, such as 127.0.0.1:8080: %w", err)
	}
	if c.PublicURL != "" {
		if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return c, fmt.Errorf("COMMONS_PUBLIC_URL must be an http or https URL")
		}
	}
	c.BusURL = values["COMMONS_BUS_URL"]
	if err := bus.Check(c.BusURL); err != nil {
		return c, fmt.Errorf("COMMONS_BUS_URL: %w", err)
	}
	if c.SMTPURL = values["COMMONS_SMTP_URL"]; c.SMTPURL != "" {
		if _, err := mail.ParseServer(c.SMTPURL); err != nil {
			return c, fmt.Errorf("COMMONS_SMTP_URL %w", err)
		}
	}
	if c.MailFrom = values["COMMONS_MAIL_FROM"]; c.MailFrom != "" {
		if _, err := netmail.ParseAddress(c.MailFrom); err != nil {
			return c, fmt.Errorf("COMMONS_MAIL_FROM must be a mail address, such as Commons <commons@example.org>")
		}
	}
	c.InboundListen, c.InboundDomain = values["COMMONS_INBOUND_LISTEN"], values["COMMONS_INBOUND_DOMAIN"]
	if c.InboundListen != "" {
		if _, err := inbound.ParseListening(c.InboundListen); err != nil {
			return c, fmt.Errorf("COMMONS_INBOUND_LISTEN %w", err)
		}
		if c.InboundDomain == "" {
			return c, fmt.Errorf("COMMONS_INBOUND_LISTEN needs COMMONS_INBOUND_DOMAIN")
		}
	}
	c.OpenID = openid.Config{
		Issuer: values["COMMONS_OIDC_ISSUER"], ClientID: values["COMMONS_OIDC_CLIENT_ID"], ClientSecret: values["COMMONS_OIDC_CLIENT_SECRET"],
		Label: values["COMMONS_OIDC_LABEL"],
	}
	if c.OpenID.Issuer != "" {
		if err := openid.CheckIssuer(c.OpenID.Issuer); err != nil {
			return c, fmt.Errorf("COMMONS_OIDC_ISSUER %w", err)
		}
		if c.OpenID.ClientID == "" {
			return c, fmt.Errorf("COMMONS_OIDC_ISSUER needs COMMONS_OIDC_CLIENT_ID")
		}
	}
	c.FilesURL, c.ClamdAddress = values["COMMONS_FILES_URL"], values["COMMONS_CLAMD_ADDRESS"]
	if err := file.CheckURL(c.FilesURL); err != nil {
		return c, fmt.Errorf("COMMONS_FILES_URL: %w", err)
	}
	if err := file.CheckScanner(c.ClamdAddress); err != nil {
		return c, fmt.Errorf("COMMONS_CLAMD_ADDRESS: %w", err)
	}
	if c.Retention, err = retention(values["COMMONS_EVENT_RETENTION"]); err != nil {
		return c, err
	}
	if c.logFormat != "text" && c.logFormat != "json" {
		return c, fmt.Errorf("COMMONS_LOG_FORMAT must be text or json")
	}
	return c, nil
}

// retention reads days or hours.
func retention(text string) (time.Duration, error) {
	hours, unit := 0, map[string]int{"d": 24, "h": 1}[text[len(text)-1:]]
	if n, err := strconv.Atoi(text[:len(text)-1]); err == nil && n < 1_000_000 {
		hours = n * unit
	}
	if hours < 1 {
		return 0, fmt.Errorf("COMMONS_EVENT_RETENTION must be days or hours, at least one, such as 30d or 12h")
	}
	return time.Duration(hours) * time.Hour, nil
}

// networks reads CIDRs, or single addresses.
func networks(text string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		network, err := netip.ParsePrefix(part)
		if addr, single := netip.ParseAddr(part); single == nil {
			network, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no network like 10.0.0.0/8", part)
		}
		all = append(all, network)
	}
	return all, nil
}

// manifest reads documents by their hashes; nil for no file.
func manifest(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the operator's own file
	if err != nil {
		return nil, err
	}
	var documents map[string]string
	if err := json.Unmarshal(data, &documents); err != nil {
		return nil, fmt.Errorf("%s must be a JSON object of documents by their hashes: %w", path, err)
	}
	if len(documents) == 0 {
		return nil, fmt.Errorf("%s holds no documents", path)
	}
	return documents, nil
}

func onOff(name string, values map[string]string) (bool, error) {
	switch values[name] {
	case "on":
		return true, nil
	case "off":
		return false, nil
	default:
		return false, fmt.Errorf("%s must be on or off", name)
	}
}

func (c config) logger(w io.Writer) *slog.Logger {
	if c.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/event/bus"
	"github.com/pursuing-equity/commons/internal/file"
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
		{"COMMONS_FILES_URL", "", "bucket for uploads: `s3://name?region=…`, with `&endpoint=…&use_path_style=true` for one that is not Amazon's; keys come from AWS's own variables; empty: `files` in `COMMONS_DATA_DIR`"},
		{"COMMONS_CLAMD_ADDRESS", "", "virus scanner that every upload passes: clamd's `host:port` or `unix:/path`; its `StreamMaxLength` must be 200M; empty: none"},
		{"COMMONS_PUBLIC_URL", "", "where browsers find the server, such as `https://commons.example`; empty: as they ask for it"},
		{"COMMONS_DEMO", "off", "`on` fills an empty database with the demo program and prints tokens; `make run` turns it on"},
		{"COMMONS_ALLOWED_ORIGINS", "", "origins of front ends elsewhere, with commas: `https://app.example,https://admin.example`"},
		{"COMMONS_BUS_URL", "", "what carries wake-ups between replicas: `nats://…` or `tls://…`, several with commas; empty: PostgreSQL does"},
		{"COMMONS_EVENT_RETENTION", "30d", "how long events are kept for subscribers who resume, in days (`30d`) or hours (`12h`); at least `1h`"},
		{"COMMONS_LOG_FORMAT", "text", "`text` or `json`, on standard error"},
		{"COMMONS_RATE_LIMIT", "on", "`off` for load tests: rates only, never the limits of one request"},
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

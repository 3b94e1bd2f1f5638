package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadmeListsEveryVariable(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variables() {
		fallback := "`" + v.fallback + "`"
		if v.fallback == "" {
			fallback = "empty"
		}
		if row := fmt.Sprintf("| `%s` | %s | %s |\n", v.name, fallback, v.what); !strings.Contains(string(readme), row) {
			t.Errorf("README lacks the row\n%s", row)
		}
	}
}

func TestEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		environ []string
		names   string // what the error must name; empty for none
	}{
		"nothing set":                  {nil, ""},
		"a variable of the tests":      {[]string{"COMMONS_TEST_POSTGRES_URL=x"}, ""},
		"an unknown variable":          {[]string{"COMMONS_LISTN=x"}, "COMMONS_LISTN"},
		"neither on nor off":           {[]string{"COMMONS_DEMO=yes"}, "COMMONS_DEMO"},
		"an address without a port":    {[]string{"COMMONS_LISTEN=127.0.0.1"}, "COMMONS_LISTEN"},
		"a public URL that is none":    {[]string{"COMMONS_PUBLIC_URL=commons.example"}, "COMMONS_PUBLIC_URL"},
		"a log format that is none":    {[]string{"COMMONS_LOG_FORMAT=xml"}, "COMMONS_LOG_FORMAT"},
		"a bus that there is not":      {[]string{"COMMONS_BUS_URL=redis://x"}, "COMMONS_BUS_URL"},
		"buses":                        {[]string{"COMMONS_BUS_URL=nats://a:4222,tls://b"}, ""},
		"mail servers":                 {[]string{"COMMONS_SMTP_URL=smtps://ann:secret@mail.example"}, ""},
		"a mail server of the web":     {[]string{"COMMONS_SMTP_URL=https://mail.example"}, "COMMONS_SMTP_URL"},
		"a mail server without a host": {[]string{"COMMONS_SMTP_URL=smtp://"}, "COMMONS_SMTP_URL"},
		"a sender":                     {[]string{"COMMONS_MAIL_FROM=Commons <commons@example.org>"}, ""},
		"a sender without an address":  {[]string{"COMMONS_MAIL_FROM=Commons"}, "COMMONS_MAIL_FROM"},
		"answers by mail":              {[]string{"COMMONS_INBOUND_LISTEN=lmtp:unix:/run/c", "COMMONS_INBOUND_DOMAIN=reply.example"}, ""},
		"answers without a domain":     {[]string{"COMMONS_INBOUND_LISTEN=lmtp:unix:/run/c"}, "COMMONS_INBOUND_DOMAIN"},
		"answers from nowhere":         {[]string{"COMMONS_INBOUND_LISTEN=imap:a:1"}, "COMMONS_INBOUND_LISTEN"},
		"a webhook to no network":      {[]string{"COMMONS_WEBHOOK_ALLOW=intranet"}, "COMMONS_WEBHOOK_ALLOW"},
		"a provider":                   {[]string{"COMMONS_OIDC_ISSUER=https://login.example.org", "COMMONS_OIDC_CLIENT_ID=commons"}, ""},
		"a provider without a client":  {[]string{"COMMONS_OIDC_ISSUER=https://login.example.org"}, "COMMONS_OIDC_CLIENT_ID"},
		"a provider in the open":       {[]string{"COMMONS_OIDC_ISSUER=http://login.example.org", "COMMONS_OIDC_CLIENT_ID=commons"}, "COMMONS_OIDC_ISSUER"},
		"files in no bucket":           {[]string{"COMMONS_FILES_URL=/srv/files"}, "COMMONS_FILES_URL"},
		"files in a bucket":            {[]string{"COMMONS_FILES_URL=s3://files?region=us-east-1"}, ""},
		"a scanner without a port":     {[]string{"COMMONS_CLAMD_ADDRESS=clamd"}, "COMMONS_CLAMD_ADDRESS"},
		"a scanner without a path":     {[]string{"COMMONS_CLAMD_ADDRESS=unix:clamd"}, "COMMONS_CLAMD_ADDRESS"},
		"scanners":                     {[]string{"COMMONS_CLAMD_ADDRESS=unix:/run/clamd"}, ""},
		"a retention without a unit":   {[]string{"COMMONS_EVENT_RETENTION=30"}, "COMMONS_EVENT_RETENTION"},
		"a retention of nothing":       {[]string{"COMMONS_EVENT_RETENTION=0d"}, "COMMONS_EVENT_RETENTION"},
		"a retention of hours":         {[]string{"COMMONS_EVENT_RETENTION=12h"}, ""},
		"a proxy that is no network":   {[]string{"COMMONS_TRUSTED_PROXIES=10.0.0.0/8,proxy"}, "COMMONS_TRUSTED_PROXIES"},
		"proxies":                      {[]string{"COMMONS_TRUSTED_PROXIES=10.0.0.0/8, fd00::/8,192.0.2.1"}, ""},
		"documents that are not there": {[]string{"COMMONS_TRUSTED_DOCUMENTS=/nowhere.json"}, "COMMONS_TRUSTED_DOCUMENTS"},
		"documents that are no JSON":   {[]string{"COMMONS_TRUSTED_DOCUMENTS=" + saved(t, "{")}, "COMMONS_TRUSTED_DOCUMENTS"},
		"no documents":                 {[]string{"COMMONS_TRUSTED_DOCUMENTS=" + saved(t, "{}")}, "COMMONS_TRUSTED_DOCUMENTS"},
		"documents that are a list":    {[]string{"COMMONS_TRUSTED_DOCUMENTS=" + saved(t, "[]")}, "COMMONS_TRUSTED_DOCUMENTS"},
		"documents":                    {[]string{"COMMONS_TRUSTED_DOCUMENTS=" + saved(t, `{"a":"{ viewer { id } }"}`)}, ""},
		"introspection for some":       {[]string{"COMMONS_INTROSPECTION=some"}, "COMMONS_INTROSPECTION"},
		"other programs' variables":    {[]string{"HOME=/", "COMMON=1"}, ""},
		"an empty value is a default":  {[]string{"COMMONS_LISTEN="}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseEnvironment(c.environ)
			if (err == nil) != (c.names == "") || err != nil && !strings.Contains(err.Error(), c.names) {
				t.Errorf("error: %v", err)
			}
		})
	}
}

// saved is a file with a text in it.
func saved(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommands(t *testing.T) {
	environ := []string{"COMMONS_DATABASE_URL=sqlite:" + t.TempDir() + "/commons.db", "COMMONS_DATA_DIR=" + t.TempDir()}
	commons := func(args ...string) (int, string, string) {
		var out, err bytes.Buffer
		code := run(t.Context(), args, environ, &out, &err)
		return code, out.String(), err.String()
	}
	t.Run("help teaches the commands and the environment", func(t *testing.T) {
		code, out, _ := commons("--help")
		if code != 0 || !strings.Contains(out, "commons serve") || !strings.Contains(out, "COMMONS_LISTEN") {
			t.Errorf("code %d: %s", code, out)
		}
	})
	t.Run("an unknown command is a usage mistake", func(t *testing.T) {
		if code, _, err := commons("sevre"); code != 2 || !strings.Contains(err, "sevre") {
			t.Errorf("code %d: %s", code, err)
		}
	})
	t.Run("migrate says what it did, and then that there is nothing to do", func(t *testing.T) {
		if code, out, err := commons("migrate"); code != 0 || !strings.Contains(out, "applied") {
			t.Errorf("code %d: %s%s", code, out, err)
		}
		if code, out, _ := commons("migrate"); code != 0 || !strings.Contains(out, "nothing to do") {
			t.Errorf("code %d: %s", code, out)
		}
	})
	t.Run("demo fills an empty database once", func(t *testing.T) {
		if code, _, err := commons("demo"); code != 0 {
			t.Fatalf("code %d: %s", code, err)
		}
		if code, _, err := commons("demo"); code != 1 || err == "" {
			t.Errorf("code %d: %s", code, err)
		}
	})
	t.Run("token prints a token and nothing else", func(t *testing.T) {
		code, out, err := commons("token", "--email", "member@demo.example")
		if code != 0 || !strings.HasPrefix(out, "cmn_") || strings.Count(out, "\n") != 1 {
			t.Errorf("code %d: %q %s", code, out, err)
		}
		if code, out, _ := commons("token", "--email", "nobody@demo.example"); code != 1 || out != "" {
			t.Errorf("code %d: %q", code, out)
		}
	})
	t.Run("import lists every bad line and changes nothing", func(t *testing.T) {
		file := t.TempDir() + "/roster.csv"
		text := "organization_name,team_name,member_email,member_name,time_zone\nA,T,ann@example.org,Ann,Mars\nA,T,,Ben,UTC\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, _ := commons("import", file)
		if code != 1 || strings.Count(out, "\n") != 2 {
			t.Errorf("code %d: %s", code, out)
		}
		good := strings.ReplaceAll(strings.ReplaceAll(text, "Mars", "America/Chicago"), ",,Ben", ",ben@example.org,Ben")
		if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, err := commons("import", "--dry-run", file); code != 0 || !strings.Contains(out, "dry run") {
			t.Errorf("code %d: %s%s", code, out, err)
		}
		for range 2 {
			if code, out, err := commons("import", file); code != 0 {
				t.Errorf("code %d: %s%s", code, out, err)
			}
		}
	})
}

package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/apitest/database"
)

func TestParseServer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Server{
		"smtp://mail.example":                           {host: "mail.example", port: 587},
		"smtp://ann:p%25ss%20word@mail.example:2525":    {host: "mail.example", port: 2525, user: "ann", password: "p%ss word"},
		"smtp://ann%40example.org:secret@mail.example/": {host: "mail.example", port: 587, user: "ann@example.org", password: "secret"},
		"smtps://mail.example":                          {host: "mail.example", port: 465, implicit: true},
		"smtp://127.0.0.1:1025":                         {host: "127.0.0.1", port: 1025, plain: true},
		"smtp://[::1]:1025":                             {host: "::1", port: 1025, plain: true},
		"smtp://localhost":                              {host: "localhost", port: 587, plain: true},
		"smtps://127.0.0.1":                             {host: "127.0.0.1", port: 465, implicit: true},
		"smtp://127.0.0.1.example":                      {host: "127.0.0.1.example", port: 587},
	} {
		t.Run(text, func(t *testing.T) {
			s, err := ParseServer(text)
			if err != nil {
				t.Fatal(err)
			}
			if s.host != want.host || s.port != want.port || s.user != want.user || s.password != want.password || s.implicit != want.implicit || s.plain != want.plain {
				t.Errorf("%+v", s)
			}
		})
	}
	for _, text := range []string{"", "mail.example", "http://mail.example", "smtp://", "smtp://:25", "smtp://mail.example/inbox", "smtp://mail.example?tls=off", "smtp://mail.example:0", "smtp://a:s3cret@mail.example:x"} {
		t.Run(text+" is refused", func(t *testing.T) {
			if s, err := ParseServer(text); err == nil {
				t.Errorf("%+v", s)
			} else if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

// elsewhere is a mail server as mail.example, which the office plays.
func (w *world) elsewhere(scheme string, trust *x509.CertPool) *Server {
	w.t.Helper()
	s, err := ParseServer(scheme + "://ann:p%25ss%20word@mail.example")
	if err != nil {
		w.t.Fatal(err)
	}
	s.roots = trust
	s.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialer := net.Dialer{}
		return dialer.DialContext(ctx, "tcp", strings.TrimPrefix(w.office.url, "smtp://"))
	}
	return s
}

func TestEncryption(t *testing.T) {
	t.Parallel()
	server, trust := certified(t, "mail.example")
	t.Run("off the machine mail is encrypted with STARTTLS before the password is said", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, database.SQLite(t), withTLS(server))
		w.sender.Carrier = w.elsewhere("smtp", trust)
		w.send(link(1))
		w.deliver()
		w.arrived(1)
		if !w.office.secure || w.office.user != "ann" {
			t.Errorf("encrypted %t, as %q", w.office.secure, w.office.user)
		}
	})
	t.Run("a server that offers no STARTTLS gets neither password nor mail", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, database.SQLite(t))
		w.sender.Carrier = w.elsewhere("smtp", trust)
		w.send(link(1))
		w.deliver()
		w.arrived(0)
		if row := w.row(); w.office.user != "" || row.Attempts != 1 || row.FailedAt != nil {
			t.Errorf("as %q: %+v", w.office.user, row)
		}
	})
	t.Run("a server with another's certificate gets nothing", func(t *testing.T) {
		t.Parallel()
		other, _ := certified(t, "mail.example")
		w := newWorld(t, database.SQLite(t), withTLS(other))
		w.sender.Carrier = w.elsewhere("smtp", trust)
		w.send(link(1))
		w.deliver()
		w.arrived(0)
		if w.office.user != "" {
			t.Errorf("as %q", w.office.user)
		}
	})
	t.Run("on the machine itself mail goes plainly, with a password if there is one", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, database.SQLite(t))
		s, err := ParseServer(strings.Replace(w.office.url, "smtp://", "smtp://ann:p%25ss%20word@", 1))
		if err != nil {
			t.Fatal(err)
		}
		w.sender.Carrier = s
		w.send(link(1))
		w.deliver()
		w.arrived(1)
		if w.office.user != "ann" {
			t.Errorf("as %q", w.office.user)
		}
	})
	t.Run("a wrong password fails no mail for good", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, database.SQLite(t))
		s, err := ParseServer(strings.Replace(w.office.url, "smtp://", "smtp://ann:wrong@", 1))
		if err != nil {
			t.Fatal(err)
		}
		w.sender.Carrier = s
		w.send(link(1))
		w.deliver()
		if row := w.row(); row.FailedAt != nil || strings.Contains(row.LastError, "wrong@") {
			t.Errorf("%+v", row)
		}
	})
}

func TestImplicitTLS(t *testing.T) {
	t.Parallel()
	server, trust := certified(t, "mail.example")
	w := newWorld(t, database.SQLite(t))
	// A listener that is TLS from the first byte, in front of the office.
	ln, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go relay(c, strings.TrimPrefix(w.office.url, "smtp://"))
		}
	}()
	s := w.elsewhere("smtps", trust)
	s.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialer := net.Dialer{}
		return dialer.DialContext(ctx, "tcp", ln.Addr().String())
	}
	w.sender.Carrier = s
	w.send(link(1))
	w.deliver()
	w.arrived(1)
}

func TestStall(t *testing.T) {
	t.Parallel()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() }) // it accepts and never says a word
	s, err := ParseServer("smtp://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s.limit = 100 * time.Millisecond
	w := newWorld(t, database.SQLite(t))
	w.sender.Carrier = s
	w.send(link(1))
	began := time.Now()
	w.deliver()
	if row := w.row(); row.Attempts != 1 || row.FailedAt != nil || time.Since(began) > 10*time.Second {
		t.Errorf("after %s: %+v", time.Since(began), row)
	}
}

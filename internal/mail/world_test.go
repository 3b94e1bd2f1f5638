package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/pursuing-equity/commons/ent"
	entmail "github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// office is a real mail server on the loopback. What it says to a recipient or to a text can be set.
type office struct {
	url string

	mu       sync.Mutex
	from     func(string) error // nil: takes everything
	to       func(string) error
	data     func() error
	sessions int
	secure   bool // the last session was encrypted
	user     string
	received []received
	arrived  chan struct{} // one for each mail
}

type received struct {
	to   string
	text []byte
}

type officeOption func(*smtp.Server)

func withTLS(c *tls.Config) officeOption { return func(s *smtp.Server) { s.TLSConfig = c } }

func openOffice(t *testing.T, options ...officeOption) *office {
	t.Helper()
	o := &office{arrived: make(chan struct{}, 10_000)}
	server := smtp.NewServer(o)
	server.Domain = "mail.example"
	server.AllowInsecureAuth = true
	server.ErrorLog = quiet{}
	for _, option := range options {
		option(server)
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.url = "smtp://" + ln.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(ln)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		_ = ln.Close() // the server knows it only once it serves
		<-done
	})
	return o
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// NewSession begins a connection.
func (o *office) NewSession(c *smtp.Conn) (smtp.Session, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sessions++
	return &visit{office: o, conn: c}, nil
}

// mails are what arrived, in order.
func (o *office) mails() []received {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]received(nil), o.received...)
}

func (o *office) set(change func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change()
}

type visit struct {
	office *office
	conn   *smtp.Conn
	to     string
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "p%ss word" {
			return errors.New("wrong password")
		}
		v.office.set(func() { v.office.user = user })
		return nil
	}), nil
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	_, v.office.secure = v.conn.TLSConnectionState()
	if v.office.from != nil {
		return v.office.from(from)
	}
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	v.to = to
	if v.office.to != nil {
		return v.office.to(to)
	}
	return nil
}

func (v *visit) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	if v.office.data != nil {
		if err := v.office.data(); err != nil {
			return err
		}
	}
	v.office.received = append(v.office.received, received{v.to, text})
	v.office.arrived <- struct{}{}
	return nil
}

func (v *visit) Reset()        {}
func (v *visit) Logout() error { return nil }

// says is an answer of the mail server.
func says(code int) func(string) error {
	return func(string) error { return &smtp.SMTPError{Code: code, Message: "because"} }
}

// certified is a certificate for a host, and who trusts it.
func certified(t *testing.T, host string) (server *tls.Config, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, roots
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a queue on a database, a mail server and one who brings mail from here to there.
type world struct {
	t      *testing.T
	url    string
	store  *store.Store
	clock  *clock
	mail   *Service
	office *office
	sender *Sender
	log    *bytes.Buffer
}

func newWorld(t *testing.T, url string, options ...officeOption) *world {
	t.Helper()
	w := &world{t: t, url: url, clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, office: openOffice(t, options...), log: new(bytes.Buffer)}
	w.store = w.open()
	w.mail = &Service{Now: w.clock.Now, NewID: func(k gid.Kind) gid.ID { return gid.New(k, w.clock.Now()) }}
	w.sender = w.newSender(w.store)
	w.mail.Wake = w.sender.Wake
	return w
}

func (w *world) open() *store.Store {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}

func (w *world) newSender(s *store.Store) *Sender {
	w.t.Helper()
	server, err := ParseServer(w.office.url)
	if err != nil {
		w.t.Fatal(err)
	}
	return NewSender(Sender{
		Store: s, Carrier: server, From: netmail.Address{Name: "Commons", Address: "commons@example.org"}, Now: w.clock.Now,
		Logger: slog.New(slog.NewTextHandler(w.log, nil)),
	})
}

func (w *world) system() context.Context {
	return viewer.NewContext(w.t.Context(), viewer.System("test"))
}

func (w *world) send(mails ...Mail) {
	w.t.Helper()
	if err := w.store.InTx(w.system(), func(ctx context.Context, tx *ent.Client) error { return w.mail.Send(ctx, tx, mails...) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) deliver() {
	w.t.Helper()
	if err := w.sender.Deliver(w.system()); err != nil {
		w.t.Fatal(err)
	}
}

// rows are what is in the queue, dead letters included.
func (w *world) rows() []*ent.Mail {
	w.t.Helper()
	rows, err := w.store.Client(w.system()).Mail.Query().Order(entmail.ByID()).All(w.system())
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

func (w *world) row() *ent.Mail {
	w.t.Helper()
	rows := w.rows()
	if len(rows) != 1 {
		w.t.Fatalf("%d mails in the queue", len(rows))
	}
	return rows[0]
}

func (w *world) arrived(n int) []received {
	w.t.Helper()
	got := w.office.mails()
	if len(got) != n {
		w.t.Fatalf("%d mails arrived, not %d", len(got), n)
	}
	return got
}

func link(i int) Mail {
	return Mail{Address: fmt.Sprintf("m%d@example.org", i), Template: "sign-in", Data: map[string]string{"link": fmt.Sprintf("https://commons.example/link/%d", i)}}
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) { test(newWorld(t, url)) })
}

// open reads a mail as a mail program does.
func (r received) open(t *testing.T) (header netmail.Header, subject, text, html string) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(r.text))
	if err != nil {
		t.Fatalf("%v\n%s", err, r.text)
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	media, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || media != "multipart/alternative" {
		t.Fatalf("%s: %v", media, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	read := func(want string) string {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		media, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil || media != want || params["charset"] != "UTF-8" || part.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Fatalf("part %v: %v", part.Header, err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		return string(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")))
	}
	text, html = read("text/plain"), read("text/html")
	if _, err := parts.NextPart(); !errors.Is(err, io.EOF) {
		t.Fatalf("another part: %v", err)
	}
	return m.Header, subject, text, html
}

// relay connects two ends until one of them closes.
func relay(a net.Conn, address string) {
	defer func() { _ = a.Close() }()
	b, err := new(net.Dialer).Dial("tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = b.Close() }()
	go func() { _, _ = io.Copy(b, a); _ = b.Close() }()
	_, _ = io.Copy(a, b)
}

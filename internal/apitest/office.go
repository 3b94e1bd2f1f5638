package apitest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// Office is a real mail server on the loopback.
type Office struct {
	t      *testing.T
	url    string
	mu     sync.Mutex
	refuse map[string]*smtp.SMTPError
	mails  []Letter
}

// Letter is a mail as it arrived, read as a mail program reads it.
type Letter struct {
	Envelope   string // whom the mail server was told to give it to
	Sender     string // to whom it was told to report
	Header     mail.Header
	Subject    string
	Text, HTML string
	Raw        string
}

// OpenOffice starts a mail server, which stops with the test.
func OpenOffice(t *testing.T) *Office {
	t.Helper()
	o := &Office{t: t, refuse: map[string]*smtp.SMTPError{}}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &visit{office: o}, nil }))
	server.Domain = "mail.example"
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

// SMTP sends mail to a mail server.
func SMTP(o *Office) Option {
	return func(s *settings) { s.SMTPURL, s.MailFrom = o.url, "Commons <commons@commons.example>" }
}

// URL is where the server takes mail, as COMMONS_SMTP_URL has it.
func (o *Office) URL() string { return o.url }

// All are the mails that came, in order.
func (o *Office) All() []Letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.mails)
}

// Refuse makes the server answer with a code whenever it is told of an address; zero: it takes mail again.
func (o *Office) Refuse(address string, code int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.refuse, address)
	if code != 0 {
		o.refuse[address] = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "No such user here"}
	}
}

// To are the mails that came for a person, in order.
func (o *Office) To(p *Person) []Letter { return o.For(p.Handle + "@example.org") }

// For are the mails that came for an address, in order.
func (o *Office) For(address string) []Letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(o.mails), func(l Letter) bool { return l.Envelope != address })
}

type visit struct {
	office   *Office
	from, to string
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	v.from = from
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	v.to = to
	if e, refused := v.office.refuse[to]; refused {
		return e
	}
	return nil
}

func (v *visit) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	l, err := openLetter(raw)
	if err != nil {
		v.office.t.Errorf("a mail that no program can read: %v\n%s", err, raw)
		return err
	}
	l.Envelope, l.Sender = v.to, v.from
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	v.office.mails = append(v.office.mails, l)
	return nil
}

func (v *visit) Reset()        {}
func (v *visit) Logout() error { return nil }

// openLetter reads a mail of two parts that say the same.
func openLetter(raw []byte) (Letter, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Letter{}, err
	}
	l := Letter{Header: m.Header, Raw: string(raw)}
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return l, err
	}
	media, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || media != "multipart/alternative" {
		return l, fmt.Errorf("it is %q: %w", media, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, p := range []struct {
		media string
		into  *string
	}{{"text/plain", &l.Text}, {"text/html", &l.HTML}} {
		part, err := parts.NextRawPart()
		if err != nil {
			return l, err
		}
		media, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil || media != p.media || params["charset"] != "UTF-8" {
			return l, fmt.Errorf("a part is %q %v, want %s: %w", media, params, p.media, err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return l, err
		}
		*p.into = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
	if _, err := parts.NextPart(); !errors.Is(err, io.EOF) {
		return l, fmt.Errorf("there is more in it: %w", err)
	}
	return l, nil
}

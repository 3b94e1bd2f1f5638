package inbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	maxMail        = 25 << 20 // bytes of a mail
	maxRecipients  = 10
	maxLine        = 8 << 10 // bytes of a line; servers break longer ones
	maxConnections = 50
	atOnce         = 4 // mails that are looked at together
	idle           = time.Minute
	longest        = 10 * time.Minute // a connection
	takeTime       = time.Minute      // to post a mail
	drain          = 5 * time.Second
)

// Listening is where mail comes in.
type Listening struct {
	Network, Address string
	LMTP             bool
}

// ParseListening reads lmtp:unix:/path, lmtp:host:port or smtp:host:port.
func ParseListening(text string) (Listening, error) {
	protocol, address, _ := strings.Cut(text, ":")
	l := Listening{Network: "tcp", Address: address, LMTP: protocol == "lmtp"}
	if protocol != "lmtp" && protocol != "smtp" {
		return l, errors.New("must begin with lmtp or smtp and a colon")
	}
	if path, is := strings.CutPrefix(address, "unix:"); is {
		l.Network, l.Address = "unix", path
		if !strings.HasPrefix(path, "/") {
			return l, errors.New("must have a path from / behind the colon of unix")
		}
		return l, nil
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return l, errors.New("must be lmtp: and host:port or unix:/path")
	}
	return l, nil
}

// Listen opens the place where mail comes in. A socket that a process which was killed left behind is replaced.
func (l Listening) Listen(ctx context.Context) (net.Listener, error) {
	if l.Network == "unix" {
		if c, err := new(net.Dialer).DialContext(ctx, "unix", l.Address); err == nil {
			_ = c.Close()
			return nil, fmt.Errorf("another process takes mail at %s", l.Address)
		}
		if err := os.Remove(l.Address); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("take mail: %w", err)
		}
	}
	ln, err := new(net.ListenConfig).Listen(ctx, l.Network, l.Address)
	if err != nil {
		return nil, fmt.Errorf("take mail: %w", err)
	}
	return ln, nil
}

// Serve takes mail until ctx ends; who is in the midst of a mail then has a few seconds.
func (s *Service) Serve(ctx context.Context, ln net.Listener, lmtp bool) {
	s.places = make(chan struct{}, atOnce)
	server := smtp.NewServer(backend{s, lmtp})
	server.Domain, server.LMTP = s.Domain, lmtp
	server.MaxMessageBytes, server.MaxLineLength, server.MaxRecipients = maxMail, maxLine, maxRecipients
	if !lmtp {
		server.MaxRecipients = 1 // its one answer is for all recipients: who has more sends again
	}
	server.ReadTimeout, server.WriteTimeout, server.EnableSMTPUTF8 = idle, idle, true
	server.ErrorLog = slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug)
	ended := make(chan struct{})
	stopped, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go func() {
		defer close(ended)
		if err := server.Serve(&bounded{Listener: ln, stopped: stopped, free: make(chan struct{}, maxConnections)}); err != nil && ctx.Err() == nil {
			s.Logger.ErrorContext(ctx, "no mail is taken any more", "error", err.Error())
		}
	}()
	<-ctx.Done()
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	_ = server.Shutdown(draining) // whoever has not ended by then is cut off
	stop()
	<-ended
}

// bounded is a listener with so many connections at once, each for so long at most.
type bounded struct {
	net.Listener
	stopped context.Context // when it ends, connections are cut off
	free    chan struct{}
}

// Accept waits for a connection and for room.
func (b *bounded) Accept() (net.Conn, error) {
	b.free <- struct{}{}
	conn, err := b.Listener.Accept()
	if err != nil {
		<-b.free
		return nil, err
	}
	c := &connection{Conn: conn, leave: sync.OnceFunc(func() { <-b.free })}
	end, cancel := context.WithTimeout(b.stopped, longest)
	c.forget = cancel
	context.AfterFunc(end, func() { _ = c.Close() })
	return c, nil
}

// connection is one of another server. What it does is done by one goroutine, but for Close.
type connection struct {
	net.Conn
	leave  func()
	forget func()
	mails  int  // that were begun, however often the other server has said hello
	last   bool // what is written next is the last
}

// Write closes the connection behind the last answer, which is one line.
func (c *connection) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if c.last {
		_ = c.Close()
	}
	return n, err
}

// Close makes room.
func (c *connection) Close() error {
	c.forget()
	c.leave()
	return c.Conn.Close()
}

type backend struct {
	*Service
	lmtp bool
}

// NewSession begins a conversation.
func (b backend) NewSession(c *smtp.Conn) (smtp.Session, error) {
	conn, is := c.Conn().(*connection)
	if !is {
		return nil, fmt.Errorf("take mail: a connection is a %T", c.Conn())
	}
	return &session{Service: b.Service, conn: conn}, nil
}

// session is a conversation with another server.
type session struct {
	*Service
	conn       *connection
	sender     string
	recipients []recipient
}

// recipient is an address as it was written, and what it was made for: to answer a notification, or to report of mail to a member.
type recipient struct {
	address string
	of      gid.ID
}

// Reset forgets a mail that was begun.
func (s *session) Reset() { s.sender, s.recipients = "", nil }

// Logout ends the conversation.
func (s *session) Logout() error { return nil }

// Mail begins a mail. Too many end the connection: the library would let the other server go on after any answer.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.conn.mails++; s.conn.mails > perConnection && !s.Unlimited {
		s.conn.last = true
		return s.outcome(viewer.NewContext(context.Background(), viewer.System("take mail")), errEnough)
	}
	s.sender = from
	return nil
}

// Rcpt names a recipient. An address that was not made here is refused at once, and so is one that too much mail has come to.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	ctx, cancel := context.WithTimeout(viewer.NewContext(context.Background(), viewer.System("take mail")), takeTime)
	defer cancel()
	id, err := s.memberOf(ctx, to)
	if errors.Is(err, errNoAddress) {
		id, err = s.notificationOf(ctx, to)
	}
	if err == nil {
		err = s.sentTo(ctx, id)
	}
	if err != nil {
		return s.outcome(ctx, err)
	}
	s.recipients = append(s.recipients, recipient{to, id})
	return nil
}

// Data takes a mail for one recipient.
func (s *session) Data(r io.Reader) (err error) {
	s.each(r, func(_ int, e error) { err = e })
	return err
}

// LMTPData takes a mail and says of each recipient what came of it.
func (s *session) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	recipients := s.recipients
	s.each(r, func(i int, err error) { status.SetStatus(recipients[i].address, err) })
	return nil
}

// each takes a mail for each recipient, once all of it is here.
func (s *session) each(r io.Reader, tell func(i int, err error)) {
	ctx := viewer.NewContext(context.Background(), viewer.System("take mail"))
	all := func(err error) {
		for i := range s.recipients {
			tell(i, err)
		}
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		_, _ = io.Copy(io.Discard, r)
		all(errLater)
		return
	}
	content, err := s.spool(r)
	if err != nil {
		all(s.outcome(ctx, err))
		return
	}
	defer func() { _ = content.Close() }()
	for i, to := range s.recipients {
		ctx, cancel := context.WithTimeout(ctx, takeTime)
		take := s.take
		if to.of.Kind() == gid.Member {
			take = s.takeReport
		}
		tell(i, s.outcome(ctx, take(ctx, s.sender, to.of, content)))
		cancel()
	}
}

// spool keeps a mail in a file that has no name: it is gone when it is closed, even by a kill.
func (s *session) spool(r io.Reader) (*os.File, error) {
	if err := os.MkdirAll(s.Directory, 0o750); err != nil {
		return nil, fmt.Errorf("make room for a mail: %w", err)
	}
	f, err := os.CreateTemp(s.Directory, "mail-*")
	if err != nil {
		return nil, fmt.Errorf("make room for a mail: %w", err)
	}
	_, err = io.Copy(f, r)
	if err := errors.Join(err, os.Remove(f.Name())); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

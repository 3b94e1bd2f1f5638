package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// Server is a mail server that takes mail over SMTP, always encrypted, but on the machine itself.
type Server struct {
	host           string
	port           int
	user, password string
	implicit       bool // TLS from the first byte, on a port of its own
	plain          bool // no TLS: loopback only

	// A test's own: the way to a server that has another name than the loopback it listens on, and less patience.
	roots *x509.CertPool
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	limit time.Duration
}

// ParseServer reads the URL of a mail server. smtp://user:password@host demands STARTTLS (port 587 unless there is another),
// and talks plainly to a loopback address; smtps://user:password@host is TLS from the start (port 465).
func ParseServer(text string) (*Server, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("must be a URL such as smtp://user:password@host:587") // the error would show the password
	}
	s := &Server{host: u.Hostname()}
	switch u.Scheme {
	case "smtp":
		s.port, s.plain = 587, loopback(s.host)
	case "smtps":
		s.port, s.implicit = 465, true
	default:
		return nil, errors.New("must begin with smtp:// or smtps://")
	}
	if s.host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("must be a URL such as smtp://user:password@host:587, with nothing behind the port")
	}
	if u.Port() != "" {
		if s.port, err = strconv.Atoi(u.Port()); err != nil || s.port < 1 || s.port > 65535 {
			return nil, errors.New("has a port that is none")
		}
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
	}
	return s, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Connect opens a connection, encrypted and signed in.
func (s *Server) Connect(ctx context.Context) (Connection, error) {
	// The library leaves the connection open when it fails further on, so it is kept here.
	c := &smtpConnection{}
	dial := s.dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	if s.implicit {
		plain := dial
		dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			under, err := plain(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return tls.Client(under, s.config()), nil
		}
	}
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(cmp.Or(s.limit, sendLimit)), gomail.WithTLSConfig(s.config()),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (conn net.Conn, err error) {
			c.conn, err = dial(ctx, network, address)
			return c.conn, err
		}),
	}
	policy, auth := gomail.TLSMandatory, gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin)
	if s.plain || s.implicit {
		policy = gomail.NoTLS // none beyond what there is
	}
	if s.plain {
		auth = gomail.WithSMTPAuth(gomail.SMTPAuthPlainNoEnc)
	}
	options = append(options, gomail.WithTLSPolicy(policy))
	if s.user != "" {
		options = append(options, auth, gomail.WithUsername(s.user), gomail.WithPassword(s.password))
	}
	var err error
	if c.client, err = gomail.NewClient(s.host, options...); err != nil {
		return nil, fmt.Errorf("connect to the mail server: %w", err)
	}
	if c.session, err = c.client.DialToSMTPClientWithContext(ctx); err != nil {
		if c.conn != nil {
			_ = c.conn.Close()
		}
		return nil, fmt.Errorf("connect to the mail server: %w", err)
	}
	return c, nil
}

func (s *Server) config() *tls.Config {
	return &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12, RootCAs: s.roots}
}

type smtpConnection struct {
	client  *gomail.Client
	session *smtp.Client
	conn    net.Conn
}

// Send has the time that the client gives each message.
func (c *smtpConnection) Send(_ context.Context, l Letter) error {
	msg, err := message(l)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	err = c.client.SendWithSMTPClient(c.session, msg)
	if msg.IsDelivered() {
		return nil // the error came afterwards, and the server has it
	}
	// A server that refuses the sender refuses every mail until its settings or ours are put right; only what it says of the
	// recipient and of the text is about this mail.
	e, ok := errors.AsType[*gomail.SendError](err)
	switch {
	case !ok || e.ErrorCode() < 500 || e.ErrorCode() >= 600:
		return err
	case e.Reason == gomail.ErrSMTPRcptTo:
		return &RecipientError{Status: e.EnhancedStatusCode(), cause: err}
	case e.Reason == gomail.ErrSMTPData || e.Reason == gomail.ErrSMTPDataClose:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

// Close says goodbye, if the server still listens, and hangs up.
func (c *smtpConnection) Close() error {
	return errors.Join(c.client.CloseWithSMTPClient(c.session), c.conn.Close())
}

func message(l Letter) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(l.From.Name, l.From.Address); err != nil {
		return nil, err
	}
	if err := msg.To(l.To.Address); err != nil {
		return nil, err
	}
	if l.ReturnPath != "" {
		if err := msg.EnvelopeFrom(l.ReturnPath); err != nil {
			return nil, err
		}
	}
	msg.SetMessageIDWithValue(l.MessageID)
	msg.SetDateWithValue(l.Date)
	msg.Subject(l.Subject)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's holiday notice answers
	for _, h := range l.Headers {
		msg.SetGenHeaderPreformatted(gomail.Header(h.Name), h.Value)
	}
	msg.SetBodyString(gomail.TypeTextPlain, l.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	return msg, nil
}

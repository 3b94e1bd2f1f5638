package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strings"

	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/inbound"
	"github.com/pursuing-equity/commons/internal/mail"
)

// openMail makes the sender and says where mail goes.
func (a *App) openMail() error {
	from, err := mailFrom(a.Config.MailFrom, a.Config.PublicURL)
	if err != nil {
		return err
	}
	var carrier mail.Carrier
	switch {
	case a.Config.SMTPURL != "":
		if carrier, err = mail.ParseServer(a.Config.SMTPURL); err != nil {
			return fmt.Errorf("the mail server's URL %w", err)
		}
	case a.Config.Demo && onThisMachine(a.Config.PublicURL): // elsewhere a proxy may hand visitors on as if they were here
		a.Mailbox = new(mail.Mailbox)
		carrier = a.Mailbox
	}
	owners := make(map[string]mail.Prepare)
	for _, template := range account.Templates() {
		owners[template] = a.Accounts.Compose
	}
	a.Sender = mail.NewSender(mail.Sender{Store: a.Store, Carrier: carrier, From: from, Prepare: owners, Now: a.Config.Now, Logger: a.Config.Logger})
	a.Mail.Wake = a.Sender.Wake
	return nil
}

// mailDomain is the domain of who mail is from.
func (a *App) mailDomain() string {
	_, domain, _ := strings.Cut(a.Sender.From.Address, "@")
	return domain
}

// onThisMachine reports whether browsers find the server on this machine only.
func onThisMachine(publicURL string) bool {
	if publicURL == "" {
		return true
	}
	u, err := url.Parse(publicURL)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// mailFrom is who mail is from.
func mailFrom(given, publicURL string) (netmail.Address, error) {
	if given != "" {
		from, err := netmail.ParseAddress(given)
		if err != nil {
			return netmail.Address{}, fmt.Errorf("who mail is from: %w", err)
		}
		return *from, nil
	}
	host := "localhost"
	if u, err := url.Parse(publicURL); err == nil && u.Hostname() != "" && net.ParseIP(u.Hostname()) == nil {
		host = u.Hostname()
	}
	return netmail.Address{Name: "Commons", Address: "commons@" + host}, nil
}

// sendMail sends mail until ctx ends.
func (a *App) sendMail(ctx context.Context) {
	if a.Sender.Carrier == nil {
		a.Config.Logger.WarnContext(ctx, "no mail is sent: it waits in the database until COMMONS_SMTP_URL names a mail server")
	}
	a.Sender.Run(ctx)
}

// listenForMail opens the place where mail comes in, and returns what takes it until a context ends.
func (a *App) listenForMail(ctx context.Context) (func(context.Context), error) {
	if a.Config.InboundListen == "" {
		return func(context.Context) {}, nil
	}
	if a.Inbound == nil {
		return nil, errors.New("mail that comes in needs a domain: COMMONS_INBOUND_DOMAIN")
	}
	where, err := inbound.ParseListening(a.Config.InboundListen)
	if err != nil {
		return nil, fmt.Errorf("where mail comes in %w", err)
	}
	ln, err := where.Listen(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) { a.Inbound.Serve(ctx, ln, where.LMTP) }, nil
}

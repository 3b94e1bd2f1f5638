// Package inbound takes mail that answers a notification and posts it.
//
// Each notification has an address of its own for answers, signed, so that it names the person and the thread and cannot be guessed.
// Whoever holds the address is not enough: the mail must be from the member's own address, and what they may do is asked at that
// moment, by the same rules as for a post that comes through the API. That nobody forges the sender is for the mail server in front
// to see to, by DMARC: this listener is for that server only.
//
// A mail is accepted once its post is committed, and not before; the same Message-ID twice makes one post. What cannot be posted is
// refused while the other server still has it, so that the sender is told by their own; what has trouble here is asked for again.
package inbound

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	files "github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Service takes mail. All fields but Unlimited are needed.
type Service struct {
	Store     *store.Store
	Forum     *forum.Service
	Files     *files.Service
	Domain    string // of the addresses for answers
	Directory string // where mails are kept while they are looked at
	Now       func() time.Time
	Unlimited bool // without rates, as for a test of load
	Logger    *slog.Logger

	// Bounced is told that another server gave up mail to a member, with its status of RFC 3463.
	Bounced func(ctx context.Context, memberID gid.ID, status string) error

	key    atomic.Pointer[[]byte] // that addresses are signed with; nil until it is needed
	places chan struct{}          // for mails that are looked at together; made by Serve
}

const (
	replyPrefix = "reply+"
	macBytes    = 10
)

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ReplyAddress is where an answer to a notification goes.
func (s *Service) ReplyAddress(ctx context.Context, id gid.ID) (string, error) {
	mac, err := s.mac(ctx, id, "")
	if err != nil {
		return "", err
	}
	return replyPrefix + base32Lower.EncodeToString(append(id[:], mac...)) + "@" + s.Domain, nil
}

// AddressOf is ReplyAddress for who has no use for an error: empty while the key cannot be had, so that a mail goes without.
func (s *Service) AddressOf(id gid.ID) string {
	ctx := viewer.NewContext(context.Background(), viewer.System("make an address for answers"))
	address, err := s.ReplyAddress(ctx, id)
	if err != nil {
		s.Logger.WarnContext(ctx, "a notification goes without an address for answers", "error", err.Error())
	}
	return address
}

// mac is the beginning of HMAC-SHA-256 of an id, and of what else an address is good for alone, under a key that all processes share: 80 bits.
func (s *Service) mac(ctx context.Context, id gid.ID, of string) ([]byte, error) {
	key := s.key.Load()
	if key == nil {
		made, err := s.Store.Secret(ctx, "inbound")
		if err != nil {
			return nil, err
		}
		key = &made
		s.key.Store(key)
	}
	h := hmac.New(sha256.New, *key)
	h.Write(id[:])
	_, _ = io.WriteString(h, of)
	return h.Sum(nil)[:macBytes], nil
}

// notificationOf is what an address for answers was made for. Mail servers may change the case of letters.
func (s *Service) notificationOf(ctx context.Context, address string) (gid.ID, error) {
	id, sum, is := s.read(address, replyPrefix, gid.Notification, 0)
	if !is {
		return gid.ID{}, errNoAddress
	}
	mac, err := s.mac(ctx, id, "")
	if err != nil {
		return gid.ID{}, err
	}
	if !hmac.Equal(mac, sum) {
		return gid.ID{}, errNoAddress
	}
	return id, nil
}

// read takes an address apart that may have been made here: into an id of a kind, and a mac behind some more bytes.
func (s *Service) read(address, prefix string, kind gid.Kind, more int) (id gid.ID, rest []byte, is bool) {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	token, is := strings.CutPrefix(local, prefix)
	raw, err := base32Lower.DecodeString(token)
	if !is || domain != strings.ToLower(s.Domain) || err != nil || len(raw) != len(gid.ID{})+more+macBytes {
		return gid.ID{}, nil, false
	}
	id = gid.ID(raw[:len(gid.ID{})])
	return id, raw[len(id):], id.Kind() == kind
}

// What is refused for good, and what may be sent again. The words are for people, who get them in a mail from their own server, and
// say nothing of what they may not see.
var (
	errNoAddress = refusal(smtp.EnhancedCode{5, 1, 1}, "There is no such address here.")
	errNotYours  = refusal(smtp.EnhancedCode{5, 7, 1}, "This address takes answers of the member whom it was sent to, from their own mail address, as long as they can read the thread.")
	errMachine   = refusal(smtp.EnhancedCode{5, 7, 1}, "Mail that a program wrote, or a list sent on, is not posted.")
	errNoReport  = refusal(smtp.EnhancedCode{5, 7, 1}, "This address takes reports of what became of mail, and nothing else.")
	errMalformed = refusal(smtp.EnhancedCode{5, 6, 0}, "This mail cannot be read.")
	errNothing   = refusal(smtp.EnhancedCode{5, 6, 0}, "There is no answer in this mail: nothing but what was quoted, or a signature.")
	errTooMany   = &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "Too much mail has come. Please send it again later."}
	errEnough    = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "Much mail has come through this connection. Please open another one."}
	errLater     = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Not now. Please send it again."}
)

func refusal(code smtp.EnhancedCode, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: 550, EnhancedCode: code, Message: text}
}

// take posts a mail that was sent to an address for answers. It returns nil once the post is committed.
func (s *Service) take(ctx context.Context, sender string, id gid.ID, content io.ReadSeeker) error {
	ctx = viewer.NewContext(ctx, viewer.System("take mail"))
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return err
	}
	m, err := open(content)
	if err != nil {
		return err
	}
	if sender == "" || m.automatic() {
		return errMachine
	}
	n, err := s.Store.Client(ctx).Notification.Query().Where(notification.ID(id),
		notification.HasRecipientWith(member.Email(m.from), access.ActiveMembers())).WithPost().Only(ctx)
	if ent.IsNotFound(err) {
		return errNotYours
	}
	if err != nil {
		return fmt.Errorf("load what the mail answers: %w", err)
	}
	author := viewer.Member(n.RecipientID, gid.ID{}, viewer.Write)
	ctx = viewer.NewContext(ctx, author)
	t, err := s.Forum.Thread(ctx, author, n.Edges.Post.ThreadID) // before anything is kept of the mail
	if err != nil {
		return refused(err)
	}
	if err := s.within(ctx, "answers by mail of "+n.RecipientID.String(), answerRate); err != nil {
		return err
	}
	key := m.key(id)
	var kept []gid.ID
	err = m.read(func(a attachment) error {
		name := fmt.Sprintf("%s-%d", key, len(kept))
		f, err := s.Files.Upload(ctx, author, files.NewFile{Name: a.name, Purpose: file.PurposePOST, Declared: -1, IdempotencyKey: &name}, a.content)
		if err == nil {
			kept = append(kept, f.ID)
		}
		return err
	})
	if err != nil {
		return refused(err)
	}
	text := m.answer()
	if text == "" {
		return errNothing
	}
	post := forum.NewPost{ThreadID: t.ID, ReplyToID: &n.PostID, Body: text, IdempotencyKey: &key}
	withAttachments(&post, kept)
	_, err = s.Forum.CreatePost(ctx, author, post)
	return refused(err)
}

// key makes a mail post once, however often it comes: of its Message-ID, or of all of it when it has none, and of the address.
func (m *message) key(id gid.ID) string {
	sum := sha256.Sum256([]byte(m.identity + "\n" + id.String()))
	return "mail-" + hex.EncodeToString(sum[:])
}

// refused makes of a fault what the other server is told. What is none of the sender's doing, and what waiting cures, is asked for again.
func refused(err error) error {
	all := fault.All(err)
	switch {
	case err == nil:
		return nil
	case len(all) == 0:
		return err
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Unauthenticated):
		return errNotYours
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Timeout):
		return fmt.Errorf("take mail: %w", err)
	}
	words, passes := make([]string, len(all)), true
	for i, f := range all {
		words[i] = f.Message
		passes = passes && f.Wait > 0
	}
	if passes {
		return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: strings.Join(words, " ")}
	}
	return refusal(smtp.EnhancedCode{5, 7, 1}, strings.Join(words, " "))
}

// outcome is what the other server is told of an error.
func (s *Service) outcome(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if told, is := errors.AsType[*smtp.SMTPError](err); is {
		s.Logger.InfoContext(ctx, "mail was not posted", "code", told.Code, "why", told.Message)
		return told
	}
	s.Logger.WarnContext(ctx, "mail is asked for again", "error", err.Error())
	return errLater
}

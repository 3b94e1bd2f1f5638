package admission

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/signerrequest"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// SignPath is where links to letters lead; what follows is the secret.
const SignPath = "/letters/"

// Compose returns the values of the mail to a signer, or false when the request no longer waits. Each time that a mail is sent the link is made anew,
// and the older one is void: no secret waits in the queue.
func (s *Service) Compose(ctx context.Context, _, address string, data map[string]string) (values map[string]string, send bool, err error) {
	ctx = viewer.NewContext(ctx, viewer.System("compose mail"))
	id, err := gid.Parse(data[dataSigner])
	if err != nil {
		return nil, false, fmt.Errorf("compose mail: %w", err)
	}
	token := rand.Text()
	hash := sha256.Sum256([]byte(token))
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		send = false
		r, err := tx.SignerRequest.Query().Where(signerrequest.ID(id), signerrequest.Email(address), signerrequest.StateEQ(signerrequest.StatePENDING), store.LockRow).Only(ctx)
		if ent.IsNotFound(err) {
			return nil
		}
		now := s.Now()
		if err != nil || !now.Before(r.ExpiresAt) {
			return err
		}
		a, err := tx.Application.Query().Where(application.ID(r.ApplicationID)).WithCall(func(q *ent.CallQuery) { q.WithOffering() }).Only(ctx)
		if err != nil {
			return err
		}
		days := int(r.ExpiresAt.Sub(now).Hours()) / 24
		values = map[string]string{
			"name": r.Name, "organization": a.OrganizationName, "call": titleOf(a.Edges.Call), "link": s.url(SignPath + token), "days": strconv.Itoa(days),
			"until": clock(r.ExpiresAt, a.Edges.Call.TimeZone),
		}
		send = true
		return tx.SignerRequest.UpdateOne(r).SetTokenHash(hash[:]).Exec(ctx)
	})
	return values, send, err
}

// SignatureState is what a link to a letter has to say.
type SignatureState string

// What links say.
const (
	signUnknown  SignatureState = "UNKNOWN" // there is no such link, or a newer one was made
	signOpen     SignatureState = "OPEN"
	signSigned   SignatureState = "SIGNED"
	signRefused  SignatureState = "REFUSED"
	signCanceled SignatureState = "CANCELLED"
	signExpired  SignatureState = "EXPIRED" // or the application takes no letter any more
)

// letter is what a link shows.
type letter struct {
	State   SignatureState
	Request *ent.SignerRequest
	Held    *held
}

// open finds what a link leads to; lock has the application and the request wait for others.
func (s *Service) open(ctx context.Context, c *ent.Client, token string, lock bool) (*letter, error) {
	hash := sha256.Sum256([]byte(token))
	r, err := c.SignerRequest.Query().Where(signerrequest.TokenHash(hash[:])).Only(ctx)
	if ent.IsNotFound(err) {
		return &letter{State: signUnknown}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the letter: %w", err)
	}
	q := c.Application.Query().Where(application.ID(r.ApplicationID))
	if lock {
		q.Where(store.LockRow)
	}
	a, err := q.Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the letter's application: %w", err)
	}
	if lock {
		if r, err = c.SignerRequest.Query().Where(signerrequest.ID(r.ID), signerrequest.TokenHash(hash[:]), store.LockRow).Only(ctx); ent.IsNotFound(err) {
			return &letter{State: signUnknown}, nil
		} else if err != nil {
			return nil, fmt.Errorf("load the letter: %w", err)
		}
	}
	of, err := c.Call.Query().Where(call.ID(a.CallID)).WithOffering().Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the letter's call: %w", err)
	}
	l := &letter{Request: r, Held: &held{Application: a, Call: of, Editor: true}}
	now := s.Now() // after the locks
	switch {
	case r.State == signerrequest.StateSIGNED:
		l.State = signSigned
	case r.State == signerrequest.StateREFUSED:
		l.State = signRefused
	case r.State == signerrequest.StateCANCELLED:
		l.State = signCanceled
	case !now.Before(r.ExpiresAt) || l.Held.writable(r.Requirement, now) != nil:
		l.State = signExpired
	default:
		l.State = signOpen
	}
	return l, nil
}

// Signature is what a signer says: the name that they typed, or that they refuse, and perhaps why.
type Signature struct {
	Name    string
	Agreed  bool
	Refused bool
	Reason  string
}

// wrong says what is to be mended, or nothing.
func (in *Signature) wrong() string {
	in.Name = strings.Join(strings.Fields(strings.Map(printable, in.Name)), " ")
	in.Reason = strings.TrimSpace(strings.Map(printable, in.Reason))
	switch {
	case in.Refused && len([]rune(in.Reason)) > 2000:
		return "Please say it in at most 2,000 characters."
	case in.Refused:
		return ""
	case in.Name == "":
		return "Please type your name."
	case len([]rune(in.Name)) > maxName:
		return "Please type your name in at most 200 characters."
	case !in.Agreed:
		return "Please tick that you have read the letter and sign it."
	}
	return ""
}

func printable(r rune) rune {
	if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
		return -1
	}
	return r
}

// Sign answers the letter that a link leads to: what was typed, when, and from which address is kept. A signed letter is a document of
// the application at once. It returns what the link has to say, and whether it was this that answered it: of two that come at once one does.
func (s *Service) Sign(ctx context.Context, v viewer.Viewer, token string, in Signature) (state SignatureState, done bool, err error) {
	sys := viewer.NewContext(ctx, viewer.System("sign a letter"))
	err = s.Store.InTx(sys, func(ctx context.Context, tx *ent.Client) error {
		done = false
		l, err := s.open(ctx, tx, token, true)
		if err != nil {
			return err
		}
		if state = l.State; state != signOpen {
			return nil
		}
		now, r := s.Now(), l.Request
		update := tx.SignerRequest.UpdateOne(r).SetAnsweredAt(now).SetAddress(v.Address())
		entry := audit.Entry{Action: audit.LetterSigned, Subject: l.Held.ID}
		if in.Refused {
			state, entry.Action = signRefused, audit.LetterRefused
			update.SetState(signerrequest.StateREFUSED).SetRefusal(in.Reason)
		} else {
			state = signSigned
			update.SetState(signerrequest.StateSIGNED).SetSignedName(in.Name)
		}
		if err := update.Exec(ctx); err != nil {
			return fmt.Errorf("answer a letter: %w", err)
		}
		by := viewer.Anonymous().At(v.Address())
		if !in.Refused {
			create := tx.Document.Create().SetRequirement(r.Requirement).SetSigner(r.Signer).SetSignerRequestID(r.ID).SetAddedByID(r.RequesterID)
			if err := s.putDocument(ctx, tx, by, l.Held, create); err != nil {
				return err
			}
		}
		if err := s.touch(ctx, tx, by, l.Held.ID, event.SignerRequestChanged, r.ID); err != nil {
			return err
		}
		if err := s.notify(ctx, tx, l.Held.ID, mailAnswered, r.ID); err != nil {
			return err
		}
		done = true
		return s.Audit.Append(ctx, tx, by, entry)
	})
	return state, done, err
}

package admission

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/signerrequest"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	maxLetter  = 20_000
	signLasts  = 14 * 24 * time.Hour
	asksADay   = 20 // mails to signers of one application
	dataSigner = "request"
	// MailSignature is the template of the mail to a signer: name, organization, call, link, days.
	MailSignature = "signature"
)

// How many letters are mailed, whatever the application: the signer may never have heard of us, and whoever asks may have several applications. What
// is refused counts nothing.
var (
	asksOfMember = store.Throttle{Burst: 30, Refill: 30 * time.Minute}
	asksOfSigner = store.Throttle{Burst: 10, Refill: 3 * time.Hour}
)

// NewSignerRequest asks somebody to sign a letter. Without a letter it is the call's.
type NewSignerRequest struct {
	ApplicationID       gid.ID
	Requirement, Signer string
	Name, Email         string
	Letter              *string
	IdempotencyKey      *string `json:"-"`
}

func (in *NewSignerRequest) check() error {
	var check input.Checker
	in.Name = check.Line("name", in.Name, 1, maxName)
	in.Email = check.Email("email", in.Email)
	if in.Letter != nil {
		text := check.Text("letter", *in.Letter, 1, maxLetter)
		in.Letter = &text
	}
	return check.Err()
}

// RequestSignature asks somebody by mail to sign a letter through a link: what they read is kept with its SHA-256, and never changes. For editors while
// they may change that part: FORBIDDEN and CALL_CLOSED else. It returns ALREADY_EXISTS while somebody is asked in the same role, and
// LIMIT_REACHED after 20 mails for an application within a day, after 10 letters to one address, of which it forgets one every three hours, and
// after 30 of one member, of which it forgets one every half hour.
func (s *Service) RequestSignature(ctx context.Context, v viewer.Viewer, in NewSignerRequest) (*ent.Application, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	once := store.Once{Member: me, At: s.Now(), Operation: "requestSignature", Key: in.IdempotencyKey, Payload: in}
	return s.once(ctx, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		a, err := s.hold(ctx, tx, v, in.ApplicationID)
		if err != nil {
			return gid.ID{}, err
		}
		if err := a.writable(in.Requirement, s.Now()); err != nil {
			return gid.ID{}, err
		}
		r, err := a.requirement(in.Requirement, in.Signer)
		switch {
		case err != nil:
			return gid.ID{}, err
		case r.Kind != letterKind || in.Signer == "":
			return gid.ID{}, fault.Invalid("requirement", "This is no letter that somebody signs.")
		case in.Letter == nil && r.Letter == "":
			return gid.ID{}, fault.Invalid("letter", "Write what is to be signed.")
		case in.Letter == nil:
			in.Letter = &r.Letter
		}
		waits, err := tx.SignerRequest.Query().Where(signerrequest.ApplicationID(a.ID), signerrequest.Requirement(in.Requirement),
			signerrequest.Signer(in.Signer), signerrequest.AnsweredAtIsNil()).Exist(ctx)
		switch {
		case err != nil:
			return gid.ID{}, fmt.Errorf("look for a signer request: %w", err)
		case waits:
			return gid.ID{}, fault.New(fault.AlreadyExists, "Somebody is asked to sign this already. Take that back first, or send it again.").At("signer")
		}
		return a.ID, s.ask(ctx, tx, v, a, in)
	})
}

// ask writes a request and its mail down.
func (s *Service) ask(ctx context.Context, tx *ent.Client, v viewer.Viewer, a *held, in NewSignerRequest) error {
	now, id := s.Now(), s.NewID(gid.SignerRequest)
	asked, err := tx.SignerRequest.Query().Where(signerrequest.ApplicationID(a.ID), signerrequest.CreatedAtGT(now.Add(-24*time.Hour))).Count(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("count signer requests: %w", err)
	case asked >= asksADay:
		return fault.New(fault.LimitReached, "For one application %d such mails are sent a day.", asksADay)
	}
	if err := s.spare(ctx, tx, a.Viewer, in.Email); err != nil {
		return err
	}
	until, hash := now.Add(signLasts), sha256.Sum256([]byte(*in.Letter))
	if end := a.ends(); end.Before(until) {
		until = end
	}
	err = tx.SignerRequest.Create().SetID(id).SetCreatedAt(now).SetApplicationID(a.ID).SetRequirement(in.Requirement).SetSigner(in.Signer).
		SetName(in.Name).SetEmail(in.Email).SetLetter(*in.Letter).SetLetterHash(hash[:]).SetExpiresAt(until).SetRequesterID(a.Viewer).Exec(ctx)
	if err != nil {
		return store.RetryOnConflict(err)
	}
	if err := s.Mail.Send(ctx, tx, mail.Mail{Address: in.Email, Template: MailSignature, Until: &until, Data: map[string]string{dataSigner: id.String()}}); err != nil {
		return err
	}
	return s.touch(ctx, tx, v, a.ID, event.SignerRequestChanged, id)
}

// spare counts a letter of a member to an address, or returns LIMIT_REACHED. Nobody's mailbox is filled from here.
func (s *Service) spare(ctx context.Context, tx *ent.Client, me gid.ID, address string) error {
	wait, err := s.Store.TakeIn(ctx, tx, "letters of "+me.String(), asksOfMember, s.Now())
	if err != nil {
		return err
	}
	if wait > 0 {
		return fault.New(fault.LimitReached, "You have asked for many signatures. Ask for the next one in %d minutes.", minutes(wait))
	}
	if wait, err = s.Store.TakeIn(ctx, tx, "letters to "+address, asksOfSigner, s.Now()); err != nil {
		return err
	}
	if wait > 0 {
		return fault.New(fault.LimitReached, "Many letters were sent to this address. Send the next one in %d minutes.", minutes(wait)).At("email")
	}
	return nil
}

// minutes is a wait in whole minutes, rounded up.
func minutes(wait time.Duration) int { return int((wait + time.Minute - 1) / time.Minute) }

// CancelSignatureRequest takes a request back: its link says so. For editors, like RequestSignature; FORBIDDEN once it was answered. Again,
// it changes nothing.
func (s *Service) CancelSignatureRequest(ctx context.Context, v viewer.Viewer, id, requestID gid.ID) (*ent.Application, error) {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		a, err := s.hold(ctx, tx, v, id)
		if err != nil {
			return err
		}
		r, err := s.asked(ctx, tx, v, a, requestID)
		switch {
		case err != nil:
			return err
		case r.State == signerrequest.StateCANCELLED:
			return nil
		case r.State != signerrequest.StatePENDING:
			return fault.Denied("The signer has answered.")
		}
		if err := s.cancel(ctx, tx, r); err != nil {
			return err
		}
		return s.touch(ctx, tx, v, id, event.SignerRequestChanged, r.ID)
	})
	if err != nil {
		return nil, err
	}
	return s.reload(ctx, v, id)
}

// ResendSignatureRequest sends a request again, as a new one with another link; the old one's is void. For editors, like RequestSignature;
// FORBIDDEN once it was signed, and LIMIT_REACHED as RequestSignature does.
func (s *Service) ResendSignatureRequest(ctx context.Context, v viewer.Viewer, id, requestID gid.ID, key *string) (*ent.Application, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	once := store.Once{Member: me, At: s.Now(), Operation: "resendSignatureRequest", Key: key, Payload: requestID}
	return s.once(ctx, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		a, err := s.hold(ctx, tx, v, id)
		if err != nil {
			return gid.ID{}, err
		}
		r, err := s.asked(ctx, tx, v, a, requestID)
		switch {
		case err != nil:
			return gid.ID{}, err
		case r.State == signerrequest.StateSIGNED:
			return gid.ID{}, fault.Denied("The letter is signed.")
		}
		waits, err := tx.SignerRequest.Query().Where(signerrequest.ApplicationID(id), signerrequest.Requirement(r.Requirement),
			signerrequest.Signer(r.Signer), signerrequest.AnsweredAtIsNil()).All(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("load the signer request: %w", err)
		}
		for _, w := range waits {
			if err := s.cancel(ctx, tx, w); err != nil {
				return gid.ID{}, err
			}
		}
		return id, s.ask(ctx, tx, v, a, NewSignerRequest{ApplicationID: id, Requirement: r.Requirement, Signer: r.Signer, Name: r.Name, Email: r.Email, Letter: &r.Letter})
	})
}

// asked is a request of an application that the viewer may change.
func (s *Service) asked(ctx context.Context, tx *ent.Client, v viewer.Viewer, a *held, id gid.ID) (*ent.SignerRequest, error) {
	r, err := tx.SignerRequest.Query().Where(signerrequest.ID(id), signerrequest.ApplicationID(a.ID), signerrequest.HasApplicationWith(access.FollowedApplications(v))).Only(ctx)
	if err != nil {
		return nil, missing(err, "signerRequestId")
	}
	return r, a.writable(r.Requirement, s.Now())
}

func (s *Service) cancel(ctx context.Context, tx *ent.Client, r *ent.SignerRequest) error {
	err := tx.SignerRequest.UpdateOne(r).SetState(signerrequest.StateCANCELLED).SetAnsweredAt(s.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cancel a signer request: %w", err)
	}
	return nil
}

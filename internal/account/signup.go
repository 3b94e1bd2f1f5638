package account

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const signUpLasts = 24 * time.Hour

// signUpPrefix begins the token of a link that makes an account, for scanners of leaked secrets.
const signUpPrefix = "cmu_"

// mostSignUp is longer than any such token, in bytes.
const mostSignUp = 3000

// SignUp is who wants to make an account, to apply to a call.
type SignUp struct {
	Name, Email, TimeZone string
	CallID                gid.ID
}

// RequestSignUp has a link mailed that makes an account, as long as a call takes applications: NOT_FOUND for a call that everybody cannot see, and
// CALL_CLOSED while it takes none. Somebody who has an account gets a mail that says so instead. The answer is the same, and so is what is done: which
// of the two it is, is found out when the mail is made (see Compose). Nothing is kept of who asks but the mail: an account is made by whoever reads
// it. It returns RATE_LIMITED as RequestLink does, and sends less: see throttle.go.
func (s *Service) RequestSignUp(ctx context.Context, v viewer.Viewer, in SignUp) error {
	who, err := Invitation{Name: in.Name, Email: in.Email, TimeZone: in.TimeZone}.check()
	if err != nil {
		return err
	}
	if err := s.Taking(ctx, in.CallID); err != nil {
		return err
	}
	send, err := s.throttleLink(ctx, v, MailSignUp, who.Email)
	if err != nil || !send {
		return err
	}
	until := s.Now().Add(signUpLasts)
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		return s.Mail.Send(ctx, tx,
			mail.Mail{Address: who.Email, Template: MailSignUp, Until: &until, Data: map[string]string{dataName: who.Name, dataZone: who.TimeZone, dataCall: in.CallID.String()}},
			mail.Mail{Address: who.Email, Template: MailSignUpKnown, Until: &until})
	})
}

// composeSignUp makes the link that makes an account, unless somebody has the address. What the stranger who asked wrote is not in the mail: it is
// no way to have words of one's own mailed to others.
func (s *Service) composeSignUp(ctx context.Context, address string, data map[string]string) (map[string]string, bool, error) {
	taken, err := s.Store.Client(ctx).Member.Query().Where(member.Email(address)).Exist(ctx)
	if err != nil || taken {
		return nil, false, err
	}
	token, err := s.sealSignUp(ctx, sealedSignUp{data[dataName], address, data[dataZone], data[dataCall], s.Now().Add(signUpLasts)})
	if err != nil {
		return nil, false, err
	}
	return map[string]string{"link": s.PublicURL + pageSignUp + "#" + token, "hours": fmt.Sprint(int(signUpLasts.Hours()))}, true, nil
}

// sealedSignUp is what the link carries, sealed: the account is made of it, so that no row is there before somebody has read the mail. No two
// seals are alike, for each has a nonce: so a link that was used is known by its hash, for as long as it would be good.
type sealedSignUp struct {
	Name, Email, TimeZone string
	Call                  string // that they want to apply to; empty in a link of who was asked for none
	Until                 time.Time
}

// use is by what it is remembered that a link was used.
func (sealedSignUp) use(token string) string { return "sign-up link " + token }

func (s *Service) signUpSeal(ctx context.Context) (cipher.AEAD, error) {
	secret, err := s.Store.Secret(ctx, "sign-up links")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("seal a link: %w", err)
	}
	return cipher.NewGCM(block)
}

func (s *Service) sealSignUp(ctx context.Context, in sealedSignUp) (string, error) {
	seal, err := s.signUpSeal(ctx)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("seal a link: %w", err)
	}
	nonce := make([]byte, seal.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return signUpPrefix + base64.RawURLEncoding.EncodeToString(seal.Seal(nonce, nonce, text, nil)), nil
}

// openSignUp reads a link, or returns INVALID_INPUT for one that is void.
func (s *Service) openSignUp(ctx context.Context, token string) (in sealedSignUp, err error) {
	text, ok := strings.CutPrefix(token, signUpPrefix)
	closed, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil || len(token) > mostSignUp {
		return in, void()
	}
	seal, err := s.signUpSeal(ctx)
	if err != nil {
		return in, err
	}
	if len(closed) < seal.NonceSize() {
		return in, void()
	}
	open, err := seal.Open(nil, closed[:seal.NonceSize()], closed[seal.NonceSize():], nil)
	if err != nil || json.Unmarshal(open, &in) != nil || !s.Now().Before(in.Until) {
		return in, void()
	}
	return in, nil
}

// usedSignUp is the answer to a link that has made its account.
func usedSignUp() *fault.Error {
	return fault.New(fault.AlreadyExists, "This link was used: it has made an account. Sign in, or ask for a link to sign in with.").At("token")
}

// ConfirmSignUp makes the link's account and signs in, with a password if they choose one; without, they sign in with links. The new member belongs to
// no organization, no team and no space: nobody but staff sees them. It returns INVALID_INPUT for a link that is void, and once somebody has
// the address, and what RequestSignUp returns once the call that the link was asked for takes no more applications. A link works once, whatever becomes
// of its account: then it returns ALREADY_EXISTS, but to the browser that is signed in to the account, which is told again what it was told.
func (s *Service) ConfirmSignUp(ctx context.Context, v viewer.Viewer, token, text, browser string) (*Started, error) {
	in, err := s.openSignUp(ctx, token)
	if err != nil {
		return nil, err
	}
	taken := func(ctx context.Context, c *ent.Client) (bool, error) {
		return c.Member.Query().Where(member.Email(in.Email)).Exist(ctx)
	}
	known, err := taken(ctx, s.Store.Client(ctx)) // first: who has it by this link has used it
	if err != nil {
		return nil, err
	}
	used, err := s.Store.Used(ctx, in.use(token), s.Now())
	switch {
	case err != nil:
		return nil, err
	case used:
		return s.signedUp(ctx, v, in.Email)
	case known: // hashing is dear: not for a link that is void
		return nil, void()
	}
	if in.Call != "" {
		call, err := gid.Parse(in.Call)
		if err != nil {
			return nil, void()
		}
		if err := s.Taking(ctx, call); err != nil {
			return nil, err
		}
	}
	hash := ""
	if text != "" {
		if hash, err = s.newHash(ctx, "password", text, &ent.Member{Name: in.Name, Email: in.Email}); err != nil {
			return nil, err
		}
	}
	var started *Started
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		first, err := s.Store.UseOnce(ctx, tx, in.use(token), in.Until, s.Now())
		if err != nil {
			return err
		}
		if !first {
			return usedSignUp()
		}
		known, err := taken(ctx, tx)
		if err != nil {
			return err
		}
		if known {
			return void()
		}
		m, err := s.newMember(ctx, tx, Invitation{Name: in.Name, Email: in.Email, TimeZone: in.TimeZone})
		if err != nil {
			return err
		}
		if hash != "" {
			err := tx.Password.Create().SetID(s.NewID(gid.Password)).SetCreatedAt(m.CreatedAt).SetUpdatedAt(m.CreatedAt).SetMemberID(m.ID).SetHash(hash).Exec(ctx)
			if err != nil {
				return fmt.Errorf("keep the password: %w", err)
			}
		}
		// Whoever asks has proved by the link who they are, though nobody is signed in yet.
		by := viewer.Member(m.ID, gid.ID{}, viewer.Write).At(v.Address())
		if err := s.Audit.Append(ctx, tx, by, audit.Entry{Action: audit.SignedUp, Subject: m.ID}); err != nil {
			return err
		}
		started, err = s.startSession(ctx, tx, v, m, BySignUp, browser)
		return err
	})
	return started, err
}

// signedUp is the session of the browser that asks, if it is of the member with an address: a form that is sent twice says the same twice. Nothing
// begins. It returns ALREADY_EXISTS to everybody else.
func (s *Service) signedUp(ctx context.Context, v viewer.Viewer, email string) (*Started, error) {
	if !v.InBrowser() {
		return nil, usedSignUp()
	}
	t, err := s.Store.Client(ctx).AccessToken.Query().
		Where(accesstoken.ID(v.TokenID()), accesstoken.HasMemberWith(member.Email(email))).WithMember().Only(ctx)
	if ent.IsNotFound(err) {
		return nil, usedSignUp()
	}
	if err != nil {
		return nil, fmt.Errorf("load the session: %w", err)
	}
	return &Started{Member: t.Edges.Member, Expires: *t.LastExpiresAt}, nil
}

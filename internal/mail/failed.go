package mail

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pursuing-equity/commons/ent"
	entmail "github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// newest is the order of mails: their ids rise with time.
var newest = page.Order{Name: "failedMails", Part: page.ByID, Desc: true}

// Failed are the mails that failed for good, the newest first, for staff; with a template, those alone. What they say nobody is shown.
func (s *Service) Failed(ctx context.Context, v viewer.Viewer, template *string, a page.Args) (*page.Connection[ent.Mail], error) {
	w, err := a.Window(newest, gid.ID{})
	if err != nil {
		return nil, err
	}
	q := s.Store.Client(ctx).Mail.Query().Where(access.FailedMails(v))
	if template != nil {
		q.Where(entmail.Template(*template))
	}
	rows, err := q.Where(newest.Page(w)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list failed mail: %w", err)
	}
	return page.Build(newest, w, gid.ID{}, rows, func(m *ent.Mail) page.Key { return page.Key{ID: m.ID} }), nil
}

// Recipients are the members who have the addresses of mails now, nil where nobody has: for who sees the mails, and thereby all members.
// One statement.
func (s *Service) Recipients(ctx context.Context, mails []*ent.Mail) ([]*ent.Member, error) {
	addresses := make([]string, len(mails))
	for i, m := range mails {
		addresses[i] = m.Address
	}
	found, err := s.Store.Client(ctx).Member.Query().Where(member.EmailIn(addresses...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load whom mail was for: %w", err)
	}
	of := make(map[string]*ent.Member, len(found))
	for _, m := range found {
		of[m.Email] = m
	}
	out := make([]*ent.Member, len(mails))
	for i, a := range addresses {
		out[i] = of[a]
	}
	return out, nil
}

// Retry has a mail that failed for good tried again, as one that was written down now. For staff. One that waits already is left as it is.
// It returns NOT_FOUND for a mail that is not there any more, and FORBIDDEN for one that is worth nothing any more: see CanRetry.
func (s *Service) Retry(ctx context.Context, v viewer.Viewer, id gid.ID, key *string) (*gid.ID, error) {
	return s.settleFailed(ctx, v, "retryFailedMail", id, key, func(ctx context.Context, tx *ent.Client, m *ent.Mail) error {
		now := s.Now()
		switch {
		case m.FailedAt == nil:
			return nil
		case !CanRetry(m, now):
			return fault.Denied("This mail had a link that somebody asked for a while ago. They can ask for another one.").At("mailId")
		}
		err := tx.Mail.UpdateOneID(id).ClearFailedAt().SetRetriedAt(now).SetNextAt(now).SetAttempts(0).SetLastError("").Exec(ctx)
		if err != nil {
			return fmt.Errorf("retry a mail: %w", err)
		}
		if s.Wake != nil {
			store.AfterCommit(ctx, s.Wake)
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.MailRetried, Subject: id, Reason: m.Template})
	})
}

// Discard forgets a mail that failed for good. For staff. It returns NOT_FOUND for one that is not there any more, or waits.
func (s *Service) Discard(ctx context.Context, v viewer.Viewer, id gid.ID, key *string) (*gid.ID, error) {
	return s.settleFailed(ctx, v, "discardFailedMail", id, key, func(ctx context.Context, tx *ent.Client, m *ent.Mail) error {
		if m.FailedAt == nil {
			return fault.Missing().At("mailId")
		}
		if err := tx.Mail.DeleteOneID(id).Exec(ctx); err != nil {
			return fmt.Errorf("discard a mail: %w", err)
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.MailDiscarded, Subject: id, Reason: m.Template})
	})
}

// settleFailed does something to a mail whose row it holds, at most once for an idempotency key, and returns the mail's id.
func (s *Service) settleFailed(ctx context.Context, v viewer.Viewer, operation string, id gid.ID, key *string,
	do func(context.Context, *ent.Client, *ent.Mail) error,
) (*gid.ID, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		once := store.Once{Member: me, Operation: operation, Key: key, Payload: id, At: s.Now()}
		_, err := once.Do(ctx, tx, func() (gid.ID, error) {
			m, err := tx.Mail.Query().Where(entmail.ID(id), access.OpenMails(v), store.LockRow).Only(ctx)
			if ent.IsNotFound(err) {
				return gid.ID{}, fault.Missing().At("mailId")
			}
			if err != nil {
				return gid.ID{}, fmt.Errorf("load mail: %w", err)
			}
			return id, do(ctx, tx, m)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &id, nil
}

// CanRetry reports whether a mail that failed is still worth sending. Who asked for a link and got none has asked again within the hour:
// to send another one would make theirs void. What leads to something that is over is worth nothing either.
func CanRetry(m *ent.Mail, now time.Time) bool {
	if m.Until != nil && now.After(*m.Until) {
		return false
	}
	return !slices.Contains(brief, m.Template) || !now.After(since(m).Add(briefWorth))
}

// since is from when on a mail is worth something.
func since(m *ent.Mail) time.Time {
	if m.RetriedAt != nil {
		return *m.RetriedAt
	}
	return m.CreatedAt
}

// Masked is a mail's address with no more of its local part than the first character.
func Masked(m *ent.Mail) string { return mask(m.Address) }

func mask(address string) string {
	local, domain, found := strings.Cut(address, "@")
	if !found || local == "" {
		return "•••"
	}
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + "•••@" + domain
}

var address = regexp.MustCompile(`[^\s<>@"',;:()]+@[^\s<>@"',;:()]+`)

// Trouble is what was wrong with the last attempt, with all addresses in it masked: what a mail server says names the recipient.
func Trouble(m *ent.Mail) string { return address.ReplaceAllStringFunc(m.LastError, mask) }

package notify

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// An address bounces once it was refused for good on three days, of which none is more than a week after the one before; the refusals of
// one day count once, for a full mailbox or a filter's whim refuses many mails in an hour. That is how Mailman counts by default
// (bounce processing: one a day, forgotten after 7 days; its threshold of 5 is lower here, where mail goes to one person and not to a
// list). A server that says there is no such mailbox is believed at once: who goes on writing to those is taken for a sender of spam.
const (
	refusalDays  = 3
	refusalDay   = 24 * time.Hour
	refusalStale = 7 * 24 * time.Hour
)

// noMailbox are the statuses of RFC 3463, 3.2 (and 5.1.10 of RFC 7505) by which there is nobody at the address: no such mailbox, no such
// system, no valid address, moved without a forward, no mail for the domain.
var noMailbox = regexp.MustCompile(`^5\.1\.(1|2|3|6|10)$`)

// aboutAddress are the statuses about the mailbox or its address (RFC 3463: X.1 and X.2). Others are about the way there, or about us: a relay that
// does not take our mail, a list that we are on. Everybody's mail would stop for what is nobody's fault but ours.
var aboutAddress = regexp.MustCompile(`^5\.[12]\.\d+$`)

// MailRefused notes that a mail server refused an address for good, and with which status of RFC 3463; empty when it gave none, and then nothing is counted.
func (s *Service) MailRefused(ctx context.Context, address, status string) error {
	return s.refused(ctx, member.Email(address), status)
}

// MailBounced notes what another server reported of mail to a member: that it was given up, with which status.
func (s *Service) MailBounced(ctx context.Context, memberID gid.ID, status string) error {
	return s.refused(ctx, member.ID(memberID), status)
}

// refused counts a refusal of the address for the one who has it, if anybody has.
func (s *Service) refused(ctx context.Context, whose predicate.Member, status string) error {
	if !aboutAddress.MatchString(status) {
		return nil
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		m, err := tx.Member.Query().Where(whose, member.StatusNEQ(member.StatusERASED), store.LockRow).Only(ctx)
		if ent.IsNotFound(err) || err == nil && m.MailBouncingAt != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("lock the member: %w", err)
		}
		now, days := s.Now(), 1
		if last := m.MailRefusedAt; last != nil && now.Sub(*last) < refusalStale {
			days = m.MailRefusals + 1
			if now.Sub(*last) < refusalDay {
				days = m.MailRefusals
			}
		}
		if noMailbox.MatchString(status) {
			days = refusalDays
		}
		u := tx.Member.UpdateOneID(m.ID)
		if days != m.MailRefusals || m.MailRefusedAt == nil || now.Sub(*m.MailRefusedAt) >= refusalDay {
			u.SetMailRefusals(days).SetMailRefusedAt(now)
		}
		if days >= refusalDays {
			u.SetMailBouncingAt(now)
		}
		return u.Exec(ctx)
	})
	if err != nil {
		return fmt.Errorf("count a refused mail: %w", err)
	}
	return nil
}

// MailStoppedAt is since when a member gets no notifications by mail because their address bounces; nil while they do.
func (s *Service) MailStoppedAt(ctx context.Context, memberID gid.ID) (*time.Time, error) {
	m, err := s.Store.Client(ctx).Member.Query().Where(member.ID(memberID)).Select(member.FieldID, member.FieldMailBouncingAt).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("look whether the address bounces: %w", err)
	}
	return m.MailBouncingAt, nil
}

// ResumeMail takes the viewer's word for it that their address takes mail again, of what happens from now on.
func (s *Service) ResumeMail(ctx context.Context, v viewer.Viewer) (*ent.NotificationPreference, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		return MailArrives(tx.Member.Update().Where(member.ID(me))).Exec(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("resume mail: %w", err)
	}
	return s.PreferenceOf(ctx, me)
}

// MailArrives forgets, as a part of a change of members, that their addresses refused mail: something that was mailed came back to us.
func MailArrives(u *ent.MemberUpdate) *ent.MemberUpdate {
	return u.SetMailRefusals(0).ClearMailRefusedAt().ClearMailBouncingAt()
}

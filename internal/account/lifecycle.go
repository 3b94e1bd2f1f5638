package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/onetimetoken"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The life of an account:
//
//   - Suspended until an instant, a member cannot sign in by any way, and is notified of nothing. Everything else stays, tokens
//     too, and the end of it needs no act. For longer than maxSuspension there is deactivation.
//   - Deactivated, the account is closed: sign-ins end for good, the member is in no list of people and is found by nobody, and
//     their places count for nothing, but are kept. What they wrote stays, under their name. Staff can open it again, and then
//     all places count as before; they sign in anew.
//   - Erased, there is no way back: see Erase.
//
// Nobody closes the account of the last administrator: nobody could open it again. A group's last facilitator is not held, for a
// person's leaving is theirs to decide: the group passes to whoever has belonged to it longest.

const (
	maxReason     = 2_000
	maxSuspension = 366 * 24 * time.Hour
)

// change runs a change of a member's account. It returns NOT_FOUND for a member whom the viewer cannot see, and loads the member
// again in the end, as the viewer sees them.
func (s *Service) change(ctx context.Context, v viewer.Viewer, id gid.ID, do func(ctx context.Context, tx *ent.Client, a *access.Actor, m *ent.Member) error) (*ent.Member, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		m, err := tx.Member.Query().Where(member.ID(id), access.VisibleMembers(v)).Only(ctx)
		if ent.IsNotFound(err) {
			return fault.Missing().At("memberId")
		}
		if err != nil {
			return fmt.Errorf("load member: %w", err)
		}
		actor, err := access.Load(ctx, tx, v)
		if err != nil {
			return err
		}
		return do(ctx, tx, actor, m)
	})
	if err != nil {
		return nil, err
	}
	m, err := s.Store.Client(ctx).Member.Query().Where(member.ID(id), access.VisibleMembers(v)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return m, err
}

// hold locks the member's row and makes sure that the account is in one of some states. Whoever needs it takes the locks of
// administrators' roles and of groups before, in the order in which everybody does.
func hold(ctx context.Context, tx *ent.Client, id gid.ID, states ...member.Status) (*ent.Member, error) {
	m, err := tx.Member.Query().Where(member.ID(id), store.LockRow).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock member: %w", err)
	}
	if slices.Contains(states, m.Status) {
		return m, nil
	}
	if m.Status == member.StatusACTIVE {
		return nil, fault.Invalid("memberId", "This account is in use.")
	}
	return nil, fault.Invalid("memberId", "This account is closed.")
}

// Suspend keeps a member from signing in until an instant, at most a year ahead; again, until another one. For staff, never for
// oneself. Live connections end at once. The reason is for the audit log, where the member can read it afterwards.
func (s *Service) Suspend(ctx context.Context, v viewer.Viewer, id gid.ID, until time.Time, reason string) (*ent.Member, error) {
	var check input.Checker
	reason = check.Text("reason", reason, 1, maxReason)
	until = until.UTC().Truncate(time.Millisecond) // the database's clock has no more on SQLite
	switch now := s.Now(); {
	case !until.After(now):
		check.Refuse("until", "This must be in the future.")
	case until.After(now.Add(maxSuspension)):
		check.Refuse("until", "This must be within a year. To close the account for longer, deactivate it.")
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, a *access.Actor, _ *ent.Member) error {
		if err := a.CanCloseAccount(ctx, tx, id); err != nil {
			return err
		}
		if me, _ := v.MemberID(); me == id {
			return fault.Denied("Nobody suspends themselves.")
		}
		if err := community.KeepsAnAdministrator(ctx, tx, id); err != nil {
			return err
		}
		if _, err := hold(ctx, tx, id, member.StatusACTIVE); err != nil {
			return err
		}
		if err := tx.Member.UpdateOneID(id).SetSuspendedUntil(until).SetUpdatedAt(s.Now()).Exec(ctx); err != nil {
			return fmt.Errorf("suspend member: %w", err)
		}
		return s.Audit.Moderated(ctx, tx, v, audit.Act{
			Kind: moderationaction.KindSUSPEND, Action: audit.MemberSuspended, Subject: id, Member: id, Reason: reason, EndsAt: &until,
		})
	})
}

// EndSuspension lets a member sign in again at once. For staff. Where there is no suspension it changes nothing.
func (s *Service) EndSuspension(ctx context.Context, v viewer.Viewer, id gid.ID, reason string) (*ent.Member, error) {
	var check input.Checker
	reason = check.Text("reason", reason, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, a *access.Actor, _ *ent.Member) error {
		if err := a.CanCloseAccount(ctx, tx, id); err != nil {
			return err
		}
		m, err := hold(ctx, tx, id, member.StatusACTIVE, member.StatusDEACTIVATED)
		if err != nil {
			return err
		}
		if m.SuspendedUntil == nil || !m.SuspendedUntil.After(s.Now()) {
			return nil
		}
		if err := tx.Member.UpdateOneID(id).ClearSuspendedUntil().SetUpdatedAt(s.Now()).Exec(ctx); err != nil {
			return fmt.Errorf("end suspension: %w", err)
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.SuspensionEnded, Subject: id, Reason: reason})
	})
}

// SuspendedUntil says until when each member is suspended, nil for who is not, and where it is not for the viewer to know: it is for
// the member and staff.
func (s *Service) SuspendedUntil(ctx context.Context, v viewer.Viewer, members []*ent.Member) ([]*time.Time, error) {
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil {
		return nil, err
	}
	until := make([]*time.Time, len(members))
	for i, m := range members {
		if m.SuspendedUntil != nil && m.SuspendedUntil.After(s.Now()) && actor.CanSeeAccount(m.ID) {
			until[i] = m.SuspendedUntil
		}
	}
	return until, nil
}

// Deactivate closes an account: the viewer's own when who is nil, or by staff with a reason somebody else's. Doing it again changes
// nothing. A reason is kept for good, and so is asked of staff only.
func (s *Service) Deactivate(ctx context.Context, v viewer.Viewer, who *gid.ID, reason string) (*ent.Member, error) {
	me, id, reason, err := whose(v, who, reason)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, a *access.Actor, m *ent.Member) error {
		if id != me {
			if err := a.CanCloseAccount(ctx, tx, id); err != nil {
				return err
			}
		}
		if m.Status == member.StatusDEACTIVATED {
			return nil
		}
		if err := s.handOver(ctx, tx, id); err != nil {
			return err
		}
		if _, err := hold(ctx, tx, id, member.StatusACTIVE); err != nil {
			return err
		}
		now := s.Now()
		if err := tx.Member.UpdateOneID(id).SetStatus(member.StatusDEACTIVATED).SetUpdatedAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("deactivate member: %w", err)
		}
		if err := tx.AccessToken.Update().Where(accesstoken.MemberID(id), accesstoken.RevokedAtIsNil()).SetRevokedAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("revoke tokens: %w", err)
		}
		if _, err := tx.OneTimeToken.Delete().Where(onetimetoken.MemberID(id), onetimetoken.PurposeNEQ(onetimetoken.PurposeEXPORT)).Exec(ctx); err != nil {
			return fmt.Errorf("delete one-time tokens: %w", err)
		}
		if err := store.Unindex(ctx, tx, id); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.MemberDeactivated, Subject: id, Reason: reason})
	})
}

// whose says who acts on whose account, the viewer's own when who is nil, and checks why. Staff must say it of others; of one's own
// account nobody needs to, and a reason would outlast the account.
func whose(v viewer.Viewer, who *gid.ID, reason string) (me, id gid.ID, checked string, err error) {
	if me, err = access.SignedIn(v); err != nil {
		return me, id, "", err
	}
	if id = me; who != nil {
		id = *who
	}
	var check input.Checker
	if id != me {
		reason = check.Text("reason", reason, 1, maxReason)
	} else if reason != "" {
		check.Refuse("reason", "Leave it out for your own account: reasons are kept for good.")
	}
	return me, id, reason, check.Err()
}

// handOver makes sure that nobody misses the member whose account is closed: there is another administrator, and groups go to who
// remains in them.
func (s *Service) handOver(ctx context.Context, tx *ent.Client, id gid.ID) error {
	if err := community.KeepsAnAdministrator(ctx, tx, id); err != nil {
		return err
	}
	heirs, err := community.HandOver(ctx, tx, id)
	if err != nil {
		return err
	}
	for _, h := range heirs {
		e := audit.Entry{Action: audit.GroupHandedOver, Subject: h.Member}
		if access.Hidden(h.Space.Kind) {
			e.Space = h.Space.ID
		}
		if err := s.Audit.Append(ctx, tx, viewer.System("hand a group over"), e); err != nil {
			return err
		}
	}
	return nil
}

// Reactivate opens a deactivated account again, with all its places. For staff. For an account in use it changes nothing; an
// erased one stays erased.
func (s *Service) Reactivate(ctx context.Context, v viewer.Viewer, id gid.ID, reason string) (*ent.Member, error) {
	var check input.Checker
	reason = check.Text("reason", reason, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, a *access.Actor, m *ent.Member) error {
		if err := a.CanCloseAccount(ctx, tx, id); err != nil {
			return err
		}
		if m.Status == member.StatusACTIVE {
			return nil
		}
		if m.Status == member.StatusERASED {
			return fault.Invalid("memberId", "This account was erased.")
		}
		if _, err := hold(ctx, tx, id, member.StatusDEACTIVATED); err != nil {
			return err
		}
		m, err := tx.Member.UpdateOneID(id).SetStatus(member.StatusACTIVE).SetUpdatedAt(s.Now()).Save(ctx)
		if err != nil {
			return fmt.Errorf("reactivate member: %w", err)
		}
		if err := community.IndexMember(ctx, tx, m); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.MemberReactivated, Subject: id, Reason: reason})
	})
}

package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/idempotencyrecord"
	"github.com/pursuing-equity/commons/ent/identity"
	"github.com/pursuing-equity/commons/ent/joinrequest"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/memberterm"
	"github.com/pursuing-equity/commons/ent/onetimetoken"
	"github.com/pursuing-equity/commons/ent/password"
	"github.com/pursuing-equity/commons/ent/postattachment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	// erasedName is what an erased member is called.
	erasedName = "Erased member"
	// settling is for how long after an erasure what the member left is scrubbed again: a request of theirs that was on its way may
	// have written after the first pass. A request lives a few seconds.
	settling = time.Minute
	// eraseBatch is how many rows are deleted at once.
	eraseBatch = 1000
)

// erasedHandle is the handle of an erased member: of the id, so that it is nobody else's.
func erasedHandle(id gid.ID) string {
	_, rest, _ := strings.Cut(id.String(), "_")
	return "erased-" + rest
}

// Erase takes an account back for good: the viewer's own when who is nil. For the member, and for administrators with a reason; the
// handle of the account confirms it. Erasing an erased account changes nothing.
//
// At once, in one transaction, the person is gone: name, handle, mail address, profile, posts at organizations, every way to sign
// in, places, roles and mail that waits to be sent. What they wrote may be much: FinishErasures scrubs it in short steps, beginning
// as soon as this has returned. Applications pass to their other editors. What stays is the row, so that replies, teams and logs have somebody to point to; tombstones
// of posts; files, resources and descriptions that belong to the program, an organization, a team or a group and are not theirs
// alone; and the audit log, which names nobody but by ids: the reasons in it are those of privileged acts.
func (s *Service) Erase(ctx context.Context, v viewer.Viewer, who *gid.ID, handle, reason string) (*ent.Member, error) {
	_, id, reason, err := whose(v, who, reason)
	if err != nil {
		return nil, err
	}
	m, err := s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, a *access.Actor, m *ent.Member) error {
		if err := a.CanErase(id); err != nil {
			return err
		}
		if m.Status == member.StatusERASED {
			return nil
		}
		if handle != m.Handle {
			return fault.Invalid("handle", "Write the handle of the account that is to be erased.")
		}
		if err := s.handOver(ctx, tx, id); err != nil {
			return err
		}
		m, err := hold(ctx, tx, id, member.StatusACTIVE, member.StatusDEACTIVATED)
		if err != nil {
			return err
		}
		if err := s.Reviews.Leave(ctx, tx, id); err != nil { // first: it reads conflicts of interest from what the others take away
			return err
		}
		if err := s.Community.Leave(ctx, tx, id); err != nil {
			return err
		}
		if err := s.Admission.Leave(ctx, tx, v, id); err != nil {
			return err
		}
		if err := signOutForGood(ctx, tx, id); err != nil {
			return err
		}
		if err := unsend(ctx, tx, m); err != nil {
			return err
		}
		if err := forum.ForgetArchives(ctx, tx, s.Now()); err != nil {
			return err
		}
		if err := store.Unindex(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.MemberTerm.Delete().Where(memberterm.MemberID(id)).Exec(ctx); err != nil {
			return fmt.Errorf("forget by what the member is found: %w", err)
		}
		instead := erasedHandle(id)
		err = tx.Member.UpdateOneID(id).SetStatus(member.StatusERASED).SetErasingHandle(m.Handle).SetUpdatedAt(s.Now()).
			SetName(erasedName).SetHandle(instead).SetEmail(instead + "@erased.invalid").SetPronouns("").SetTitle("").SetAbout("").
			SetAvatarURL("").SetTimeZone("UTC").ClearExpertise().ClearInterests().ClearAvatarFileID().ClearSuspendedUntil().
			SetMailRefusals(0).ClearMailRefusedAt().ClearMailBouncingAt().Exec(ctx)
		if err != nil {
			return fmt.Errorf("erase the profile: %w", err)
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.MemberErased, Subject: id, Reason: reason})
	})
	if err == nil {
		select {
		case s.Erasing <- struct{}{}:
		default: // it is about to look, or does so at intervals
		}
	}
	return m, err
}

// signOutForGood deletes every way to sign in.
func signOutForGood(ctx context.Context, tx *ent.Client, id gid.ID) error {
	if _, err := tx.AccessToken.Delete().Where(accesstoken.MemberID(id)).Exec(ctx); err != nil {
		return fmt.Errorf("delete tokens: %w", err)
	}
	if _, err := tx.OneTimeToken.Delete().Where(onetimetoken.MemberID(id)).Exec(ctx); err != nil {
		return fmt.Errorf("delete one-time tokens: %w", err)
	}
	if _, err := tx.Password.Delete().Where(password.MemberID(id)).Exec(ctx); err != nil {
		return fmt.Errorf("delete the password: %w", err)
	}
	if _, err := tx.Identity.Delete().Where(identity.MemberID(id)).Exec(ctx); err != nil {
		return fmt.Errorf("delete identities: %w", err)
	}
	return nil
}

// unsend deletes mail to the member that has not been sent, and mail to others that names them.
func unsend(ctx context.Context, tx *ent.Client, m *ent.Member) error {
	which := []func(*sql.Selector){mail.Address(m.Email)}
	for _, named := range []string{m.Name, m.Handle, m.Email, m.ID.String()} {
		ways, err := asJSON(named)
		if err != nil {
			return fmt.Errorf("look for queued mail: %w", err)
		}
		which = append(which, holds(mail.FieldData, ways))
	}
	if _, err := tx.Mail.Delete().Where(sql.OrPredicates(which...)).Exec(ctx); err != nil {
		return fmt.Errorf("delete queued mail: %w", err)
	}
	return nil
}

// holds is true for a row in whose column of JSON one of some texts stands.
func holds(column string, texts []string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		var ways []*sql.Predicate
		for _, text := range texts {
			like := "%" + strings.NewReplacer(`!`, `!!`, `%`, `!%`, `_`, `!_`).Replace(text) + "%"
			ways = append(ways, sql.P(func(b *sql.Builder) {
				b.WriteString("CAST(").Ident(s.C(column)).WriteString(" AS text) LIKE ").Arg(like).WriteString(" ESCAPE '!'")
			}))
		}
		s.Where(sql.Or(ways...))
	}
}

// asJSON is a text as it may stand in JSON: as Go writes it, which escapes what HTML has, and as PostgreSQL gives it back.
func asJSON(text string) ([]string, error) {
	escaped, err := json.Marshal(text)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	plain := json.NewEncoder(&b)
	plain.SetEscapeHTML(false)
	err = plain.Encode(text)
	return slices.Compact([]string{string(escaped), strings.TrimSpace(b.String())}), err
}

// FinishErasures scrubs what erased members have left, in short transactions. It may be broken off at any moment, run in several
// processes, and goes on with what is left when it is called again; call it at intervals, for an erasure is over only when
// nothing of the member can be on its way any more. Of what fails with one member the others are not kept waiting.
func (s *Service) FinishErasures(ctx context.Context) error {
	ctx = viewer.NewContext(ctx, viewer.System("erase members"))
	erased, err := s.Store.Client(ctx).Member.Query().Where(member.ErasingHandleNotNil(), member.StatusEQ(member.StatusERASED)).Order(member.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("find erased members: %w", err)
	}
	var failed error
	over := false
	for _, m := range erased {
		finished, err := s.finish(ctx, m)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("erase %s: %w", m.ID, err))
		}
		over = over || finished
	}
	if over {
		failed = errors.Join(failed, s.Store.Scrub(ctx))
	}
	return failed
}

// finish scrubs what one erased member has left, and reports whether the erasure is over.
func (s *Service) finish(ctx context.Context, m *ent.Member) (bool, error) {
	began := s.Now()
	for _, part := range []func(context.Context, gid.ID) error{
		s.Forum.Erase, s.Notify.Erase, s.Desk.Erase, s.Library.Erase, s.Moderation.Erase, s.Casework.Erase, s.Reviews.Erase, s.eraseKeys, s.eraseRequests, s.eraseFiles,
	} {
		if err := part(ctx, m.ID); err != nil {
			return false, err
		}
	}
	if err := s.Forum.EraseMentions(ctx, *m.ErasingHandle, m.Handle); err != nil {
		return false, err
	}
	if err := s.Desk.EraseMentions(ctx, *m.ErasingHandle, m.Handle); err != nil {
		return false, err
	}
	if err := s.Moderation.EraseMentions(ctx, *m.ErasingHandle, m.Handle); err != nil {
		return false, err
	}
	if err := s.Reviews.EraseMentions(ctx, *m.ErasingHandle, m.Handle); err != nil {
		return false, err
	}
	if began.Before(m.UpdatedAt.Add(settling)) {
		return false, nil
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if err := forum.ForgetArchives(ctx, tx, s.Now()); err != nil { // one may have been made on the way
			return err
		}
		return tx.Member.UpdateOneID(m.ID).ClearErasingHandle().Exec(ctx)
	})
	return err == nil, err
}

// eraseKeys deletes the member's idempotency keys: they are the member's own texts.
func (s *Service) eraseKeys(ctx context.Context, id gid.ID) error {
	return page.Walk(eraseBatch, func(r *ent.IdempotencyRecord) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.IdempotencyRecord, error) {
		return s.Store.Client(ctx).IdempotencyRecord.Query().Where(idempotencyrecord.MemberID(id), within).Select(idempotencyrecord.FieldID).All(ctx)
	}, func(rows []*ent.IdempotencyRecord) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			ids := idsOf(rows, func(r *ent.IdempotencyRecord) gid.ID { return r.ID })
			_, err := tx.IdempotencyRecord.Delete().Where(page.AnyOf(idempotencyrecord.FieldID, ids)).Exec(ctx)
			return err
		})
	})
}

// eraseRequests deletes what the member wrote to ask for a place in a group. Those in the group know it by the place.
func (s *Service) eraseRequests(ctx context.Context, id gid.ID) error {
	return page.Walk(eraseBatch, func(r *ent.JoinRequest) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.JoinRequest, error) {
		return s.Store.Client(ctx).JoinRequest.Query().Where(joinrequest.MemberID(id), within).Select(joinrequest.FieldID).All(ctx)
	}, func(rows []*ent.JoinRequest) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			ids := idsOf(rows, func(r *ent.JoinRequest) gid.ID { return r.ID })
			_, err := tx.JoinRequest.Delete().Where(page.AnyOf(joinrequest.FieldID, ids)).Exec(ctx)
			return err
		})
	})
}

// eraseFiles has the bytes of files deleted that the member owns and that nothing needs any more, and forgets what they were called.
func (s *Service) eraseFiles(ctx context.Context, id gid.ID) error {
	unneeded := []func(*sql.Selector){
		file.OwnerID(id), file.NameNEQ(erasedName), func(s *sql.Selector) { file.Not(file.HasResources())(s) }, func(s *sql.Selector) { file.Not(file.HasResourceVersions())(s) },
		func(s *sql.Selector) { // what a post holds goes with the post, which the next pass erases
			held := sql.Dialect(s.Dialect()).Select().From(sql.Table(postattachment.Table))
			s.Where(sql.Not(sql.Exists(held.Select(held.C(postattachment.FieldID)).Where(sql.ColumnsEQ(held.C(postattachment.FieldFileID), s.C(file.FieldID))))))
		},
		access.NotOfApplications(), // what was handed in is the organization's
	}
	return page.Walk(eraseBatch, func(f *ent.File) gid.ID { return f.ID }, func(within func(*sql.Selector)) ([]*ent.File, error) {
		q := s.Store.Client(ctx).File.Query().Where(within)
		for _, p := range unneeded {
			q.Where(p)
		}
		return q.Select(file.FieldID).All(ctx)
	}, func(rows []*ent.File) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			ids := idsOf(rows, func(f *ent.File) gid.ID { return f.ID })
			err := tx.File.Update().Where(page.AnyOf(file.FieldID, ids)).SetName(erasedName).Exec(ctx)
			if err != nil {
				return fmt.Errorf("forget files' names: %w", err)
			}
			return tx.File.Update().Where(page.AnyOf(file.FieldID, ids), file.DeletedAtIsNil()).SetDeletedAt(s.Now()).Exec(ctx)
		})
	})
}

func idsOf[T any](rows []*T, id func(*T) gid.ID) []gid.ID {
	out := make([]gid.ID, len(rows))
	for i, row := range rows {
		out[i] = id(row)
	}
	return out
}

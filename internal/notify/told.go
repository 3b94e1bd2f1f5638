package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/ent/watchsetting"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// told is a post of which members are told.
type told struct {
	post      *ent.Post
	space     *ent.Space
	call      Call
	repliedTo *gid.ID
	announces bool // it begins an announcement
	at        time.Time
}

// hearers are those who may be told at all: not its author, nobody who does not hear the author unless it is an announcement, nobody who
// muted the thread.
func (p *told) hearers() func(*sql.Selector) {
	hear := access.HearsFrom(p.post.AuthorID)
	if p.announces {
		hear = func(*sql.Selector) {}
	}
	return sql.AndPredicates(member.IDNEQ(p.post.AuthorID), hear, member.Not(withLevel(watchsetting.LevelMUTED, p.space.ID, p.post.ThreadID)))
}

// tell notifies people of a post, each with every reason that there is: in a number of statements that does not grow with theirs.
func (s *Service) tell(ctx context.Context, tx *ent.Client, p *told, people []*ent.Member) error {
	if len(people) == 0 {
		return nil
	}
	why, err := s.reasons(ctx, tx, p, people)
	if err != nil {
		return err
	}
	ids := make([]gid.ID, len(people))
	for i, m := range people {
		ids[i] = m.ID
	}
	wants, err := preferences(ctx, tx, ids)
	if err != nil {
		return err
	}
	entries := make(map[gid.ID]event.Entry, len(people))
	rows := make([]*ent.NotificationCreate, 0, len(people))
	for _, m := range people {
		reasons := why[m.ID]
		if len(reasons) == 0 {
			continue // it changed between two statements
		}
		id := s.NewID(gid.Notification)
		rows = append(rows, tx.Notification.Create().SetID(id).SetCreatedAt(p.at).SetToldAt(p.at).SetRecipientID(m.ID).SetActorID(p.post.AuthorID).
			SetThreadID(p.post.ThreadID).SetPostID(p.post.ID).SetReasons(names(reasons)).SetMentions(slices.ContainsFunc(reasons, Reason.calls)).
			SetNillableMailDueAt(mailDueAt(m, wants[m.ID], slices.ContainsFunc(reasons, Reason.direct), p.at)))
		entries[m.ID] = event.Entry{Kind: event.NotificationCreated, Object: id, Actor: p.post.AuthorID}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := tx.Notification.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return s.Events.AppendToMembers(ctx, tx, p.at, entries)
}

// reasons are why each of some people is told of a post, the strongest first.
func (s *Service) reasons(ctx context.Context, tx *ent.Client, p *told, people []*ent.Member) (map[gid.ID][]Reason, error) {
	ids := make([]gid.ID, len(people))
	for i, m := range people {
		ids[i] = m.ID
	}
	watching, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, ids), withLevel(watchsetting.LevelWATCHING, p.space.ID, p.post.ThreadID)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("find who watches: %w", err)
	}
	watches := setOf(watching)
	called := make(map[gid.ID]bool)
	if len(p.call.Teams) > 0 {
		rows, err := tx.TeamMembership.Query().Where(page.AnyOf(teammembership.FieldMemberID, ids), page.AnyOf(teammembership.FieldTeamID, p.call.Teams), teammembership.EndsOnIsNil()).
			Select(teammembership.FieldMemberID).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("find who is of the teams: %w", err)
		}
		for _, r := range rows {
			called[r.MemberID] = true
		}
	}
	role := make(map[gid.ID]spacemembership.Role)
	if p.announces || p.call.Everyone || p.call.Facilitators {
		rows, err := tx.SpaceMembership.Query().Where(page.AnyOf(spacemembership.FieldMemberID, ids), spacemembership.SpaceID(p.space.ID), access.CurrentSpaceMemberships()).
			Select(spacemembership.FieldMemberID, spacemembership.FieldRole).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("find who belongs to the space: %w", err)
		}
		for _, r := range rows {
			if role[r.MemberID] != spacemembership.RoleFACILITATOR {
				role[r.MemberID] = r.Role
			}
		}
	}
	why := make(map[gid.ID][]Reason, len(people))
	for _, m := range people {
		_, belongs := role[m.ID]
		for _, r := range []struct {
			Reason
			holds bool
		}{
			{Mention, slices.Contains(p.call.Handles, m.Handle)},
			{Reply, p.repliedTo != nil && *p.repliedTo == m.ID},
			{DirectMessage, p.space.Kind == space.KindDIRECT},
			{TeamMention, called[m.ID]},
			{RoleMention, belongs && p.call.Everyone || p.call.Facilitators && role[m.ID] == spacemembership.RoleFACILITATOR},
			{Announcement, belongs && p.announces},
			{Watching, watches[m.ID]},
		} {
			if r.holds {
				why[m.ID] = append(why[m.ID], r.Reason)
			}
		}
	}
	return why, nil
}

func setOf(ids []gid.ID) map[gid.ID]bool {
	set := make(map[gid.ID]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// calls reports whether the reason is that the post calls the member, alone or with others.
func (r Reason) calls() bool { return r == Mention || r == TeamMention || r == RoleMention }

func names(reasons []Reason) []string {
	out := make([]string, len(reasons))
	for i, r := range reasons {
		out[i] = string(r)
	}
	return out
}

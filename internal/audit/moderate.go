package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Act is what a moderator did: a line in the log of the space, and an entry of the audit log.
type Act struct {
	Kind   moderationaction.Kind
	Action Action
	// Subject is that of the audit log's entry; zero: the act itself.
	Subject gid.ID
	Space   *ent.Space // nil: in no space
	// Thread, Post and Member are what it was done to, and to whom; zero for none.
	Thread, Post, Member gid.ID
	// Reason is kept with the act, where it can be erased. The audit log never forgets: it has the reason only of what is in no space,
	// which staff write.
	Reason string
	EndsAt *time.Time
}

// Moderated writes down what a moderator did, within the transaction of ctx.
func (l *Log) Moderated(ctx context.Context, tx *ent.Client, v viewer.Viewer, a Act) error {
	_, err := l.Act(ctx, tx, v, a)
	return err
}

// Act is Moderated, and returns the act.
func (l *Log) Act(ctx context.Context, tx *ent.Client, v viewer.Viewer, a Act) (gid.ID, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return gid.ID{}, err
	}
	id := l.NewID(gid.ModerationAction)
	create := tx.ModerationAction.Create().SetID(id).SetCreatedAt(l.Now()).SetKind(a.Kind).SetModeratorID(me).SetReason(a.Reason).SetNillableEndsAt(a.EndsAt)
	e := Entry{Action: a.Action, Subject: a.Subject}
	if a.Subject.IsZero() {
		e.Subject = id
	}
	if a.Space != nil {
		create.SetSpaceID(a.Space.ID)
		e.Space = access.HiddenID(a.Space)
	} else {
		e.Reason = a.Reason
	}
	if !a.Thread.IsZero() {
		create.SetThreadID(a.Thread)
	}
	if !a.Post.IsZero() {
		create.SetPostID(a.Post)
	}
	if !a.Member.IsZero() {
		create.SetMemberID(a.Member)
	}
	if err := create.Exec(ctx); err != nil {
		return id, fmt.Errorf("write the moderators' log: %w", err)
	}
	return id, l.Append(ctx, tx, v, e)
}

package placement

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/applicationeditor"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
)

// Template is the name of the mail that Letter writes.
const Template = "decision"

// What a mail's data has.
const (
	dataApplication = "application"
	dataState       = "state"
)

// post tells each editor of applications who has an account in use, in the bell, and writes a mail to them down. What stands in it is looked up when it is sent.
func (s *Service) post(ctx context.Context, tx *ent.Client, ids []gid.ID, state application.State, now time.Time) error {
	editors, err := tx.ApplicationEditor.Query().
		Where(page.AnyOf(applicationeditor.FieldApplicationID, ids), applicationeditor.HasMemberWith(access.ActiveMembers())).
		WithMember(func(q *ent.MemberQuery) { q.Select(member.FieldID, member.FieldEmail) }).Order(applicationeditor.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load whom to write to: %w", err)
	}
	mails, told := make([]mail.Mail, len(editors)), make([]notify.About, len(editors))
	for i, e := range editors {
		told[i] = notify.About{Recipient: e.MemberID, Subject: e.ApplicationID}
		mails[i] = mail.Mail{
			Address: e.Edges.Member.Email, Template: Template,
			Data: map[string]string{dataApplication: e.ApplicationID.String(), dataState: string(state)},
		}
	}
	if err := s.Notify.TellNotices(ctx, tx, notice.ReasonAPPLICATION_DECIDED, told, now); err != nil {
		return err
	}
	for some := range slices.Chunk(mails, chunk) {
		if err := s.Mail.Send(ctx, tx, some...); err != nil {
			return err
		}
	}
	return nil
}

// Letter writes a mail about where an application stands, just before it is sent: to an editor of it, as long as it stands there. Otherwise it
// returns nil.
func (s *Service) Letter(ctx context.Context, address string, data map[string]string) (*mail.Draft, error) {
	id, err := gid.Parse(data[dataApplication])
	if err != nil {
		return nil, err
	}
	c := s.Store.Client(ctx)
	m, err := c.Member.Query().Where(member.Email(address), access.ApplicationWriters(id)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the editor: %w", err)
	}
	a, err := c.Application.Query().Where(application.ID(id), application.StateEQ(application.State(data[dataState]))).WithCall().Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the application: %w", err)
	}
	d, err := c.Decision.Query().Where(decision.ApplicationID(id), decision.ReleasedAtNotNil()).
		Order(decision.ByReleasedAt(sql.OrderDesc()), decision.ByID(sql.OrderDesc())).First(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the decision: %w", err)
	}
	zone, err := time.LoadLocation(a.Edges.Call.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("the zone of %s: %w", a.CallID, err)
	}
	what := cmp.Or(a.Edges.Call.Title, "the call")
	who := a.OrganizationName
	if a.TeamName != "" {
		who += ", " + a.TeamName
	}
	draft := &mail.Draft{Subject: "Your application to " + what, Parts: []mail.Part{{Text: "Hello " + m.Name + ","}}}
	say := func(text string, args ...any) {
		draft.Parts = append(draft.Parts, mail.Part{Text: fmt.Sprintf(text, args...)})
	}
	switch a.State {
	case application.StateOFFERED:
		say("A place in %s is offered to %s.", what, who)
		if d.ExpiresAt != nil {
			until := d.ExpiresAt.In(zone).Format("Monday, 2 January 2006, 15:04")
			say("Please take it, or turn it down, before %s (%s). Then the offer ends.", until, a.Edges.Call.TimeZone)
		}
	case application.StateWAITLISTED:
		say("There is no place in %s for %s at the moment. You are on the waitlist: if a place becomes free for you, we write to you at once.", what, who)
	case application.StateDECLINED:
		say("We are sorry that we cannot offer %s a place in %s.", who, what)
	case application.StateADMITTED:
		say("%s takes part in %s. Welcome!", who, what)
	case application.StateOFFER_EXPIRED:
		say("The place in %s that was offered to %s was not taken in time. The offer has ended.", what, who)
	default:
		return nil, nil
	}
	if d.Reason != "" && a.State != application.StateADMITTED && a.State != application.StateOFFER_EXPIRED {
		say("%s", d.Reason)
	}
	draft.Parts = append(draft.Parts, mail.Part{Text: "See the application", Link: s.PublicURL + "/applications/" + id.String()})
	return draft, nil
}

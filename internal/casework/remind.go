package casework

import (
	"context"
	"fmt"
	"strings"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/applicationeditor"
	"github.com/pursuing-equity/commons/ent/bulkaction"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// MailReminder is the template of mail that staff have sent to the editors of applications; Letter writes it.
const MailReminder = "application-reminded"

// The keys of its data.
const (
	dataBulkAction  = "bulkAction"
	dataApplication = "application"
	dataMember      = "member"
)

// remind tells the editors of an application in the bell, and writes mail to them down. An application that waits for nothing from them is FORBIDDEN.
func (s *Service) remind(ctx context.Context, tx *ent.Client, v viewer.Viewer, b *ent.BulkAction, target gid.ID) error {
	a, err := tx.Application.Query().Where(application.ID(target), access.ListedApplications(v), store.LockRow).Only(ctx)
	if err != nil {
		return missing(err, "applicationId")
	}
	if a.State != application.StateDRAFT && a.State != application.StateINFORMATION_REQUESTED {
		return fault.Denied("This application waits for nothing from its editors.")
	}
	editors, err := tx.ApplicationEditor.Query().Where(applicationeditor.ApplicationID(target), applicationeditor.HasMemberWith(access.ActiveMembers())).
		WithMember().Order(applicationeditor.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load whom to remind: %w", err)
	}
	if len(editors) == 0 {
		return fault.Denied("Nobody who writes this application can sign in.")
	}
	mails, told := make([]mail.Mail, len(editors)), make([]notify.About, len(editors))
	for i, e := range editors {
		told[i] = notify.About{Recipient: e.MemberID, Subject: target}
		mails[i] = mail.Mail{Address: e.Edges.Member.Email, Template: MailReminder, Data: map[string]string{
			dataBulkAction: b.ID.String(), dataApplication: target.String(), dataMember: e.MemberID.String(),
		}}
	}
	if err := s.Notify.TellNotices(ctx, tx, notice.ReasonAPPLICATION_REMINDER, told, s.Now()); err != nil {
		return err
	}
	return s.Mail.Send(ctx, tx, mails...)
}

// Letter writes a reminder just before it is sent. It returns nil when the member no longer writes the application, or it waits for nothing any more.
func (s *Service) Letter(ctx context.Context, address string, data map[string]string) (*mail.Draft, error) {
	ctx = viewer.NewContext(ctx, viewer.System("remind editors"))
	var ids [3]gid.ID
	for i, key := range []string{dataBulkAction, dataApplication, dataMember} {
		var err error
		if ids[i], err = gid.Parse(data[key]); err != nil {
			return nil, fmt.Errorf("remind editors: %w", err)
		}
	}
	c := s.Store.Client(ctx)
	a, err := c.Application.Query().Where(application.ID(ids[1]), application.StateIn(application.StateDRAFT, application.StateINFORMATION_REQUESTED)).WithCall().Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the application to remind of: %w", err)
	}
	writes, err := c.ApplicationEditor.Query().Where(applicationeditor.ApplicationID(a.ID), applicationeditor.MemberID(ids[2]),
		applicationeditor.HasMemberWith(member.Email(address), access.ActiveMembers())).Exist(ctx)
	if err != nil || !writes {
		return nil, err
	}
	b, err := c.BulkAction.Query().Where(bulkaction.ID(ids[0])).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load what reminds: %w", err)
	}
	w, err := workOf(b)
	if err != nil {
		return nil, err
	}
	due, of := admission.Due(a.Edges.Call, a), a.OrganizationName
	if a.TeamName != "" {
		of += ", " + a.TeamName
	}
	d := &mail.Draft{Subject: "Your application waits for you", Parts: []mail.Part{
		{Text: "The application of " + of + " is not submitted yet."},
		{Text: "It is due on " + due.In(zoneOf(a.Edges.Call)).Format("Monday, 2 January 2006 at 15:04 MST") + "."},
	}}
	if title := a.Edges.Call.Title; title != "" {
		d.Subject += ": " + title
	}
	for text := range strings.SplitSeq(w.Message, "\n\n") {
		if text = strings.TrimSpace(text); text != "" {
			d.Parts = append(d.Parts, mail.Part{Text: text})
		}
	}
	return d, nil
}

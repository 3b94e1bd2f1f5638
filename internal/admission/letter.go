package admission

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/applicationeditor"
	"github.com/pursuing-equity/commons/ent/extension"
	"github.com/pursuing-equity/commons/ent/formversion"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/signerrequest"
	"github.com/pursuing-equity/commons/ent/submission"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// MailApplication is the template of mail to the editors of an application; Letter writes it.
const MailApplication = "application"

// The keys of its data, and what it is about.
const (
	dataKind        = "kind"
	dataMember      = "member"
	dataApplication = "application"
	dataObject      = "object"

	mailReceipt   = "receipt"     // its object is the submission
	mailAsked     = "information" // its object is the application
	mailExtended  = "extension"   // its object is the extension
	mailAnswered  = "signature"   // its object is the signer request
	mailReminder  = "reminder"    // its object is the application
	mailNewEditor = "editor"      // its object is the application; for who was added
)

// noticed is what the bell tells of too. Who submits knows it; the others have the receipt.
var noticed = map[string]notice.Reason{
	mailAsked: notice.ReasonINFORMATION_REQUESTED, mailExtended: notice.ReasonEXTENSION_GRANTED, mailAnswered: notice.ReasonSIGNATURE_ANSWERED,
	mailReminder: notice.ReasonAPPLICATION_REMINDER, mailNewEditor: notice.ReasonEDITOR_ADDED,
}

// waiting are the notices that ask editors for something, until they submit or withdraw the application.
var waiting = notice.ReasonIn(notice.ReasonAPPLICATION_REMINDER, notice.ReasonINFORMATION_REQUESTED)

// notify tells each editor of an application, or some of them, in the bell, and writes a mail to them down, within the transaction of what it
// tells of: it is sent once, whatever happens to the process.
func (s *Service) notify(ctx context.Context, tx *ent.Client, id gid.ID, kind string, object gid.ID, only ...gid.ID) error {
	editors := tx.ApplicationEditor.Query().Where(applicationeditor.ApplicationID(id), applicationeditor.HasMemberWith(access.ActiveMembers()))
	if len(only) > 0 {
		editors.Where(applicationeditor.MemberIDIn(only...))
	}
	rows, err := editors.WithMember().Order(applicationeditor.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load whom to write to: %w", err)
	}
	mails, told := make([]mail.Mail, len(rows)), make([]notify.About, len(rows))
	for i, e := range rows {
		told[i] = notify.About{Recipient: e.MemberID, Subject: id}
		mails[i] = mail.Mail{Address: e.Edges.Member.Email, Template: MailApplication, Data: map[string]string{
			dataKind: kind, dataMember: e.MemberID.String(), dataApplication: id.String(), dataObject: object.String(),
		}}
	}
	if len(mails) == 0 {
		return nil
	}
	if why, is := noticed[kind]; is {
		if err := s.Notify.TellNotices(ctx, tx, why, told, s.Now()); err != nil {
			return err
		}
	}
	return s.Mail.Send(ctx, tx, mails...)
}

// Letter writes a mail to an editor, just before it is sent. It returns nil when they are no editor any more, or there is nothing to say.
func (s *Service) Letter(ctx context.Context, address string, data map[string]string) (*mail.Draft, error) {
	ctx = viewer.NewContext(ctx, viewer.System("write to editors"))
	var ids [3]gid.ID
	for i, key := range []string{dataMember, dataApplication, dataObject} {
		var err error
		if ids[i], err = gid.Parse(data[key]); err != nil {
			return nil, fmt.Errorf("write to an editor: %w", err)
		}
	}
	c := s.Store.Client(ctx)
	m, err := c.Member.Query().Where(member.ID(ids[0]), member.Email(address), access.ActiveMembers()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the editor: %w", err)
	}
	a, err := c.Application.Query().Where(application.ID(ids[1]), access.EditedApplications(viewer.Member(m.ID, gid.ID{}, viewer.Read))).
		WithCall(func(q *ent.CallQuery) { q.WithOffering() }).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the application: %w", err)
	}
	d := &mail.Draft{Parts: []mail.Part{{Text: "Hello " + m.Name + ","}}}
	write := map[string]func(context.Context, *ent.Client, *ent.Application, gid.ID, *mail.Draft) (bool, error){
		mailReceipt: s.writeReceipt, mailAsked: s.writeAsked, mailExtended: s.writeExtended, mailAnswered: s.writeAnswered, mailReminder: s.writeReminder,
		mailNewEditor: s.writeNewEditor,
	}[data[dataKind]]
	if write == nil {
		return nil, fmt.Errorf("write to an editor: nothing is called %q", data[dataKind])
	}
	if send, err := write(ctx, c, a, ids[2], d); err != nil || !send {
		return nil, err
	}
	d.Parts = append(d.Parts, mail.Part{Text: "Open the application", Link: s.url("/applications/" + a.ID.String())})
	return d, nil
}

func (s *Service) writeReceipt(ctx context.Context, c *ent.Client, a *ent.Application, id gid.ID, d *mail.Draft) (bool, error) {
	sub, err := c.Submission.Query().Where(submission.ID(id)).Only(ctx)
	if err != nil {
		return false, fmt.Errorf("load the submission: %w", err)
	}
	form, err := c.FormVersion.Query().Where(formversion.CallID(a.CallID), formversion.Number(sub.FormVersion)).First(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return false, fmt.Errorf("load the form: %w", err)
	}
	hash := hex.EncodeToString(sub.Hash)
	number := hash[:8] + "." + strconv.Itoa(sub.Number) // the application's own would tell how many others apply
	d.Subject = "Receipt " + number + ": " + titleOf(a.Edges.Call)
	say(d, "The application of %s to %s was submitted on %s.", a.OrganizationName, titleOf(a.Edges.Call), clock(sub.CreatedAt, a.Edges.Call.TimeZone))
	say(d, "Number: %s", number)
	say(d, "SHA-256 of what was submitted: %s", hash)
	labels := map[string]string{}
	if form != nil {
		for _, q := range form.Questions {
			labels[q.Key] = q.Label
		}
	}
	for _, said := range sub.Content.Answers {
		label, value := labels[said.Key], said.Value
		if label == "" {
			label = said.Key
		}
		if said.FileID != "" {
			value = "a file"
		}
		say(d, "%s — %s", label, value)
	}
	for _, doc := range sub.Content.Documents {
		text := labelOf(a.Edges.Call.Requirements, doc.Requirement)
		if doc.Signer != "" {
			text += " (" + doc.Signer + ")"
		}
		say(d, "Handed in: %s", text)
	}
	return true, nil
}

func (s *Service) writeAsked(_ context.Context, _ *ent.Client, a *ent.Application, _ gid.ID, d *mail.Draft) (bool, error) {
	if a.State != application.StateINFORMATION_REQUESTED || a.InformationDueAt == nil {
		return false, nil
	}
	d.Subject = "More is asked about your application: " + titleOf(a.Edges.Call)
	say(d, "The program's staff want to know more about the application of %s to %s:", a.OrganizationName, titleOf(a.Edges.Call))
	for _, text := range lines(a.InformationRequest) {
		say(d, "%s", text)
	}
	say(d, "What is asked about can be changed now. Please submit the application again by %s.", clock(*a.InformationDueAt, a.Edges.Call.TimeZone))
	return true, nil
}

func (s *Service) writeExtended(ctx context.Context, c *ent.Client, a *ent.Application, id gid.ID, d *mail.Draft) (bool, error) {
	e, err := c.Extension.Query().Where(extension.ID(id)).Only(ctx)
	if err != nil {
		return false, fmt.Errorf("load the extension: %w", err)
	}
	d.Subject = "You have more time: " + titleOf(a.Edges.Call)
	say(d, "The application of %s to %s can be submitted until %s.", a.OrganizationName, titleOf(a.Edges.Call), clock(e.Until, a.Edges.Call.TimeZone))
	if e.Reason != "" {
		say(d, "%s", e.Reason)
	}
	return true, nil
}

func (s *Service) writeAnswered(ctx context.Context, c *ent.Client, a *ent.Application, id gid.ID, d *mail.Draft) (bool, error) {
	r, err := c.SignerRequest.Query().Where(signerrequest.ID(id)).Only(ctx)
	if err != nil {
		return false, fmt.Errorf("load the signer request: %w", err)
	}
	label := labelOf(a.Edges.Call.Requirements, r.Requirement)
	if r.State == signerrequest.StateREFUSED {
		d.Subject = "A letter was not signed: " + titleOf(a.Edges.Call)
		say(d, "%s does not want to sign: %s.", r.Name, label)
		if r.Refusal != "" {
			say(d, "%s", r.Refusal)
		}
		return true, nil
	}
	d.Subject = "A letter is signed: " + titleOf(a.Edges.Call)
	say(d, "%s has signed: %s.", r.SignedName, label)
	return r.State == signerrequest.StateSIGNED, nil
}

func (s *Service) writeReminder(_ context.Context, _ *ent.Client, a *ent.Application, _ gid.ID, d *mail.Draft) (bool, error) {
	due, waits := dueOf(a.Edges.Call, a)
	if now := s.Now(); !waits || !now.Before(due) {
		return false, nil
	}
	d.Subject = "Due " + clock(due, a.Edges.Call.TimeZone) + ": " + titleOf(a.Edges.Call)
	say(d, "The application of %s to %s is due on %s, and was not submitted yet.", a.OrganizationName, titleOf(a.Edges.Call), clock(due, a.Edges.Call.TimeZone))
	return true, nil
}

func (s *Service) writeNewEditor(_ context.Context, _ *ent.Client, a *ent.Application, _ gid.ID, d *mail.Draft) (bool, error) {
	d.Subject = "You can write an application: " + titleOf(a.Edges.Call)
	say(d, "You were added to the editors of the application of %s to %s.", a.OrganizationName, titleOf(a.Edges.Call))
	return true, nil
}

// titleOf is what a call is called: its own title, or its offering's name, which must be loaded.
func titleOf(c *ent.Call) string {
	if c.Title != "" || c.Edges.Offering == nil {
		return c.Title
	}
	return c.Edges.Offering.Name
}

func labelOf(requirements []schema.Requirement, key string) string {
	for _, r := range requirements {
		if r.Key == key {
			return r.Label
		}
	}
	return key
}

// clock is an instant as people in a zone read it, with the zone's name.
func clock(at time.Time, zone string) string {
	where, err := time.LoadLocation(zone)
	if err != nil { // a zone that this machine's data have no more
		where, zone = time.UTC, "UTC"
	}
	return at.In(where).Format("2 January 2006, 15:04 MST") + " (" + zone + ")"
}

// url is the address of a page.
func (s *Service) url(path string) string { return s.PublicURL + path }

func say(d *mail.Draft, text string, args ...any) {
	d.Parts = append(d.Parts, mail.Part{Text: fmt.Sprintf(text, args...)})
}

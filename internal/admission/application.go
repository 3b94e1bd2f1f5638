package admission

import (
	"context"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/applicationeditor"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	maxName    = 200
	startsADay = 10
)

// NewApplication is an application to start: of an organization of the network, or of one with a name and a kind.
type NewApplication struct {
	CallID           gid.ID
	OrganizationID   *gid.ID
	OrganizationName *string
	OrganizationKind *organization.Kind
	TeamName         string
	IdempotencyKey   *string `json:"-"`
}

func (in *NewApplication) check() error {
	var check input.Checker
	in.TeamName = check.Line("teamName", in.TeamName, 0, maxName)
	switch {
	case in.OrganizationID == nil:
		name := ""
		if in.OrganizationName != nil {
			name = *in.OrganizationName
		}
		name = check.Line("organizationName", name, 1, maxName)
		in.OrganizationName = &name
		if in.OrganizationKind == nil {
			check.Refuse("organizationKind", "Say what kind of organization it is.")
		}
	case in.OrganizationName != nil:
		check.Refuse("organizationName", "Name the organization either by its id or by its name.")
	case in.OrganizationKind != nil:
		check.Refuse("organizationKind", "The organization of an id has a kind.")
	}
	return check.Err()
}

// Start starts an application to a call that takes applications; the viewer owns it. It returns NOT_FOUND for an organization at which
// they have no post now, CALL_CLOSED, ALREADY_EXISTS when there is one of the organization and the team that was not withdrawn and is not a draft
// whose editors all have left, and LIMIT_REACHED after ten within a day. What strangers apply under the same name is not looked at: it would show.
func (s *Service) Start(ctx context.Context, v viewer.Viewer, in NewApplication) (*ent.Application, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	once := store.Once{Member: me, At: s.Now(), Operation: "startApplication", Key: in.IdempotencyKey, Payload: in}
	return s.once(ctx, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		if err := s.mayStart(ctx, tx, me); err != nil {
			return gid.ID{}, err
		}
		c, err := tx.Call.Query().Where(call.ID(in.CallID), call.PublishedAtNotNil(), store.LockRow).Only(ctx)
		if err != nil {
			return gid.ID{}, missing(err, "callId")
		}
		now := s.Now()
		if state := stateAt(c, nil, now); c.FormVersion == 0 || state == Upcoming || state == Closed {
			return gid.ID{}, closed().At("callId")
		}
		id := s.NewID(gid.Application)
		create := tx.Application.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetCallID(c.ID).SetNumber(c.LastNumber + 1).SetTeamName(in.TeamName).
			SetStartedByID(me).SetNillableNextReminderAt(reminderAfter(c.DueAt, now))
		same := []predicate.Application{application.CallID(c.ID), application.TeamNameEqualFold(in.TeamName), application.StateNEQ(application.StateWITHDRAWN),
			application.Or(application.StateNEQ(application.StateDRAFT), written())}
		if in.OrganizationID != nil {
			o, err := s.ownOrganization(ctx, tx, me, *in.OrganizationID)
			if err != nil {
				return gid.ID{}, err
			}
			create.SetOrganizationID(o.ID).SetOrganizationName(o.Name).SetOrganizationKind(application.OrganizationKind(o.Kind))
			same = append(same, application.OrganizationID(o.ID))
		} else {
			create.SetOrganizationName(*in.OrganizationName).SetOrganizationKind(application.OrganizationKind(*in.OrganizationKind))
			same = append(same, application.OrganizationIDIsNil(), application.OrganizationNameEqualFold(*in.OrganizationName), access.EditedApplications(v))
		}
		there, err := tx.Application.Query().Where(same...).Exist(ctx)
		switch {
		case err != nil:
			return gid.ID{}, fmt.Errorf("look for an application: %w", err)
		case there:
			return gid.ID{}, fault.New(fault.AlreadyExists, "There is an application of this organization and team already.").At("teamName")
		}
		if err := create.Exec(ctx); err != nil {
			return gid.ID{}, store.RetryOnConflict(err)
		}
		if err := tx.Call.UpdateOneID(c.ID).SetLastNumber(c.LastNumber + 1).Exec(ctx); err != nil {
			return gid.ID{}, fmt.Errorf("count applications: %w", err)
		}
		err = tx.ApplicationEditor.Create().SetID(s.NewID(gid.ApplicationEditor)).SetCreatedAt(now).SetApplicationID(id).SetMemberID(me).
			SetOwner(true).SetAddedByID(me).Exec(ctx)
		return id, store.RetryOnConflict(err)
	})
}

// written is true for an application that somebody can go on with: an editor whose account is in use.
func written() predicate.Application {
	return func(s *sql.Selector) {
		e := sql.Dialect(s.Dialect()).Select(applicationeditor.FieldApplicationID).From(sql.Table(applicationeditor.Table))
		applicationeditor.HasMemberWith(access.ActiveMembers())(e)
		s.Where(sql.In(s.C(application.FieldID), e))
	}
}

// sole returns ALREADY_EXISTS when another application of the same organization and team was submitted: there can be two drafts, once somebody comes
// back to one whose editors all had left.
func (s *Service) sole(ctx context.Context, tx *ent.Client, a *ent.Application) error {
	if a.OrganizationID == nil {
		return nil
	}
	others := tx.Application.Query().Where(application.IDNEQ(a.ID), application.CallID(a.CallID), application.OrganizationID(*a.OrganizationID),
		application.TeamNameEqualFold(a.TeamName), application.StateNEQ(application.StateWITHDRAWN))
	if some, err := others.Clone().Exist(ctx); err != nil || !some {
		return err
	}
	if _, err := tx.Organization.Query().Where(organization.ID(*a.OrganizationID), store.LockRow).Only(ctx); err != nil { // of two at once one is
		return fmt.Errorf("lock the organization: %w", err)
	}
	there, err := others.Where(application.StateNEQ(application.StateDRAFT)).Exist(ctx)
	if err == nil && there {
		err = fault.New(fault.AlreadyExists, "Another application of this organization and team was submitted.").At("applicationId")
	}
	return err
}

// mayStart counts what the member has started within a day, under the member's lock: what they have handed over since, too.
func (s *Service) mayStart(ctx context.Context, tx *ent.Client, me gid.ID) error {
	if _, err := tx.Member.Query().Where(member.ID(me), store.LockRow).Only(ctx); err != nil {
		return fmt.Errorf("lock the member: %w", err)
	}
	started, err := tx.Application.Query().Where(application.StartedByID(me), application.CreatedAtGT(s.Now().Add(-24*time.Hour))).Count(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("count applications: %w", err)
	case started >= startsADay:
		return fault.New(fault.LimitReached, "You can start %d applications a day.", startsADay)
	}
	return nil
}

// current is true for a post that somebody has today.
func (s *Service) current() predicate.Affiliation {
	today := s.Now().UTC().Truncate(24 * time.Hour)
	return affiliation.And(
		affiliation.Or(affiliation.StartsOnIsNil(), affiliation.StartsOnLTE(today)), affiliation.Or(affiliation.EndsOnIsNil(), affiliation.EndsOnGTE(today)))
}

// ownOrganization is one at which the member has a post today. All others are missing, whether they are there or not.
func (s *Service) ownOrganization(ctx context.Context, tx *ent.Client, me, id gid.ID) (*ent.Organization, error) {
	has, err := tx.Affiliation.Query().Where(affiliation.MemberID(me), affiliation.OrganizationID(id), s.current()).Exist(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for a post: %w", err)
	}
	if !has {
		return nil, fault.Missing().At("organizationId")
	}
	o, err := tx.Organization.Query().Where(organization.ID(id)).Only(ctx)
	if err != nil {
		return nil, missing(err, "organizationId")
	}
	if o.ArchivedAt != nil {
		return nil, fault.New(fault.Archived, "This organization was archived; it no longer changes.").At("organizationId")
	}
	return o, nil
}

// held is an application that a mutation has locked, with its call and what the viewer is to it.
type held struct {
	*ent.Application
	Call   *ent.Call
	Viewer gid.ID
	Editor bool
	Owner  bool
}

// hold loads and locks an application that the viewer can see, or NOT_FOUND. The clock is to be asked afterwards.
func (s *Service) hold(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) (*held, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	a, err := tx.Application.Query().Where(application.ID(id), access.VisibleApplications(v), store.LockRow).Only(ctx)
	if err != nil {
		return nil, missing(err, "applicationId")
	}
	c, err := tx.Call.Query().Where(call.ID(a.CallID)).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the call: %w", err)
	}
	h := &held{Application: a, Call: c, Viewer: me}
	place, err := tx.ApplicationEditor.Query().Where(applicationeditor.ApplicationID(id), applicationeditor.MemberID(me)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
	case err != nil:
		return nil, fmt.Errorf("load the editor: %w", err)
	default:
		h.Editor, h.Owner = true, place.Owner
	}
	return h, nil
}

// Withdraw takes an application back. For its owner, before a decision: FORBIDDEN else. Again, it changes nothing.
func (s *Service) Withdraw(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Application, error) {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		a, err := s.hold(ctx, tx, v, id)
		switch {
		case err != nil:
			return err
		case !a.Owner:
			return fault.Denied("Only the owner can withdraw an application.")
		}
		switch a.State {
		case application.StateWITHDRAWN:
			return nil
		case application.StateDRAFT, application.StateSUBMITTED, application.StateINFORMATION_REQUESTED:
		default:
			return fault.Denied("This application was decided.")
		}
		err = tx.Application.UpdateOneID(id).SetState(application.StateWITHDRAWN).ClearNextReminderAt().
			ClearReopened().SetInformationRequest("").ClearInformationDueAt().SetUpdatedAt(s.Now()).AddVersion(1).Exec(ctx)
		if err != nil {
			return fmt.Errorf("withdraw an application: %w", err)
		}
		if err := s.Changed(ctx, tx, v, id); err != nil {
			return err
		}
		if err := s.Notify.ReadNotices(ctx, tx, s.Now(), notice.ApplicationID(id), waiting); err != nil {
			return err
		}
		if err := s.Notify.NoticesChanged(ctx, tx, s.Now(), notice.ApplicationID(id), notify.OfReview()); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ApplicationWithdrawn, Subject: id})
	})
	if err != nil {
		return nil, err
	}
	return s.reload(ctx, v, id)
}

var applicationsByAge = page.Order{Name: "applications", Part: page.ByID}

// Applications are those that the viewer can see, the oldest first.
func (s *Service) Applications(ctx context.Context, v viewer.Viewer, a page.Args) (*page.Connection[ent.Application], error) {
	w, err := a.Window(applicationsByAge, gid.ID{})
	if err != nil {
		return nil, err
	}
	within := func(sel *sql.Selector) { applicationsByAge.Page(w)(sel) }
	rows, err := s.Store.Client(ctx).Application.Query().Where(access.VisibleApplications(v), within).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	return page.Build(applicationsByAge, w, gid.ID{}, rows, func(a *ent.Application) page.Key { return page.Key{ID: a.ID} }), nil
}

// CanEdit says of each application whether the viewer may answer its questions now: two statements.
func (s *Service) CanEdit(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([]bool, error) {
	c := s.Store.Client(ctx)
	edited, err := c.Application.Query().Where(page.AnyOf(application.FieldID, idsOf(of)), access.EditedApplications(v)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("load whose applications they are: %w", err)
	}
	mine := make(map[gid.ID]bool, len(edited))
	for _, id := range edited {
		mine[id] = true
	}
	calls, err := s.callsOf(ctx, of)
	if err != nil {
		return nil, err
	}
	can, now := make([]bool, len(of)), s.Now()
	for i, a := range of {
		h := held{Application: a, Call: calls[i]}
		writes := a.State == application.StateDRAFT || a.State == application.StateINFORMATION_REQUESTED
		can[i] = mine[a.ID] && !v.IsSystem() && writes && !h.over(now)
	}
	return can, nil
}

func idsOf(of []*ent.Application) []gid.ID {
	ids := make([]gid.ID, len(of))
	for i, a := range of {
		ids[i] = a.ID
	}
	return ids
}

func (s *Service) callsOf(ctx context.Context, of []*ent.Application) ([]*ent.Call, error) {
	ids := make([]gid.ID, len(of))
	for i, a := range of {
		ids[i] = a.CallID
	}
	return s.Calls(ctx, ids)
}

// lines are the lines of a text that say something.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

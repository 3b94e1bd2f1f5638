package review

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/tally"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	maxApplications = 100
	maxPool         = 100
	maxPairs        = 500
	maxReason       = 2_000
	insertBatch     = 500 // rows in one statement: databases bound the number of its arguments
)

// MaxReviewers is how many reviewers are assigned by their ids at once.
const MaxReviewers = 20

// Result is what became of one pair of an application and a reviewer.
type Result string

// What becomes of pairs.
const (
	Assigned      Result = "ASSIGNED"
	AssignedNow   Result = "ALREADY_ASSIGNED"
	Conflicted    Result = "CONFLICTED"
	NotReviewable Result = "NOT_REVIEWABLE"
	NoSuch        Result = "NOT_FOUND"
)

// MarshalGQL writes the SDL's AssignmentResult.
func (r Result) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(r))) }

// UnmarshalGQL exists because an enum of the SDL must be readable; no input takes one.
func (r *Result) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a result must be a string, not %T", v)
	}
	*r = Result(text)
	return nil
}

// Outcome is what became of one pair.
type Outcome struct {
	ApplicationID, ReviewerID gid.ID
	Result                    Result
	Assignment                *ent.ReviewAssignment // the one that was made, or that there was
}

type pair struct{ application, reviewer gid.ID }

// AssignReviewers asks reviewers to review applications: each of them each, at most 500 pairs. For staff. Every pair has an outcome of its
// own, in the order of the ids; the others are assigned whatever becomes of it. Assigning again changes nothing.
func (s *Service) AssignReviewers(ctx context.Context, v viewer.Viewer, applicationIDs, reviewerIDs []gid.ID) ([]*Outcome, error) {
	var check input.Checker
	distinct(&check, "applicationIds", applicationIDs, maxApplications)
	distinct(&check, "reviewerIds", reviewerIDs, MaxReviewers)
	if len(applicationIDs)*len(reviewerIDs) > maxPairs {
		check.Refuse("reviewerIds", "These are more than %d pairs: send fewer at once.", maxPairs)
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	var outcomes []*Outcome
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		var made []*ent.ReviewAssignment
		if outcomes, made, err = s.assignEach(ctx, tx, v, applicationIDs, reviewerIDs); err != nil {
			return err
		}
		return s.tellAssigned(ctx, tx, made)
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}

// assignEach makes what assignments can be made, and returns them: they are to be told.
func (s *Service) assignEach(ctx context.Context, tx *ent.Client, v viewer.Viewer, applicationIDs, reviewerIDs []gid.ID) (outcomes []*Outcome, made []*ent.ReviewAssignment, err error) {
	me, err := staffOnly(ctx, tx, v)
	if err != nil {
		return nil, nil, err
	}
	known, err := s.look(ctx, tx, v, applicationIDs, reviewerIDs)
	if err != nil {
		return nil, nil, err
	}
	var chosen []pair
	for _, a := range applicationIDs {
		for _, r := range reviewerIDs {
			o := known.outcome(pair{a, r})
			if outcomes = append(outcomes, o); o.Result == Assigned {
				chosen = append(chosen, pair{a, r})
			}
		}
	}
	if made, err = s.assign(ctx, tx, me, chosen); err != nil {
		return nil, nil, err
	}
	i := 0
	for _, o := range outcomes {
		if o.Result != Assigned {
			continue
		}
		o.Assignment = made[i]
		i++
		if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ReviewerAssigned, Subject: o.Assignment.ID}); err != nil {
			return nil, nil, err
		}
	}
	return outcomes, made, nil
}

// AssignAll asks all of some reviewers to review an application, or none of them, and tells them nothing: TellAssigned does, once for many
// applications. For staff. It returns NOT_FOUND for an application or a member who is not there, and FORBIDDEN when it was not submitted or was
// decided, and when one of the reviewers must not judge it. Doing it again changes nothing.
func (s *Service) AssignAll(ctx context.Context, v viewer.Viewer, applicationID gid.ID, reviewerIDs []gid.ID) error {
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		outcomes, _, err := s.assignEach(ctx, tx, v, []gid.ID{applicationID}, reviewerIDs)
		if err != nil {
			return err
		}
		for _, o := range outcomes {
			switch o.Result {
			case Assigned, AssignedNow:
			case NoSuch:
				return fault.Missing().At("reviewerIds")
			case NotReviewable:
				return fault.Denied("This application was not submitted yet, or is decided.")
			case Conflicted:
				return fault.Denied("One of the reviewers has a conflict of interest with this application.")
			}
		}
		return nil
	})
}

// TellAssigned tells those of some reviewers of whom reviews of applications to the call were wanted since then, and still are, within the transaction.
func (s *Service) TellAssigned(ctx context.Context, tx *ent.Client, callID gid.ID, reviewerIDs []gid.ID, since time.Time) error {
	made, err := tx.ReviewAssignment.Query().Where(page.AnyOf(reviewassignment.FieldReviewerID, reviewerIDs), reviewassignment.StateEQ(reviewassignment.StateASSIGNED),
		reviewassignment.CreatedAtGTE(since), reviewassignment.HasApplicationWith(application.CallID(callID))).Order(reviewassignment.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("find whom to tell: %w", err)
	}
	return s.tellAssigned(ctx, tx, made)
}

// tellAssigned tells reviewers what they are asked to review: of each in the bell, and by one mail.
func (s *Service) tellAssigned(ctx context.Context, tx *ent.Client, made []*ent.ReviewAssignment) error {
	told := make([]notify.About, len(made))
	var asked []gid.ID
	for i, a := range made {
		told[i] = notify.About{Recipient: a.ReviewerID, Subject: a.ApplicationID}
		if !slices.Contains(asked, a.ReviewerID) {
			asked = append(asked, a.ReviewerID)
		}
	}
	if err := s.Notify.TellNotices(ctx, tx, notice.ReasonREVIEW_ASSIGNED, told, s.Now()); err != nil {
		return err
	}
	return s.tell(ctx, tx, asked)
}

func distinct(check *input.Checker, path string, ids []gid.ID, most int) {
	switch {
	case len(ids) == 0 || len(ids) > most:
		check.Refuse(path, "Name 1 to %d.", most)
	case len(setOf(ids)) < len(ids):
		check.Refuse(path, "Name each once.")
	}
}

// lookup is what assigning needs to know.
type lookup struct {
	applications map[gid.ID]*ent.Application
	reviewers    map[gid.ID]bool
	current      map[pair]*ent.ReviewAssignment
	conflicted   map[pair]bool
}

// look loads what assigning needs to know, under the locks of the calls: assignments to one call are made one after the other.
func (s *Service) look(ctx context.Context, tx *ent.Client, v viewer.Viewer, applicationIDs, reviewerIDs []gid.ID) (*lookup, error) {
	applications, err := tx.Application.Query().Where(page.AnyOf(application.FieldID, applicationIDs), access.VisibleApplications(v)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load applications: %w", err)
	}
	calls := idsOf(applications, func(a *ent.Application) gid.ID { return a.CallID })
	if _, err := tx.Call.Query().Where(page.AnyOf(call.FieldID, calls), store.LockRow).Order(call.ByID()).All(ctx); err != nil {
		return nil, fmt.Errorf("lock calls: %w", err)
	}
	reviewers, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, reviewerIDs), access.ActiveMembers(), access.VisibleMembers(v)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("load reviewers: %w", err)
	}
	known := &lookup{applications: make(map[gid.ID]*ent.Application, len(applications)), reviewers: setOf(reviewers), current: make(map[pair]*ent.ReviewAssignment)}
	for _, a := range applications {
		known.applications[a.ID] = a
	}
	rows, err := tx.ReviewAssignment.Query().Where(
		page.AnyOf(reviewassignment.FieldApplicationID, applicationIDs), page.AnyOf(reviewassignment.FieldReviewerID, reviewerIDs),
		reviewassignment.EndedAtIsNil(),
	).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load assignments: %w", err)
	}
	for _, r := range rows {
		known.current[pair{r.ApplicationID, r.ReviewerID}] = r
	}
	known.conflicted, err = conflicts(ctx, tx.Application.Query().Where(page.AnyOf(application.FieldID, applicationIDs)), reviewers)
	return known, err
}

// conflicts are the pairs of some applications and members of which the one must not judge the other: one statement.
func conflicts(ctx context.Context, of *ent.ApplicationQuery, members []gid.ID) (map[pair]bool, error) {
	if len(members) == 0 {
		return nil, nil
	}
	var rows []struct {
		ApplicationID gid.ID `json:"application_id"`
		MemberID      gid.ID `json:"member_id"`
	}
	if err := of.Modify(access.WithConflicted(members)).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("find conflicts of interest: %w", err)
	}
	pairs := make(map[pair]bool, len(rows))
	for _, r := range rows {
		pairs[pair{r.ApplicationID, r.MemberID}] = true
	}
	return pairs, nil
}

// outcome is what becomes of a pair; nothing is made yet.
func (k *lookup) outcome(p pair) *Outcome {
	o := &Outcome{ApplicationID: p.application, ReviewerID: p.reviewer, Result: Assigned}
	a := k.applications[p.application]
	switch {
	case a == nil || !k.reviewers[p.reviewer]:
		o.Result = NoSuch
	case !reviewable(a):
		o.Result = NotReviewable
	case k.conflicted[p]:
		o.Result = Conflicted
	case k.current[p] != nil:
		o.Result, o.Assignment = AssignedNow, k.current[p]
	}
	return o
}

// reviewable says whether an application is there to be judged: it was submitted and is not decided.
func reviewable(a *ent.Application) bool {
	return slices.Contains([]application.State{application.StateSUBMITTED, application.StateINFORMATION_REQUESTED}, a.State)
}

// assign makes assignments, in the order of the pairs. They are to be told.
func (s *Service) assign(ctx context.Context, tx *ent.Client, by gid.ID, pairs []pair) ([]*ent.ReviewAssignment, error) {
	now := s.Now()
	made := make([]*ent.ReviewAssignment, 0, len(pairs))
	for batch := range slices.Chunk(pairs, insertBatch) {
		rows := make([]*ent.ReviewAssignmentCreate, len(batch))
		for i, p := range batch {
			rows[i] = tx.ReviewAssignment.Create().SetID(s.NewID(gid.ReviewAssignment)).SetCreatedAt(now).SetUpdatedAt(now).
				SetApplicationID(p.application).SetReviewerID(p.reviewer).SetAssignedByID(by)
		}
		saved, err := tx.ReviewAssignment.CreateBulk(rows...).Save(ctx)
		if err != nil {
			return nil, store.RetryOnConflict(err)
		}
		made = append(made, saved...)
	}
	return made, nil
}

// RemoveReviewer takes an assignment back. For staff. One that was completed stays, FORBIDDEN, unless its reviewer has a conflict of
// interest: then staff decide. Doing it again changes nothing.
func (s *Service) RemoveReviewer(ctx context.Context, v viewer.Viewer, id gid.ID, reason string) (*ent.ReviewAssignment, error) {
	var check input.Checker
	reason = check.Text("reason", reason, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	var out *ent.ReviewAssignment
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if _, err := staffOnly(ctx, tx, v); err != nil {
			return err
		}
		a, err := tx.ReviewAssignment.Query().Where(reviewassignment.ID(id), access.VisibleReviewAssignments(v), store.LockRow).Only(ctx)
		if out = a; err != nil {
			return missing(err, "assignmentId")
		}
		if a.EndedAt != nil {
			return nil
		}
		if a.State == reviewassignment.StateCOMPLETED {
			conflicted, err := tx.ReviewAssignment.Query().Where(reviewassignment.ID(id), access.ConflictedAssignments()).Exist(ctx)
			switch {
			case err != nil:
				return fmt.Errorf("look for a conflict of interest: %w", err)
			case !conflicted:
				return fault.Denied("This review is done, and stays.")
			}
		}
		if out, err = s.end(ctx, tx, id, reviewassignment.StateREMOVED, reason); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ReviewerRemoved, Subject: id, Reason: reason})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Decline gives an assignment back, and says why. For its reviewer, before the review is done: FORBIDDEN after.
func (s *Service) Decline(ctx context.Context, v viewer.Viewer, id gid.ID, reason string) error {
	if _, err := access.SignedIn(v); err != nil {
		return err
	}
	var check input.Checker
	reason = check.Text("reason", reason, 1, maxReason)
	if err := check.Err(); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		a, err := tx.ReviewAssignment.Query().Where(reviewassignment.ID(id), access.OwnReviewAssignments(v), store.LockRow).Only(ctx)
		if err != nil {
			return missing(err, "assignmentId")
		}
		if a.State == reviewassignment.StateCOMPLETED {
			return fault.Denied("You have reviewed this.")
		}
		if _, err := s.end(ctx, tx, id, reviewassignment.StateDECLINED, reason); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ReviewDeclined, Subject: id})
	})
}

// end ends an assignment. What its reviewer was told of it in the bell is taken back.
func (s *Service) end(ctx context.Context, tx *ent.Client, id gid.ID, state reviewassignment.State, reason string) (*ent.ReviewAssignment, error) {
	now := s.Now()
	a, err := tx.ReviewAssignment.UpdateOneID(id).SetState(state).SetEndReason(reason).SetEndedAt(now).SetUpdatedAt(now).Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("end an assignment: %w", err)
	}
	if err := tally.Applications(ctx, tx, a.ApplicationID); err != nil {
		return nil, err
	}
	return a, s.Notify.WithdrawNotices(ctx, tx, now, ofReview(a.ReviewerID, a.ApplicationID))
}

// ofReview are the notices of a review that somebody is to write.
func ofReview(reviewer, application gid.ID) predicate.Notice {
	return notice.And(notice.RecipientID(reviewer), notice.ApplicationID(application), notify.OfReview())
}

package admission

import (
	"context"
	"fmt"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/review"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func sameRequirement(a, b schema.Requirement) bool {
	return a.Label == b.Label && a.Help == b.Help && sameDemand(a, b)
}

// sameDemand says that two requirements ask applicants for the same, in whatever words.
func sameDemand(a, b schema.Requirement) bool {
	return a.Key == b.Key && a.Kind == b.Kind && a.Letter == b.Letter && a.Optional == b.Optional && slices.Equal(a.Signers, b.Signers)
}

func sameScale(a, b schema.Criterion) bool {
	return a.Key == b.Key && a.Max == b.Max && a.Weight == b.Weight && a.CommentRequired == b.CommentRequired
}

// mayChange refuses what somebody counts on already. The transaction holds the call.
func (s *Service) mayChange(ctx context.Context, tx *ent.Client, v viewer.Viewer, c *ent.Call, p CallPatch) error {
	var denied fault.List
	deny := func(path, message string) { denied = append(denied, fault.Denied("%s", message).At(path)) }

	demands := p.Requirements != nil && !slices.EqualFunc(values(p.Requirements), c.Requirements, sameDemand)
	blind := p.Blind != nil && *p.Blind != c.Blind
	if demands || blind {
		submitted, err := s.submitted(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		if submitted && demands {
			deny("requirements", "Somebody has submitted: what is required stays. Labels and help can be reworded.")
		}
		if submitted && blind {
			deny("blind", "Somebody has submitted: what reviewers are told stays.")
		}
	}
	if p.Rubric != nil && !slices.EqualFunc(values(p.Rubric), c.Rubric, sameScale) {
		judged, err := tx.Review.Query().
			Where(review.SubmittedAtNotNil(), review.HasAssignmentWith(reviewassignment.HasApplicationWith(application.CallID(c.ID)))).Exist(ctx)
		if err != nil {
			return fmt.Errorf("look for reviews: %w", err)
		}
		if judged {
			deny("rubric", "A review was submitted: the criteria stay, with their points, weights and the comments that they demand. Labels and descriptions can be reworded.")
		}
	}
	if p.CohortID != nil && *p.CohortID != orNone(c.CohortID) {
		admitted, err := tx.Application.Query().Where(application.CallID(c.ID), application.StateEQ(application.StateADMITTED)).Exist(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("look for admissions: %w", err)
		case admitted:
			deny("cohortId", "Somebody was admitted to the cohort: it stays.")
		case !p.CohortID.IsZero():
			if err := cohortOf(ctx, tx, v, c.OfferingID, *p.CohortID); err != nil {
				return err
			}
		}
	}
	if p.Capacity != nil && *p.Capacity < c.Capacity {
		taken, err := tx.Application.Query().
			Where(application.CallID(c.ID), application.StateIn(application.StateOFFERED, application.StateADMITTED)).Count(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("count places: %w", err)
		case *p.Capacity < taken:
			deny("capacity", fmt.Sprintf("%d places are offered or taken.", taken))
		}
	}
	return denied.Err()
}

// submitted says whether anybody has submitted to a call. It holds all of its applications: who is about to submit is seen, or sees what
// is changed now.
func (s *Service) submitted(ctx context.Context, tx *ent.Client, callID gid.ID) (bool, error) {
	rows, err := tx.Application.Query().Where(application.CallID(callID), store.LockRow).Order(application.ByID()).
		Select(application.FieldID, application.FieldSubmissions).All(ctx)
	if err != nil {
		return false, fmt.Errorf("hold the call's applications: %w", err)
	}
	return slices.ContainsFunc(rows, func(a *ent.Application) bool { return a.Submissions > 0 }), nil
}

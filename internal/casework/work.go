package casework

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/placement"
	"github.com/pursuing-equity/commons/internal/review"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// What bulk actions do to each application.
const (
	Remind             Kind = "REMIND"              // mail to its editors
	Extend             Kind = "EXTEND"              // more time
	RequestInformation Kind = "REQUEST_INFORMATION" // reopens parts of it
	AssignReviewers    Kind = "ASSIGN_REVIEWERS"    // who review it
	PrepareDecision    Kind = "PREPARE_DECISION"    // what is decided, for nobody to know yet
)

const (
	maxMessage = 2_000
	maxLocal   = 40
	maxKeys    = 100
)

// Work is what a bulk action does to each application, with what it takes.
type Work struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message,omitempty"` // of a reminder; why there is more time; what is asked; why it is decided so
	// UntilLocal is until when, in local time of the call's zone: of more time and of what is asked.
	UntilLocal string        `json:"untilLocal,omitempty"`
	Keys       []string      `json:"keys,omitempty"`      // of the parts that are asked about
	Reviewers  []gid.ID      `json:"reviewers,omitempty"` // who are asked to review
	Decision   decision.Kind `json:"decision,omitempty"`
	Note       string        `json:"note,omitempty"` // with a decision, for staff
}

// act is how one kind of work is checked and done.
type act struct {
	check func(c *input.Checker, w *Work)
	// do does it to one application, within the transaction of ctx. What it returns as a fault is the application's outcome.
	do func(ctx context.Context, s *Service, tx *ent.Client, v viewer.Viewer, b *ent.BulkAction, w Work, target gid.ID) error
	// end is what is due once it is over, cancelled ones included and dry runs not. Nil: nothing.
	end func(ctx context.Context, s *Service, tx *ent.Client, b *ent.BulkAction, w Work) error
}

// acts are the kinds of work that there are.
func acts() map[Kind]act {
	return map[Kind]act{
		Remind: {
			check: func(c *input.Checker, w *Work) { w.Message = c.Text("message", w.Message, 0, maxMessage) },
			do: func(ctx context.Context, s *Service, tx *ent.Client, v viewer.Viewer, b *ent.BulkAction, _ Work, target gid.ID) error {
				return s.remind(ctx, tx, v, b, target)
			},
		},
		Extend: {
			check: func(c *input.Checker, w *Work) {
				w.UntilLocal, w.Message = c.Line("untilLocal", w.UntilLocal, 1, maxLocal), c.Text("message", w.Message, 0, maxMessage)
			},
			do: func(ctx context.Context, s *Service, _ *ent.Client, v viewer.Viewer, _ *ent.BulkAction, w Work, target gid.ID) error {
				_, err := s.Admission.GrantExtension(ctx, v, admission.Longer{ApplicationID: target, UntilLocal: w.UntilLocal, Reason: w.Message})
				return err
			},
		},
		RequestInformation: {
			check: func(c *input.Checker, w *Work) {
				w.UntilLocal, w.Message = c.Line("untilLocal", w.UntilLocal, 1, maxLocal), c.Text("message", w.Message, 1, maxMessage)
				if len(w.Keys) == 0 || len(w.Keys) > maxKeys {
					c.Refuse("keys", "Name 1 to %d questions or requirements.", maxKeys)
				}
			},
			do: func(ctx context.Context, s *Service, _ *ent.Client, v viewer.Viewer, _ *ent.BulkAction, w Work, target gid.ID) error {
				_, err := s.Admission.RequestInformation(ctx, v, admission.Inquiry{ApplicationID: target, Keys: w.Keys, Text: w.Message, DueLocal: w.UntilLocal})
				return err
			},
		},
		AssignReviewers: {
			check: func(c *input.Checker, w *Work) {
				each := make(map[gid.ID]bool, len(w.Reviewers))
				for _, id := range w.Reviewers {
					each[id] = true
				}
				if n := len(w.Reviewers); n == 0 || n > review.MaxReviewers || len(each) < n {
					c.Refuse("reviewerIds", "Name 1 to %d reviewers, each once.", review.MaxReviewers)
				}
			},
			do: func(ctx context.Context, s *Service, _ *ent.Client, v viewer.Viewer, _ *ent.BulkAction, w Work, target gid.ID) error {
				return s.Reviews.AssignAll(ctx, v, target, w.Reviewers)
			},
			end: func(ctx context.Context, s *Service, tx *ent.Client, b *ent.BulkAction, w Work) error {
				return s.Reviews.TellAssigned(ctx, tx, b.CallID, w.Reviewers, b.CreatedAt)
			},
		},
		PrepareDecision: {
			check: func(c *input.Checker, w *Work) {
				if decision.KindValidator(w.Decision) != nil {
					c.Refuse("decision", "Say what is decided.")
				}
				w.Message, w.Note = c.Text("message", w.Message, 0, maxMessage), c.Text("note", w.Note, 0, maxMessage)
			},
			do: func(ctx context.Context, s *Service, _ *ent.Client, v viewer.Viewer, _ *ent.BulkAction, w Work, target gid.ID) error {
				_, _, err := s.Placement.Prepare(ctx, v, placement.DecisionDraft{ApplicationID: target, Kind: w.Decision, Reason: w.Message, Note: w.Note})
				return err
			},
		},
	}
}

// end does what is due once a bulk action is over.
func (s *Service) end(ctx context.Context, tx *ent.Client, b *ent.BulkAction) error {
	w, err := workOf(b)
	if err != nil || b.DryRun {
		return err
	}
	if a := acts()[w.Kind]; a.end != nil {
		return a.end(ctx, s, tx, b, w)
	}
	return nil
}

func (w *Work) check() error {
	a, there := acts()[w.Kind]
	if !there {
		return fault.Invalid("kind", "There is no such kind.")
	}
	var c input.Checker
	a.check(&c, w)
	return c.Err()
}

// kept is the work as it is kept.
func (w *Work) kept() (map[string]any, error) {
	kept := map[string]any{}
	text, err := json.Marshal(w)
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return nil, fmt.Errorf("keep what a bulk action does: %w", err)
	}
	return kept, nil
}

func workOf(b *ent.BulkAction) (Work, error) {
	var w Work
	text, err := json.Marshal(b.Input)
	if err == nil {
		err = json.Unmarshal(text, &w)
	}
	if err != nil {
		return w, fmt.Errorf("read what a bulk action does: %w", err)
	}
	return w, nil
}

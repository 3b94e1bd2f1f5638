package casework

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// What bulk actions do to each application.
const (
	Remind             Kind = "REMIND"              // mail to its editors
	Extend             Kind = "EXTEND"              // more time
	RequestInformation Kind = "REQUEST_INFORMATION" // reopens parts of it
)

const (
	maxMessage = 2_000
	maxLocal   = 40
	maxKeys    = 100
)

// Work is what a bulk action does to each application, with what it takes.
type Work struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message,omitempty"` // of a reminder; why there is more time; what is asked
	// UntilLocal is until when, in local time of the call's zone: of more time and of what is asked.
	UntilLocal string   `json:"untilLocal,omitempty"`
	Keys       []string `json:"keys,omitempty"` // of the parts that are asked about
}

// act is how one kind of work is checked and done.
type act struct {
	check func(c *input.Checker, w *Work)
	// do does it to one application, within the transaction of ctx. What it returns as a fault is the application's outcome.
	do func(ctx context.Context, s *Service, tx *ent.Client, v viewer.Viewer, b *ent.BulkAction, w Work, target gid.ID) error
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
	}
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

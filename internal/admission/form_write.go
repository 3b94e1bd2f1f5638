package admission

import (
	"context"
	"fmt"
	"reflect"
	"strconv"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/formversion"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Limits of a form.
const (
	maxQuestions = 100
	maxQuestion  = 500
	maxOptions   = 100
	maxVersions  = 100
)

func checkQuestions(all []*schema.Question) ([]schema.Question, error) {
	var c input.Checker
	if len(all) == 0 || len(all) > maxQuestions {
		c.Refuse("questions", "A form has 1 to %d questions.", maxQuestions)
		return nil, c.Err()
	}
	out, seen := make([]schema.Question, len(all)), make(map[string]bool, len(all))
	for i, in := range all {
		at := fmt.Sprintf("questions.%d.", i)
		q := *in
		checkKey(&c, at+"key", q.Key, seen)
		q.Section, q.Label = c.Line(at+"section", q.Section, 0, maxName), c.Line(at+"label", q.Label, 1, maxQuestion)
		q.Help = c.Text(at+"help", q.Help, 0, maxHelp)
		q.Options = checkOptions(&c, at+"options", q)
		checkLimits(&c, at, q)
		out[i] = q
	}
	return out, c.Err()
}

// checkOptions checks what a question offers to choose from: answers keep options one a line.
func checkOptions(c *input.Checker, path string, q schema.Question) []string {
	if q.Kind != kindChoice && q.Kind != kindChoices {
		if len(q.Options) > 0 {
			c.Refuse(path, "Only a CHOICE and CHOICES have options.")
		}
		return nil
	}
	if len(q.Options) < 2 || len(q.Options) > maxOptions {
		c.Refuse(path, "There are 2 to %d options.", maxOptions)
		return nil
	}
	out, seen := make([]string, len(q.Options)), make(map[string]bool, len(q.Options))
	for i, option := range q.Options {
		at := fmt.Sprintf("%s.%d", path, i)
		out[i] = c.Line(at, option, 1, maxName)
		if seen[out[i]] {
			c.Refuse(at, "Each option stands once.")
		}
		seen[out[i]] = true
	}
	return out
}

// checkLimits checks a question's kind and the limits that are of its kind.
func checkLimits(c *input.Checker, at string, q schema.Question) {
	switch q.Kind {
	case kindText, kindChoice, kindChoices, kindNumber, kindDate, kindFile, kindConsent:
	default:
		c.Refuse(at+"kind", "A question takes a TEXT, a CHOICE, CHOICES, a NUMBER, a DATE, a FILE or a CONSENT.")
		return
	}
	within(c, at+"maxLength", &q.MaxLength, 0, maxText)
	within(c, at+"minLength", &q.MinLength, 0, longest(q))
	if q.Kind != kindText && (q.MinLength != 0 || q.MaxLength != 0) {
		c.Refuse(at+"maxLength", "Only a TEXT has lengths.")
	}
	if q.Kind != kindNumber && (q.Min != nil || q.Max != nil) {
		c.Refuse(at+"min", "Only a NUMBER has a least and a greatest.")
	}
	if q.Min != nil && q.Max != nil && *q.Max < *q.Min {
		c.Refuse(at+"max", "The greatest must not be less than the least.")
	}
}

// SaveForm writes the next version of a call's form. For staff. It returns INVALID_INPUT for a key that was published with another kind: answers
// are kept by it.
func (s *Service) SaveForm(ctx context.Context, v viewer.Viewer, id gid.ID, version int, all []*schema.Question) (*ent.Call, *ent.FormVersion, error) {
	questions, err := checkQuestions(all)
	if err != nil {
		return nil, nil, err
	}
	var written *ent.FormVersion
	return s.changeForm(ctx, v, id, version, &written, func(ctx context.Context, tx *ent.Client, c *ent.Call) error {
		if err := keepKinds(ctx, tx, c, questions); err != nil {
			return err
		}
		now := s.Now()
		written, err = draftOf(ctx, tx, c)
		if err != nil {
			return err
		}
		if written == nil {
			if c.FormVersion >= maxVersions {
				return fault.New(fault.LimitReached, "A form has at most %d versions.", maxVersions)
			}
			written, err = tx.FormVersion.Create().SetID(s.NewID(gid.FormVersion)).SetCreatedAt(now).SetUpdatedAt(now).SetCallID(id).
				SetNumber(c.FormVersion + 1).SetQuestions(questions).Save(ctx)
			if err != nil {
				return store.RetryOnConflict(err)
			}
		} else if !reflect.DeepEqual(written.Questions, questions) {
			if written, err = tx.FormVersion.UpdateOne(written).SetQuestions(questions).SetUpdatedAt(now).Save(ctx); err != nil {
				return fmt.Errorf("write a form: %w", err)
			}
		}
		if err := tx.Call.UpdateOne(c).AddVersion(1).Exec(ctx); err != nil {
			return fmt.Errorf("count a change of the form: %w", err)
		}
		if err := s.tellCall(ctx, tx, v, c, event.CallPrepared); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.FormSaved, Subject: id})
	})
}

// PublishForm shows the form that was written to applicants, as a new version. For staff.
func (s *Service) PublishForm(ctx context.Context, v viewer.Viewer, id gid.ID, version int) (*ent.Call, *ent.FormVersion, error) {
	var published *ent.FormVersion
	return s.changeForm(ctx, v, id, version, &published, func(ctx context.Context, tx *ent.Client, c *ent.Call) error {
		draft, err := draftOf(ctx, tx, c)
		switch {
		case err != nil:
			return err
		case draft == nil:
			return fault.Invalid("callId", "There is nothing to publish: write the form first.")
		}
		now := s.Now()
		if published, err = tx.FormVersion.UpdateOne(draft).SetPublishedAt(now).SetUpdatedAt(now).Save(ctx); err != nil {
			return fmt.Errorf("publish a form: %w", err)
		}
		if err := tx.Call.UpdateOne(c).SetFormVersion(draft.Number).SetUpdatedAt(now).AddVersion(1).Exec(ctx); err != nil {
			return fmt.Errorf("publish a form: %w", err)
		}
		if err := s.tellCall(ctx, tx, v, c, event.CallChanged); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.FormPublished, Subject: id, Reason: strconv.Itoa(draft.Number)})
	})
}

// changeForm runs a change of a form in a transaction that holds its call, and loads the call.
func (s *Service) changeForm(ctx context.Context, v viewer.Viewer, id gid.ID, version int, of **ent.FormVersion, do func(context.Context, *ent.Client, *ent.Call) error) (*ent.Call, *ent.FormVersion, error) {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		c, err := s.holdCall(ctx, tx, v, id, &version)
		if err != nil {
			return err
		}
		return do(ctx, tx, c)
	})
	if err != nil {
		return nil, nil, err
	}
	c, err := s.callSeen(ctx, s.Store.Client(ctx), v, id)
	return c, *of, err
}

// draftOf is the version of a call's form that is being written, nil when there is none.
func draftOf(ctx context.Context, tx *ent.Client, c *ent.Call) (*ent.FormVersion, error) {
	f, err := tx.FormVersion.Query().Where(formversion.CallID(c.ID), formversion.PublishedAtIsNil()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the form: %w", err)
	}
	return f, nil
}

// keepKinds refuses a key that was published with another kind, in whatever version.
func keepKinds(ctx context.Context, tx *ent.Client, c *ent.Call, questions []schema.Question) error {
	forms, err := publishedForms(ctx, tx, []*ent.Call{c})
	if err != nil {
		return err
	}
	kinds := map[string]string{}
	for _, published := range forms {
		for _, q := range published {
			kinds[q.Key] = q.Kind
		}
	}
	var check input.Checker
	for i, q := range questions {
		if kind, was := kinds[q.Key]; was && kind != q.Kind {
			check.Refuse(fmt.Sprintf("questions.%d.kind", i), "A question with this key was published as %s: give this one another key.", kind)
		}
	}
	return check.Err()
}

package admission

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/answer"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The kinds of questions.
const (
	kindText    = "TEXT"
	kindChoice  = "CHOICE"
	kindChoices = "CHOICES"
	kindNumber  = "NUMBER"
	kindDate    = "DATE"
	kindFile    = "FILE"
	kindConsent = "CONSENT"
)

const (
	maxText = 10_000
	agreed  = "yes" // the answer to a question for consent
)

// AnswerPatch is an answer to save.
type AnswerPatch struct {
	ApplicationID   gid.ID
	Key, Value      string
	ExpectedVersion int
}

// SaveAnswer changes what an application says to a question, and keeps what it said before. For its editors, while it is a draft, or staff have
// asked about that question. With STALE_VERSION comes the answer that stands there. What is sent again after a lost response changes nothing.
func (s *Service) SaveAnswer(ctx context.Context, v viewer.Viewer, in AnswerPatch) (*ent.Application, *ent.Answer, error) {
	var current *ent.Answer
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		current = nil
		a, err := s.hold(ctx, tx, v, in.ApplicationID)
		if err != nil {
			return err
		}
		now := s.Now()
		if err := a.writable(in.Key, now); err != nil {
			return err
		}
		q, value, err := s.accept(ctx, tx, a, in)
		if err != nil {
			return err
		}
		current, err = tx.Answer.Query().Where(answer.ApplicationID(a.ID), answer.Key(in.Key)).Only(ctx)
		if err != nil && !ent.IsNotFound(err) {
			return fmt.Errorf("load the answer: %w", err)
		}
		if current != nil && current.Value == value {
			return nil
		}
		if current == nil && in.ExpectedVersion != 0 || current != nil && in.ExpectedVersion != current.Version {
			return fault.New(fault.StaleVersion, "Somebody has answered this since.").At("expectedVersion")
		}
		var fileID *gid.ID
		if q.Kind == kindFile && value != "" {
			id, err := gid.Parse(value)
			if err != nil {
				return fmt.Errorf("read the file's id: %w", err) // wrong has looked
			}
			if err := s.attach(ctx, tx, a.Viewer, id, "value"); err != nil {
				return err
			}
			fileID = &id
		}
		if current, err = s.write(ctx, tx, a, current, in.Key, value, fileID, now); err != nil {
			return err
		}
		return s.touch(ctx, tx, v, a.ID, event.AnswerSaved, current.ID)
	})
	if fault.Is(err, fault.StaleVersion) {
		return nil, current, err
	}
	if err != nil {
		return nil, nil, err
	}
	a, err := s.reload(ctx, v, in.ApplicationID)
	return a, current, err
}

// accept checks a value by the application's form and returns the question, and the value as it is kept.
func (s *Service) accept(ctx context.Context, tx *ent.Client, a *held, in AnswerPatch) (schema.Question, string, error) {
	forms, err := questionsOf(ctx, tx, []*ent.Application{a.Application}, []*ent.Call{a.Call})
	if err != nil {
		return schema.Question{}, "", err
	}
	at := slices.IndexFunc(forms[a.ID].questions, func(q schema.Question) bool { return q.Key == in.Key })
	if at < 0 {
		return schema.Question{}, "", fault.Invalid("key", "The form has no such question.")
	}
	q := forms[a.ID].questions[at]
	var check input.Checker
	value := check.Text("value", in.Value, 0, longest(q))
	if err := check.Err(); err != nil {
		return q, "", err
	}
	if why := wrong(q, value); why != "" {
		return q, "", fault.Invalid("value", "%s", why)
	}
	return q, value, nil
}

// write keeps an answer and its version.
func (s *Service) write(ctx context.Context, tx *ent.Client, a *held, current *ent.Answer, key, value string, fileID *gid.ID, now time.Time) (_ *ent.Answer, err error) {
	if current == nil {
		current, err = tx.Answer.Create().SetID(s.NewID(gid.Answer)).SetCreatedAt(now).SetUpdatedAt(now).SetApplicationID(a.ID).SetKey(key).
			SetValue(value).SetNillableFileID(fileID).SetEditorID(a.Viewer).Save(ctx)
	} else {
		update := tx.Answer.UpdateOne(current).SetValue(value).SetEditorID(a.Viewer).SetUpdatedAt(now).AddVersion(1).ClearFileID()
		if fileID != nil {
			update.SetFileID(*fileID)
		}
		current, err = update.Save(ctx)
	}
	if err != nil {
		return nil, store.RetryOnConflict(err)
	}
	err = tx.AnswerVersion.Create().SetID(s.NewID(gid.AnswerVersion)).SetCreatedAt(now).SetAnswerID(current.ID).SetVersion(current.Version).
		SetValue(value).SetNillableFileID(fileID).SetEditorID(a.Viewer).Exec(ctx)
	return current, store.RetryOnConflict(err)
}

func longest(q schema.Question) int {
	if q.Kind == kindText && q.MaxLength > 0 {
		return q.MaxLength
	}
	return maxText
}

// wrong says why a question does not take a value, or nothing. It takes the empty one: there is no answer then. A text that is too short is
// an answer that is not finished: short says so.
func wrong(q schema.Question, value string) string {
	if value == "" {
		return ""
	}
	switch q.Kind {
	case kindText:
		if utf8.RuneCountInString(value) > longest(q) {
			return fmt.Sprintf("This must have at most %d characters.", longest(q))
		}
	case kindChoice:
		if !slices.Contains(q.Options, value) {
			return "This is none of the options."
		}
	case kindChoices:
		chosen := lines(value)
		for i, option := range chosen {
			if !slices.Contains(q.Options, option) || slices.Contains(chosen[:i], option) {
				return "Choose among the options, one a line, each once."
			}
		}
	case kindNumber:
		return wrongNumber(q, value)
	case kindDate:
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return "Write a date like 2022-11-01."
		}
	case kindConsent:
		if value != agreed {
			return "Say yes, or nothing."
		}
	case kindFile:
		if id, err := gid.Parse(value); err != nil || id.Kind() != gid.File {
			return "Give the id of a file that you have uploaded."
		}
	}
	return ""
}

func wrongNumber(q schema.Question, value string) string {
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil || math.IsInf(n, 0) || math.IsNaN(n):
		return "Write a number like 12.5."
	case q.Min != nil && n < *q.Min:
		return fmt.Sprintf("This must be at least %v.", *q.Min)
	case q.Max != nil && n > *q.Max:
		return fmt.Sprintf("This must be at most %v.", *q.Max)
	}
	return ""
}

// Content is an application with its call's form and what it holds.
type Content struct {
	call      *ent.Call
	form      int // the version of the form
	questions []schema.Question
	answers   map[string]*ent.Answer
	documents map[part]*ent.Document
}

// part is a requirement, and for a letter the role that signs it.
type part struct{ requirement, signer string }

// Answers are those to the form's questions, in their order.
func (c *Content) Answers() []*ent.Answer {
	out := []*ent.Answer{}
	for _, q := range c.questions {
		if a := c.answers[q.Key]; a != nil {
			out = append(out, a)
		}
	}
	return out
}

// answersOf are the answers of applications, by application and key.
func answersOf(ctx context.Context, c *ent.Client, ids []gid.ID) (map[gid.ID]map[string]*ent.Answer, error) {
	rows, err := c.Answer.Query().Where(page.AnyOf(answer.FieldApplicationID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load answers: %w", err)
	}
	by := make(map[gid.ID]map[string]*ent.Answer, len(ids))
	for _, a := range rows {
		if by[a.ApplicationID] == nil {
			by[a.ApplicationID] = make(map[string]*ent.Answer)
		}
		by[a.ApplicationID][a.Key] = a
	}
	return by, nil
}

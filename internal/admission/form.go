package admission

import (
	"context"
	"fmt"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/formversion"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/submission"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Questions are those of each call's form as it was last published: one statement.
func (s *Service) Questions(ctx context.Context, calls []*ent.Call) ([][]*schema.Question, error) {
	forms, err := publishedForms(ctx, s.Store.Client(ctx), calls)
	if err != nil {
		return nil, err
	}
	out := make([][]*schema.Question, len(calls))
	for i, c := range calls {
		out[i] = pointers(forms[form{c.ID, c.FormVersion}])
	}
	return out, nil
}

// ApplicationQuestions are those of each application's form: three statements.
func (s *Service) ApplicationQuestions(ctx context.Context, of []*ent.Application) ([][]*schema.Question, error) {
	calls, err := s.callsOf(ctx, of)
	if err != nil {
		return nil, err
	}
	forms, err := questionsOf(ctx, s.Store.Client(ctx), of, calls)
	if err != nil {
		return nil, err
	}
	out := make([][]*schema.Question, len(of))
	for i, a := range of {
		out[i] = pointers(forms[a.ID].questions)
	}
	return out, nil
}

// form names a version of a call's form.
type form struct {
	call   gid.ID
	number int
}

// asked is what an application's form asks, with the number of its version.
type asked struct {
	version   int
	questions []schema.Question
}

// publishedForms are the questions of all published forms of calls.
func publishedForms(ctx context.Context, c *ent.Client, calls []*ent.Call) (map[form][]schema.Question, error) {
	ids := make([]gid.ID, len(calls))
	for i, of := range calls {
		ids[i] = of.ID
	}
	rows, err := c.FormVersion.Query().Where(page.AnyOf(formversion.FieldCallID, ids), formversion.PublishedAtNotNil()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load forms: %w", err)
	}
	forms := make(map[form][]schema.Question, len(rows))
	for _, f := range rows {
		forms[form{f.CallID, f.Number}] = f.Questions
	}
	return forms, nil
}

// questionsOf are the questions of applications, by application: a draft has those of its call's newest published form, and what was
// submitted has those that it was last submitted with, whatever was published since. calls are theirs. It takes one statement, and one more
// where a form has several versions.
func questionsOf(ctx context.Context, c *ent.Client, of []*ent.Application, calls []*ent.Call) (map[gid.ID]asked, error) {
	forms, err := publishedForms(ctx, c, calls)
	if err != nil {
		return nil, err
	}
	newest := make(map[gid.ID]int, len(calls))
	for _, row := range calls {
		newest[row.ID] = row.FormVersion
	}
	last := map[gid.ID]*ent.Submission{}
	if slices.ContainsFunc(calls, func(row *ent.Call) bool { return row.FormVersion > 1 }) {
		if last, err = lastSubmissions(ctx, c, of); err != nil {
			return nil, err
		}
	}
	out := make(map[gid.ID]asked, len(of))
	for _, a := range of {
		number := newest[a.CallID]
		if l := last[a.ID]; l != nil && a.State != application.StateDRAFT {
			number = l.FormVersion
		}
		out[a.ID] = asked{number, forms[form{a.CallID, number}]}
	}
	return out, nil
}

// lastSubmissions are the newest ones of applications, with the version of the form that they were made with.
func lastSubmissions(ctx context.Context, c *ent.Client, of []*ent.Application) (map[gid.ID]*ent.Submission, error) {
	rows, err := c.Submission.Query().Where(page.AnyOf(submission.FieldApplicationID, idsOf(of))).
		Select(submission.FieldApplicationID, submission.FieldNumber, submission.FieldFormVersion).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load submissions: %w", err)
	}
	last := make(map[gid.ID]*ent.Submission, len(rows))
	for _, r := range rows {
		if have := last[r.ApplicationID]; have == nil || have.Number < r.Number {
			last[r.ApplicationID] = r
		}
	}
	return last, nil
}

// FormVersions are all versions of each call's form that the viewer can see, the newest first.
func (s *Service) FormVersions(ctx context.Context, v viewer.Viewer, calls []*ent.Call) ([][]*ent.FormVersion, error) {
	ids, at := make([]gid.ID, len(calls)), make(map[gid.ID]int, len(calls))
	for i, c := range calls {
		ids[i], at[c.ID] = c.ID, i
	}
	rows, err := s.Store.Client(ctx).FormVersion.Query().Where(page.AnyOf(formversion.FieldCallID, ids), access.VisibleFormVersions(v)).
		Order(ent.Desc(formversion.FieldNumber)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the versions of forms: %w", err)
	}
	out := make([][]*ent.FormVersion, len(calls))
	for _, f := range rows {
		out[at[f.CallID]] = append(out[at[f.CallID]], f)
	}
	return out, nil
}

func pointers(all []schema.Question) []*schema.Question {
	out := make([]*schema.Question, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}

package review

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/formversion"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/submission"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// A blind reviewer sees a number instead of the organization, no team, no hash of what was submitted (with it a guess could be confirmed),
// no answer to a question that is marked as identifying in any version of the form, and no file: names stand in files and are names of files.

// those says of each application whether it is one of a sort: one statement.
func (s *Service) those(ctx context.Context, of []*ent.Application, sort predicate.Application) ([]bool, error) {
	ids, err := s.Store.Client(ctx).Application.Query().Where(page.AnyOf(application.FieldID, idsOf(of, applicationID)), sort).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("load what may be known of applications: %w", err)
	}
	set, is := setOf(ids), make([]bool, len(of))
	for i, a := range of {
		is[i] = set[a.ID]
	}
	return is, nil
}

// Applicant is who applies, as far as a viewer may know it.
type Applicant struct{ Organization, Team string }

// Applicants are who apply: a number instead of the organization, and no team, where the viewer is not to know them. One statement.
func (s *Service) Applicants(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([]Applicant, error) {
	may, err := s.those(ctx, of, access.NamedApplications(v))
	if err != nil {
		return nil, err
	}
	who := make([]Applicant, len(of))
	for i, a := range of {
		if who[i] = (Applicant{Organization: fmt.Sprintf("Application %d", a.Number)}); may[i] {
			who[i] = Applicant{a.OrganizationName, a.TeamName}
		}
	}
	return who, nil
}

// Numbers are those of applications within their calls, nil to those who write them: one statement.
func (s *Service) Numbers(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([]*int, error) {
	may, err := s.those(ctx, of, access.NumberedApplications(v))
	if err != nil {
		return nil, err
	}
	numbers := make([]*int, len(of))
	for i, a := range of {
		if may[i] {
			numbers[i] = &a.Number
		}
	}
	return numbers, nil
}

// Hashes are those of the newest submissions, nil before the first and where the viewer is not to know who applies: two statements.
func (s *Service) Hashes(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([]*string, error) {
	may, err := s.those(ctx, of, access.NamedApplications(v))
	if err != nil {
		return nil, err
	}
	hashes, err := s.Admission.Hashes(ctx, of)
	if err != nil {
		return nil, err
	}
	for i := range hashes {
		if !may[i] {
			hashes[i] = nil
		}
	}
	return hashes, nil
}

// Contents loads what applications hold, or has it already.
type Contents func(of []*ent.Application) ([]*admission.Content, error)

// Answers are what applications say: now for their editors and staff, and for reviewers as it was last submitted, without what names the
// applicants of a blind call. At most seven statements.
func (s *Service) Answers(ctx context.Context, v viewer.Viewer, of []*ent.Application, contents Contents) ([][]*ent.Answer, error) {
	whole, err := s.those(ctx, of, access.FollowedApplications(v))
	if err != nil {
		return nil, err
	}
	var now, then []*ent.Application
	for i, a := range of {
		if whole[i] {
			now = append(now, a)
		} else {
			then = append(then, a)
		}
	}
	said := make(map[gid.ID][]*ent.Answer, len(of))
	if len(now) > 0 {
		held, err := contents(now)
		if err != nil {
			return nil, err
		}
		for i, a := range now {
			said[a.ID] = held[i].Answers()
		}
	}
	if len(then) > 0 {
		if err := s.submitted(ctx, v, then, said); err != nil {
			return nil, err
		}
	}
	out := make([][]*ent.Answer, len(of))
	for i, a := range of {
		if out[i] = said[a.ID]; out[i] == nil {
			out[i] = []*ent.Answer{}
		}
	}
	return out, nil
}

// Missing is what applications lack now, for their editors and staff; nothing to reviewers: what was submitted lacks nothing.
func (s *Service) Missing(ctx context.Context, v viewer.Viewer, of []*ent.Application, contents Contents) ([][]*admission.Missing, error) {
	whole, err := s.those(ctx, of, access.FollowedApplications(v))
	if err != nil {
		return nil, err
	}
	out := make([][]*admission.Missing, len(of))
	var followed []*ent.Application
	var at []int
	for i, a := range of {
		if out[i] = []*admission.Missing{}; whole[i] {
			followed, at = append(followed, a), append(at, i)
		}
	}
	if len(followed) == 0 {
		return out, nil
	}
	held, err := contents(followed)
	if err != nil {
		return nil, err
	}
	for n, c := range held {
		out[at[n]] = c.Missing()
	}
	return out, nil
}

// ChangedAt is when applications last changed, for their editors and staff; to reviewers, when they were last submitted: what editors do
// meanwhile is not theirs to know. Two statements.
func (s *Service) ChangedAt(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([]*time.Time, error) {
	whole, err := s.those(ctx, of, access.FollowedApplications(v))
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.Client(ctx).Submission.Query().
		Where(page.AnyOf(submission.FieldApplicationID, idsOf(of, applicationID)), submission.HasApplicationWith(access.JudgedApplications(v))).
		Select(submission.FieldApplicationID, submission.FieldCreatedAt).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load when applications were submitted: %w", err)
	}
	last := make(map[gid.ID]*time.Time, len(rows))
	for _, r := range rows {
		if l := last[r.ApplicationID]; l == nil || r.CreatedAt.After(*l) {
			last[r.ApplicationID] = &r.CreatedAt
		}
	}
	at := make([]*time.Time, len(of))
	for i, a := range of {
		if at[i] = &a.UpdatedAt; !whole[i] && last[a.ID] != nil {
			at[i] = last[a.ID]
		}
	}
	return at, nil
}

// submitted adds what applications said when they were last submitted, as far as a reviewer may know it: three statements.
func (s *Service) submitted(ctx context.Context, v viewer.Viewer, of []*ent.Application, said map[gid.ID][]*ent.Answer) error {
	may, err := s.those(ctx, of, access.NamedApplications(v))
	if err != nil {
		return err
	}
	c := s.Store.Client(ctx)
	rows, err := c.Submission.Query().Where(page.AnyOf(submission.FieldApplicationID, idsOf(of, applicationID))).All(ctx)
	if err != nil {
		return fmt.Errorf("load submissions: %w", err)
	}
	newest := make(map[gid.ID]*ent.Submission, len(of))
	for _, r := range rows {
		if n := newest[r.ApplicationID]; n == nil || n.Number < r.Number {
			newest[r.ApplicationID] = r
		}
	}
	naming, err := identifying(ctx, c, of)
	if err != nil {
		return err
	}
	var all []*ent.Answer
	for i, a := range of {
		n := newest[a.ID]
		if n == nil {
			continue
		}
		for _, answer := range n.Content.Answers {
			if !may[i] && (answer.FileID != "" || slices.Contains(naming[a.CallID], answer.Key)) {
				continue
			}
			one := &ent.Answer{ApplicationID: a.ID, Key: answer.Key, Value: answer.Value, Version: answer.Version, UpdatedAt: n.CreatedAt}
			if answer.FileID != "" {
				id, err := gid.Parse(answer.FileID)
				if err != nil {
					return fmt.Errorf("read a submission of %s: %w", a.ID, err)
				}
				one.FileID = &id
			}
			all = append(all, one)
		}
	}
	for _, one := range (*ent.Answer)(nil).Kin(all) { // so that their files are loaded in one go
		said[one.ApplicationID] = append(said[one.ApplicationID], one)
	}
	return nil
}

// identifying are the keys of the questions that were ever marked as naming who answers, by the call's id.
func identifying(ctx context.Context, c *ent.Client, of []*ent.Application) (map[gid.ID][]string, error) {
	forms, err := c.FormVersion.Query().Where(page.AnyOf(formversion.FieldCallID, idsOf(of, func(a *ent.Application) gid.ID { return a.CallID }))).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load forms: %w", err)
	}
	keys := make(map[gid.ID][]string, len(forms))
	for _, f := range forms {
		for _, q := range f.Questions {
			if q.Identifying {
				keys[f.CallID] = append(keys[f.CallID], q.Key)
			}
		}
	}
	return keys, nil
}

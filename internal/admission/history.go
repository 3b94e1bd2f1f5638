package admission

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/answer"
	"github.com/pursuing-equity/commons/ent/answerversion"
	"github.com/pursuing-equity/commons/ent/extension"
	"github.com/pursuing-equity/commons/ent/signerrequest"
	"github.com/pursuing-equity/commons/ent/submission"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// AnswerHistory is what applications that the viewer follows ever said to a question, the latest first: two statements.
func (s *Service) AnswerHistory(ctx context.Context, v viewer.Viewer, of []*ent.Application, key string) ([][]*ent.AnswerVersion, error) {
	rows, err := s.Store.Client(ctx).AnswerVersion.Query().
		Where(answerversion.HasAnswerWith(page.AnyOf(answer.FieldApplicationID, idsOf(of)), answer.Key(key), answer.HasApplicationWith(access.FollowedApplications(v)))).
		WithAnswer().Order(answerversion.ByVersion(sql.OrderDesc()), answerversion.ByID()).Limit(maxHistory * len(of)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the history of an answer: %w", err)
	}
	return byApplication(of, rows, func(r *ent.AnswerVersion) gid.ID { return r.Edges.Answer.ApplicationID }), nil
}

// Submissions are what applications submitted as the viewer sees it, the latest first: one statement.
func (s *Service) Submissions(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([][]*ent.Submission, error) {
	rows, err := s.Store.Client(ctx).Submission.Query().Where(page.AnyOf(submission.FieldApplicationID, idsOf(of)), access.VisibleSubmissions(v)).
		Order(submission.ByNumber(sql.OrderDesc())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load submissions: %w", err)
	}
	return byApplication(of, rows, func(r *ent.Submission) gid.ID { return r.ApplicationID }), nil
}

// SignerRequests are who was asked to sign for applications that the viewer follows, the latest first: one statement.
func (s *Service) SignerRequests(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([][]*ent.SignerRequest, error) {
	rows, err := s.Store.Client(ctx).SignerRequest.Query().
		Where(page.AnyOf(signerrequest.FieldApplicationID, idsOf(of)), signerrequest.HasApplicationWith(access.FollowedApplications(v))).
		Order(signerrequest.ByID(sql.OrderDesc())).Limit(maxHistory * len(of)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load signer requests: %w", err)
	}
	return byApplication(of, rows, func(r *ent.SignerRequest) gid.ID { return r.ApplicationID }), nil
}

// RequestsOf are the signer requests of documents, nil for a document without one, and for whoever does not follow its application.
func (s *Service) RequestsOf(ctx context.Context, v viewer.Viewer, of []*ent.Document) ([]*ent.SignerRequest, error) {
	ids := make([]gid.ID, 0, len(of))
	for _, d := range of {
		if d.SignerRequestID != nil {
			ids = append(ids, *d.SignerRequestID)
		}
	}
	rows, err := s.Store.Client(ctx).SignerRequest.Query().
		Where(page.AnyOf(signerrequest.FieldID, ids), signerrequest.HasApplicationWith(access.FollowedApplications(v))).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load signer requests: %w", err)
	}
	by := make(map[gid.ID]*ent.SignerRequest, len(rows))
	for _, r := range rows {
		by[r.ID] = r
	}
	out := make([]*ent.SignerRequest, len(of))
	for i, d := range of {
		out[i] = by[maybe(d.SignerRequestID)]
	}
	return out, nil
}

// Extensions are those of applications that the viewer follows, the latest first: one statement.
func (s *Service) Extensions(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([][]*ent.Extension, error) {
	rows, err := s.Store.Client(ctx).Extension.Query().
		Where(page.AnyOf(extension.FieldApplicationID, idsOf(of)), extension.HasApplicationWith(access.FollowedApplications(v))).
		Order(extension.ByID(sql.OrderDesc())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load extensions: %w", err)
	}
	return byApplication(of, rows, func(r *ent.Extension) gid.ID { return r.ApplicationID }), nil
}

// InformationRequests are what staff want to know of applications that the viewer follows: one statement.
func (s *Service) InformationRequests(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([]string, error) {
	mine, err := s.followedOf(ctx, v, of)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(of))
	for i, a := range of {
		if mine[a.ID] {
			out[i] = a.InformationRequest
		}
	}
	return out, nil
}

func byApplication[T any](of []*ent.Application, rows []*T, id func(*T) gid.ID) [][]*T {
	by := make(map[gid.ID][]*T, len(of))
	for _, r := range rows {
		by[id(r)] = append(by[id(r)], r)
	}
	out := make([][]*T, len(of))
	for i, a := range of {
		out[i] = append([]*T{}, by[a.ID][:min(len(by[a.ID]), maxHistory)]...)
	}
	return out
}

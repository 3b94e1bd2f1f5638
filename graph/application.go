package graph

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/answer"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/document"
	"github.com/pursuing-equity/commons/ent/signerrequest"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/review"
	"github.com/pursuing-equity/commons/internal/sibling"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func (r *Resolver) applications(ctx context.Context, ids []gid.ID) ([]*ent.Application, error) {
	return byID(ids, func(a *ent.Application) gid.ID { return a.ID }, func(ids []gid.ID) ([]*ent.Application, error) {
		return r.Store.Client(ctx).Application.Query().Where(page.AnyOf(application.FieldID, ids)).All(ctx)
	})
}

func (r *Resolver) answers(ctx context.Context, ids []gid.ID) ([]*ent.Answer, error) {
	return byID(ids, func(a *ent.Answer) gid.ID { return a.ID }, func(ids []gid.ID) ([]*ent.Answer, error) {
		return r.Store.Client(ctx).Answer.Query().Where(page.AnyOf(answer.FieldID, ids)).All(ctx)
	})
}

func (r *Resolver) documents(ctx context.Context, ids []gid.ID) ([]*ent.Document, error) {
	return byID(ids, func(d *ent.Document) gid.ID { return d.ID }, func(ids []gid.ID) ([]*ent.Document, error) {
		return r.Store.Client(ctx).Document.Query().Where(page.AnyOf(document.FieldID, ids)).All(ctx)
	})
}

func (r *Resolver) signerRequests(ctx context.Context, ids []gid.ID) ([]*ent.SignerRequest, error) {
	return byID(ids, func(s *ent.SignerRequest) gid.ID { return s.ID }, func(ids []gid.ID) ([]*ent.SignerRequest, error) {
		return r.Store.Client(ctx).SignerRequest.Query().Where(page.AnyOf(signerrequest.FieldID, ids)).All(ctx)
	})
}

// pointers are the elements of a list by their addresses.
func pointers[T any](list []T) []*T {
	out := make([]*T, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

func (r *Resolver) applicationEvents(ctx context.Context, id gid.ID, after *page.Cursor) (<-chan model.ApplicationEvent, error) {
	return event.Follow(ctx, func() (event.Source, error) {
		err := r.Admission.Followed(ctx, viewer.From(ctx), id)
		return event.Source{Stream: id, After: after, Readers: r.Admission.Followers(id)}, err
	}, func(ctx context.Context, events []*ent.Event) ([]event.Shown[model.ApplicationEvent], error) {
		applications, err := r.applications(ctx, each(events, func(e *ent.Event) gid.ID { return e.StreamID }))
		if err != nil {
			return nil, err
		}
		answers, err := r.answers(ctx, each(events, objectOf(gid.Answer)))
		if err != nil {
			return nil, err
		}
		documents, err := r.documents(ctx, each(events, objectOf(gid.Document)))
		if err != nil {
			return nil, err
		}
		requests, err := r.signerRequests(ctx, each(events, objectOf(gid.SignerRequest)))
		if err != nil {
			return nil, err
		}
		members, err := r.members(ctx, each(events, objectOf(gid.Member)))
		if err != nil {
			return nil, err
		}
		actors, err := r.members(ctx, each(events, func(e *ent.Event) gid.ID { return maybe(e.ActorID) }))
		if err != nil {
			return nil, err
		}
		shown := make([]event.Shown[model.ApplicationEvent], len(events))
		for i, e := range events {
			c := event.Cursor(e.StreamID, e.Seq)
			shown[i].Event = e
			switch e.Kind {
			case event.AnswerSaved:
				shown[i].As = &model.AnswerSaved{Cursor: c, Answer: answers[i], Editor: actors[i]}
			case event.EditorAdded:
				shown[i].As = &model.EditorAdded{Cursor: c, Member: members[i]}
			case event.EditorRemoved:
				shown[i].As = &model.EditorRemoved{Cursor: c, Member: members[i]}
			case event.OwnerChanged:
				shown[i].As = &model.OwnerChanged{Cursor: c, Member: members[i]}
			case event.DocumentAdded:
				shown[i].As = &model.DocumentAdded{Cursor: c, Document: documents[i]}
			case event.DocumentRemoved:
				shown[i].As = &model.DocumentRemoved{Cursor: c, Document: documents[i]}
			case event.SignerRequestChanged:
				shown[i].As = &model.SignerRequestChanged{Cursor: c, SignerRequest: requests[i]}
			case event.InformationRequested:
				shown[i].As = &model.InformationRequested{Cursor: c, Application: applications[i]}
			case event.ExtensionGranted:
				shown[i].As = &model.ExtensionGranted{Cursor: c, Application: applications[i]}
			case event.ApplicationSubmitted:
				shown[i].As = &model.ApplicationSubmitted{Cursor: c, Application: applications[i]}
			default:
				shown[i].As = &model.ApplicationChanged{Cursor: c, Application: applications[i]}
			}
		}
		return shown, nil
	})
}

// objectOf is the object of an event if it is of the kind.
func objectOf(kind gid.Kind) func(*ent.Event) gid.ID {
	return func(e *ent.Event) gid.ID {
		if e.ObjectID.Kind() == kind {
			return e.ObjectID
		}
		return gid.ID{}
	}
}

// What several fields of an application are made of is loaded once for all of them, under these keys.
type (
	applicantKey struct{}
	contentKey   struct{}
)

// applicant is who applies, as far as the viewer may know it.
func (r *Resolver) applicant(ctx context.Context, v viewer.Viewer, obj *ent.Application) (review.Applicant, error) {
	return sibling.Resolve(obj.Siblings(), obj, applicantKey{}, func(objs []*ent.Application) ([]review.Applicant, error) {
		return r.Reviewing.Applicants(ctx, v, objs)
	})
}

// contents are what applications hold.
func (r *Resolver) contents(ctx context.Context) review.Contents {
	return func(of []*ent.Application) ([]*admission.Content, error) {
		held := make([]*admission.Content, len(of))
		for i, a := range of {
			var err error
			held[i], err = sibling.Resolve(a.Siblings(), a, contentKey{}, func(objs []*ent.Application) ([]*admission.Content, error) {
				return r.Admission.Contents(ctx, objs)
			})
			if err != nil {
				return nil, err
			}
		}
		return held, nil
	}
}

func (r *Resolver) callEvents(ctx context.Context, id gid.ID, after *page.Cursor) (<-chan *model.CallEvent, error) {
	v := viewer.From(ctx)
	return event.Follow(ctx, func() (event.Source, error) {
		return r.Admission.CallSource(ctx, v, id, after)
	}, func(ctx context.Context, events []*ent.Event) ([]event.Shown[*model.CallEvent], error) {
		c, events, err := r.Admission.CallShown(ctx, v, id, events)
		shown := make([]event.Shown[*model.CallEvent], len(events))
		for i, e := range events {
			cursor, err := r.Events.SealedCursor(ctx, e.StreamID, e.Seq)
			if err != nil {
				return nil, err
			}
			shown[i] = event.Shown[*model.CallEvent]{Event: e, As: &model.CallEvent{Cursor: cursor, Call: c}}
		}
		return shown, err
	})
}

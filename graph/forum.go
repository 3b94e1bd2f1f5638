package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func newThread(in model.CreateThreadInput) forum.NewThread {
	tags, _ := in.Tags.ValueOK()
	return forum.NewThread{
		SpaceID: in.SpaceID, Title: in.Title, Body: in.Body, Kind: orZero(in.Kind), Tags: tags, PostExtras: extras(in.AttachmentFileIds, in.Poll),
		IdempotencyKey: optional(in.IdempotencyKey),
	}
}

func newPost(in model.CreatePostInput) forum.NewPost {
	return forum.NewPost{
		ThreadID: in.ThreadID, Body: in.Body, ReplyToID: optional(in.ReplyToID), Quote: orZero(in.Quote), PostExtras: extras(in.AttachmentFileIds, in.Poll),
		IdempotencyKey: optional(in.IdempotencyKey),
	}
}

func extras(attachments graphql.Omittable[[]gid.ID], poll graphql.Omittable[*model.PollInput]) forum.PostExtras {
	ids, _ := attachments.ValueOK()
	e := forum.PostExtras{AttachmentFileIDs: ids}
	if p := optional(poll); p != nil {
		e.Poll = &forum.NewPoll{Question: p.Question, Options: p.Options, Multiple: orZero(p.Multiple), ClosesAt: optional(p.ClosesAt)}
	}
	return e
}

// attachments loads the files that posts hold; what is not served any more is left out.
func (r *Resolver) attachments(ctx context.Context, posts []*ent.Post) ([][]*ent.File, error) {
	held, err := r.Forum.Attachments(ctx, posts)
	if err != nil {
		return nil, err
	}
	all, err := r.files(ctx, slices.Concat(held...))
	if err != nil {
		return nil, err
	}
	files := make([][]*ent.File, len(posts))
	for i, ids := range held {
		files[i] = compact(all[:len(ids)])
		all = all[len(ids):]
	}
	return files, nil
}

// cards loads the objects that posts link to and that the viewer can see.
func (r *Resolver) cards(ctx context.Context, v viewer.Viewer, posts []*ent.Post) ([][]model.Node, error) {
	found, err := r.Forum.Cards(ctx, v, posts)
	return pick(found, func(objects []any) []model.Node { return pick(objects, func(o any) model.Node { return o }) }), err
}

// chosen says of each poll, or option of polls, whether the viewer voted for it.
func (r *Resolver) chosen(ctx context.Context, v viewer.Viewer, polls, objects []gid.ID) ([]bool, error) {
	mine, err := r.Forum.ViewerVotes(ctx, v, polls)
	return pick(objects, func(id gid.ID) bool { return mine[id] }), err
}

// reacted picks from the viewer's reactions to posts those to each.
func reacted(posts []*ent.Post, mine map[forum.ReactionOf]bool) []map[string]bool {
	return pick(posts, func(p *ent.Post) map[string]bool {
		own := make(map[string]bool, len(p.ReactionCounts))
		for _, c := range p.ReactionCounts {
			own[c.Emoji] = mine[forum.ReactionOf{Post: p.ID, Emoji: c.Emoji}]
		}
		return own
	})
}

func lastRead(state *ent.ReadState) int {
	if state == nil {
		return 0
	}
	return state.LastReadSeq
}

// part is how much of a post the fields that are selected of it need.
func part(ctx context.Context) forum.Part {
	for _, name := range graphql.CollectAllFields(ctx) {
		switch name {
		case "__typename", "id", "seq", "version", "createdAt", "editedAt", "deletedAt", "author", "thread":
		default:
			return forum.Whole
		}
	}
	return forum.Head
}

// selects reports whether a field is selected of what the present one returns, at a path of names.
func selects(ctx context.Context, path ...string) bool {
	oc := graphql.GetOperationContext(ctx)
	of := []ast.SelectionSet{graphql.GetFieldContext(ctx).Field.Selections}
	for _, name := range path {
		var next []ast.SelectionSet
		for _, selection := range of {
			for _, f := range graphql.CollectFields(oc, selection, nil) {
				if f.Name == name {
					next = append(next, f.Selections)
				}
			}
		}
		of = next
	}
	return len(of) > 0
}

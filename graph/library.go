package graph

import (
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/library"
	"github.com/pursuing-equity/commons/internal/page"
)

func newResource(in model.CreateResourceInput) library.NewResource {
	return library.NewResource{
		Kind:           in.Kind,
		Title:          in.Title,
		Summary:        orZero(optional(in.Summary)),
		URL:            orZero(optional(in.URL)),
		Licence:        orZero(optional(in.Licence)),
		FrameworkIDs:   in.FrameworkIds.Value(),
		Audience:       in.Audience,
		SpaceID:        optional(in.SpaceID),
		IdempotencyKey: optional(in.IdempotencyKey),
	}
}

func resourcePatch(in model.UpdateResourceInput) library.ResourcePatch {
	return library.ResourcePatch{
		Description:  library.Description{Title: optional(in.Title), Summary: optional(in.Summary), URL: optional(in.URL), Licence: optional(in.Licence)},
		FrameworkIDs: optionalList(in.FrameworkIds),
		Note:         orZero(optional(in.Note)),
	}
}

// searchResults shows what was found as the SDL does: its nodes are of several types, so its connection is one of its own.
func searchResults(found *page.Connection[library.Found]) *model.SearchResultConnection {
	if found == nil {
		return nil
	}
	out := &model.SearchResultConnection{Edges: make([]*model.SearchResultEdge, len(found.Edges)), PageInfo: &found.PageInfo}
	for i, e := range found.Edges {
		out.Edges[i] = &model.SearchResultEdge{Cursor: e.Cursor, Node: e.Node.Node, Snippet: e.Node.Snippet}
	}
	return out
}

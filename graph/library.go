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
		Summary:        orZero(in.Summary),
		URL:            orZero(in.URL),
		Licence:        orZero(in.Licence),
		FrameworkIDs:   in.FrameworkIds.Value(),
		Audience:       in.Audience,
		SpaceID:        optional(in.SpaceID),
		FileID:         optional(in.FileID),
		IdempotencyKey: optional(in.IdempotencyKey),
	}
}

func resourcePatch(in model.UpdateResourceInput) library.ResourcePatch {
	return library.ResourcePatch{
		Description:  library.Description{Title: patched(in.Title), Summary: patched(in.Summary), URL: patched(in.URL), Licence: patched(in.Licence)},
		FrameworkIDs: patchedList(in.FrameworkIds),
		FileID:       patched(in.FileID),
		Note:         orZero(in.Note),
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

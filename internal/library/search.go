package library

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// maxQuery is the longest query, in characters.
const maxQuery = 200

// Found is something that a search found.
type Found struct {
	// Node is an *ent.Thread, *ent.Post, *ent.Resource, *ent.Member, *ent.Organization or *ent.Application.
	Node any
	// Snippet is the best passage as safe HTML: text is escaped, and what matched stands in <mark>.
	Snippet string
}

// Search finds what the viewer can see by its text, the best match first; kinds says which sorts of object, all when empty. It
// returns INVALID_INPUT for a query that is empty, too long or holds control characters, and an empty page when nothing in
// it can be looked for. It takes one statement for the page, and one for each kind of object on it.
func (s *Service) Search(ctx context.Context, v viewer.Viewer, query string, kinds []searchdocument.Kind, a page.Args) (*page.Connection[Found], error) {
	var check input.Checker
	if !utf8.ValidString(query) {
		check.Refuse("query", "This must be UTF-8.")
	}
	query = check.Line("query", query, 1, maxQuery)
	if err := check.Err(); err != nil {
		return nil, err
	}
	kinds = slices.Compact(slices.Sorted(slices.Values(kinds)))
	order := searchOrder(query, kinds)
	w, err := a.Window(order, gid.ID{})
	if err != nil {
		return nil, err
	}
	var found []*store.Match
	if terms, ok := parse(query); ok {
		found, err = s.Store.Search(ctx, store.Search{Terms: terms, Kinds: kinds, Visible: access.VisibleSearchDocuments(v)}, order, w)
		if err != nil {
			return nil, err
		}
	}
	places := page.Build(order, w, gid.ID{}, found, (*store.Match).Place)
	ids := make([]gid.ID, len(places.Edges))
	for i, e := range places.Edges {
		ids[i] = e.Node.Object
	}
	nodes, err := access.Find(ctx, s.Store.Client(ctx), v, ids...)
	if err != nil {
		return nil, err
	}
	out := &page.Connection[Found]{PageInfo: places.PageInfo}
	for _, e := range places.Edges {
		if node, there := nodes[e.Node.Object]; there { // else it went between the two statements
			out.Edges = append(out.Edges, &page.Edge[Found]{Cursor: e.Cursor, Node: &Found{Node: node, Snippet: snippet(e.Node.Passage)}})
		}
	}
	return out, nil
}

// searchOrder is the order of one search. Query and kinds are in its name, so that a cursor of another search is told apart.
func searchOrder(query string, kinds []searchdocument.Kind) page.Order {
	return store.SearchOrder(fmt.Sprintf("search %q %s", kinds, query))
}

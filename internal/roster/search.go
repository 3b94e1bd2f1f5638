package roster

import (
	"fmt"
	"strings"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/internal/gid"
)

// searchable is what search must learn of: the new and the changed.
type searchable struct {
	order     []gid.ID
	documents map[gid.ID]document
}

type document struct {
	kind        searchdocument.Kind
	title, body string
}

func (s *searchable) put(id gid.ID, d document) {
	if s.documents == nil {
		s.documents = map[gid.ID]document{}
	}
	s.order = append(s.order, id)
	s.documents[id] = d
}

func (s *searchable) organization(id gid.ID, name string, where ...string) {
	s.put(id, document{searchdocument.KindORGANIZATION, name, words(where...)})
}

func (s *searchable) member(id gid.ID, name, title, about string, expertise []string) {
	s.put(id, document{searchdocument.KindMEMBER, name, words(append([]string{title, about}, expertise...)...)})
}

func words(parts ...string) string {
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

// search writes the search documents of what is new and of what changed.
func (i *importer) search() error {
	return inChunks(i.searchable.order, func(ids []gid.ID) error {
		existing, err := i.tx.SearchDocument.Query().Where(searchdocument.ObjectIDIn(ids...)).All(i.ctx)
		if err != nil {
			return fmt.Errorf("find search documents: %w", err)
		}
		has := make(map[gid.ID]bool, len(existing))
		for _, e := range existing {
			has[e.ObjectID] = true
			d := i.searchable.documents[e.ObjectID]
			if err := i.tx.SearchDocument.UpdateOneID(e.ID).SetTitle(d.title).SetBody(d.body).Exec(i.ctx); err != nil {
				return fmt.Errorf("change search document of %s: %w", e.ObjectID, err)
			}
		}
		var builders []*ent.SearchDocumentCreate
		for _, id := range ids {
			if d := i.searchable.documents[id]; !has[id] {
				builders = append(builders, i.tx.SearchDocument.Create().SetKind(d.kind).SetObjectID(id).SetTitle(d.title).SetBody(d.body))
			}
		}
		return create(i.ctx, "search documents", builders, i.tx.SearchDocument.CreateBulk)
	})
}

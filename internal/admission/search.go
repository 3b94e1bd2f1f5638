package admission

import (
	"context"
	"strings"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/internal/store"
)

// index makes an application found by what it said when it was submitted; who may find it is for access to say.
func index(ctx context.Context, tx *ent.Client, a *ent.Application, frozen schema.SubmittedContent) error {
	said := make([]string, 0, len(frozen.Answers))
	for _, answer := range frozen.Answers {
		if answer.FileID == "" {
			said = append(said, answer.Value)
		}
	}
	return store.Index(ctx, tx, store.Document{
		Kind: searchdocument.KindAPPLICATION, Object: a.ID, Title: strings.TrimSpace(frozen.OrganizationName + " " + frozen.TeamName), Body: strings.Join(said, "\n"),
	})
}

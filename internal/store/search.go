package store

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// Document is the searchable text of one object. Thread is set for threads and posts.
type Document struct {
	Kind   searchdocument.Kind
	Object gid.ID
	Thread *gid.ID
	Title  string
	Body   string
}

// Index makes an object found by its text, within the transaction of the change.
func Index(ctx context.Context, tx *ent.Client, d Document) error {
	n, err := tx.SearchDocument.Update().Where(searchdocument.ObjectID(d.Object)).SetTitle(d.Title).SetBody(d.Body).Save(ctx)
	if err != nil {
		return fmt.Errorf("index %s: %w", d.Object, err)
	}
	if n == 0 {
		return IndexNew(ctx, tx, d)
	}
	return nil
}

// IndexNew is Index for an object that is made in the same transaction.
func IndexNew(ctx context.Context, tx *ent.Client, d Document) error {
	err := tx.SearchDocument.Create().SetKind(d.Kind).SetObjectID(d.Object).SetNillableThreadID(d.Thread).SetTitle(d.Title).SetBody(d.Body).Exec(ctx)
	if err != nil {
		return fmt.Errorf("index %s: %w", d.Object, err)
	}
	return nil
}

// Unindex makes objects not found any more.
func Unindex(ctx context.Context, tx *ent.Client, objects ...gid.ID) error {
	if _, err := tx.SearchDocument.Delete().Where(page.AnyOf(searchdocument.FieldObjectID, objects)).Exec(ctx); err != nil {
		return fmt.Errorf("remove from the index: %w", err)
	}
	return nil
}

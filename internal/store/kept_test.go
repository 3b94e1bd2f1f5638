package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// What another process has changed is not put back by who reads from an older view of the database.
func TestKeptForgetsWhatOthersChange(t *testing.T) {
	t.Parallel()
	ctx, s := opened(t, database.SQLite(t))
	id := gid.New(gid.Team, time.Now())
	kept := store.Keep(s, "teams", time.Now, func(t *ent.Team) gid.ID { return t.ID })
	find := func(ctx context.Context, name string) string {
		rows, err := kept.Find(ctx, []gid.ID{id}, func([]gid.ID) ([]*ent.Team, error) { return []*ent.Team{{ID: id, Name: name}}, nil })
		if err != nil || len(rows) != 1 {
			t.Fatalf("%v, %v", rows, err)
		}
		return rows[0].Name
	}
	err := s.Snapshot(ctx, func(older context.Context) error {
		kept.Forget(id) // as the log of another process has it
		if got := find(older, "before"); got != "before" {
			t.Errorf("it reads %q", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := find(ctx, "now"); got != "now" {
		t.Errorf("the row of %q was kept", got)
	}
}

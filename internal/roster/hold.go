package roster

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// hold locks the cohorts that teams of the file are put in, and then the file's teams, in the order in which internal/community does when it
// changes what an offering opens: whoever does that at the same time sees the places of this import, or is seen by it.
func (i *importer) hold() error {
	_, err := find(sorted(i.cohortIDs()), func(part []gid.ID) ([]*ent.Cohort, error) {
		return i.tx.Cohort.Query().Where(cohort.IDIn(part...), store.LockRow).Order(cohort.ByID()).Select(cohort.FieldID).All(i.ctx)
	})
	if err != nil {
		return fmt.Errorf("lock cohorts: %w", err)
	}
	_, err = find(sorted(i.teamIDs), func(part []gid.ID) ([]*ent.Team, error) {
		return i.tx.Team.Query().Where(team.IDIn(part...), store.LockRow).Order(team.ByID()).Select(team.FieldID).All(i.ctx)
	})
	if err != nil {
		return fmt.Errorf("lock teams: %w", err)
	}
	return nil
}

func (i *importer) cohortIDs() []gid.ID {
	var ids []gid.ID
	for _, c := range i.teamCohorts {
		if c != nil {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// sorted are ids in the order of locks, each once.
func sorted(ids []gid.ID) []gid.ID {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b gid.ID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

package graph

import (
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// Kept are rows that are kept for a moment, since they change seldom and stand on every page. The zero Kept keeps none.
type Kept struct {
	Members       *store.Kept[ent.Member]
	Organizations *store.Kept[ent.Organization]
	Teams         *store.Kept[ent.Team]
	Offerings     *store.Kept[ent.Offering]
	Programs      *store.Kept[ent.Program]
}

// Keep begins to keep rows.
func Keep(s *store.Store, now func() time.Time) Kept {
	return Kept{
		Members:       store.Keep(s, "members", now, memberID),
		Organizations: store.Keep(s, "organizations", now, organizationID),
		Teams:         store.Keep(s, "teams", now, teamID),
		Offerings:     store.Keep(s, "offerings", now, offeringID),
		Programs:      store.Keep(s, "programs", now, programID),
	}
}

// Forget forgets what another process has changed; a zero id is everything.
func (k Kept) Forget(ids []gid.ID) {
	for _, id := range ids {
		switch id.Kind() {
		case gid.Member:
			k.Members.Forget(id)
		case gid.Organization:
			k.Organizations.Forget(id)
		case gid.Team:
			k.Teams.Forget(id)
		case gid.Offering:
			k.Offerings.Forget(id)
		case gid.Program:
			k.Programs.Forget(id)
		}
		if id.IsZero() {
			k.Members.Forget()
			k.Organizations.Forget()
			k.Teams.Forget()
			k.Offerings.Forget()
			k.Programs.Forget()
		}
	}
}

func memberID(m *ent.Member) gid.ID             { return m.ID }
func organizationID(o *ent.Organization) gid.ID { return o.ID }
func teamID(t *ent.Team) gid.ID                 { return t.ID }
func offeringID(o *ent.Offering) gid.ID         { return o.ID }
func programID(p *ent.Program) gid.ID           { return p.ID }

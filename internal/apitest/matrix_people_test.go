package apitest_test

import (
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/gid"
)

// peopleRows are the lines of finding and meeting people.
func peopleRows() matrix {
	participant := func(c *cast) gid.ID {
		p := c.Member("new")
		c.Join(c.network, p, spacemembership.RoleMEMBER)
		return p.ID
	}
	return matrix{
		queries: map[string]row{
			"mentionCandidates": {`mentionCandidates(placeId: $id, prefix: "facil") { text }`, of("thread"), cells("NOT_FOUND", "anonymous=UNAUTHENTICATED", "reader member lead staff admin=1")},
			"topics":            {"topics(kind: INTEREST) { name }", none, cells("0")},
		},
		mutations: map[string]row{
			"introduce": {"thread { id }", in(func(c *cast) vars {
				return vars{"memberIds": []gid.ID{participant(c), participant(c)}, "message": "Meet."}
			}), codes(ok, "outsider=FORBIDDEN")},
		},
		fields: map[string]row{
			"Member.showsPresence":        {"", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=true")},
			"Member.suggestedConnections": {"suggestedConnections { member { id } }", of("staff"), cells("null", "anonymous outsider=NOT_FOUND", "staff=0")},
		},
	}
}

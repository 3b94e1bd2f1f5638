package apitest_test

import (
	"strings"

	"github.com/pursuing-equity/commons/internal/apitest"
)

// resourceRows are the lines of resources and the search.
func resourceRows() matrix {
	return matrix{
		queries: map[string]row{
			"frameworks": {"frameworks { id }", none, map[string]string{"": "0"}},
			"resources":  {page("resources", ""), func(c *cast) vars { return nil }, cells("0", "reader member insider lead staff admin=1")},
			"search":     {page("search", `, query: "zanzibar"`), none, map[string]string{"": "0", "insider": "1"}},
		},
		mutations: map[string]row{
			"createResource": {"resource { id }", in(func(c *cast) vars { return vars{"kind": "LINK", "title": "R", "audience": "NETWORK"} }), codes("FORBIDDEN", "staff", "admin")},
			"updateResource": {"resource { id }", in(func(c *cast) vars {
				return vars{"resourceId": c.newResource("SPACE", c.affinity), "expectedVersion": 1, "title": "S"}
			}), codes("NOT_FOUND", "insider")},
			"deleteFile":      {"fileId", in(func(c *cast) vars { return vars{"fileId": c.newFile(c.member)} }), codes("NOT_FOUND", "member", "browser")},
			"archiveResource": {"resource { id }", in(func(c *cast) vars { return vars{"resourceId": c.newResource("PUBLIC", nil)} }), codes("FORBIDDEN", "staff", "admin")},
		},
		fields: map[string]row{
			"Resource.versions":        {"", of("resource"), cells("NOT_FOUND", "reader member lead staff admin=1")},
			"Resource.viewerCanUpdate": {"", of("resource"), cells("NOT_FOUND", "reader member staff admin=true", "lead=false")},
		},
	}
}

// newFile is one that a member has uploaded and nothing holds.
func (c *cast) newFile(p *apitest.Person) string {
	return upload(c.T, c.World, p.Token(), "name=a.txt&purpose=RESOURCE", strings.NewReader(c.name())).id(c.T)
}

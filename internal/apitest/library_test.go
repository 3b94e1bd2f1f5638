package apitest_test

import (
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
)

func TestLibrary(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, out := w.Member("ada"), w.Member("out")
		staff := w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		network := w.Space(space.KindNETWORK, "Network", ada)
		hidden := w.Space(space.KindAFFINITY, "Hidden", ada)
		const create = `mutation Create($input: CreateResourceInput!) {
			createResource(input: $input) { resource { id version url frameworks { id } space { id } viewerCanUpdate author { id } } errors { code path } } }`
		const update = `mutation Update($input: UpdateResourceInput!) { updateResource(input: $input) { resource { id title summary version
			versions(first: 5) { edges { node { number title note author { id } } } } } errors { code path } } }`
		var guide string

		w.T.Run("staff add a resource, others are told that they may not", func(t *testing.T) {
			in := input(vars{"kind": "LINK", "title": "Heron guide", "summary": "Where they **stand**.", "audience": "PUBLIC"})
			r := staff.Must(create, in)
			guide = r.String("createResource.resource.id")
			if r.At("createResource.resource.viewerCanUpdate") != true || r.At("createResource.resource.space") != nil || r.String("createResource.resource.url") != "" {
				t.Errorf("made %v", r.Data)
			}
			if r := ada.Do(create, in); r.String("createResource.errors.0.code") != "FORBIDDEN" || r.At("createResource.resource") != nil {
				t.Errorf("a member made %v", r.Data)
			}
		})
		w.T.Run("a member keeps one in a hidden space", func(t *testing.T) {
			in := input(vars{"kind": "FILE", "title": "Hidden heron", "audience": "SPACE", "spaceId": hidden})
			if r := ada.Must(create, in); r.String("createResource.resource.space.id") != hidden.String() {
				t.Errorf("made %v", r.Data)
			}
			if r := staff.Do(create, in); r.String("createResource.errors.0.code") != "NOT_FOUND" || r.String("createResource.errors.0.path.0") != "spaceId" {
				t.Errorf("staff: %v", r.Data)
			}
		})
		w.T.Run("what is left out stays as it is, and null empties what may be empty", func(t *testing.T) {
			r := staff.Must(update, input(vars{"resourceId": guide, "expectedVersion": 1, "summary": nil, "note": "nothing else"}))
			if r.String("updateResource.resource.title") != "Heron guide" || r.String("updateResource.resource.summary") != "" || r.Len("updateResource.resource.versions.edges") != 2 {
				t.Errorf("changed to %v", r.Data)
			}
			if r := staff.Do(update, input(vars{"resourceId": guide, "expectedVersion": 1, "title": "x"})); r.String("updateResource.errors.0.code") != "STALE_VERSION" {
				t.Errorf("old version: %v", r.Data)
			}
		})
		w.T.Run("lists and search show what each can see", func(t *testing.T) {
			thread := w.Thread(ada, network, "Sightings", "A heron & an egret < ibis.")
			w.Post(ada, thread, "Another heron.")
			search := apitest.Operation(t, "search")
			for p, want := range map[*apitest.Person][2]int{ada: {2, 4}, staff: {1, 3}, out: {1, 1}} {
				if n := p.Must(apitest.Operation(t, "resources"), vars{"first": 10}).Len("resources.edges"); n != want[0] {
					t.Errorf("%s sees %d resources, want %d", p.Handle, n, want[0])
				}
				if n := p.Must(search, vars{"query": "heron", "first": 10}).Len("search.edges"); n != want[1] {
					t.Errorf("%s found %d, want %d", p.Handle, n, want[1])
				}
			}
			r := ada.Must(search, vars{"query": "heron egret", "first": 1})
			if s := r.String("search.edges.0.snippet"); !strings.Contains(s, "<mark>heron</mark> &amp; an <mark>egret</mark> &lt; ibis") {
				t.Errorf("snippet %q", s)
			}
			if r.String("search.edges.0.node.thread.id") != thread.String() {
				t.Errorf("found %v", r.Data)
			}
			if code := ada.Do(search, vars{"query": "heron", "first": 1, "after": r.String("search.pageInfo.endCursor")}).Code(); code != "INVALID_CURSOR" {
				t.Errorf("a cursor of another search: %s", code)
			}
		})
	})
}

package library_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/library"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func (w *world) create(v viewer.Viewer, in library.NewResource) (*ent.Resource, error) {
	return w.CreateResource(w.as(v), v, in)
}

func (w *world) resource(v viewer.Viewer, in library.NewResource) *ent.Resource {
	w.Helper()
	in.Kind = resource.KindLINK
	r, err := w.create(v, in)
	w.must(err)
	return r
}

func resourceIDs(c *page.Connection[ent.Resource]) []gid.ID {
	ids := []gid.ID{}
	for _, e := range c.Edges {
		ids = append(ids, e.Node.ID)
	}
	return ids
}

func TestCreateResource(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		t := w.T
		staff, ann, eve := w.staff(), w.participant("Ann"), w.participant("Eve")
		group, hidden, old := w.space(space.KindWORKGROUP), w.space(space.KindAFFINITY), w.space(space.KindWORKGROUP)
		for _, s := range []*ent.Space{group, hidden, old} {
			w.join(s, ann, spacemembership.RoleMEMBER)
		}
		w.write(func(ctx context.Context, tx *ent.Client) error {
			return tx.Space.UpdateOne(old).SetArchivedAt(w.now()).Exec(ctx)
		})
		b, a := w.framework("B way"), w.framework("A way")
		in := func(audience resource.Audience, s *ent.Space) library.NewResource {
			n := library.NewResource{Kind: "TOOL", Title: "Guide", Audience: audience}
			if s != nil {
				n.SpaceID = &s.ID
			}
			return n
		}
		t.Run("staff add for everybody, with a first version", func(t *testing.T) {
			r, err := w.create(staff, library.NewResource{
				Kind: "LINK", Title: " A guide ", Summary: "What it *is*\r\n", URL: "https://example.org/", Licence: "CC-BY-4.0", FrameworkIDs: []gid.ID{b, a, b}, Audience: "PUBLIC",
			})
			w.must(err)
			if r.Title != "A guide" || r.Summary != "What it *is*" || r.Version != 1 || r.AuthorID != me(staff) || r.ArchivedAt != nil {
				t.Errorf("made %+v", r)
			}
			of, err := w.FrameworksOf(w.as(eve), []gid.ID{r.ID, w.network.ID})
			w.must(err)
			if len(of[0]) != 2 || of[0][0].ID != a || of[0][1].ID != b || of[1] == nil || len(of[1]) != 0 {
				t.Errorf("frameworks %v", of)
			}
			versions, err := w.Versions(w.as(eve), eve, []gid.ID{r.ID}, first(5))
			w.must(err)
			if v := versions[0].Edges; len(v) != 1 || v[0].Node.Number != 1 || v[0].Node.Title != "A guide" || v[0].Node.Summary != r.Summary || v[0].Node.URL != r.URL {
				t.Errorf("versions %v", v)
			}
		})
		t.Run("members add in their spaces, hidden ones too", func(t *testing.T) {
			for _, s := range []*ent.Space{group, hidden} {
				if _, err := w.create(ann, in("SPACE", s)); err != nil {
					t.Error(err)
				}
			}
		})
		t.Run("others are refused", func(t *testing.T) {
			_, err := w.create(viewer.Anonymous(), in("PUBLIC", nil))
			refused(t, err, fault.Unauthenticated, "")
			for _, audience := range []resource.Audience{"PUBLIC", "NETWORK"} {
				_, err := w.create(ann, in(audience, nil))
				refused(t, err, fault.Forbidden, "")
			}
			for _, v := range []viewer.Viewer{staff, eve} {
				_, err := w.create(v, in("SPACE", hidden))
				refused(t, err, fault.NotFound, "spaceId")
				_, err = w.create(v, in("SPACE", &ent.Space{ID: gid.New(gid.Space, w.now())}))
				refused(t, err, fault.NotFound, "spaceId")
			}
			_, err = w.create(ann, in("SPACE", old))
			refused(t, err, fault.Archived, "")
		})
		t.Run("input is checked at its place, all of it at once", func(t *testing.T) {
			_, err := w.create(staff, library.NewResource{
				Kind: "SONG", Title: " ", Summary: strings.Repeat("x", 10_001), URL: "javascript:x", Licence: strings.Repeat("x", 121), FrameworkIDs: make([]gid.ID, 11), Audience: "SPACE",
			})
			for _, path := range []string{"kind", "title", "summary", "url", "licence", "frameworkIds", "spaceId"} {
				refused(t, err, fault.InvalidInput, path)
			}
			_, err = w.create(staff, in("NETWORK", group))
			refused(t, err, fault.InvalidInput, "spaceId")
			n := in("PUBLIC", nil)
			n.FrameworkIDs = []gid.ID{a, a, gid.New(gid.Framework, w.now())}
			_, err = w.create(staff, n)
			refused(t, err, fault.NotFound, "frameworkIds.2")
		})
		t.Run("an idempotency key makes one", func(t *testing.T) {
			n := in("PUBLIC", nil)
			n.IdempotencyKey = new("k")
			one, err := w.create(staff, n)
			w.must(err)
			again, err := w.create(staff, n)
			w.must(err)
			if one.ID != again.ID {
				t.Error("made two")
			}
			n.Title = "Other"
			_, err = w.create(staff, n)
			refused(t, err, fault.IdempotencyConflict, "idempotencyKey")
		})
	})
}

func TestUpdateResource(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		t := w.T
		staff, ann, eve, fay := w.staff(), w.participant("Ann"), w.participant("Eve"), w.participant("Fay")
		group := w.space(space.KindWORKGROUP)
		w.join(group, ann, spacemembership.RoleMEMBER)
		w.join(group, eve, spacemembership.RoleMEMBER)
		w.join(group, fay, spacemembership.RoleFACILITATOR)
		public := w.resource(staff, library.NewResource{Title: "Public", Summary: "Text", Audience: "PUBLIC"})
		kept := w.resource(ann, library.NewResource{Title: "Kept", Audience: "SPACE", SpaceID: &group.ID})
		a := w.framework("A way")
		update := func(v viewer.Viewer, r *ent.Resource, version int, p library.ResourcePatch) (*ent.Resource, error) {
			return w.UpdateResource(w.as(v), v, r.ID, version, p)
		}
		title := func(s string) library.ResourcePatch {
			return library.ResourcePatch{Description: library.Description{Title: &s}}
		}
		t.Run("what is left out stays, and each change is a version", func(t *testing.T) {
			p := title("Public, newer")
			p.FrameworkIDs, p.Note = &[]gid.ID{a}, "A better title"
			r, err := update(staff, public, 1, p)
			w.must(err)
			if r.Title != "Public, newer" || r.Summary != "Text" || r.Version != 2 || !r.UpdatedAt.After(public.UpdatedAt) {
				t.Errorf("changed to %+v", r)
			}
			r, err = update(staff, public, 2, library.ResourcePatch{Description: library.Description{Summary: new("")}, FrameworkIDs: &[]gid.ID{}})
			w.must(err)
			if r.Title != "Public, newer" || r.Summary != "" {
				t.Errorf("changed to %+v", r)
			}
			of, err := w.FrameworksOf(w.as(ann), []gid.ID{r.ID})
			w.must(err)
			if len(of[0]) != 0 {
				t.Error("the frameworks are still there")
			}
			before := w.Store.Statements()
			versions, err := w.Versions(w.as(ann), ann, []gid.ID{r.ID, kept.ID}, first(2))
			w.must(err)
			if n := w.Store.Statements() - before; n != 1 {
				t.Errorf("%d statements", n)
			}
			v := versions[0]
			if len(v.Edges) != 2 || v.Edges[0].Node.Number != 3 || v.Edges[1].Node.Note != "A better title" || !v.PageInfo.HasNextPage || len(versions[1].Edges) != 1 {
				t.Errorf("versions %+v", v)
			}
		})
		t.Run("an old version is refused", func(t *testing.T) {
			_, err := update(staff, public, 1, title("x"))
			refused(t, err, fault.StaleVersion, "expectedVersion")
		})
		t.Run("of two at once one is refused", func(t *testing.T) {
			errs := make([]error, 2)
			at, ids := w.now(), []gid.ID{w.NewID(gid.ResourceVersion), w.NewID(gid.ResourceVersion)}
			var all sync.WaitGroup
			for i := range errs {
				s := *w.Service
				s.Now = func() time.Time { return at }
				s.NewID = func(gid.Kind) gid.ID { return ids[i] }
				all.Go(func() { _, errs[i] = s.UpdateResource(w.as(staff), staff, public.ID, 3, title("At once")) })
			}
			all.Wait()
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Errorf("errors %v", errs)
			}
			for _, err := range errs {
				if err != nil {
					refused(t, err, fault.StaleVersion, "expectedVersion")
				}
			}
		})
		t.Run("who may change it", func(t *testing.T) {
			rows, err := w.Store.Client(w.ctx).Resource.Query().Where(resource.IDIn(public.ID, kept.ID)).Order(resource.ByCreatedAt()).All(w.ctx)
			w.must(err)
			for _, c := range []struct {
				who  viewer.Viewer
				want []bool // the public one, the one in the space
			}{{staff, []bool{true, true}}, {ann, []bool{false, true}}, {eve, []bool{false, false}}, {fay, []bool{false, true}}, {viewer.Anonymous(), []bool{false, false}}} {
				can, err := w.CanUpdate(w.as(c.who), c.who, rows)
				w.must(err)
				if !slices.Equal(can, c.want) {
					t.Errorf("%v can %v, want %v", c.who, can, c.want)
				}
				if c.who.IsMember() && !can[1] {
					_, err := update(c.who, kept, 1, title("x"))
					refused(t, err, fault.Forbidden, "")
					_, err = w.ArchiveResource(w.as(c.who), c.who, kept.ID)
					refused(t, err, fault.Forbidden, "")
				}
			}
			gus := w.participant("Gus")
			_, err = update(gus, kept, 1, title("x"))
			refused(t, err, fault.NotFound, "resourceId")
			_, err = w.ArchiveResource(w.as(gus), gus, kept.ID)
			refused(t, err, fault.NotFound, "resourceId")
		})
		t.Run("a retired resource is not changed any more", func(t *testing.T) {
			r, err := w.ArchiveResource(w.as(fay), fay, kept.ID)
			w.must(err)
			again, err := w.ArchiveResource(w.as(ann), ann, kept.ID)
			w.must(err)
			if r.ArchivedAt == nil || !again.ArchivedAt.Equal(*r.ArchivedAt) {
				t.Errorf("retired at %v, then %v", r.ArchivedAt, again.ArchivedAt)
			}
			_, err = update(fay, kept, 1, title("x"))
			refused(t, err, fault.Archived, "")
			can, err := w.CanUpdate(w.as(fay), fay, []*ent.Resource{r})
			w.must(err)
			if can[0] {
				t.Error("may change it still")
			}
		})
		t.Run("in an archived space nothing is changed", func(t *testing.T) {
			r := w.resource(ann, library.NewResource{Title: "Last", Audience: "SPACE", SpaceID: &group.ID})
			w.write(func(ctx context.Context, tx *ent.Client) error {
				return tx.Space.UpdateOneID(group.ID).SetArchivedAt(w.now()).Exec(ctx)
			})
			for _, v := range []viewer.Viewer{staff, fay, ann} {
				_, err := update(v, r, 1, title("x"))
				refused(t, err, fault.Archived, "")
				_, err = w.ArchiveResource(w.as(v), v, r.ID)
				refused(t, err, fault.Archived, "")
			}
		})
	})
}

func TestResourceLists(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		t := w.T
		staff, ann, out := w.staff(), w.participant("Ann"), w.member("Out")
		group, hidden := w.space(space.KindWORKGROUP), w.space(space.KindAFFINITY)
		w.join(group, ann, spacemembership.RoleMEMBER)
		w.join(hidden, ann, spacemembership.RoleMEMBER)
		a := w.framework("A way")
		public := w.resource(staff, library.NewResource{Title: "Public", Audience: "PUBLIC", FrameworkIDs: []gid.ID{a}})
		network := w.resource(staff, library.NewResource{Title: "Network", Audience: "NETWORK"})
		inGroup := w.resource(ann, library.NewResource{Title: "Group", Audience: "SPACE", SpaceID: &group.ID})
		inHidden := w.resource(ann, library.NewResource{Title: "Hidden", Audience: "SPACE", SpaceID: &hidden.ID})
		retired := w.resource(ann, library.NewResource{Title: "Retired", Audience: "SPACE", SpaceID: &group.ID})
		_, err := w.ArchiveResource(w.as(ann), ann, retired.ID)
		w.must(err)
		_, err = w.UpdateResource(w.as(staff), staff, public.ID, 1, library.ResourcePatch{Note: "on top"})
		w.must(err)

		list := func(v viewer.Viewer, f library.Filter, a page.Args) *page.Connection[ent.Resource] {
			c, err := w.List(w.as(v), v, f, a)
			w.must(err)
			return c
		}
		for who, c := range map[string]struct {
			v    viewer.Viewer
			want []gid.ID
		}{
			"a visitor":     {viewer.Anonymous(), []gid.ID{public.ID}},
			"a stranger":    {out, []gid.ID{public.ID}},
			"staff":         {staff, []gid.ID{public.ID, inGroup.ID, network.ID}},
			"a participant": {ann, []gid.ID{public.ID, inHidden.ID, inGroup.ID, network.ID}},
		} {
			if got := resourceIDs(list(c.v, library.Filter{}, first(10))); !slices.Equal(got, c.want) {
				t.Errorf("%s sees %v, want %v", who, got, c.want)
			}
			one, err := w.Resource(w.as(c.v), c.v, inHidden.ID)
			if who == "a participant" {
				w.must(err)
				_, err = w.Resource(w.as(c.v), c.v, retired.ID) // by its id it is still there
				w.must(err)
			} else if refused(t, err, fault.NotFound, ""); one != nil {
				t.Errorf("%s sees the hidden one", who)
			}
		}
		t.Run("filters and pages", func(t *testing.T) {
			if got := resourceIDs(list(ann, library.Filter{FrameworkID: &a}, first(10))); !slices.Equal(got, []gid.ID{public.ID}) {
				t.Errorf("of the framework: %v", got)
			}
			if got := resourceIDs(list(ann, library.Filter{Kind: new(resource.KindVIDEO)}, first(10))); len(got) != 0 {
				t.Errorf("videos: %v", got)
			}
			p := list(ann, library.Filter{}, first(3))
			next := first(3)
			next.After = p.PageInfo.EndCursor
			if got := resourceIDs(list(ann, library.Filter{}, next)); !p.PageInfo.HasNextPage || !slices.Equal(got, []gid.ID{network.ID}) {
				t.Errorf("second page: %v", got)
			}
		})
		t.Run("of spaces, in one statement, for those who see them", func(t *testing.T) {
			ids := []gid.ID{hidden.ID, w.network.ID, group.ID}
			before := w.Store.Statements()
			of, err := w.InSpaces(w.as(ann), ann, ids, first(1))
			w.must(err)
			if n := w.Store.Statements() - before; n != 1 {
				t.Errorf("%d statements", n)
			}
			if !slices.Equal(resourceIDs(of[0]), []gid.ID{inHidden.ID}) || len(of[1].Edges) != 0 || !slices.Equal(resourceIDs(of[2]), []gid.ID{inGroup.ID}) || of[2].PageInfo.HasNextPage {
				t.Errorf("got %v %v %v", resourceIDs(of[0]), resourceIDs(of[1]), resourceIDs(of[2]))
			}
			of, err = w.InSpaces(w.as(staff), staff, []gid.ID{hidden.ID}, first(1))
			w.must(err)
			if len(of[0].Edges) != 0 {
				t.Error("staff look into a hidden space")
			}
		})
		t.Run("versions are seen by those who see the resource", func(t *testing.T) {
			of, err := w.Versions(w.as(staff), staff, []gid.ID{inHidden.ID}, first(1))
			w.must(err)
			if len(of[0].Edges) != 0 {
				t.Error("staff see versions of a hidden resource")
			}
		})
		t.Run("frameworks by name", func(t *testing.T) {
			w.framework("0 way")
			all, err := w.Frameworks(w.as(viewer.Anonymous()))
			w.must(err)
			if len(all) != 2 || all[0].Name != "0 way" {
				t.Errorf("frameworks %v", all)
			}
		})
	})
}

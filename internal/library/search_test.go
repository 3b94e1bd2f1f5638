package library_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/library"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func nodeID(f *library.Found) gid.ID {
	switch n := f.Node.(type) {
	case *ent.Thread:
		return n.ID
	case *ent.Post:
		return n.ID
	case *ent.Resource:
		return n.ID
	case *ent.Member:
		return n.ID
	case *ent.Organization:
		return n.ID
	default:
		return gid.ID{}
	}
}

func idsOf(c *page.Connection[library.Found]) []gid.ID {
	ids := []gid.ID{}
	for _, e := range c.Edges {
		ids = append(ids, nodeID(e.Node))
	}
	return ids
}

func (w *world) search(v viewer.Viewer, query string, a page.Args, kinds ...searchdocument.Kind) *page.Connection[library.Found] {
	w.Helper()
	c, err := w.Search(w.as(v), v, query, kinds, a)
	w.must(err)
	return c
}

func TestSearchLanguage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		t := w.T
		ann := w.participant("Ann Example")
		thread := w.thread(w.network, ann, "Screening at check-in")
		posts := map[string]gid.ID{}
		for i, body := range []string{
			"Families told us that transportation is the main barrier.",
			"We tested transport vouchers with three families last week.",
			"The run chart shows a shift: six points above the median.",
			"What the median shows depends on the chart.",
			"Our state of the art clinic is running late.",
		} {
			posts[body[:8]] = w.post(thread, ann, i+1, body)
		}
		for query, want := range map[string][]string{
			"family":                      {"Families", "We teste"}, // stems
			"FAMILIES":                    {"Families", "We teste"}, // letters' case
			"families voucher":            {"We teste"},             // all words must match
			"transpor":                    {"Families", "We teste"}, // the last word may go on
			"transpor families":           {},                       // others may not
			"transportat":                 {},                       // but not beyond its stem: the index has stems only
			`"run chart"`:                 {"The run "},             // phrases
			`"chart run"`:                 {},                       //
			`chart -run`:                  {"What the"},             // exclusions
			`chart -"six points"`:         {"What the"},             //
			`"state of the art"`:          {"Our stat"},             // stop words hold their place in a phrase
			`"state art"`:                 {},                       //
			`"run chart`:                  {"The run "},             // a quote that is not closed
			"the median of the chart":     {"The run ", "What the"}, // stop words count for nothing
			"median & chart | (shows:*)!": {"The run ", "What the"}, // signs mean nothing
			"NOT AND OR NEAR":             {},                       // "near" is a word, and is nowhere
			"title: chart":                {},                       //
			"running":                     {"Our stat", "The run "}, // one stem
			"the":                         {},                       // nothing to look for
			"-chart":                      {},                       //
			"--- !!! \"\" -\"\" ' ''":     {},                       //
			"check-in":                    {"thread"},               // hyphens
		} {
			got := idsOf(w.search(ann, query, first(20)))
			ids := []gid.ID{}
			for _, name := range want {
				if name == "thread" {
					ids = append(ids, thread)
				} else {
					ids = append(ids, posts[name])
				}
			}
			slices.SortFunc(got, byText)
			slices.SortFunc(ids, byText)
			if !slices.Equal(got, ids) {
				t.Errorf("%s: %d found, want %v", query, len(got), want)
			}
		}
		for _, query := range []string{"", "   ", strings.Repeat("x", 201), "a\x00b", "a\nb", "a\x7fb", "a\xffb"} {
			_, err := w.Search(w.as(ann), ann, query, nil, first(5))
			refused(t, err, fault.InvalidInput, "query")
		}
		_, err := w.Search(w.as(ann), ann, "the", nil, page.Args{})
		refused(t, err, fault.InvalidInput, "first")
	})
}

func byText(a, b gid.ID) int { return strings.Compare(a.String(), b.String()) }

func TestSearchFindsEveryKind(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		t := w.T
		ann, staff := w.participant("Ann Heron"), w.staff()
		thread := w.thread(w.network, ann, "Heron sightings")
		post := w.post(thread, ann, 1, "A heron was seen.")
		org := w.organization("Clinic by the river", "Heron Bay")
		res, err := w.CreateResource(w.as(staff), staff, library.NewResource{Kind: "LINK", Audience: "PUBLIC", Title: "Heron guide", Summary: "All of them"})
		w.must(err)
		want := []gid.ID{me(ann), thread, post, org, res.ID}
		got := idsOf(w.search(ann, "heron", first(20)))
		slices.SortFunc(got, byText)
		slices.SortFunc(want, byText)
		if !slices.Equal(got, want) {
			t.Errorf("found %v, want %v", got, want)
		}
		if got := idsOf(w.search(ann, "heron", first(20), searchdocument.KindPOST, searchdocument.KindRESOURCE, searchdocument.KindPOST)); len(got) != 2 {
			t.Errorf("posts and resources: %v", got)
		}
		if got := idsOf(w.search(viewer.Anonymous(), "heron", first(20))); !slices.Equal(got, []gid.ID{res.ID}) {
			t.Errorf("a visitor found %v", got)
		}
		t.Run("a title ranks above a body", func(t *testing.T) {
			if got := idsOf(w.search(ann, "heron", first(20), searchdocument.KindPOST, searchdocument.KindTHREAD)); got[0] != thread {
				t.Errorf("first %v", got)
			}
		})
		t.Run("a new version is found by its text, a retired resource is not", func(t *testing.T) {
			_, err := w.UpdateResource(w.as(staff), staff, res.ID, 1, library.ResourcePatch{Description: library.Description{Title: new("Egret guide")}})
			w.must(err)
			if len(w.search(ann, "heron guide", first(5)).Edges) != 0 || len(w.search(ann, "egret", first(5)).Edges) != 1 {
				t.Error("the index holds the old text")
			}
			_, err = w.ArchiveResource(w.as(staff), staff, res.ID)
			w.must(err)
			if len(w.search(staff, "egret", first(5)).Edges) != 0 {
				t.Error("found a retired resource")
			}
		})
		t.Run("statements are constant", func(t *testing.T) {
			before := w.Store.Statements()
			w.search(ann, "heron", first(20), searchdocument.KindPOST)
			one := w.Store.Statements() - before
			for i := range 10 {
				w.post(thread, ann, i+2, "Another heron.")
			}
			before = w.Store.Statements()
			w.search(ann, "heron", first(20), searchdocument.KindPOST)
			if many := w.Store.Statements() - before; many != one || one != 2 {
				t.Errorf("%d statements for one row, %d for eleven", one, many)
			}
		})
	})
}

func TestSearchPages(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		t := w.T
		ann := w.participant("Ann")
		thread := w.thread(w.network, ann, "Counting")
		for i := range 23 {
			w.post(thread, ann, i+1, strings.Repeat("heron ", 1+i%4)+strings.Repeat("other words ", i%3))
		}
		whole := w.search(ann, "heron", first(100))
		all := idsOf(whole)
		if len(all) != 23 || whole.PageInfo.HasNextPage || whole.PageInfo.HasPreviousPage {
			t.Fatalf("%d found, %+v", len(all), whole.PageInfo)
		}
		t.Run("forwards", func(t *testing.T) {
			var got []gid.ID
			a := first(7)
			for {
				p := w.search(ann, "heron", a)
				got = append(got, idsOf(p)...)
				if !p.PageInfo.HasNextPage {
					break
				}
				a.After = p.PageInfo.EndCursor
			}
			if !slices.Equal(got, all) {
				t.Errorf("got %v, want %v", got, all)
			}
		})
		t.Run("backwards", func(t *testing.T) {
			var got []gid.ID
			a := last(7)
			for {
				p := w.search(ann, "heron", a)
				got = append(idsOf(p), got...)
				if !p.PageInfo.HasPreviousPage {
					break
				}
				a.Before = p.PageInfo.StartCursor
			}
			if !slices.Equal(got, all) {
				t.Errorf("got %v, want %v", got, all)
			}
		})
		t.Run("the next page is the same while rows come and go", func(t *testing.T) {
			p := w.search(ann, "heron", first(10))
			a := first(100)
			a.After = p.PageInfo.EndCursor
			before := idsOf(w.search(ann, "heron", a))
			w.post(thread, ann, 100, strings.Repeat("heron ", 50)) // one more, and it is first
			w.write(func(ctx context.Context, tx *ent.Client) error {
				return store.Unindex(ctx, tx, all[9], all[0], before[3])
			})
			after := idsOf(w.search(ann, "heron", a))
			if want := slices.Delete(slices.Clone(before), 3, 4); !slices.Equal(after, want) {
				t.Errorf("got %v, want %v", after, want)
			}
		})
		t.Run("a cursor of another search is refused", func(t *testing.T) {
			cursor := w.search(ann, "heron", first(2)).PageInfo.EndCursor
			a := first(2)
			a.After = cursor
			for _, err := range []error{
				second(w.Search(w.as(ann), ann, "herons", nil, a)),
				second(w.Search(w.as(ann), ann, "the", nil, a)),
				second(w.Search(w.as(ann), ann, "heron", []searchdocument.Kind{searchdocument.KindPOST}, a)),
			} {
				refused(t, err, fault.InvalidCursor, "")
			}
		})
	})
}

func second[T any](_ T, err error) error { return err }

func TestSearchTellsNothingOfWhatIsHidden(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		t := w.T
		ann, eve, staff := w.participant("Ann"), w.participant("Eve"), w.staff()
		hidden := w.space(space.KindAFFINITY)
		w.join(hidden, ann, spacemembership.RoleFACILITATOR)
		thread := w.thread(w.network, ann, "Heron sightings")
		for i := range 6 {
			w.post(thread, ann, i+1, strings.Repeat("A heron stands still. ", i+1))
		}
		outsiders := map[string]viewer.Viewer{"a participant": eve, "staff": staff, "a visitor": viewer.Anonymous()}
		queries := []string{"heron", "heron stands", `"heron stands"`, "her", "heron -still", "confidential heron"}
		look := func(v viewer.Viewer) string {
			var all []any
			for _, q := range queries {
				for _, a := range []page.Args{first(3), last(3), first(100)} {
					p := w.search(v, q, a)
					all = append(all, p.PageInfo)
					for _, e := range p.Edges {
						all = append(all, e.Cursor, nodeID(e.Node).String(), e.Node.Snippet)
					}
					if a.First != nil && p.PageInfo.HasNextPage {
						next := first(3)
						next.After = p.PageInfo.EndCursor
						all = append(all, w.search(v, q, next).PageInfo)
					}
				}
			}
			text, err := json.Marshal(all)
			w.must(err)
			return string(text)
		}
		before := map[string]string{}
		for who, v := range outsiders {
			before[who] = look(v)
		}
		secret := w.thread(hidden, ann, "Confidential heron of a heron")
		for i := range 30 {
			w.post(secret, ann, i+1, fmt.Sprintf("heron by heron stands still, confidential %d", i))
		}
		res, err := w.CreateResource(w.as(ann), ann, library.NewResource{Kind: "FILE", Audience: "SPACE", SpaceID: &hidden.ID, Title: "Confidential heron"})
		w.must(err)
		if got := idsOf(w.search(ann, "confidential heron", first(100))); len(got) != 32 || !slices.Contains(got, res.ID) {
			t.Fatalf("the member of the hidden space found %d", len(got))
		}
		for who, v := range outsiders {
			if after := look(v); after != before[who] {
				t.Errorf("%s can tell:\n%s\n%s", who, before[who], after)
			}
		}
	})
}

func TestSnippets(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		t := w.T
		ann := w.participant("Ann")
		thread := w.thread(w.network, ann, "<b>Title</b> of egrets & \"others\"")
		w.post(thread, ann, 1, "## Heading\n\n<script>alert('heron')</script> **See** [the heron](https://example.org/x?a=b&c) & `code` <img onerror=x>")
		w.post(thread, ann, 2, strings.Repeat("filler words here ", 200)+"the ibis comes late "+strings.Repeat("and more words ", 200))
		snippet := func(q string) string {
			p := w.search(ann, q, first(1))
			if len(p.Edges) != 1 {
				t.Fatalf("%s: nothing found", q)
			}
			return p.Edges[0].Node.Snippet
		}
		for q, mark := range map[string]string{"egret": "<mark>egrets</mark>", "heron": "<mark>heron</mark>", "ibis": "<mark>ibis</mark>"} {
			s := snippet(q)
			if !strings.Contains(s, mark) {
				t.Errorf("%s is not marked: %s", q, s)
			}
			plain := strings.NewReplacer("<mark>", "", "</mark>", "").Replace(s)
			if strings.ContainsAny(plain, "<>\"'\x01\x02") || strings.Contains(plain, "](") || strings.Contains(plain, "**") {
				t.Errorf("%s: not safe or not clean: %s", q, s)
			}
			if len(s) > 600 {
				t.Errorf("%s: %d bytes are no snippet", q, len(s))
			}
		}
	})
}

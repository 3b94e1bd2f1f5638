package apitest_test

import (
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	saveWhole = `mutation($input: SaveDraftInput!) { saveDraft(input: $input) { draft { id version kind tags attachments { id name } versions { version kind tags attachments { id } } }
		errors { code message path } } }`
	threadOfPost = `query($id: ID!) { node(id: $id) { ... on Post { attachments { id } thread { kind tags } } } }`
)

// A draft has all that a post can hold, keeps its files, and lets them go with it.
func TestDraftsOfWholePosts(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ben, ada)
		thread := w.Thread(ben, network, "T", "B")
		uploaded := func(p *apitest.Person) string {
			return upload(w.T, w, p.Token(), "name=notes.txt&purpose=POST", strings.NewReader("Notes of "+w.NewID(gid.Post).String())).id(w.T)
		}
		served := func(id string) bool {
			f, err := gid.Parse(id)
			must0(w.T, err)
			return w.App.Store.Client(w.System()).File.Query().Where(file.ID(f), file.AttachedAtNotNil(), file.DeletedAtIsNil()).ExistX(w.System())
		}
		w.T.Run("versions carry kind, tags and files, and a file goes with the last version that names it", func(t *testing.T) {
			a, b := uploaded(ada), uploaded(ada)
			begun := ada.Must(saveWhole, input(vars{"spaceId": network, "title": "T", "body": "B", "kind": "QUESTION", "tags": []string{"Equity", "data"}, "attachmentFileIds": []string{b, a}}))
			id := begun.String("saveDraft.draft.id")
			if begun.String("saveDraft.draft.kind") != "QUESTION" || begun.String("saveDraft.draft.tags.1") != "equity" || begun.String("saveDraft.draft.attachments.0.id") != b || begun.Len("saveDraft.draft.attachments") != 2 {
				t.Errorf("%s", begun.Body)
			}
			edited := ada.Must(saveWhole, input(vars{"draftId": id, "expectedVersion": 1, "kind": nil, "tags": []string{}, "attachmentFileIds": []string{a}}))
			if edited.At("saveDraft.draft.kind") != nil || edited.Len("saveDraft.draft.tags") != 0 || edited.Len("saveDraft.draft.attachments") != 1 ||
				edited.String("saveDraft.draft.versions.0.kind") != "QUESTION" || edited.String("saveDraft.draft.versions.0.attachments.0.id") != b {
				t.Errorf("%s", edited.Body)
			}
			if !served(a) || !served(b) {
				t.Error("a file of an earlier version is gone")
			}
			for version := 2; version < 23; version++ {
				ada.Must(saveWhole, input(vars{"draftId": id, "expectedVersion": version, "title": strings.Repeat("x", version)}))
			}
			if !served(a) || served(b) {
				t.Error("the files that are left are not those that are named")
			}
			ada.Must(deleteDraft, input(vars{"draftId": id}))
			if served(a) {
				t.Error("a file outlives its draft")
			}
		})
		w.T.Run("what it names is published, and its files go over to the post", func(t *testing.T) {
			a, b := uploaded(ada), uploaded(ada)
			id := ada.Must(saveWhole, input(vars{"spaceId": network, "title": "T", "body": "B", "kind": "QUESTION", "tags": []string{"equity"}, "attachmentFileIds": []string{a, b}})).String("saveDraft.draft.id")
			ada.Must(saveWhole, input(vars{"draftId": id, "expectedVersion": 1, "attachmentFileIds": []string{b}}))
			published := ada.Must(publishDraft, input(vars{"draftId": id})).String("publishDraft.post.id")
			got := ada.Must(threadOfPost, vars{"id": published})
			if got.Len("node.attachments") != 1 || got.String("node.attachments.0.id") != b || got.String("node.thread.kind") != "QUESTION" || got.String("node.thread.tags.0") != "equity" {
				t.Errorf("%s", got.Body)
			}
			if served(a) || !served(b) {
				t.Error("what the post does not hold stays, or what it holds went")
			}
		})
		w.T.Run("what cannot be kept is refused, and nothing is kept", func(t *testing.T) {
			mine, theirs := uploaded(ada), uploaded(ben)
			used := uploaded(ada)
			ada.Must(saveWhole, input(vars{"threadId": thread, "body": "B", "attachmentFileIds": []string{used}}))
			for name, c := range map[string]struct {
				in   vars
				code string
			}{
				"another member's file": {vars{"threadId": thread, "attachmentFileIds": []string{mine, theirs}}, "NOT_FOUND"},
				"another draft's file":  {vars{"threadId": thread, "attachmentFileIds": []string{mine, used}}, "INVALID_INPUT"},
				"a file twice":          {vars{"threadId": thread, "attachmentFileIds": []string{mine, mine}}, "INVALID_INPUT"},
				"the kind of a post":    {vars{"threadId": thread, "kind": "QUESTION"}, "INVALID_INPUT"},
				"the tags of a post":    {vars{"threadId": thread, "tags": []string{"a"}}, "INVALID_INPUT"},
				"a bad tag":             {vars{"spaceId": network, "tags": []string{"a b"}}, "INVALID_INPUT"},
			} {
				if got := ada.Do(saveWhole, input(c.in)); got.Code() != c.code {
					t.Errorf("%s: %s", name, got.Body)
				}
			}
			if served(mine) {
				t.Error("a file was taken")
			}
		})
		sound(w)
	})
}

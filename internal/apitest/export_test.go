package apitest_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
)

const createExport = `mutation($input: CreateExportInput!) { createExport(input: $input) { url expiresAt errors { code message } } }`

// fetch gets a path of the server without signing in.
func fetch(w *apitest.World, method, path string) *http.Response {
	w.T.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, w.URL+strings.TrimPrefix(path, w.URL), nil)
	if err != nil {
		w.T.Fatal(err)
	}
	client := &http.Client{Timeout: time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		w.T.Fatal(err)
	}
	return resp
}

// archive fetches an archive and returns its files by name.
func archive(w *apitest.World, link string) map[string]string {
	w.T.Helper()
	resp := fetch(w, http.MethodGet, link)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		w.T.Fatalf("%d, %v: %.200s", resp.StatusCode, err, body)
	}
	return unzip(w, body)
}

func unzip(w *apitest.World, body []byte) map[string]string {
	w.T.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		w.T.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		if f.Name != path.Base(f.Name) || strings.ContainsAny(f.Name, `\:`) {
			w.T.Errorf("a file called %q", f.Name)
		}
		r, err := f.Open()
		if err != nil {
			w.T.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			w.T.Fatal(err)
		}
		files[f.Name] = string(content)
		if strings.HasSuffix(f.Name, ".json") && !json.Valid(content) {
			w.T.Errorf("%s is no JSON: %.200s", f.Name, content)
		}
	}
	return files
}

func TestExport(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		var logged log
		var ahead atomic.Int64
		w := apitest.Serve(t, url, apitest.Log(&logged), apitest.Clock(func() time.Time {
			return time.Now().UTC().Truncate(time.Microsecond).Add(time.Duration(ahead.Load()))
		}))
		admin := w.Role(w.Member("admin"), roleassignment.RoleADMIN)
		ada, ben := w.Member("ada"), w.Member("ben")
		ada.Must(`mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { errors { code message } } }`,
			input(vars{"name": `../../Ada "x"`, "title": "Content-Disposition: y"}))
		network, group := w.Space(space.KindNETWORK, "Network", ben, ada), w.Space(space.KindAFFINITY, "Confidential", ben, ada)
		thread := w.Thread(ada, network, "Said in the open", "First words")
		edited := w.Post(ada, thread, "Before the edit")
		ada.Must(`mutation($input: EditPostInput!) { editPost(input: $input) { errors { code message } } }`,
			input(vars{"postId": edited, "expectedVersion": 1, "body": "After the edit"}))
		gone := w.Post(ada, thread, "Deleted words")
		ada.Must(`mutation($input: DeletePostInput!) { deletePost(input: $input) { errors { code message } } }`, input(vars{"postId": gone}))
		w.Post(ben, thread, "Hello @"+ada.Handle+", words of ben")
		secret := w.Thread(ada, group, "Said in confidence", "Confidential words")
		w.Post(ben, secret, "Hello @"+ada.Handle)
		for _, p := range []gid.ID{w.Post(ben, secret, "x"), w.Post(ben, thread, "y")} {
			ada.Must(`mutation($input: AddReactionInput!) { addReaction(input: $input) { errors { code message } } }`, input(vars{"postId": p, "emoji": "👍"}))
		}
		for _, s := range []gid.ID{network, group} {
			ada.Must(`mutation($input: CreateResourceInput!) { createResource(input: $input) { errors { code message } } }`,
				input(vars{"kind": "LINK", "title": "Resource in " + s.String(), "audience": "SPACE", "spaceId": s}))
		}
		for _, in := range []gid.ID{thread, secret} {
			body := "A draft for " + in.String()
			draft := ada.Must(saveDraft, input(vars{"threadId": in, "body": "Begun"})).String("saveDraft.draft.id")
			ada.Must(saveDraft, input(vars{"draftId": draft, "expectedVersion": 1, "body": body}))
			ada.Must(bookmarkPost, input(vars{"postId": w.Post(ben, in, "To keep"), "note": body}))
		}
		for _, s := range []gid.ID{network, group} {
			ada.Must(watchSpace, vars{"id": s, "level": "TRACKING"})
		}
		for _, s := range []gid.ID{network, group} {
			ben.Must(warn, input(vars{"memberId": ada.ID, "spaceId": s, "text": "Words in " + s.String()}))
		}
		ada.Must(`mutation { updateNotificationPreference(input: { digestHour: 7 }) { errors { code message } } }`, nil)
		link := ada.Must(createExport, input(vars{"idempotencyKey": "k"})).String("createExport.url")
		t.Run("it holds what is the member's, and what is in affinity groups is left out", func(t *testing.T) {
			files := archive(w, link)
			holds := func(name string, n int, parts ...string) {
				var all []any
				if err := json.Unmarshal([]byte(files[name]), &all); err != nil || len(all) != n {
					t.Errorf("%s has %d, want %d: %v", name, len(all), n, err)
				}
				for _, part := range parts {
					if !strings.Contains(files[name], part) {
						t.Errorf("%s has no %q: %s", name, part, files[name])
					}
				}
			}
			holds("threads.json", 1, "Said in the open")
			holds("posts.json", 3, "First words", "Before the edit", "After the edit")
			holds("reactions.json", 1, "👍")
			holds("read-positions.json", 1, thread.String())
			holds("notifications.json", 1, "MENTION")
			holds("notices.json", 1, "WARNED")
			holds("drafts.json", 1, "A draft for "+thread.String(), "Begun")
			holds("bookmarks.json", 1, "A draft for "+thread.String())
			holds("watching.json", 1, "TRACKING", network.String())
			holds("preference.json", 1, `"digestHour":7`)
			holds("spaces.json", 1, "Network")
			holds("resources.json", 1, network.String())
			holds("sign-ins.json", 1, `"name":"test"`)
			holds("activity.json", 2, "EXPORT_LINK_MADE", "DATA_EXPORTED")
			for _, name := range []string{"affiliations.json", "teams.json", "roles.json", "files.json"} {
				holds(name, 0)
			}
			if !strings.Contains(files["profile.json"], ada.Handle+"@example.org") || !strings.Contains(files["posts.md"], "## Said in the open, post 2") {
				t.Errorf("%s\n%s", files["profile.json"], files["posts.md"])
			}
			all := fmt.Sprint(files)
			for _, hidden := range []string{"onfidential", "in confidence", group.String(), secret.String(), "words of ben", "Deleted words", ada.Token()} {
				if strings.Contains(all, hidden) {
					t.Errorf("it holds %q", hidden)
				}
			}
			outsider := w.Member("outsider") // is told the same, in the same words
			empty := archive(w, outsider.Must(createExport, input(vars{})).String("createExport.url"))
			cut := func(s string) string { _, rest, _ := strings.Cut(s, "\n"); return rest }
			if cut(empty["README.txt"]) != cut(files["README.txt"]) || len(empty) != len(files) {
				t.Error("the README tells whether there is something that is left out")
			}
		})
		t.Run("a link is made by who may write, is the same for the same key, and is written down", func(t *testing.T) {
			if code := w.As(w.Token(ada, accesstoken.ScopeREAD)).Do(createExport, input(vars{})).Code(); code != "INSUFFICIENT_SCOPE" {
				t.Errorf("a token that may read only: %q", code)
			}
			if again := ada.Must(createExport, input(vars{"idempotencyKey": "k"})).String("createExport.url"); again != link {
				t.Errorf("%s, then %s", link, again)
			}
			if made, got := audited(w, audit.ExportLinkMade, ada.ID), audited(w, audit.DataExported, ada.ID); len(made) != 1 || len(got) != 1 || got[0].ActorID != nil || got[0].Address == "" {
				t.Errorf("the audit log has %v and %v", made, got)
			}
			for range 8 {
				ada.Must(createExport, input(vars{}))
			}
			if code := ada.Do(createExport, input(vars{})).Code(); code != "RATE_LIMITED" {
				t.Errorf("the eleventh of a day: %q", code)
			}
		})
		t.Run("headers hold nothing of anybody's, and HEAD fetches nothing", func(t *testing.T) {
			resp := fetch(w, http.MethodHead, link)
			_ = resp.Body.Close()
			if h := resp.Header; resp.StatusCode != http.StatusOK || h.Get("Content-Disposition") != `attachment; filename="commons-export.zip"` ||
				h.Get("Content-Type") != "application/zip" || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%d %v", resp.StatusCode, h)
			}
			if got := audited(w, audit.DataExported, ada.ID); len(got) != 1 {
				t.Errorf("%d entries", len(got))
			}
		})
		missing := func(t *testing.T, what, link string) {
			t.Helper()
			refused, other := fetch(w, http.MethodGet, link), fetch(w, http.MethodGet, "/exports/x")
			a, _ := io.ReadAll(refused.Body)
			b, _ := io.ReadAll(other.Body)
			_, _ = refused.Body.Close(), other.Body.Close()
			if refused.StatusCode != http.StatusNotFound || string(a) != string(b) {
				t.Errorf("%s: %d %s", what, refused.StatusCode, a)
			}
		}
		t.Run("a link that was changed in one bit is no link", func(t *testing.T) {
			raw, err := base64.RawURLEncoding.DecodeString(link[strings.LastIndex(link, "/")+1:])
			if err != nil {
				t.Fatal(err)
			}
			for i := range raw {
				forged := bytes.Clone(raw)
				forged[i] ^= 1
				missing(t, fmt.Sprintf("byte %d", i), "/exports/"+base64.RawURLEncoding.EncodeToString(forged))
			}
			own := ben.Must(createExport, input(vars{})).String("createExport.url")
			theirs, _ := base64.RawURLEncoding.DecodeString(own[strings.LastIndex(own, "/")+1:])
			missing(t, "another member's signature", "/exports/"+base64.RawURLEncoding.EncodeToString(append(raw[:24:24], theirs[24:]...)))
			missing(t, "a path", "/exports/..%2F..%2Fetc%2Fpasswd")
		})
		t.Run("suspended and deactivated, one still gets one's data", func(t *testing.T) {
			admin.Must(suspendMember, input(vars{"memberId": ada.ID, "until": w.App.Config.Now().Add(time.Hour), "reason": "Only for staff."}))
			admin.Must(deactivateMember, input(vars{"memberId": ada.ID, "reason": "Only for staff."}))
			w.Browser().PostJSON("/auth/link", vars{"email": email(ada)})
			in, out := links(w, email(ada), account.MailSignIn), links(w, email(ada), account.MailExport)
			if len(in) != 0 || len(out) != 1 {
				t.Fatalf("%d links to sign in with, and %d to the data", len(in), len(out))
			}
			if files := archive(w, out[0]["link"]); !strings.Contains(files["posts.json"], "First words") || strings.Contains(fmt.Sprint(files), "Only for staff") {
				t.Errorf("%s", files["activity.json"])
			}
		})
		t.Run("a link expires after a day, and with the member", func(t *testing.T) {
			fresh, err := w.App.Accounts.ExportLink(w.System(), ada.ID)
			if err != nil {
				t.Fatal(err)
			}
			ahead.Add(int64(25 * time.Hour))
			missing(t, "after a day", fresh)
			ahead.Add(-int64(25 * time.Hour))
			if _, err := w.App.Accounts.Erase(w.System(), inBrowser(admin), &ada.ID, ada.Handle, "R"); err != nil {
				t.Fatal(err)
			}
			missing(t, "of an erased member", fresh)
			if _, err := w.App.Accounts.ExportLink(w.System(), ada.ID); err == nil {
				t.Error("a link of an erased member was made")
			}
		})
		if strings.Contains(logged.String(), link[strings.LastIndex(link, "/")+1:][:40]) {
			t.Error("the log holds a link")
		}
	})
}

// An archive of 20,000 posts takes no more memory than a small one, and a bounded number of statements a page. Nothing runs beside it:
// the heap is the whole process's.
func TestExportStreams(t *testing.T) {
	streams := func(t *testing.T, url string) {
		w := apitest.Serve(t, url)
		ada := w.Member("ada")
		network := w.Space(space.KindNETWORK, "Network", ada)
		thread := w.Thread(ada, network, "Long", "First")
		const posts = 20_000
		fillThread(w, thread, posts, false, func(int) gid.ID { return ada.ID }, func(i int) string { return fmt.Sprintf("%d ", i) + strings.Repeat("word ", 200) })
		link := ada.Must(createExport, input(vars{})).String("createExport.url")
		stop, peak := make(chan struct{}), make(chan uint64)
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		go func() {
			var most uint64
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-stop:
					peak <- most
					return
				case <-tick.C:
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most = max(most, m.HeapAlloc)
				}
			}
		}()
		var body []byte
		began := time.Now()
		n := w.Statements(func() {
			resp := fetch(w, http.MethodGet, link)
			defer func() { _ = resp.Body.Close() }()
			var err error
			if body, err = io.ReadAll(resp.Body); err != nil {
				t.Error(err)
			}
		})
		took := time.Since(began)
		close(stop)
		most := <-peak
		t.Logf("%d bytes in %v, %d statements, %d KiB more heap at most", len(body), took, n, (int64(most)-int64(before.HeapAlloc))>>10)
		if grew := int64(most) - int64(before.HeapAlloc); grew > 48<<20 {
			t.Errorf("the heap grew by %d MiB", grew>>20)
		}
		if n > 6*posts/500 {
			t.Errorf("%d statements", n)
		}
		files := unzip(w, body)
		var all []struct{ Seq int }
		if err := json.Unmarshal([]byte(files["posts.json"]), &all); err != nil || len(all) != posts+1 {
			t.Fatalf("%d posts, %v", len(all), err)
		}
		for i, p := range all {
			if p.Seq != i+1 {
				t.Fatalf("post %d at place %d", p.Seq, i)
			}
		}
		if size := len(files["posts.json"]) + len(files["posts.md"]); size < 40<<20 {
			t.Errorf("only %d bytes of text", size)
		}
	}
	t.Run("sqlite", func(t *testing.T) { streams(t, database.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { streams(t, database.Postgres(t)) })
}

package apitest_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestFeeds(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		t := w.T
		ada, ben := w.Member("ada"), w.Member("ben")
		network, group := w.Space(space.KindNETWORK, "Network & more", ada, ben), w.Space(space.KindAFFINITY, "Group", ada, ben)
		const create = `mutation($input: CreateFeedAddressInput!) { createFeedAddress(input: $input) { url errors { code message path } } }`
		get := func(url, tag string) (status int, header http.Header, body string) {
			t.Helper()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			must0(t, err)
			if tag != "" {
				request.Header.Set("If-None-Match", tag)
			}
			r, err := (&http.Client{Timeout: time.Minute}).Do(request)
			must0(t, err)
			defer func() { _ = r.Body.Close() }()
			all, err := io.ReadAll(r.Body)
			must0(t, err)
			return r.StatusCode, r.Header, string(all)
		}
		thread := w.Thread(ada, network, "A <plan>", "Hello <script>x</script> *you*")
		w.Post(ben, w.Thread(ada, group, "Secret", "Secret"), "Secret")
		_, err := w.App.Forum.DeletePost(ben.Context(), ben.Viewer, w.Post(ben, thread, "Gone"))
		must0(t, err)
		browser := w.SignedIn(ben)
		if code := ben.Do(create, input(vars{"spaceId": network})).Code(); code != "FORBIDDEN" {
			t.Errorf("a token makes an address that outlives it: %q", code)
		}
		url := browser.Must(create, input(vars{"spaceId": network, "idempotencyKey": "k"})).String("createFeedAddress.url")

		status, header, body := get(url, "")
		var read struct {
			ID      string `xml:"id"`
			Updated string `xml:"updated"`
			Entries []struct {
				ID      string `xml:"id"`
				Title   string `xml:"title"`
				Author  string `xml:"author>name"`
				Content string `xml:"content"`
			} `xml:"entry"`
		}
		must0(t, xml.Unmarshal([]byte(body), &read))
		if status != http.StatusOK || !strings.HasPrefix(header.Get("Cache-Control"), "private") || len(read.Entries) != 1 || read.Entries[0].Title != "A <plan>" ||
			read.Entries[0].Author != "ada" || !strings.Contains(read.Entries[0].Content, "<em>you</em>") || strings.Contains(read.Entries[0].Content, "<script") ||
			!strings.HasPrefix(read.ID, "urn:uuid:") || read.Updated == "" || strings.Contains(body, "Secret") || strings.Contains(body, "cmf_") {
			t.Errorf("%d %v %s", status, header, body)
		}
		if status, _, body := get(url, header.Get("Etag")); status != http.StatusNotModified || body != "" {
			t.Errorf("%d %s", status, body)
		}
		if again := browser.Must(create, input(vars{"spaceId": network, "idempotencyKey": "k"})).String("createFeedAddress.url"); again != url {
			t.Errorf("the same key gave %s", again)
		}
		if got := browser.Do(create, input(vars{"spaceId": group})); got.Code() != "FORBIDDEN" {
			t.Errorf("%s", got.Body)
		}
		_, token, _ := strings.Cut(url, "token=")
		if got := w.As(token).Do("{ viewer { id } }", nil); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("a feed's token signs in: %s", got.Body)
		}
		base := w.URL + "/spaces/"
		status, _, missing := get(base+w.NewID(gid.Space).String()+"/feed.atom?token="+token, "")
		if status != http.StatusNotFound {
			t.Errorf("%d", status)
		}
		same := func(what, url string) {
			t.Helper()
			if status, _, body := get(url, ""); status != http.StatusNotFound || body != missing {
				t.Errorf("%s: %d %s, not %s", what, status, body, missing)
			}
		}
		same("a hidden space", base+group.String()+"/feed.atom?token="+token)
		same("no token", base+network.String()+"/feed.atom")
		same("no id", base+"x/feed.atom?token="+token)
		list := `{ account { feedAddresses { id space { id } createdAt lastUsedAt } } }`
		browser.Must(create, input(vars{"spaceId": network})) // never used
		listed := ben.Must(list, nil)
		used := listed.String("account.feedAddresses.1.id")
		if listed.Len("account.feedAddresses") != 2 || listed.String("account.feedAddresses.1.space.id") != network.String() || listed.At("account.feedAddresses.1.lastUsedAt") == nil ||
			listed.At("account.feedAddresses.0.lastUsedAt") != nil || strings.Contains(listed.Body, "cmf_") {
			t.Errorf("%s", listed.Body)
		}
		revoke := `mutation($input: RevokeFeedAddressInput!) { revokeFeedAddress(input: $input) { account { feedAddresses { id } } errors { code message path } } }`
		if code := ada.Do(revoke, input(vars{"feedAddressId": used})).Code(); code != "NOT_FOUND" {
			t.Errorf("another member's address: %q", code)
		}
		if left := ben.Must(revoke, input(vars{"feedAddressId": used})); left.Len("revokeFeedAddress.account.feedAddresses") != 1 {
			t.Errorf("%s", left.Body)
		}
		if code := ben.Do(revoke, input(vars{"feedAddressId": used})).Code(); code != "NOT_FOUND" {
			t.Errorf("again: %q", code)
		}
		same("the one that was revoked", url)
		url = browser.Must(create, input(vars{"spaceId": network})).String("createFeedAddress.url")
		ben.Must(`mutation($input: RevokeFeedAddressesInput!) { revokeFeedAddresses(input: $input) { count errors { code message } } }`, input(vars{}))
		same("one that was revoked", url)
		if entries := audited(w, audit.FeedAddressesRevoked, ben.ID); len(entries) != 2 {
			t.Errorf("the audit log has %v", entries)
		}
	})
}

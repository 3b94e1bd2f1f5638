package explorer

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pursuing-equity/commons/internal/apitest/suites"
)

func get(t *testing.T, h http.Handler, target, encoding string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func gzipped(t *testing.T, s string) *fstest.MapFile {
	t.Helper()
	var out strings.Builder
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: []byte(out.String())}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	bundle := fstest.MapFS{
		"manifest.json":         {Data: []byte(`{"src/main.jsx": {"file": "assets/main-x.js", "css": ["assets/main-x.css"]}}`)},
		"assets/main-x.js.gz":   gzipped(t, "script"),
		"assets/codicon-x.ttf":  {Data: []byte("font")},
		"assets/nested/file.js": {Data: []byte("no")},
	}
	h, err := handler(bundle, Options{DemoTokens: map[string]string{"member@demo.example": "</script><b>token"}, ExampleThread: "thr_1"})
	if err != nil {
		t.Fatal(err)
	}

	t.Run("the page loads its own files only, under a strict policy", func(t *testing.T) {
		res := get(t, h, "http://commons.example:8080/", "")
		body := text(t, res.Body)
		if res.Code != http.StatusOK || !strings.Contains(body, `src="/explorer/assets/main-x.js"`) || !strings.Contains(body, `href="/explorer/assets/main-x.css"`) {
			t.Errorf("%d %s", res.Code, body)
		}
		csp := res.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "connect-src 'self' ws://commons.example:8080 wss://commons.example:8080;", "frame-ancestors 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("policy %q lacks %q", csp, want)
			}
		}
		if res.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("Cache-Control = %q", res.Header().Get("Cache-Control"))
		}
	})
	t.Run("nothing in a token ends the script that holds it", func(t *testing.T) {
		if body := text(t, get(t, h, "/", "").Body); strings.Contains(body, "</script><b>") {
			t.Error(body)
		}
	})
	t.Run("a host that would change the policy is left out of it", func(t *testing.T) {
		if csp := policy("x;script-src *"); strings.Contains(csp, "*") {
			t.Error(csp)
		}
	})
	t.Run("compressed files go out as they are, or plain to who cannot read them", func(t *testing.T) {
		res := get(t, h, "/explorer/assets/main-x.js", "br, gzip")
		zr, err := gzip.NewReader(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if res.Header().Get("Content-Encoding") != "gzip" || text(t, zr) != "script" {
			t.Errorf("%v", res.Header())
		}
		res = get(t, h, "/explorer/assets/main-x.js", "")
		if res.Header().Get("Content-Encoding") != "" || text(t, res.Body) != "script" {
			t.Errorf("%v", res.Header())
		}
		if !strings.Contains(res.Header().Get("Cache-Control"), "immutable") || !strings.HasPrefix(res.Header().Get("Content-Type"), "text/javascript") {
			t.Errorf("%v", res.Header())
		}
	})
	t.Run("a file of the bundle that is not compressed is served too", func(t *testing.T) {
		res := get(t, h, "/explorer/assets/codicon-x.ttf", "gzip")
		if res.Header().Get("Content-Type") != "font/ttf" || text(t, res.Body) != "font" {
			t.Errorf("%v", res.Header())
		}
	})
	t.Run("everything else is not found", func(t *testing.T) {
		for _, target := range []string{"/explorer/assets/", "/explorer/assets/nested", "/explorer/assets/nested/file.js", "/explorer/assets/..%2fmanifest.json", "/explorer/assets/none.js", "/manifest.json", "/other"} {
			if res := get(t, h, target, ""); res.Code != http.StatusNotFound {
				t.Errorf("GET %s = %d, want 404", target, res.Code)
			}
		}
	})
	t.Run("without a bundle the page says what is missing", func(t *testing.T) {
		h, err := handler(fstest.MapFS{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		res := get(t, h, "/", "")
		if body := text(t, res.Body); res.Code != http.StatusOK || !strings.Contains(body, "Node.js 20") || !strings.Contains(body, `href="/schema.graphql"`) {
			t.Errorf("%d %s", res.Code, body)
		}
	})
	t.Run("a damaged bundle is an error at the start", func(t *testing.T) {
		for _, manifest := range []string{"", "{}"} {
			if _, err := handler(fstest.MapFS{"manifest.json": {Data: []byte(manifest)}}, Options{}); err == nil {
				t.Errorf("manifest %q: no error", manifest)
			}
		}
	})
}

func TestInBrowser(t *testing.T) {
	t.Parallel()
	if _, err := fs.Stat(dist, "dist/manifest.json"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the explorer's bundle was not built: run make explorer first")
		}
		t.Skip("the explorer's bundle was not built: make explorer builds it where Node is present")
	}
	chromium := suites.Chromium(t)
	h, err := Handler(Options{DemoTokens: map[string]string{"admin@demo.example": "token-a", "member@demo.example": "token-m"}, ExampleThread: "thr_1"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	suites.Run(t, "explorer", "COMMONS_URL="+server.URL, "COMMONS_TOY=1", "CHROMIUM="+chromium)
}

// Package explorer serves GraphiQL at / from a bundle inside the binary: the page asks nothing of any other server.
//
// The bundle is made from npm packages by "make run" and "make build" (npm ci, then vite, into dist) and is not
// committed. A binary that was built without it serves a page that says what is missing.
package explorer

import (
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
)

//go:embed all:dist
var dist embed.FS

//go:embed page.html.tmpl missing.html.tmpl
var pages embed.FS

// Options say what the page offers.
type Options struct {
	// DemoTokens are access tokens to choose from, by the name of their member. The page hands them to anyone who
	// opens it: set them for demo data only.
	DemoTokens map[string]string
	// ExampleThread is the id of a thread that the first tabs read and listen to, or empty.
	ExampleThread string
}

// Handler serves the page at / and its files under /explorer/assets/. Everything else is 404.
func Handler(opts Options) (http.Handler, error) {
	bundle, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("open the explorer's bundle: %w", err)
	}
	return handler(bundle, opts)
}

func handler(bundle fs.FS, opts Options) (http.Handler, error) {
	page, err := newPage(bundle, opts)
	if err != nil {
		return nil, fmt.Errorf("read the explorer's bundle: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page)
	mux.Handle("GET /explorer/assets/{name}", assets{bundle})
	return mux, nil
}

// page is the HTML, the same for every request.
type page struct{ html string }

// entry is the part of vite's manifest that the page needs.
type entry struct {
	File string   `json:"file"`
	CSS  []string `json:"css"`
}

func newPage(bundle fs.FS, opts Options) (*page, error) {
	templates, err := template.ParseFS(pages, "*.tmpl")
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	manifest, err := fs.ReadFile(bundle, "manifest.json")
	if err != nil { // built without the bundle
		err := templates.ExecuteTemplate(&out, "missing.html.tmpl", nil)
		return &page{html: out.String()}, err
	}
	var entries map[string]entry
	if err := json.Unmarshal(manifest, &entries); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	main, ok := entries["src/main.jsx"]
	if !ok {
		return nil, fmt.Errorf("manifest.json names no src/main.jsx")
	}
	tokens := opts.DemoTokens
	if tokens == nil {
		tokens = map[string]string{}
	}
	err = templates.ExecuteTemplate(&out, "page.html.tmpl", map[string]any{
		"Script": "/explorer/" + main.File,
		"Styles": main.CSS,
		"Config": map[string]any{"demoTokens": tokens, "exampleThread": opts.ExampleThread},
	})
	return &page{html: out.String()}, err
}

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store") // demo tokens change, and so do the names of the bundle's files
	h.Set("Content-Security-Policy", policy(r.Host))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	_, _ = io.WriteString(w, p.html) // the client may be gone
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$|^\[[0-9A-Fa-f:]+\](:[0-9]+)?$`)

// policy lets the page load and reach this server and nothing else.
func policy(host string) string {
	// Not every browser takes 'self' to cover websockets of the same host, so it is named, unless it is not fit to stand in a header.
	sockets := ""
	if plainHost.MatchString(host) {
		sockets = " ws://" + host + " wss://" + host
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self' 'unsafe-inline'", // the editor makes its theme at run time
		"img-src 'self' data:",
		"font-src 'self' data:",
		"worker-src 'self'",
		"connect-src 'self'" + sockets,
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}

// assets serves the bundle's files. Their names change with their content, so that browsers keep them for good.
type assets struct{ bundle fs.FS }

func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if strings.Contains(name, "/") { // written as %2F
		http.NotFound(w, r)
		return
	}
	file, err := a.bundle.Open(path.Join("assets", name+".gz"))
	compressed := err == nil
	if !compressed {
		file, err = a.bundle.Open(path.Join("assets", name))
	}
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close() //nolint:errcheck // it is read from memory
	if info, err := file.Stat(); err != nil || info.IsDir() {
		http.NotFound(w, r)
		return
	}

	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	// A worker takes its policy from its own response.
	h.Set("Content-Security-Policy", policy(r.Host))
	var body io.Reader = file
	if compressed {
		h.Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
		} else if body, err = gzip.NewReader(file); err != nil {
			http.Error(w, "the bundle is damaged: build again", http.StatusInternalServerError)
			return
		}
	}
	_, _ = io.Copy(w, body) //nolint:gosec // G110: the compressed file is our own build's; and the client may be gone
}

// contentType does not depend on the machine's own table, which lacks .ttf or has .js as something else on some.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".ttf":
		return "font/ttf"
	case ".svg":
		return "image/svg+xml"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

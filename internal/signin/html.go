package signin

import (
	"embed"
	"html/template"
	"io"
	"net/http"
	"strings"

	"github.com/pursuing-equity/commons/internal/viewer"
)

//go:embed page
var files embed.FS

// policy lets a page run its one script, load its one style and reach this server. No form is sent by the browser itself: the script
// sends JSON.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'none'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"

// html are the pages and what they load. Opening one changes nothing, whoever opens it: links in mail are opened by scanners too.
func (c Config) html() map[string]Page {
	templates := template.Must(template.ParseFS(files, "page/page.html.tmpl"))
	pages := map[string]Page{
		"GET /sign-in/app.js":    file("page/app.js", "text/javascript; charset=utf-8"),
		"GET /sign-in/style.css": file("page/style.css", "text/css; charset=utf-8"),
	}
	for pattern, p := range map[string]struct{ Name, Title string }{
		"GET /sign-in":            {"sign-in", "Sign in"},
		"GET /sign-in/link":       {"link", "Sign in"},
		"GET /sign-in/reset":      {"reset", "Choose a new password"},
		"GET /sign-in/email":      {"email", "Confirm your new address"},
		"GET /sign-in/invitation": {"invitation", "Welcome"},
		"GET /sign-in/sign-up":    {"sign-up", "Your account"},
	} {
		var text strings.Builder
		if err := templates.Execute(&text, map[string]any{"Page": p.Name, "Title": p.Title, "OpenID": c.OpenID}); err != nil {
			panic(err) // it is a part of the binary, and a test renders it
		}
		pages[pattern] = serve(text.String(), "text/html; charset=utf-8")
	}
	return pages
}

func file(name, media string) Page {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is a part of the binary
	}
	return serve(string(text), media)
}

// serve answers with the same text whoever asks.
func serve(text, media string) Page {
	return func(w http.ResponseWriter, _ *http.Request, _ viewer.Viewer) error {
		pageHeaders(w, media)
		_, _ = io.WriteString(w, text) // the client may be gone
		return nil
	}
}

func pageHeaders(w http.ResponseWriter, media string) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

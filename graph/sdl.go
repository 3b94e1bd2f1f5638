package graph

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.graphqls
var files embed.FS

// SDL is the schema as it was written, domain by domain, from what everything stands on to search.
func SDL() string {
	var b strings.Builder
	for _, name := range []string{"schema", "program", "entitlement", "admission", "call", "application", "document", "extension", "review", "casework", "placement", "community", "account", "lifecycle", "space", "affinity", "forum", "poll", "notification", "notice", "desk", "people", "moderation", "file", "resource", "search", "audit", "webhook", "archive", "mail"} {
		text, err := fs.ReadFile(files, name+".graphqls")
		if err != nil {
			panic(err) // a file was renamed: the first test that starts a server says so
		}
		b.Write(text)
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

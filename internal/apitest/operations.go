package apitest

import (
	"embed"
	"io/fs"
	"testing"
)

//go:embed operations/*.graphql
var operations embed.FS

// Operation is a document that front ends send today, by its name: "thread-page".
func Operation(t testing.TB, name string) string {
	t.Helper()
	text, err := OperationText(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// OperationText is Operation outside of a test.
func OperationText(name string) (string, error) {
	text, err := fs.ReadFile(operations, "operations/"+name+".graphql")
	return string(text), err
}

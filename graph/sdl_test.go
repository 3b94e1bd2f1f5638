package graph_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/graph"
)

func TestEveryFileIsServed(t *testing.T) {
	names, err := filepath.Glob("*.graphqls")
	if err != nil || len(names) == 0 {
		t.Fatalf("no SDL: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(graph.SDL(), strings.TrimSpace(string(text))) {
			t.Errorf("%s is not in what is served: name it in sdl.go", name)
		}
	}
}

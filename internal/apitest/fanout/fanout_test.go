//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The peers are this program again.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "peer" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Every server brings every post to every socket once and in order. What it costs is not for a test to say.
func TestFewSockets(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "commons")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../../cmd/commons").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("FANOUT_PINNED", "1")
	if err := run(t.Context(), []string{"-binary", binary, "-sockets", "60", "-rounds", "1", "-rest", "100ms"}); err != nil {
		t.Error(err)
	}
}

package main

import (
	"testing"

	"github.com/pursuing-equity/commons/internal/apitest/postgres"
)

func TestRun(t *testing.T) {
	t.Setenv(postgres.EnvURL, "postgres://example/given") // no cluster of its own: its package tests that
	for _, c := range []struct {
		name    string
		command []string
		code    int
	}{
		{"the command sees the variable", []string{"sh", "-c", `test "$` + postgres.EnvURL + `" = postgres://example/given`}, 0},
		{"the command's exit code is passed on", []string{"sh", "-c", "exit 7"}, 7},
		{"a command that a signal ended gives 128 and the signal's number", []string{"sh", "-c", "kill -KILL $$"}, 137},
	} {
		t.Run(c.name, func(t *testing.T) {
			if code, err := run(c.command); code != c.code || err != nil {
				t.Errorf("run = %d, %v; want %d", code, err, c.code)
			}
		})
	}
	t.Run("a command that is not there is an error", func(t *testing.T) {
		if code, err := run([]string{"/nonexistent/" + t.Name()}); code != 127 || err == nil {
			t.Errorf("run = %d, %v; want 127 and an error", code, err)
		}
	})
	t.Run("no command is an error", func(t *testing.T) {
		if code, err := run(nil); code != 2 || err == nil {
			t.Errorf("run = %d, %v; want 2 and an error", code, err)
		}
	})
	t.Run("a signal goes to the command", func(t *testing.T) {
		// The command signals its parent, which is this process; what comes back ends it.
		if code, err := run([]string{"sh", "-c", "kill -TERM $PPID; exec sleep 30"}); code != 143 || err != nil {
			t.Errorf("run = %d, %v; want 143", code, err)
		}
	})
}

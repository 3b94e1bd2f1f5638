package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// A few rounds of each kind; "make crash" does more.
func TestFewRounds(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "commons")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../../cmd/commons").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, o := range map[string]options{
		"sqlite killed":                      {database: "sqlite", replicas: 1, kill: "process", wakeups: true},
		"one of two replicas killed":         {database: "postgres", replicas: 2, kill: "process", wakeups: true},
		"the database killed":                {database: "postgres", replicas: 2, kill: "database", wakeups: true},
		"a rolling restart":                  {database: "postgres", replicas: 2, kill: "roll", wakeups: true},
		"replicas killed, no wake-up at all": {database: "postgres", replicas: 2, kill: "process"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.binary, o.rounds, o.seed = binary, 3, 7
			r, err := run(t.Context(), o)
			if err == nil {
				err = r.verdict()
			}
			if err != nil {
				t.Error(err)
			}
			if r != nil && r.Acknowledged == 0 {
				t.Error("nothing was acknowledged")
			}
		})
	}
}

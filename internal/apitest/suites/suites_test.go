package suites

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLockfileNamesNoServer(t *testing.T) {
	t.Parallel()
	// npm would write the address of whatever registry was used into the lock file, and every machine would then ask that one.
	for _, file := range []string{"package-lock.json", "../../explorer/package-lock.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `"resolved"`) {
			t.Errorf("%s has download addresses: make it with the .npmrc beside it", file)
		}
	}
}

func TestRunFindsItsFolder(t *testing.T) {
	t.Parallel()
	dir, err := folder()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "suites.go")); err != nil {
		t.Error(err)
	}
}

// Package suites runs, from Go tests, the public suites and clients that the API is proved with: the GraphQL-over-HTTP
// audits, the Relay compiler, GraphQL Code Generator, graphql-eslint, the npm client graphql-ws, and a browser.
//
// Each is a script in this folder, <name>.mjs, and comes from npm with the exact versions of package-lock.json. Without
// Node a test is skipped with the reason; where CI is true that is a failure.
package suites

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// minNode is the oldest major version of Node that the packages run on.
const minNode = 20

// limit is the longest that a suite may take, npm's downloads aside.
const limit = 3 * time.Minute

// Run runs a suite and fails the test with the suite's output when the suite fails. Variables are "NAME=value":
//
//	suites.Run(t, "lint")                                       // graph/*.graphqls, or the folder SCHEMA, and operations/
//	suites.Run(t, "relay")                                      // the same
//	suites.Run(t, "codegen")                                    // the same
//	suites.Run(t, "audits", "COMMONS_URL="+u, "COMMONS_TOKEN="+tok)
//	suites.Run(t, "resume", "COMMONS_URL="+u, "COMMONS_TOKEN="+tok, "COMMONS_THREAD="+id)
//	suites.Run(t, "retries", "COMMONS_URL="+u, "COMMONS_TOKEN="+tok, "COMMONS_THREAD="+id, "COMMONS_SOCKET_URL="+ws, "COMMONS_CONTROL="+c)
//	suites.Run(t, "explorer", "COMMONS_URL="+u, "CHROMIUM="+suites.Chromium(t))
//	suites.Run(t, "sign-in", "COMMONS_URL="+u, "CHROMIUM="+suites.Chromium(t), "COMMONS_PROVIDER="+p, "COMMONS_EMAIL="+e, "COMMONS_NAME="+n, "COMMONS_PASSWORD="+pw)
func Run(t testing.TB, name string, env ...string) {
	t.Helper()
	node := nodeOrSkip(t)
	dir, err := folder()
	if err != nil {
		t.Fatal(err)
	}
	if err := install(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := touch(dir); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, name+".mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("suite %s: %v\n%s", name, err, out)
	}
	t.Logf("suite %s:\n%s", name, out)
}

// touch looks at every file that a suite reads. Go caches a test's success until a file changes that the test looked at itself;
// of those that Node reads it knows nothing.
func touch(dir string) error {
	for _, pattern := range []string{"*.mjs", "../operations/*.graphql", "../../../graph/*.graphqls"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return fmt.Errorf("find what the suites read: %w", err)
		}
		for _, file := range files {
			if _, err := os.Stat(file); err != nil {
				return fmt.Errorf("find what the suites read: %w", err)
			}
		}
	}
	return nil
}

// Chromium returns the path of a browser. Without one the test is skipped, or fails where CI is true.
func Chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "no Chromium in PATH: install the package chromium to look at the page with a browser")
	return ""
}

func nodeOrSkip(t testing.TB) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, fmt.Sprintf("no Node in PATH: install Node.js %d or newer with npm to run the public suites", minNode))
	}
	if _, err := exec.LookPath("npm"); err != nil {
		missing(t, "no npm in PATH, which comes with Node.js: install it to run the public suites")
	}
	out, err := exec.CommandContext(t.Context(), node, "--version").Output()
	if err != nil {
		t.Fatalf("node --version: %v", err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < minNode {
		missing(t, fmt.Sprintf("Node %s is too old: the public suites need %d or newer", strings.TrimSpace(string(out)), minNode))
	}
	return node
}

// missing skips the test, but in CI, where everything has to run, it fails it.
func missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// folder finds this package's folder from the test's own. The compiler's record of it is no path when -trimpath is set.
func folder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "internal", "apitest", "suites"), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the test's folder")
		}
		dir = parent
	}
}

// install runs "npm ci" unless node_modules is of this package-lock.json already. Test binaries may come here at once: one
// installs, the others wait.
func install(ctx context.Context, dir string) (err error) {
	lockfile, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return fmt.Errorf("read the suites' versions: %w", err)
	}
	sum := sha256.Sum256(lockfile)
	want := hex.EncodeToString(sum[:])

	// The lock stands beside node_modules, since npm ci removes that folder.
	lock, err := os.OpenFile(filepath.Join(dir, ".install.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the suites' packages: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // closing unlocks
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock the suites' packages: %w", err)
	}
	stamp := filepath.Join(dir, "node_modules", ".commons-installed")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	// No package's own scripts: none of these needs one to work.
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("install the public suites with npm ci in %s: %w\n%s", dir, err, out)
	}
	return os.WriteFile(stamp, []byte(want), 0o600)
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// binaries returns the folder that holds the programs initdb and postgres. It installs Debian's package where they are
// missing and it can.
func binaries(ctx context.Context) (string, error) {
	if dir := installed(ctx); dir != "" {
		return dir, nil
	}
	err := install(ctx)
	if err == nil {
		if dir := installed(ctx); dir != "" {
			return dir, nil
		}
		err = errors.New("the package postgresql is installed, but brought no initdb")
	}
	return "", fmt.Errorf("no PostgreSQL for the tests: install its server (its programs initdb and postgres are looked for in PATH, "+
		"/usr/lib/postgresql/*/bin, Homebrew's folders and pg_config --bindir), or set %s to the URL of a server where databases may be created: %w", EnvURL, err)
}

// installed looks where packages put the programs; of several versions the newest wins.
func installed(ctx context.Context) string {
	var dirs []string
	if p, err := exec.LookPath("postgres"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil { // a link stands alone, without initdb beside it
			dirs = append(dirs, filepath.Dir(p))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",         // Debian
		"/usr/pgsql-*/bin",                  // PostgreSQL's own RPMs
		"/opt/homebrew/opt/postgresql*/bin", // Homebrew
		"/usr/local/opt/postgresql*/bin",    // Homebrew on Intel
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue // the patterns are constant and well formed
		}
		slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
		dirs = append(dirs, found...)
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, dir := range dirs {
		if runnable(filepath.Join(dir, "initdb")) && runnable(filepath.Join(dir, "postgres")) {
			return dir
		}
	}
	return ""
}

func runnable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// version is the first number in the path: 15 in /usr/lib/postgresql/15/bin, or 0.
func version(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, err := strconv.Atoi(digits[0])
	if err != nil {
		return 0
	}
	return n
}

// install installs Debian's package, without the server that it would start for itself on port 5432.
func install(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("only root could install Debian's package postgresql")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("this is no Debian, so there is no package to install by itself")
	}
	fmt.Fprintln(os.Stderr, "postgres: no server programs found, installing Debian's package postgresql")
	apt := func(args ...string) error {
		// Test binaries may come here at once: apt waits for its lock.
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "DPkg::Lock::Timeout=300", "-y"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	if err := apt("update"); err != nil {
		return err
	}
	conf := "/etc/postgresql-common/createcluster.d"
	if err := os.MkdirAll(conf, 0o755); err != nil {
		return fmt.Errorf("keep Debian from starting a server: %w", err)
	}
	const text = "# Written by the tests of Commons, which want the programs only.\ncreate_main_cluster = false\n"
	if err := os.WriteFile(filepath.Join(conf, "commons-tests.conf"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("keep Debian from starting a server: %w", err)
	}
	return apt("install", "--no-install-recommends", "postgresql")
}

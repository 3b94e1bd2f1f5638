package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// Cluster is a private PostgreSQL of this process.
type Cluster struct {
	// URL reaches its database "postgres" over a socket that only this user (and root) can open.
	URL string

	lifeline io.WriteCloser // the guard's standard input
	guard    *exec.Cmd
	ended    chan struct{} // closed when the guard, and with it the cluster, has ended
}

// guardScript runs the server and ends it when its own standard input closes, which the kernel sees to even when the
// owner is killed. A parent-death signal would be simpler but follows the thread, not the process, and is only on Linux.
// A line on the standard input crashes the server, as an immediate shutdown does, and starts it again.
const guardScript = `dir=$1; shift
start() { "$@" </dev/null >>"$dir/log" 2>&1 & server=$!; }
start "$@"
while read -r _; do
  kill -QUIT "$server" 2>/dev/null
  wait "$server"
  start "$@"
done
kill -INT "$server" 2>/dev/null
wait "$server"
rm -rf "$dir"
`

// settings make the cluster fast, since nobody needs its data after a crash, and roomy enough for parallel tests. What tests can
// observe (isolation, commit order, time zone aside) stays as PostgreSQL's defaults have it.
func settings(dir string) []string {
	var args []string
	for _, s := range []string{
		"listen_addresses=", // the socket alone: no port to choose, none to clash
		"unix_socket_directories=" + dir,
		"fsync=off",
		"full_page_writes=off",
		"max_connections=300",
		"max_wal_size=2GB",
		"timezone=UTC",
	} {
		args = append(args, "-c", s)
	}
	return args
}

// Start makes and starts a cluster, with settings of the caller's beside those for tests ("fsync=on"). It ends with Stop or with
// this process, whichever comes first.
func Start(ctx context.Context, more ...string) (_ *Cluster, err error) {
	bin, err := binaries(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := makeDir(owner)
	if err != nil {
		return nil, err
	}
	started := false
	defer func() {
		if !started {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()

	data := filepath.Join(dir, "data")
	locale := "--no-locale"
	if runtime.GOOS == "linux" {
		locale = "--locale=C.UTF-8" // letters beyond ASCII are letters, as on a production server
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", locale, "--no-sync")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make a throw-away PostgreSQL cluster with %s: %w\n%s", initdb.Path, err, out)
	}

	args := append([]string{"-c", guardScript, "guard", dir, filepath.Join(bin, "postgres"), "-D", data}, settings(dir)...)
	for _, s := range more {
		args = append(args, "-c", s)
	}
	guard := exec.Command("/bin/sh", args...) //nolint:noctx // the cluster outlives the call that starts it; its lifeline ends it
	guard.Dir = dir
	// A session of its own: Ctrl-C in the terminal reaches the tests first, and the database only through them.
	guard.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Setsid: true}
	lifeline, err := guard.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := guard.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	started = true // the directory is the guard's now
	c := &Cluster{
		URL:      (&url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres", RawQuery: url.Values{"host": {dir}, "sslmode": {"disable"}}.Encode()}).String(),
		lifeline: lifeline,
		guard:    guard,
		ended:    make(chan struct{}),
	}
	go func() {
		defer close(c.ended)
		_ = guard.Wait() // its status is the server's last word; nobody needs it
	}()
	if err := c.await(ctx); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return nil, errors.Join(fmt.Errorf("the throw-away PostgreSQL does not answer: %w\n%s", err, log), c.Stop())
	}
	return c, nil
}

// Crash ends the server as a power cut would end its processes, in the middle of whatever they do, and starts it again. It returns
// when the server answers.
func (c *Cluster) Crash(ctx context.Context) error {
	db, err := sql.Open("postgres", c.URL)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	witness, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("crash PostgreSQL: %w", err)
	}
	defer func() { _ = witness.Close() }()
	if _, err := io.WriteString(c.lifeline, "crash\n"); err != nil {
		return fmt.Errorf("crash PostgreSQL: %w", err)
	}
	_, _ = witness.ExecContext(ctx, "SELECT pg_sleep(60)") // until the server is gone
	return c.await(ctx)
}

// Stop ends the cluster, removes its files and returns when both are done.
func (c *Cluster) Stop() error {
	err := c.lifeline.Close()
	<-c.ended
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// await returns when the server answers.
func (c *Cluster) await(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	db, err := sql.Open("postgres", c.URL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tick := time.NewTicker(20 * time.Millisecond) // PostgreSQL has no signal for "ready" that reaches us here
	defer tick.Stop()
	for {
		last := db.PingContext(ctx)
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return last
		case <-c.ended:
			return errors.New("it ended at once")
		case <-tick.C:
		}
	}
}

// unprivileged returns whom the server runs as: nil, meaning the present user, unless that is root, which PostgreSQL refuses.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // no credential is what SysProcAttr calls "the present user"
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as: add one, run as another user, or set %s", EnvURL)
}

// makeDir makes the cluster's directory. It is in /tmp and not in TMPDIR: the path of a socket has at most 107 bytes, and root's
// TMPDIR may be closed to the unprivileged user.
func makeDir(owner *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp("/tmp", "commons-pg-")
	if err != nil {
		return "", fmt.Errorf("make a directory for PostgreSQL: %w", err)
	}
	if owner != nil {
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			return "", errors.Join(fmt.Errorf("give PostgreSQL its directory: %w", err), os.Remove(dir))
		}
	}
	return dir, nil
}

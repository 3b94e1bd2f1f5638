package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// newService is a service on a fresh database, with a member.
func newService(t *testing.T, url string) (*Service, viewer.Viewer) {
	t.Helper()
	ctx := viewer.NewContext(t.Context(), viewer.System("test"))
	st, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	now := func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	s := &Service{Store: st, Directory: filepath.Join(t.TempDir(), "files"), Now: now, NewID: func(k gid.Kind) gid.ID { return gid.New(k, now()) }, Logger: slog.New(slog.DiscardHandler)}
	t.Cleanup(func() { _ = s.Close() })
	me := s.NewID(gid.Member)
	err = st.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		return tx.Member.Create().SetID(me).SetName("Ada").SetHandle("ada").SetEmail("ada@demo.example").SetTimeZone("UTC").SetCreatedAt(now()).SetUpdatedAt(now()).Exec(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, viewer.Member(me, gid.ID{}, viewer.Write)
}

func (s *Service) send(t *testing.T, v viewer.Viewer, body io.Reader) (*ent.File, error) {
	t.Helper()
	return s.Upload(viewer.NewContext(t.Context(), v), v, NewFile{Name: "a.txt", Purpose: file.PurposeRESOURCE, Declared: -1}, body)
}

// contents are the keys and contents of all that is stored.
func contents(t *testing.T, s *Service) map[string]string {
	t.Helper()
	bucket, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	list := bucket.List(nil)
	for {
		o, err := list.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := bucket.ReadAll(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		all[o.Key] = string(b)
	}
}

// noise is text of any length, the same each time, that does not compress well.
type noise struct{ left, state uint64 }

func (n *noise) Read(b []byte) (int, error) {
	if n.left == 0 {
		return 0, io.EOF
	}
	size := min(uint64(len(b)), n.left)
	for i := range size {
		n.state = n.state*6364136223846793005 + 1442695040888963407
		b[i] = 'a' + byte(n.state>>60)
	}
	n.left -= size
	return int(size), nil
}

var errBroken = errors.New("broken")

// Both storages keep what is complete and nothing else, and let it be read from any place.
func TestStorages(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	fake := httptest.NewServer(gofakes3.New(s3mem.New(), gofakes3.WithAutoBucket(true)).Server())
	defer fake.Close()
	for name, bucketURL := range map[string]string{
		"a directory": "", "S3": "s3://files?region=us-east-1&use_path_style=true&endpoint=" + fake.URL,
	} {
		t.Run(name, func(t *testing.T) {
			s, v := newService(t, database.SQLite(t))
			s.BucketURL = bucketURL
			ctx := viewer.NewContext(t.Context(), v)
			const size = 12 << 20 // more than one part
			f, err := s.send(t, v, &noise{left: size})
			if err != nil {
				t.Fatal(err)
			}
			want, _ := io.ReadAll(&noise{left: size})
			all := contents(t, s)
			if len(all) != 1 || all[keyOf(f.ID)] != string(want) || f.Size != size {
				t.Fatalf("%d stored", len(all))
			}
			from := &stored{ctx: ctx, service: s, key: keyOf(f.ID), size: f.Size}
			if _, err := from.Seek(-5, io.SeekEnd); err != nil {
				t.Fatal(err)
			}
			if end, err := io.ReadAll(from); err != nil || !bytes.Equal(end, want[size-5:]) {
				t.Errorf("end %q: %v", end, err)
			}
			from.close()
			for _, body := range []io.Reader{
				io.MultiReader(&noise{left: size}, brokenReader{}), io.MultiReader(strings.NewReader("x"), brokenReader{}),
				&noise{left: 26 << 20}, io.MultiReader(&noise{left: size}, strings.NewReader("PK\x05\x06 and the end")),
			} {
				if _, err := s.send(t, v, body); err == nil || len(fault.All(err)) == 0 {
					t.Errorf("error %v", err)
				}
			}
			if all := contents(t, s); len(all) != 1 {
				t.Errorf("%d stored after uploads that failed", len(all))
			}
			if _, err := s.DeleteFile(ctx, v, f.ID); err != nil {
				t.Fatal(err)
			}
			if all := contents(t, s); len(all) != 0 {
				t.Errorf("%d stored after the deletion", len(all))
			}
			bucket, _ := s.open(ctx)
			orphan := keyOf(gid.New(gid.File, s.Now().Add(-30*time.Hour)))
			if err := bucket.WriteAll(ctx, orphan, []byte("x"), nil); err != nil {
				t.Fatal(err)
			}
			if err := s.Sweep(viewer.NewContext(t.Context(), viewer.System("test"))); err != nil {
				t.Fatal(err)
			}
			if all := contents(t, s); len(all) != 0 {
				t.Errorf("an orphan stays: %v", all)
			}
		})
	}
	t.Run("a bucket that is away", func(t *testing.T) {
		s, v := newService(t, database.SQLite(t))
		away := httptest.NewServer(nil)
		away.Close()
		s.BucketURL = "s3://files?region=us-east-1&use_path_style=true&endpoint=" + away.URL
		if _, err := s.send(t, v, strings.NewReader("x")); !fault.Is(err, fault.Unavailable) {
			t.Errorf("error %v", err)
		}
		if n, err := s.Store.Client(viewer.NewContext(t.Context(), v)).File.Query().Count(viewer.NewContext(t.Context(), v)); err != nil || n != 0 {
			t.Errorf("%d rows: %v", n, err)
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	s, v := newService(t, database.SQLite(t))
	allocated := func(size uint64) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := s.send(t, v, &noise{left: size}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(1 << 10)
	small, large := allocated(1<<20), allocated(24<<20)
	t.Logf("1 MiB takes %d KiB, 24 MiB %d KiB", small>>10, large>>10)
	if large > small+1<<20 {
		t.Errorf("1 MiB takes %d bytes, 24 MiB %d", small, large)
	}
}

func TestScannerGuardsUploads(t *testing.T) {
	s, v := newService(t, database.SQLite(t))
	c := newClamd(t, "tcp", findsVirus)
	s.Scanner = c.address
	if _, err := s.send(t, v, io.MultiReader(&noise{left: 3 << 20}, strings.NewReader("virus"))); !fault.Is(err, fault.ContentRefused) {
		t.Errorf("error %v", err)
	}
	<-c.received
	if all := contents(t, s); len(all) != 0 {
		t.Errorf("%d stored", len(all))
	}
	if _, err := s.send(t, v, strings.NewReader("clean")); err != nil {
		t.Error(err)
	}
	if got := <-c.received; string(got) != "clean" {
		t.Errorf("it received %q", got)
	}
	s.Scanner = "unix:" + filepath.Join(t.TempDir(), "none")
	if _, err := s.send(t, v, strings.NewReader("clean")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("error %v", err)
	}
	if all := contents(t, s); len(all) != 1 {
		t.Errorf("%d stored", len(all))
	}
}

// What was being written when a process was killed is not there under its name; the sweep finds what it left.
func TestHalfWritten(t *testing.T) {
	s, _ := newService(t, database.SQLite(t))
	id := gid.New(gid.File, s.Now().Add(-25*time.Hour))
	half, err := s.create(t.Context(), keyOf(id), "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.Directory, keyOf(id))); !os.IsNotExist(err) {
		t.Errorf("it is there: %v", err)
	}
	if all := contents(t, s); len(all) != 1 {
		t.Errorf("%v", all)
	}
	if err := s.Sweep(viewer.NewContext(t.Context(), viewer.System("test"))); err != nil {
		t.Fatal(err)
	}
	if all := contents(t, s); len(all) != 0 {
		t.Errorf("%v", all)
	}
	half.abort()
}

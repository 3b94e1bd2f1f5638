package apitest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/server"
)

func TestTooManyUploadsAtOnce(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, bob := w.Member("ada"), w.Member("bob")
		r, held := io.Pipe()
		done := make(chan reply, 1)
		go func() { done <- upload(w.T, w, ada.Token(), called("a.txt", "RESOURCE"), r) }()
		if _, err := io.WriteString(held, "begun"); err != nil {
			w.T.Fatal(err)
		}
		w.Eventually("the first is under way", func() bool { return w.App.Files.UnderWay() == 1 }) // else a second one could take its place
		if second := upload(w.T, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("x")); second.status != http.StatusTooManyRequests {
			w.T.Errorf("the second: %d %s", second.status, second.body)
		}
		upload(w.T, w, bob.Token(), called("a.txt", "RESOURCE"), strings.NewReader("x")).id(w.T)
		_ = held.Close()
		(<-done).id(w.T)
		upload(w.T, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("x")).id(w.T)
	}, apitest.Files(file.Limits{AtOnce: 1}, "", ""))
}

// raw opens a connection and sends the head of an upload.
func raw(t *testing.T, w *apitest.World, token string, headers ...string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, err = fmt.Fprintf(conn, "POST /files?%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n\r\n", called("a.txt", "RESOURCE"), token, strings.Join(headers, "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// answered reads the answer on a connection.
func answeredOn(t *testing.T, conn net.Conn) reply {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, text}
}

func TestBodiesThatLie(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		nothing := func(t *testing.T) {
			t.Helper()
			w.Eventually("nothing stays", func() bool {
				places, rows := stays(t, w)
				return places == 0 && rows == 0
			})
		}
		w.T.Run("a body that is shorter than it says", func(t *testing.T) {
			conn := raw(t, w, ada.Token(), "Content-Length: 100000")
			_, _ = io.WriteString(conn, strings.Repeat("x", 70_000))
			_ = conn.(*net.TCPConn).CloseWrite() //nolint:errcheck // it is one
			if r := answeredOn(t, conn); r.status != http.StatusBadRequest {
				t.Errorf("%d %s", r.status, r.body)
			}
			nothing(t)
		})
		w.T.Run("a body that ends within a chunk", func(t *testing.T) {
			conn := raw(t, w, ada.Token(), "Transfer-Encoding: chunked")
			_, _ = io.WriteString(conn, "10\r\nshort")
			_ = conn.(*net.TCPConn).CloseWrite() //nolint:errcheck // it is one
			if r := answeredOn(t, conn); r.status != http.StatusBadRequest {
				t.Errorf("%d %s", r.status, r.body)
			}
			nothing(t)
		})
		w.T.Run("a body that says that it is too large is not read", func(t *testing.T) {
			conn := raw(t, w, ada.Token(), "Content-Length: 99999999999")
			if r := answeredOn(t, conn); r.code() != "LIMIT_REACHED" && r.code() != "PAYLOAD_TOO_LARGE" {
				t.Errorf("%d %s", r.status, r.body)
			}
			nothing(t)
		})
		w.T.Run("a body without an end is cut at the limit", func(t *testing.T) {
			conn := raw(t, w, ada.Token(), "Transfer-Encoding: chunked")
			go func() {
				part := "8000\r\n" + strings.Repeat("x", 0x8000) + "\r\n"
				for {
					if _, err := io.WriteString(conn, part); err != nil {
						return
					}
				}
			}()
			if r := answeredOn(t, conn); r.status != http.StatusRequestEntityTooLarge {
				t.Errorf("%d %s", r.status, r.body)
			}
			nothing(t)
		})
		w.T.Run("a body that stalls is cut", func(t *testing.T) {
			conn := raw(t, w, ada.Token(), "Content-Length: 100000")
			_, _ = io.WriteString(conn, strings.Repeat("x", 70_000))
			if r := answeredOn(t, conn); r.code() != "TIMEOUT" {
				t.Errorf("%d %s", r.status, r.body)
			}
			nothing(t)
		})
		w.T.Run("a body that trickles is cut, though something moves all the time", func(t *testing.T) {
			conn := raw(t, w, ada.Token(), "Content-Length: 100000")
			ended := make(chan struct{})
			go func() {
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-ended:
						return
					case <-tick.C:
						_, _ = conn.Write([]byte("x"))
					}
				}
			}()
			if r := answeredOn(t, conn); r.code() != "TIMEOUT" {
				t.Errorf("%d %s", r.status, r.body)
			}
			close(ended)
			nothing(t)
		})
		w.T.Run("a body that is slow and moves is taken", func(t *testing.T) {
			r, slow := io.Pipe()
			go func() {
				tick := time.NewTicker(100 * time.Millisecond)
				defer tick.Stop()
				for range 20 { // two seconds, in which a stall is cut six times
					<-tick.C
					_, _ = io.WriteString(slow, strings.Repeat("x", 4<<10))
				}
				_ = slow.Close()
			}()
			upload(t, w, ada.Token(), called("a.txt", "RESOURCE"), r).id(t)
		})
	}, apitest.Limits(server.Limits{WriteTimeout: 300 * time.Millisecond}), apitest.Files(file.Limits{Document: 1 << 20, Media: 2 << 20}, "", ""))
}

// A client that asks for a large file and reads none of it is cut, and others are served meanwhile.
func TestDownloadsThatStall(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		id := upload(w.T, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader(strings.Repeat("x", 24<<20))).id(w.T)
		link := ada.Must(seeFile, vars{"id": id}).String("node.url")
		conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(w.T.Context(), "tcp", strings.TrimPrefix(w.URL, "http://"))
		if err != nil {
			w.T.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", link)
		first := make([]byte, 1)
		if _, err := io.ReadFull(conn, first); err != nil {
			w.T.Fatal(err)
		}
		if r := send(w.T, http.MethodGet, w.URL+link, nil); len(r.body) != 24<<20 {
			w.T.Errorf("another got %d bytes", len(r.body))
		}
		if err := w.Stop(); err != nil { // drains: it waits for the stalled one, which is cut long before five seconds are over
			w.T.Errorf("it was not cut: %v", err)
		}
	}, apitest.Limits(server.Limits{WriteTimeout: 300 * time.Millisecond, Drain: 5 * time.Second}))
}

func TestTheStorageIsAway(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		id := upload(w.T, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("x")).id(w.T)
		link := ada.Must(seeFile, vars{"id": id}).String("node.url")
		directory := filepath.Join(w.App.Config.DataDir, "files")
		if err := os.Rename(directory, directory+".away"); err != nil {
			w.T.Fatal(err)
		}
		if err := os.WriteFile(directory, nil, 0o600); err != nil {
			w.T.Fatal(err)
		}
		if r := upload(w.T, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("x")); r.status != 503 || r.code() != "UNAVAILABLE" {
			w.T.Errorf("upload: %d %s", r.status, r.body)
		}
		if r := send(w.T, http.MethodGet, w.URL+link, nil); r.status != 503 || r.code() != "UNAVAILABLE" {
			w.T.Errorf("download: %d %s", r.status, r.body)
		}
		if ready := status(w.T, w.URL+"/readyz"); ready != http.StatusOK {
			w.T.Errorf("ready: %d", ready)
		}
		if err := os.Remove(directory); err != nil {
			w.T.Fatal(err)
		}
		if err := os.Rename(directory+".away", directory); err != nil {
			w.T.Fatal(err)
		}
		if r := send(w.T, http.MethodGet, w.URL+link, nil); r.status != http.StatusOK {
			w.T.Errorf("back: %d %s", r.status, r.body)
		}
		if _, rows := stays(w.T, w); rows != 1 {
			w.T.Errorf("%d rows", rows)
		}
	})
}

func TestSweep(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		fresh := upload(w.T, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("fresh")).id(w.T)
		old := upload(w.T, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("old")).id(w.T)
		now := w.App.Config.Now()
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			_, err := tx.ExecContext(ctx, "UPDATE files SET created_at = $1 WHERE id = $2", now.Add(-25*time.Hour), gidOf(w.T, old))
			return err
		})
		orphan := func(age time.Duration, suffix string) string {
			id := gid.New(gid.File, now.Add(-age))
			path := filepath.Join(w.App.Config.DataDir, "files", id.Time().Format("2006-01-02"), id.String()+suffix)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				w.T.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("orphan"), 0o600); err != nil {
				w.T.Fatal(err)
			}
			return path
		}
		goes := []string{orphan(25*time.Hour, ""), orphan(26*time.Hour, ".18a4f00.tmp"), orphan(20*24*time.Hour, "")}
		still := orphan(time.Hour, ".18a4f00.tmp") // an upload that is under way
		for range 2 {
			if err := w.App.Files.Sweep(w.System()); err != nil {
				w.T.Fatal(err)
			}
		}
		for _, path := range goes {
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				w.T.Errorf("%s: %v", path, err)
			}
		}
		if _, err := os.Stat(still); err != nil {
			w.T.Error(err)
		}
		if places, rows := stays(w.T, w); places != 2 || rows != 1 {
			w.T.Errorf("%d places and %d rows", places, rows)
		}
		ada.Must(seeFile, vars{"id": fresh})
	})
}

package apitest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/answer"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/casework"
	"github.com/pursuing-equity/commons/internal/server"
)

// Who fetches an export and stops reading keeps nobody from writing and nothing of the database, is cut, and cannot take what came for the whole.
func TestStalledExport(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		var logged log
		w := apitest.Serve(t, url, apitest.Log(&logged), apitest.Limits(server.Limits{WriteTimeout: time.Second}))
		c := newIntake(w)
		c.grow(600)
		w.Tx(func(ctx context.Context, tx *ent.Client) error { // more than the buffers of a connection hold
			return tx.Answer.Update().Where(answer.Key("why")).SetValue(strings.Repeat("x", 30_000)).Exec(ctx)
		})
		made := c.staff.Must(createTable, input(vars{"callId": c.call, "format": casework.CSV}))
		path := strings.TrimPrefix(made.String("createApplicationExport.url"), w.URL)
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.URL, "http://"))
		must0(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, strings.TrimPrefix(w.URL, "http://"))
		must0(t, err)
		in := bufio.NewReaderSize(conn, 4<<10)
		answered, err := http.ReadResponse(in, nil)
		must0(t, err)
		if answered.StatusCode != http.StatusOK {
			t.Fatal(answered.StatusCode)
		}
		var slowest time.Duration
		w.Eventually("it is cut", func() bool { // while others go on
			before := time.Now()
			w.Member("newcomer")
			slowest = max(slowest, time.Since(before))
			return strings.Contains(logged.String(), `"aborted":true`)
		})
		if slowest > 500*time.Millisecond*raceFactor {
			t.Errorf("somebody waited for %v", slowest)
		}
		if n, err := io.Copy(io.Discard, answered.Body); err == nil {
			t.Errorf("all %d bytes came", n)
		}
		_ = answered.Body.Close()
		if status, body := fetchTable(t, w.URL+path); status != http.StatusOK || len(body) < 8<<20 {
			t.Errorf("%d, %d bytes", status, len(body))
		}
	})
}

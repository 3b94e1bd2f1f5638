// Package peer has the servers that Commons is measured against: a hand-written broadcast over gorilla/websocket with prepared
// messages, gqlgen with its stock websocket transport, and the centrifuge library. Each sends the same text to all that
// are connected when POST /publish?n=N asks for N posts, as fast as it can.
package peer

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// Broadcaster sends one post to everybody.
type Broadcaster interface {
	http.Handler // the websocket
	Publish(n int)
}

// Serve answers at an address until the context ends; it prints the address on a line of its own first.
func Serve(ctx context.Context, name string) error {
	var b Broadcaster
	var err error
	switch name {
	case "gorilla":
		b = newGorilla()
	case "stock":
		b = newStock()
	case "centrifuge":
		b, err = newCentrifuge()
	default:
		err = fmt.Errorf("no peer is called %q", name)
	}
	if err != nil {
		return err
	}
	var publishing sync.Mutex
	number := 0
	mux := http.NewServeMux()
	mux.Handle("/ws", b)
	mux.HandleFunc("POST /publish", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("n"))
		if err != nil {
			http.Error(w, "n", http.StatusBadRequest)
			return
		}
		publishing.Lock()
		defer publishing.Unlock()
		for range n {
			number++
			b.Publish(number)
		}
	})
	mux.HandleFunc("GET /goroutines", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, runtime.NumGoroutine()) })
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	srv := &http.Server{Handler: mux} //nolint:gosec // loopback, for a measurement
	go func() {
		<-ctx.Done()
		_ = srv.Close()
	}()
	if err := srv.Serve(ln); ctx.Err() == nil {
		return err
	}
	return nil
}

// Text is an event as Commons sends it for the front ends' own document: about 400 bytes.
func Text(number int) string {
	seq := strconv.Itoa(number)
	return `{"data":{"threadEvents":{"__typename":"PostCreated","cursor":"4QGaQ4TtT3AAnTtKk0RmWQEUAQ` + seq + `","post":{"id":"pst_06d1v3k8fxw00a7s6q2nm5y9yc","seq":` + seq +
		`,"body":"` + strings.Repeat("Equity is a team sport. ", 3) + `","createdAt":"2026-11-23T03:10:00.123456Z","author":{"id":"mbr_06d1v3k8fxw00a7s6q2nm5y9ya","name":"Imani Washington","avatarUrl":null},` +
		`"thread":{"id":"thr_06d1v3k8fxw00a7s6q2nm5y9yb","title":"What did your team try this week?"}}}}}`
}

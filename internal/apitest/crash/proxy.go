package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pursuing-equity/commons/internal/apitest/process"
)

// proxy stands before replicas as an operator's does: it looks at /readyz, sends to who is ready, and tries the next one when a
// request was refused before anything was done (a connection that could not be made, or 503 while draining).
type proxy struct {
	address string
	server  *http.Server
	stop    context.CancelFunc
	backs   []*back
	turn    atomic.Uint64
}

type back struct {
	server *process.Server
	ready  atomic.Bool
	proxy  *httputil.ReverseProxy
}

func newProxy(ctx context.Context, replicas []*process.Server) (*proxy, error) {
	ctx, stop := context.WithCancel(ctx)
	p := &proxy{stop: stop}
	for _, r := range replicas {
		b := &back{server: r, proxy: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: r.Address})}
		b.ready.Store(true)
		b.proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
		p.backs = append(p.backs, b)
		go b.probe(ctx)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		stop()
		return nil, err
	}
	p.address = ln.Addr().String()
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = p.server.Serve(ln) }()
	return p, nil
}

func (b *back) probe(ctx context.Context) {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			b.ready.Store(b.server.Ready(ctx))
		}
	}
}

// pick returns the replicas in the order in which to try them: those that are ready first, in turn.
func (p *proxy) pick() []*back {
	turn := int(p.turn.Add(1) % uint64(len(p.backs)))
	var first, last []*back
	for i := range p.backs {
		b := p.backs[(turn+i)%len(p.backs)]
		if b.ready.Load() {
			first = append(first, b)
		} else {
			last = append(last, b)
		}
	}
	return append(first, last...)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		p.pick()[0].proxy.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, b := range p.pick() {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+b.server.Address+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			break
		}
		req.Header = r.Header.Clone()
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			continue
		}
		if resp.StatusCode == http.StatusServiceUnavailable {
			_ = resp.Body.Close()
			continue
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
		_ = resp.Body.Close()
		return
	}
	w.WriteHeader(http.StatusBadGateway)
}

func (p *proxy) close() {
	p.stop()
	_ = p.server.Close()
}

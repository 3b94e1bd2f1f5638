// Package process runs the built server as operators run it, a process of its own, and ends it as operators and accidents do.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// Server is one server. It keeps its address from start to start.
type Server struct {
	Binary  string
	Dir     string   // where it runs; its log is there, in server.log
	Address string   // host and port
	Env     []string // beside ours

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{} // closed once it has ended
	exit   error         // and how
}

// FreeAddress is an address on loopback on which nobody listens just now.
func FreeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once: only its number is wanted
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

var listening = regexp.MustCompile(`GraphQL\s+http://`)

// Start runs the server and returns when it listens.
func (s *Server) Start(ctx context.Context) error {
	binary, err := filepath.Abs(s.Binary)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, "serve")
	cmd.Dir = s.Dir
	cmd.Env = append(append(os.Environ(), "COMMONS_LISTEN="+s.Address, "COMMONS_DATA_DIR="+s.Dir, "COMMONS_RATE_LIMIT=off"), s.Env...)
	log, err := os.OpenFile(filepath.Join(s.Dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	s.mu.Lock()
	s.cmd, s.exited = cmd, exited
	s.mu.Unlock()
	lines := bufio.NewScanner(out)
	up := false
	for !up && lines.Scan() {
		up = listening.MatchString(lines.Text())
	}
	go func() {
		_, _ = io.Copy(io.Discard, out) // until it has ended
		s.exit = cmd.Wait()
		close(exited)
	}()
	if !up {
		return fmt.Errorf("the server at %s did not start: see %s", s.Address, log.Name())
	}
	return nil
}

// Kill ends it as a power cut does.
func (s *Server) Kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	<-s.exited
	return nil
}

// Drain ends it as an operator does; it must leave in order and in time.
func (s *Server) Drain() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.exited:
		if s.exit != nil {
			return fmt.Errorf("after SIGTERM: %w", s.exit)
		}
		return nil
	case <-time.After(35 * time.Second):
		return errors.New("it did not drain within 30 s")
	}
}

// Close ends whatever still runs.
func (s *Server) Close() {
	s.mu.Lock()
	cmd, exited := s.cmd, s.exited
	s.mu.Unlock()
	if cmd == nil || cmd.Process.Kill() != nil { // it has ended already
		return
	}
	select {
	case <-exited:
	case <-time.After(5 * time.Second):
	}
}

// Ready reports whether it takes work.
func (s *Server) Ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Address+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

var client = &http.Client{Timeout: time.Second}

package file

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
)

// clamd speaks clamd's side of INSTREAM, and finds the word virus.
type clamd struct {
	address  string
	received chan []byte
}

func newClamd(t *testing.T, network string, reply func(content []byte) string) *clamd {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "clamd")
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	c := &clamd{address: ln.Addr().String(), received: make(chan []byte, 10)}
	if network == "unix" {
		c.address = "unix:" + address
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			content, err := instream(bufio.NewReader(conn))
			if err == nil {
				c.received <- content
				_, _ = io.WriteString(conn, reply(content))
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-ended
	})
	return c
}

func instream(r *bufio.Reader) ([]byte, error) {
	if command, err := r.ReadString(0); err != nil || command != "zINSTREAM\x00" {
		return nil, fmt.Errorf("command %q: %w", command, err)
	}
	var content bytes.Buffer
	for {
		var length uint32
		if err := binary.Read(r, binary.BigEndian, &length); err != nil {
			return nil, err
		}
		if length == 0 {
			return content.Bytes(), nil
		}
		if _, err := io.CopyN(&content, r, int64(length)); err != nil {
			return nil, err
		}
	}
}

func findsVirus(content []byte) string {
	if bytes.Contains(content, []byte("virus")) {
		return "stream: Test.Virus FOUND\x00"
	}
	return "stream: OK\x00"
}

func scanned(t *testing.T, address string, stall time.Duration, parts ...string) error {
	t.Helper()
	s, err := newScan(t.Context(), address, stall)
	if err != nil {
		return err
	}
	defer s.close()
	for _, p := range parts {
		if _, err := s.Write([]byte(p)); err != nil {
			break
		}
	}
	return s.verdict()
}

func TestScan(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run("what is clean passes, and what is not is refused, over "+network, func(t *testing.T) {
			c := newClamd(t, network, findsVirus)
			large := strings.Repeat("x", 1<<20)
			if err := scanned(t, c.address, time.Minute, "a", "", large, "b"); err != nil {
				t.Error(err)
			}
			if got := <-c.received; string(got) != "a"+large+"b" {
				t.Errorf("it received %d bytes", len(got))
			}
			if err := scanned(t, c.address, time.Minute, "a vi", "rus"); !fault.Is(err, fault.ContentRefused) {
				t.Errorf("error %v", err)
			}
		})
	}
	for name, reply := range map[string]string{
		"an error": "INSTREAM size limit exceeded. ERROR\x00", "nothing": "", "half an answer": "stream: O", "another answer": "stream: OKAY\x00",
		"an answer without an end": strings.Repeat("x", 1<<20),
	} {
		t.Run(name+" is no leave", func(t *testing.T) {
			c := newClamd(t, "tcp", func([]byte) string { return reply })
			if err := scanned(t, c.address, time.Minute, "a"); !fault.Is(err, fault.Unavailable) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("a scanner that is not there is no leave", func(t *testing.T) {
		ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = ln.Close()
		if err := scanned(t, ln.Addr().String(), time.Minute, "a"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a scanner that says nothing is not waited for", func(t *testing.T) {
		ended := make(chan struct{})
		c := newClamd(t, "tcp", func([]byte) string { <-ended; return "" })
		err := scanned(t, c.address, 50*time.Millisecond, "a")
		close(ended)
		if !fault.Is(err, fault.Unavailable) || !errors.Is(err, net.ErrClosed) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("without a scanner everything passes", func(t *testing.T) {
		if err := scanned(t, "", time.Minute, "virus"); err != nil {
			t.Error(err)
		}
	})
}

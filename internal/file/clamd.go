package file

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
)

// scannerStall is how long clamd may take for any one thing: to be reached, to take what it is sent, to say what it found.
const scannerStall = 30 * time.Second

// maxReply is the longest answer of clamd that is read.
const maxReply = 4 << 10

// CheckScanner returns an error for what is no address of a scanner.
func CheckScanner(address string) error {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if !strings.HasPrefix(path, "/") {
			return errors.New("must be unix: and a path from /")
		}
		return nil
	}
	if _, _, err := net.SplitHostPort(address); address != "" && err != nil {
		return fmt.Errorf("must be host:port or unix:/path: %w", err)
	}
	return nil
}

// scan is one content on its way through clamd, by the command INSTREAM (clamd(8)): chunks, each after its length in four bytes,
// and a chunk of nothing at the end. The nil scan finds nothing.
type scan struct {
	conn  net.Conn
	out   *bufio.Writer
	stall *time.Timer
	after time.Duration
}

// newScan reaches clamd at an address; nil for an empty one. It returns UNAVAILABLE when clamd is not there.
func newScan(ctx context.Context, address string, stall time.Duration) (*scan, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // the nil scan is one that finds nothing
	}
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	conn, err := (&net.Dialer{Timeout: stall}).DialContext(ctx, network, address)
	if err != nil {
		return nil, scannerAway(err)
	}
	s := &scan{conn: conn, out: bufio.NewWriterSize(conn, 64<<10), after: stall}
	s.stall = time.AfterFunc(stall, func() { _ = conn.Close() })
	s.stall.Stop()
	_, _ = s.out.WriteString("zINSTREAM\x00") // a mistake stays in the writer and is told by what is written next
	return s, nil
}

func scannerAway(err error) error {
	return fault.New(fault.Unavailable, "Files cannot be scanned for viruses at the moment. Try again later.").Because(fmt.Errorf("clamd: %w", err))
}

// Write sends one chunk.
func (s *scan) Write(b []byte) (int, error) {
	if s == nil || len(b) == 0 {
		return len(b), nil
	}
	s.stall.Reset(s.after)
	defer s.stall.Stop()
	_, _ = s.out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
	return s.out.Write(b)
}

// verdict ends the content. It returns nil when clamd found nothing, CONTENT_REFUSED when it found something, and UNAVAILABLE when it
// did not say.
func (s *scan) verdict() error {
	if s == nil {
		return nil
	}
	s.stall.Reset(s.after)
	defer s.stall.Stop()
	_, sendErr := s.out.Write(make([]byte, 4))
	if err := s.out.Flush(); err != nil {
		sendErr = err
	}
	reply, err := bufio.NewReader(io.LimitReader(s.conn, maxReply)).ReadString(0)
	reply = strings.TrimRight(reply, "\x00\n")
	switch {
	case strings.HasSuffix(reply, " FOUND"):
		return fault.New(fault.ContentRefused, "The virus scanner found something in this file. It was not kept.").Because(fmt.Errorf("clamd: %s", reply))
	case reply == "stream: OK" && err == nil && sendErr == nil:
		return nil
	default:
		return scannerAway(fmt.Errorf("it said %q: %w", reply, errors.Join(sendErr, err)))
	}
}

// close lets go of clamd, whether it said something or not.
func (s *scan) close() {
	if s != nil {
		s.stall.Stop()
		_ = s.conn.Close()
	}
}

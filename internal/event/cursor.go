package event

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

// A cursor is either the place of one event in its stream, or a position in the whole log that agrees with a query.
const (
	tagEvent    = 0xE1
	tagPosition = 0xE2
)

// Cursor is the place of one event in its stream.
func Cursor(stream gid.ID, seq int) page.Cursor {
	b := append(make([]byte, 0, 27), tagEvent)
	b = append(b, stream[:]...)
	b = binary.AppendUvarint(b, uint64(seq))
	return page.Cursor(base64.RawURLEncoding.EncodeToString(b))
}

// PositionCursor is a position in the whole log; any stream resumes from it. Its age counts in whole hours, so that it is the same
// as long as nothing was written: two equal answers stay equal.
func PositionCursor(p store.Position) page.Cursor {
	b := append(make([]byte, 0, 64), tagPosition)
	b = binary.AppendVarint(b, p.At.Truncate(time.Hour).Unix())
	b = binary.AppendVarint(b, p.LastID)
	b = binary.AppendVarint(b, p.Xmin)
	b = binary.AppendVarint(b, p.Xmax)
	b = binary.AppendUvarint(b, uint64(len(p.Running)))
	for _, x := range p.Running {
		b = binary.AppendVarint(b, x-p.Xmin)
	}
	return page.Cursor(base64.RawURLEncoding.EncodeToString(b))
}

// maxRunning bounds what a cursor from outside can make us read; no server runs more transactions at once.
const maxRunning = 10_000

type place struct {
	seq      int // of one event in the stream, when position is nil
	position *store.Position
}

func badCursor() error {
	return fault.New(fault.InvalidCursor, "This cursor is not one of this stream. Use an event's cursor, or a query's eventCursor.")
}

// parse reads a cursor for a stream; it returns INVALID_CURSOR for one of another stream or of a list.
func parse(c page.Cursor, stream gid.ID) (place, error) {
	b, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil || len(b) < 2 {
		return place{}, badCursor()
	}
	switch b[0] {
	case tagEvent:
		if len(b) < 18 || gid.ID(b[1:17]) != stream {
			return place{}, badCursor()
		}
		seq, n := binary.Uvarint(b[17:])
		if n != len(b)-17 || seq > 1<<40 {
			return place{}, badCursor()
		}
		return place{seq: int(seq)}, nil
	case tagPosition:
		p, ok := parsePosition(b[1:])
		if !ok {
			return place{}, badCursor()
		}
		return place{position: p}, nil
	default:
		return place{}, badCursor()
	}
}

func parsePosition(b []byte) (*store.Position, bool) {
	next := func() int64 {
		v, n := binary.Varint(b)
		if n <= 0 {
			b = nil
			return -1
		}
		b = b[n:]
		return v
	}
	at := next()
	p := &store.Position{At: time.Unix(at, 0).UTC(), LastID: next(), Xmin: next(), Xmax: next()}
	count, n := binary.Uvarint(b)
	if n <= 0 || count > maxRunning || at < 0 || p.LastID < 0 || p.Xmin < 0 || p.Xmax < p.Xmin {
		return nil, false
	}
	b = b[n:]
	for range count {
		if len(b) == 0 {
			return nil, false
		}
		p.Running = append(p.Running, p.Xmin+next())
	}
	return p, len(b) == 0
}

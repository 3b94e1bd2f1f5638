package event

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"sync"
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

// PositionCursor is the position in the whole log of the context's snapshot, or of now; any stream resumes from it. It is sealed with
// the installation's key and looks different each time: the numbers in it count what everybody does, in hidden spaces too, and
// two of them side by side, or a forged one, would tell when something happened where one cannot look.
func (l *Log) PositionCursor(ctx context.Context) (page.Cursor, error) {
	p, err := l.store.Position(ctx)
	if err != nil {
		return "", err
	}
	seal, err := l.seal.load(ctx, l.store)
	if err != nil {
		return "", err
	}
	return sealed(seal, p), nil
}

// seal keeps the key of position cursors once it has been read.
type seal struct {
	mu   sync.Mutex
	aead cipher.AEAD
}

func (s *seal) load(ctx context.Context, from *store.Store) (cipher.AEAD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aead != nil {
		return s.aead, nil
	}
	key, err := from.Secret(store.Upkeep(ctx), "position cursors")
	if err != nil {
		return nil, err
	}
	s.aead, err = newSeal(key)
	return s.aead, err
}

func newSeal(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make the seal of cursors: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make the seal of cursors: %w", err)
	}
	return aead, nil
}

// positionSize is what the length of a position is rounded up to, so that it does not tell how many transactions were running.
const positionSize = 64

func sealed(seal cipher.AEAD, p store.Position) page.Cursor {
	b := make([]byte, 0, positionSize)
	b = binary.AppendVarint(b, p.At.Truncate(time.Hour).Unix())
	b = binary.AppendVarint(b, p.LastID)
	b = binary.AppendVarint(b, p.Xmin)
	b = binary.AppendVarint(b, p.Xmax)
	b = binary.AppendUvarint(b, uint64(len(p.Running)))
	for _, x := range p.Running {
		b = binary.AppendVarint(b, x-p.Xmin)
	}
	b = append(b, make([]byte, (positionSize-len(b)%positionSize)%positionSize)...)
	whole := append([]byte{tagPosition}, seal.Seal(nil, nil, b, nil)...) //nolint:gosec // G407: this seal takes no nonce, it makes a random one
	return page.Cursor(base64.RawURLEncoding.EncodeToString(whole))
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
func parse(c page.Cursor, stream gid.ID, seal cipher.AEAD) (place, error) {
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
		plain, err := seal.Open(nil, nil, b[1:], nil)
		if err != nil {
			return place{}, badCursor()
		}
		p, ok := parsePosition(plain)
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
	return p, true // what follows fills it up
}

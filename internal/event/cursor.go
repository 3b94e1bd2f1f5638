package event

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

// A cursor is either the place of one event in its stream, open or sealed, or a position in the whole log that agrees with a query.
const (
	tagEvent    = 0xE1
	tagPosition = 0xE2
	tagSealed   = 0xE3
)

// Cursor is the place of one event in its stream.
func Cursor(stream gid.ID, seq int) page.Cursor {
	b := append(make([]byte, 0, 27), tagEvent)
	b = append(b, stream[:]...)
	b = binary.AppendUvarint(b, uint64(seq))
	return page.Cursor(base64.RawURLEncoding.EncodeToString(b))
}

// SealedCursor is the place of one event in a stream of which not everybody who follows it may know every event: sealed with the installation's
// key, so that it does not tell how many there were. No other cursor of an event is one of such a stream.
func (l *Log) SealedCursor(ctx context.Context, stream gid.ID, seq int) (page.Cursor, error) {
	seal, err := l.seal(ctx)
	if err != nil {
		return "", err
	}
	return seal.event(stream, seq), nil
}

func (s *seal) event(stream gid.ID, seq int) page.Cursor {
	b := s.close(binary.BigEndian.AppendUint64(stream[:], uint64(seq)))
	return page.Cursor(base64.RawURLEncoding.EncodeToString(append([]byte{tagSealed}, b...)))
}

// sealed says whether a stream has sealed cursors: staff alone are told of some events of a call.
func sealed(stream gid.ID) bool { return stream.Kind() == gid.Call }

// PositionCursor is the position in the whole log of the context's snapshot, or of now; any stream resumes from it. It is sealed with
// the installation's key: the numbers in it count what everybody does, in hidden spaces too, and to read two of them, or to try
// forged ones on one's own events, would tell how much happens where one cannot look. One position is always the same cursor, so
// that two equal answers stay equal; all that it tells is whether anything was written at all, by anybody, since another one.
func (l *Log) PositionCursor(ctx context.Context) (page.Cursor, error) {
	p, err := l.store.Position(ctx)
	if err != nil {
		return "", err
	}
	seal, err := l.seal(ctx)
	if err != nil {
		return "", err
	}
	return seal.position(p), nil
}

// seal is the installation's, read once.
func (l *Log) seal(ctx context.Context) (*seal, error) {
	l.sealing.Lock()
	defer l.sealing.Unlock()
	if l.sealed != nil {
		return l.sealed, nil
	}
	key, err := l.store.Secret(store.Upkeep(ctx), "position cursors")
	if err != nil {
		return nil, err
	}
	l.sealed, err = newSeal(key)
	return l.sealed, err
}

// seal hides what is in a cursor, and knows what it has hidden. The nonce follows from the text, so that one text looks the same each
// time (a synthetic initialization vector: Rogaway and Shrimpton, 2006).
type seal struct {
	aead  cipher.AEAD
	nonce []byte // the key that nonces are made with
}

func newSeal(secret []byte) (*seal, error) {
	part := func(name string) []byte {
		mac := hmac.New(sha256.New, secret)
		_, _ = mac.Write([]byte(name)) // never fails
		return mac.Sum(nil)
	}
	block, err := aes.NewCipher(part("encrypt"))
	if err != nil {
		return nil, fmt.Errorf("make the seal of cursors: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make the seal of cursors: %w", err)
	}
	return &seal{aead, part("nonce")}, nil
}

func (s *seal) close(text []byte) []byte {
	mac := hmac.New(sha256.New, s.nonce)
	_, _ = mac.Write(text)
	nonce := mac.Sum(nil)[:s.aead.NonceSize()]
	return s.aead.Seal(nonce, nonce, text, nil)
}

func (s *seal) open(closed []byte) ([]byte, bool) {
	n := s.aead.NonceSize()
	if len(closed) < n {
		return nil, false
	}
	text, err := s.aead.Open(nil, closed[:n], closed[n:], nil)
	return text, err == nil
}

// positionSize is what the length of a position is rounded up to, so that it does not tell how many transactions were running.
const positionSize = 64

// position is a position as a cursor. Its age counts in whole hours: it is the same as long as nothing was written.
func (s *seal) position(p store.Position) page.Cursor {
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
	return page.Cursor(base64.RawURLEncoding.EncodeToString(append([]byte{tagPosition}, s.close(b)...)))
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
func parse(c page.Cursor, stream gid.ID, seal *seal) (place, error) {
	b, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil || len(b) < 2 {
		return place{}, badCursor()
	}
	switch b[0] {
	case tagEvent:
		if len(b) < 18 || gid.ID(b[1:17]) != stream || sealed(stream) {
			return place{}, badCursor()
		}
		seq, n := binary.Uvarint(b[17:])
		if n != len(b)-17 || seq > 1<<40 {
			return place{}, badCursor()
		}
		return place{seq: int(seq)}, nil
	case tagSealed:
		text, ok := seal.open(b[1:])
		if !ok || len(text) != 24 || gid.ID(text[:16]) != stream {
			return place{}, badCursor()
		}
		return place{seq: int(binary.BigEndian.Uint64(text[16:]))}, nil
	case tagPosition:
		text, ok := seal.open(b[1:])
		if !ok {
			return place{}, badCursor()
		}
		p, ok := parsePosition(text)
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

package event

import (
	"encoding/base64"
	"reflect"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

func FuzzParseCursor(f *testing.F) {
	stream := gid.Compose(gid.Thread, time.Unix(1700000000, 0), 7)
	f.Add(string(Cursor(stream, 12)))
	seal, err := newSeal(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(seal.position(store.Position{At: time.Unix(1700000000, 0), LastID: 9})))
	f.Add(string(seal.position(store.Position{At: time.Unix(1700000000, 0), Xmin: 5, Xmax: 9, Running: []int64{5, 7}})))
	f.Add("")
	f.Add("4Q")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parse(page.Cursor(text), stream, seal)
		if err != nil {
			return
		}
		again := Cursor(stream, p.seq)
		if p.position != nil {
			again = seal.position(*p.position)
		}
		q, err := parse(again, stream, seal)
		if err != nil {
			t.Fatalf("%q was read but %q is not: %v", text, again, err)
		}
		if p.position != nil {
			p.position.At = p.position.At.Truncate(time.Hour)
		}
		if !reflect.DeepEqual(p, q) {
			t.Errorf("%+v became %+v", p, q)
		}
	})
}

func TestCursorsBelongToTheirStream(t *testing.T) {
	a, b := gid.New(gid.Thread, time.Now()), gid.New(gid.Thread, time.Now())
	if _, err := parse(Cursor(a, 1), b, nil); err == nil {
		t.Error("a cursor of another stream was taken")
	}
}

// Of a call staff alone are told some events: its cursors must not tell how many.
func TestSealedCursorsTellNothing(t *testing.T) {
	seal, err := newSeal(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	a, b := gid.New(gid.Call, time.Now()), gid.New(gid.Call, time.Now())
	if p, err := parse(seal.event(a, 300), a, seal); err != nil || p.seq != 300 {
		t.Error(p, err)
	}
	if len(seal.event(a, 1)) != len(seal.event(a, 1<<30)) {
		t.Error("the length tells of the number")
	}
	for _, c := range []page.Cursor{seal.event(b, 1), Cursor(a, 1), page.Cursor(base64.RawURLEncoding.EncodeToString(append([]byte{tagSealed}, make([]byte, 52)...)))} {
		if _, err := parse(c, a, seal); err == nil {
			t.Errorf("%s was taken", c)
		}
	}
}

// A position counts what everybody does: whoever holds one must learn nothing of that, from one cursor or from two.
func TestPositionCursorsTellNothing(t *testing.T) {
	seal, err := newSeal(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	stream := gid.New(gid.Thread, time.Now())
	before := store.Position{At: time.Unix(1700000000, 0), Xmin: 5, Xmax: 9, Running: []int64{5, 7}}
	after := store.Position{At: before.At, Xmin: 1 << 40, Xmax: 1<<40 + 20, Running: []int64{1 << 40, 1<<40 + 3, 1<<40 + 7, 1<<40 + 9}}
	a, b := seal.position(before), seal.position(after)
	if a != seal.position(before) {
		t.Error("one position has two cursors: two equal answers are told apart")
	}
	if len(a) != len(b) {
		t.Errorf("the length tells of running transactions: %d and %d", len(a), len(b))
	}
	forged := page.Cursor(base64.RawURLEncoding.EncodeToString(append([]byte{tagPosition}, make([]byte, 92)...)))
	if _, err := parse(forged, stream, seal); err == nil {
		t.Error("a forged position was taken: with it one could find out the numbers of one's own events by trying")
	}
}

package event

import (
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
	f.Add(string(PositionCursor(store.Position{At: time.Unix(1700000000, 0), LastID: 9})))
	f.Add(string(PositionCursor(store.Position{At: time.Unix(1700000000, 0), Xmin: 5, Xmax: 9, Running: []int64{5, 7}})))
	f.Add("")
	f.Add("4Q")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parse(page.Cursor(text), stream)
		if err != nil {
			return
		}
		again := Cursor(stream, p.seq)
		if p.position != nil {
			again = PositionCursor(*p.position)
		}
		q, err := parse(again, stream)
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
	if _, err := parse(Cursor(a, 1), b); err == nil {
		t.Error("a cursor of another stream was taken")
	}
}

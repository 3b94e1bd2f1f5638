package page

import (
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestByRank(t *testing.T) {
	t.Parallel()
	o := Order{Name: "search one", Column: "rank", Part: ByRank, Desc: true}
	id, n := gid.New(gid.Post, time.Unix(1, 0)), 5
	for _, rank := range []int64{0, 1, -7, 1 << 62} {
		c := o.Cursor(Key{Int: rank, ID: id}, gid.ID{})
		w, err := Args{First: &n, After: &c}.Window(o, gid.ID{})
		if err != nil || *w.After != (Key{Int: rank, ID: id}) {
			t.Errorf("%d came back as %+v, %v", rank, w.After, err)
		}
		other := o
		other.Name = "search two"
		if _, err := (Args{First: &n, After: &c}).Window(other, gid.ID{}); !fault.Is(err, fault.InvalidCursor) {
			t.Errorf("a cursor of another list: %v", err)
		}
		short := c[:len(c)-4]
		if _, err := (Args{First: &n, After: &short}).Window(o, gid.ID{}); !fault.Is(err, fault.InvalidCursor) {
			t.Errorf("half a cursor: %v", err)
		}
	}
	a, b := Key{Int: 2, ID: gid.ID{1}}, Key{Int: 2, ID: gid.ID{2}}
	if o.Compare(b, a) >= 0 || o.Compare(Key{Int: 3}, b) >= 0 {
		t.Error("the higher rank comes first, and of one rank the higher id")
	}
}

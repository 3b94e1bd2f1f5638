// Package page cuts lists into pages by keyset: a cursor holds the ordering values of one row, so page 1,000 costs what
// page 1 costs, and rows that come and go move no other row to another page.
package page

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

// Max is the largest page.
const Max = 100

// Cursor is opaque text of the API: a place in one list.
type Cursor string

// MarshalGQL writes the SDL's Cursor.
func (c Cursor) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(c))) }

// UnmarshalGQL reads the SDL's Cursor; whether it is one of the list is for Args.Window to say.
func (c *Cursor) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fault.New(fault.InvalidCursor, "A cursor is a string.")
	}
	*c = Cursor(s)
	return nil
}

// Connection is a page of nodes, as the SDL's …Connection types show it.
type Connection[T any] struct {
	Edges    []*Edge[T]
	PageInfo Info
}

// Edge is a node with its cursor.
type Edge[T any] struct {
	Cursor Cursor
	Node   *T
}

// Info is the SDL's PageInfo.
type Info struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *Cursor
	EndCursor       *Cursor
}

// Args are a connection's arguments as the client sent them.
type Args struct {
	First, Last   *int
	After, Before *Cursor
}

// Window is a checked request for a page: at most Limit rows in the direction, strictly between After and Before.
type Window struct {
	Limit         int
	Backward      bool
	After, Before *Key
}

// Key is what a list is ordered by. A list uses the parts that its Order names; the id makes the order total.
type Key struct {
	Text string
	Time time.Time
	Int  int64
	ID   gid.ID
}

// Order names a list's ordering: which part of the key comes first, and which way. Its name goes into cursors, so that
// a cursor of another list is told apart.
type Order struct {
	Name   string // unique among lists: "threads", "members"
	Column string // the column before the id; empty to order by id alone
	Part   Part
	Desc   bool
}

// Part is the type of the ordering column.
type Part byte

// The parts of a Key that can be ordered by.
const (
	ByID Part = iota
	ByText
	ByTime
	ByInt  // unique by itself within its list: no id is compared
	ByRank // an integer that rows can share
)

// Window checks the arguments. It returns INVALID_INPUT for a missing, double, non-positive or too large count, and
// INVALID_CURSOR for a cursor of another list.
func (a Args) Window(o Order, scope gid.ID) (Window, error) {
	var w Window
	switch {
	case a.First == nil && a.Last == nil:
		return w, fault.Invalid("first", "Say how many: give first or last, from 1 to %d.", Max)
	case a.First != nil && a.Last != nil:
		return w, fault.Invalid("last", "Give first or last, not both.")
	case a.Last != nil:
		w.Limit, w.Backward = *a.Last, true
	default:
		w.Limit = *a.First
	}
	if w.Limit < 1 || w.Limit > Max {
		name := "first"
		if w.Backward {
			name = "last"
		}
		return w, fault.Invalid(name, "%s must be from 1 to %d.", name, Max)
	}
	var err error
	if w.After, err = o.decode(a.After, scope); err != nil {
		return w, err
	}
	w.Before, err = o.decode(a.Before, scope)
	return w, err
}

// Cursor is the place of a row in the list. Scope is the object that the list belongs to, zero for a root list.
func (o Order) Cursor(k Key, scope gid.ID) Cursor {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 40), o.tag(scope))
	switch o.Part {
	case ByText:
		b = append(b, k.ID[:]...)
		b = append(b, k.Text...)
	case ByTime:
		b = append(b, k.ID[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(k.Time.UnixMicro()))
	case ByRank:
		b = append(b, k.ID[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(k.Int))
	case ByInt:
		b = binary.BigEndian.AppendUint64(b, uint64(k.Int))
	case ByID:
		b = append(b, k.ID[:]...)
	}
	return Cursor(base64.RawURLEncoding.EncodeToString(b))
}

func (o Order) decode(c *Cursor, scope gid.ID) (*Key, error) {
	if c == nil {
		return nil, nil
	}
	bad := fault.New(fault.InvalidCursor, "This cursor is not one of this list. Start over without it.")
	b, err := base64.RawURLEncoding.DecodeString(string(*c))
	if err != nil || len(b) < 4 || binary.BigEndian.Uint32(b) != o.tag(scope) {
		return nil, bad
	}
	b = b[4:]
	var k Key
	if o.Part != ByInt {
		if len(b) < 16 {
			return nil, bad
		}
		copy(k.ID[:], b)
		b = b[16:]
	}
	switch o.Part {
	case ByText:
		if bytes.IndexByte(b, 0) >= 0 || len(b) > 4096 {
			return nil, bad
		}
		k.Text = string(bytes.ToValidUTF8(b, nil))
		return &k, nil
	case ByTime, ByInt, ByRank:
		if len(b) != 8 {
			return nil, bad
		}
		n := int64(binary.BigEndian.Uint64(b))
		if o.Part != ByTime {
			k.Int = n
			return &k, nil
		}
		if n < -62135596800000000 || n > 253402300799999999 { // years 1 to 9999
			return nil, bad
		}
		k.Time = time.UnixMicro(n).UTC()
		return &k, nil
	default:
		if len(b) != 0 {
			return nil, bad
		}
		return &k, nil
	}
}

// tag tells lists apart: FNV-1a of the list's name and the object that it belongs to.
func (o Order) tag(scope gid.ID) uint32 {
	h := uint32(2166136261)
	for i := range len(o.Name) {
		h = (h ^ uint32(o.Name[i])) * 16777619
	}
	if !scope.IsZero() {
		for _, c := range scope {
			h = (h ^ uint32(c)) * 16777619
		}
	}
	return h
}

// Compare orders two keys as the list does.
func (o Order) Compare(a, b Key) int {
	var c int
	switch o.Part {
	case ByText:
		c = cmp.Compare(a.Text, b.Text)
	case ByTime:
		c = a.Time.Compare(b.Time)
	case ByInt, ByRank:
		c = cmp.Compare(a.Int, b.Int)
	case ByID:
	}
	if c == 0 {
		c = bytes.Compare(a.ID[:], b.ID[:])
	}
	if o.Desc {
		return -c
	}
	return c
}

package gid_test

import (
	"slices"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

func FuzzParse(f *testing.F) {
	f.Add(gid.Compose(gid.Thread, time.Unix(1700000000, 0), 42).String())
	f.Add("thr_01jd2m5x7k8q9r3s4t5v6w7x8y")
	f.Add("zzz_00000000000000000000000000")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := gid.Parse(text)
		if err != nil {
			if !fault.Is(err, fault.InvalidID) {
				t.Errorf("error without its code: %v", err)
			}
			return
		}
		if id.String() != text {
			t.Errorf("%q reads as %q", text, id)
		}
		var back gid.ID
		if err := back.Scan(id.UUID()); err != nil || back != id {
			t.Errorf("%q came back from the database as %q: %v", id, back, err)
		}
		if err := back.Scan(id[:]); err != nil || back != id {
			t.Errorf("%q came back from its bytes as %q: %v", id, back, err)
		}
	})
}

func TestIDs(t *testing.T) {
	at := time.Date(2023, 1, 17, 18, 30, 0, 123456000, time.UTC)
	id := gid.Compose(gid.Thread, at, 1)
	if id.Kind() != gid.Thread || id[6]>>4 != 7 || id[8]>>6 != 2 {
		t.Errorf("%s is no UUIDv7 of a thread", id.UUID())
	}
	if d := id.Time().Sub(at).Abs(); d > time.Microsecond {
		t.Errorf("the time is %s off", d)
	}
	later := gid.Compose(gid.Thread, at.Add(time.Microsecond), 0)
	if slices.Compare(id[:], later[:]) >= 0 || id.String() >= later.String() {
		t.Error("a later id does not sort later")
	}
	if (gid.ID{}).String() != "" {
		t.Error("the zero id has a text")
	}
	other := []byte(id.String())
	copy(other, "pst")
	if _, err := gid.Parse(string(other)); !fault.Is(err, fault.InvalidID) {
		t.Errorf("a prefix of another kind was taken: %v", err)
	}
}

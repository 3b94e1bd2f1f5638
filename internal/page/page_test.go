package page_test

import (
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

func orders() []page.Order {
	return []page.Order{
		{Name: "by id", Part: page.ByID},
		{Name: "by text", Column: "name", Part: page.ByText},
		{Name: "by time", Column: "at", Part: page.ByTime, Desc: true},
		{Name: "by number", Column: "seq", Part: page.ByInt},
	}
}

func FuzzCursor(f *testing.F) {
	scope := gid.Compose(gid.Space, time.Unix(1700000000, 0), 3)
	for _, o := range orders() {
		f.Add(string(o.Cursor(page.Key{Text: "Åsa", Time: time.Unix(1700000000, 0), Int: 7, ID: scope}, scope)))
	}
	f.Add("%%%")
	f.Fuzz(func(t *testing.T, text string) {
		c, first := page.Cursor(text), 1
		for _, o := range orders() {
			w, err := page.Args{First: &first, After: &c}.Window(o, scope)
			if err != nil {
				if !fault.Is(err, fault.InvalidCursor) {
					t.Errorf("error without its code: %v", err)
				}
				continue
			}
			again := o.Cursor(*w.After, scope)
			v, err := page.Args{First: &first, After: &again}.Window(o, scope)
			if err != nil || o.Compare(*v.After, *w.After) != 0 {
				t.Errorf("%s: %+v became %+v: %v", o.Name, w.After, v.After, err)
			}
		}
	})
}

func TestCursorsBelongToTheirList(t *testing.T) {
	a, b, first := gid.New(gid.Space, time.Now()), gid.New(gid.Space, time.Now()), 1
	o := orders()[0]
	c := o.Cursor(page.Key{ID: a}, a)
	for name, try := range map[string]func() error{
		"of another object": func() error { _, err := page.Args{First: &first, After: &c}.Window(o, b); return err },
		"of another list": func() error {
			_, err := page.Args{First: &first, After: &c}.Window(page.Order{Name: "other"}, a)
			return err
		},
	} {
		if err := try(); !fault.Is(err, fault.InvalidCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

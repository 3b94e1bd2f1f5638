package server

import "testing"

func TestEventCursor(t *testing.T) {
	cases := map[string]string{
		`{"e":{"a":{"cursor":"no"},"cursor":"yes"}}`: "yes",
		`{"e":{"cursor":"a\"b"}}`:                    `a"b`,
		`{"e":{"cursor":"a\nb"}}`:                    "",
		`{"e":{"cursor":7}}`:                         "",
		`{"e":{"c":1}}`:                              "",
		`{"e":null}`:                                 "",
		`{"e":[1]}`:                                  "",
		`{}`:                                         "",
		``:                                           "",
		`null`:                                       "",
	}
	for data, want := range cases {
		if got := eventCursor([]byte(data)); got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
}

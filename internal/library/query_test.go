package library

import (
	"reflect"
	"testing"

	"github.com/pursuing-equity/commons/internal/store"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]store.Terms{
		"one two":             {Must: []string{"one"}, Begun: "two"},
		"one two ":            {Must: []string{"one", "two"}},
		"one two.":            {Must: []string{"one", "two."}},
		`one "two three"`:     {Must: []string{"one", "two three"}},
		`one"two three"four`:  {Must: []string{"one", "two three"}, Begun: "four"},
		`one -two -"not me x`: {Must: []string{"one"}, Not: []string{"two", "not me x"}},
		"one --two - six":     {Must: []string{"one"}, Not: []string{"two"}, Begun: "six"},
		"the one of it":       {Must: []string{"one"}},
		"well-kno":            {Begun: "well-kno"},
		"x":                   {Must: []string{"x"}},
		"日本":                  {Begun: "日本"},
		`"" -"" - !`:          {},
		"the -one":            {Not: []string{"one"}},
	} {
		got, ok := parse(query)
		if !reflect.DeepEqual(got, want) || ok != (want.Must != nil || want.Begun != "") {
			t.Errorf("%s: %+v, %t; want %+v", query, got, ok, want)
		}
	}
}

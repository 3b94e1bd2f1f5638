package notify

import "testing"

func TestRename(t *testing.T) {
	for body, want := range map[string]string{
		"@ada":                      "@x-1",
		"Hello @Ada, and @ADA.":     "Hello @x-1, and @x-1.",
		"`@ada` in code":            "`@x-1` in code",
		"@ada2 @adam @ada.lovelace": "@ada2 @adam @ada.lovelace",
		"@ada- and @ada_.":          "@x-1- and @x-1_.",
		"İstanbul @ada":             "İstanbul @x-1", // its lower case has another length
		"ada, not mentioned":        "ada, not mentioned",
		"":                          "",
	} {
		if got := Rename(body, "ada", "x-1"); got != want {
			t.Errorf("%q became %q, want %q", body, got, want)
		}
	}
}

package community

import "testing"

func TestHandleOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Ada Lovelace":        "ada-lovelace",
		"  Zoë  O'Neill, MD ": "zoe-o-neill-md",
		"李":                   "",
		"X":                   "",
		"":                    "",
		"--":                  "",
		"Maximiliana Alexandrina van der Hoogenband": "maximiliana-alexandrina-van-de",
		"İpek":       "ipek",
		"Zoë O’Hara": "zoe-o-hara",
	} {
		if got := HandleOf(name); got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
	}
}

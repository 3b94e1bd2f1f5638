package community

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// longestHandle is how long a handle that is made of a name can be.
const longestHandle = 30

// HandleOf is a name in small letters without marks, joined by hyphens, at most 30 characters; empty when fewer than two letters
// remain, as of a name in another script. Whether it is free is for the caller to look.
func HandleOf(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case b.Len() == longestHandle:
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case !unicode.Is(unicode.Mn, r) && b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	h := strings.Trim(b.String(), "-")
	if len(h) < 2 {
		return ""
	}
	return h
}

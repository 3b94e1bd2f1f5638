package file

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pursuing-equity/commons/internal/input"
)

// maxName is the longest name, in characters.
const maxName = 200

// cleanName checks a name that a sender gave: a line in any script, that can neither lead to another directory nor look like
// another name. What is too long is cut at its end, before the extension. The name is for people only: where the bytes are
// kept it does not say.
func cleanName(check *input.Checker, name string) string {
	name = strings.TrimFunc(name, unicode.IsSpace)
	switch {
	case name == "" || strings.Trim(name, ".") == "":
		check.Refuse("name", "Say what the file is called.")
	case !utf8.ValidString(name):
		check.Refuse("name", "This must be text in UTF-8.")
	case strings.ContainsAny(name, `/\`):
		check.Refuse("name", "Send the name of the file alone, without directories.")
	case strings.ContainsFunc(name, misleading):
		check.Refuse("name", "This must be one line without control characters.")
	}
	if extra := utf8.RuneCountInString(name) - maxName; extra > 0 {
		extension := path.Ext(name)
		if utf8.RuneCountInString(extension) > maxExtension {
			extension = ""
		}
		stem := []rune(strings.TrimSuffix(name, extension))
		name = string(stem[:len(stem)-extra]) + extension
	}
	return name
}

// maxExtension is the longest extension that there is in media, with its dot and with room.
const maxExtension = 12

// misleading is true for what changes lines, or the order in which a name is read: "exe.txt" for a name that ends in ".exe".
// Marks that scripts written from right to left need are let through.
func misleading(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\ufeff'
}

// named gives a name an extension of its content, whatever it was called: programs open a file by its extension, and a GIF that is
// called .html would be a page on the disk of whoever saved it.
func (m media) named(name string) string {
	if slices.Contains(m.extensions, strings.ToLower(path.Ext(name))) {
		return name
	}
	extension := m.extensions[0]
	if runes := []rune(name); len(runes)+len(extension) > maxName {
		name = string(runes[:maxName-len(extension)])
	}
	return name + extension
}

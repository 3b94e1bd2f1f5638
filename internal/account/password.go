package account

import (
	_ "embed" // the list of common passwords
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/input"
)

// Limits of a password, in characters. Length is what makes it hard to guess (NIST SP 800-63B, 5.1.1.2): there is no rule about
// digits and signs. The upper one bounds the work of hashing.
const (
	leastPassword = 12
	mostPassword  = 200
)

// mostEmail is the longest mail address, in characters (RFC 5321, 4.5.3.1.3).
const mostEmail = 254

//go:embed common_passwords.txt
var commonPasswords string

// normal is a password as it is hashed: in Unicode's form C, so that it does not matter which keyboard wrote it.
func normal(password string) string { return norm.NFC.String(password) }

// checkPassword returns a new password as it is hashed. It refuses what is too short or long, what many people choose, and what
// is little more than the person's own name and address.
func checkPassword(c *input.Checker, path, password string, m *ent.Member) string {
	password = normal(password)
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		c.Refuse(path, "A password must not contain control characters.")
	case n < leastPassword:
		c.Refuse(path, "A password has at least %d characters. A few words are easy to remember.", leastPassword)
	case n > mostPassword:
		c.Refuse(path, "A password has at most %d characters; this has %d.", mostPassword, n)
	case isCommon(password):
		c.Refuse(path, "Many people use this password, or it follows a pattern. Choose another one.")
	case isOwn(password, m):
		c.Refuse(path, "This is little more than your name or mail address. Choose another one.")
	}
	return password
}

// squash is what remains of a text for a guesser who ignores case, spaces and signs.
func squash(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// isCommon reports whether a password is in the list, repeats a short text, or counts up or down.
func isCommon(password string) bool {
	runes := []rune(squash(password))
	if len(runes) < leastPassword/2 { // signs, mostly: look at them as they are
		runes = []rune(password)
	}
	for unit := 1; unit*3 <= len(runes); unit++ {
		if repeats(runes, unit) {
			return true
		}
	}
	if counts(runes, 1) || counts(runes, -1) {
		return true
	}
	text := string(runes)
	for line := range strings.Lines(commonPasswords) {
		if strings.TrimSpace(line) == text {
			return true
		}
	}
	return false
}

// repeats reports whether the text is its first unit runes over and over.
func repeats(runes []rune, unit int) bool {
	for i := unit; i < len(runes); i++ {
		if runes[i] != runes[i-unit] {
			return false
		}
	}
	return true
}

// counts reports whether each rune is the one before plus a step; 9 and 0 are neighbours.
func counts(runes []rune, step rune) bool {
	for i := 1; i < len(runes); i++ {
		next := runes[i-1] + step
		switch next {
		case '9' + 1:
			next = '0'
		case '0' - 1:
			next = '9'
		}
		if runes[i] != next {
			return false
		}
	}
	return true
}

// isOwn reports whether fewer than six letters and digits remain without the words of the person's own name, handle and address.
func isOwn(password string, m *ent.Member) bool {
	rest := squash(password)
	words := strings.FieldsFunc(strings.Join([]string{m.Email, m.Name, m.Handle}, " "), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	had := utf8.RuneCountInString(rest)
	for _, word := range words {
		if utf8.RuneCountInString(word) >= 3 {
			rest = strings.ReplaceAll(rest, squash(normal(word)), "")
		}
	}
	left := utf8.RuneCountInString(rest)
	return left < had && left < 6
}

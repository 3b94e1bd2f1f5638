// Package input checks the values of a mutation's input. Every rule is broken at a path, and all broken rules are told at once.
package input

import (
	"net/mail"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pursuing-equity/commons/internal/fault"
)

// Checker collects what is wrong with an input. The zero Checker is ready.
type Checker struct{ faults fault.List }

// Err is everything that was wrong, or nil.
func (c *Checker) Err() error { return c.faults.Err() }

// Refuse adds a fault of the caller's own.
func (c *Checker) Refuse(path, message string, args ...any) {
	c.faults = append(c.faults, fault.Invalid(path, message, args...))
}

// Line checks and trims a text of one line, from least to most characters.
func (c *Checker) Line(path, value string, least, most int) string {
	value = strings.TrimSpace(value)
	if strings.ContainsFunc(value, unicode.IsControl) {
		c.Refuse(path, "This must be one line without control characters.")
	}
	return c.length(path, value, least, most)
}

// Text checks a text of any number of lines, from least to most characters that are not white space at its ends.
func (c *Checker) Text(path, value string, least, most int) string {
	value = strings.TrimRightFunc(strings.ReplaceAll(value, "\r\n", "\n"), unicode.IsSpace)
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		c.Refuse(path, "This must not contain control characters.")
	}
	if strings.TrimSpace(value) == "" {
		value = ""
	}
	return c.length(path, value, least, most)
}

func (c *Checker) length(path, value string, least, most int) string {
	switch n := utf8.RuneCountInString(value); {
	case n < least && least == 1:
		c.Refuse(path, "This must not be empty.")
	case n < least:
		c.Refuse(path, "This must have at least %d characters.", least)
	case n > most:
		c.Refuse(path, "This must have at most %d characters; it has %d.", most, n)
	}
	return value
}

// URL checks an absolute http or https URL, or an empty text.
func (c *Checker) URL(path, value string) string {
	value = c.Line(path, value, 0, 2000)
	if value == "" {
		return value
	}
	if u, err := url.Parse(value); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		c.Refuse(path, "This must be an http or https URL.")
	}
	return value
}

// Email checks a mail address and returns it as it is kept: in small letters. Addresses that need quotes, or a domain that is a
// number, are nobody's.
func (c *Checker) Email(path, value string) string {
	value = strings.ToLower(c.Line(path, value, 1, 254)) // RFC 5321, 4.5.3.1.3
	a, err := mail.ParseAddress(value)
	local, domain, _ := strings.Cut(value, "@")
	if err != nil || a.Address != value || a.Name != "" || local == "" || !strings.Contains(domain, ".") || strings.HasSuffix(domain, ".") || strings.ContainsAny(value, "[]\"") {
		c.Refuse(path, "This must be a mail address: name@example.org.")
	}
	return value
}

package server

import (
	"strconv"
	"strings"

	"github.com/pursuing-equity/commons/internal/fault"
)

// scanDocument counts the lexical tokens of a GraphQL document without parsing it, and checks the escapes in its strings:
// gqlparser turns a lone surrogate into U+FFFD without a word. It stops at the first token beyond the limit. What it cannot
// read it leaves to the parser, whose messages are better.
func scanDocument(doc string, limit int) (tokens int, err error) {
	for i := 0; i < len(doc); {
		c := doc[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c >= 0x80:
			i++
			continue
		case c == '#':
			i = skipComment(doc, i)
			continue
		case c == '"':
			if i, err = scanString(doc, i); err != nil {
				return tokens, err
			}
		case isNameByte(c) || c == '-':
			for i++; i < len(doc) && (isNameByte(doc[i]) || number(c) && (doc[i] == '.' || doc[i] == '+' || doc[i] == '-')); i++ {
			}
		case strings.HasPrefix(doc[i:], "..."):
			i += 3
		default:
			i++
		}
		if tokens++; tokens > limit {
			return tokens, fault.New(fault.DocumentTooLarge, "The document has more than %d tokens. Ask for less at once.", limit)
		}
	}
	return tokens, nil
}

func isNameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func number(c byte) bool { return c == '-' || c >= '0' && c <= '9' }

func skipComment(doc string, i int) int {
	for i < len(doc) && doc[i] != '\n' && doc[i] != '\r' {
		i++
	}
	return i
}

// scanString returns the index after the string that begins at i.
func scanString(doc string, i int) (int, error) {
	if strings.HasPrefix(doc[i:], `"""`) {
		for i += 3; i < len(doc); i++ {
			switch {
			case strings.HasPrefix(doc[i:], `\"""`):
				i += 3
			case strings.HasPrefix(doc[i:], `"""`):
				for i += 3; i < len(doc) && doc[i] == '"'; i++ { // the last three of a longer run close the string
				}
				return i, nil
			}
		}
		return i, nil
	}
	for i++; i < len(doc); {
		switch doc[i] {
		case '"':
			return i + 1, nil
		case '\n', '\r':
			return i, nil
		case '\\':
			r, n := unicodeEscape(doc[i:])
			if r >= 0xd800 && r < 0xdc00 {
				if low, m := unicodeEscape(doc[i+n:]); m == 6 && low >= 0xdc00 && low <= 0xdfff {
					r, n = 0x10000, n+m
				}
			}
			switch {
			case r == 0:
				return i, fault.New(fault.ParseFailed, "A string in the document holds U+0000, which cannot be stored.")
			case r >= 0xd800 && r <= 0xdfff:
				return i, fault.New(fault.ParseFailed, "A string in the document holds half of a surrogate pair, which is no character.")
			}
			i += n
		default:
			i++
		}
	}
	return i, nil
}

// unicodeEscape reads \uXXXX or \u{X…} at the start of s. For anything else it returns -1 and how much to skip.
func unicodeEscape(s string) (r int64, length int) {
	if !strings.HasPrefix(s, `\u`) {
		return -1, min(2, len(s))
	}
	digits, length := "", 6
	if strings.HasPrefix(s, `\u{`) {
		end := strings.IndexByte(s[:min(len(s), 16)], '}')
		if end < 0 {
			return -1, 2
		}
		digits, length = s[3:end], end+1
	} else if len(s) >= 6 {
		digits = s[2:6]
	}
	r, err := strconv.ParseInt(digits, 16, 64)
	if err != nil {
		return -1, 2
	}
	return r, length
}

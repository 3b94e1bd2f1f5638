// Package answer is what generated code writes the answers of queries with: straight into one buffer, field after field, in sequence.
//
// gqlgen's own execution makes a marshaler, a context and often a goroutine for every field of every object, and writes when all is there. On a
// page of a thousand memberships that is where nine tenths of the time went. Here a selection set is looked at once for all objects of a
// list (Object), a field's context is made once (Place), and a value is written as soon as it is known. When something that must not be
// null turns out to be, the buffer goes back to where the nearest value that may be null began. Resolvers, arguments, errors
// and paths are gqlgen's; @defer is taken as not there, which the specification allows.
//
// Statements do not need the goroutines either: internal/sibling loads an edge for all objects that were loaded together, whoever of them
// asks first.
package answer

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/pursuing-equity/commons/graph/scalar"
	"github.com/pursuing-equity/commons/internal/gid"
)

// Writer holds an answer as far as it is written. It is an io.Writer for marshalers of others.
type Writer struct{ b []byte }

// NewWriter returns one with room for a usual answer.
func NewWriter() *Writer { return &Writer{b: make([]byte, 0, 4<<10)} }

// Bytes is what was written.
func (w *Writer) Bytes() []byte { return w.b }

// Mark is where the answer ends now.
func (w *Writer) Mark() int { return len(w.b) }

// Back forgets what was written since a mark.
func (w *Writer) Back(mark int) { w.b = w.b[:mark] }

// Write appends; it never fails.
func (w *Writer) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	return len(p), nil
}

// WriteString appends; it never fails.
func (w *Writer) WriteString(s string) (int, error) {
	w.b = append(w.b, s...)
	return len(s), nil
}

// Raw appends what is JSON already.
func (w *Writer) Raw(s string) { w.b = append(w.b, s...) }

// Null appends null.
func (w *Writer) Null() { w.b = append(w.b, "null"...) }

// Comma separates from what came before, unless i is the first.
func (w *Writer) Comma(i int) {
	if i > 0 {
		w.b = append(w.b, ',')
	}
}

// Key begins a field's entry in its object.
func (w *Writer) Key(i int, p *Place) {
	if i > 0 {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, p.key...)
}

// Int appends a number.
func (w *Writer) Int(v int) { w.b = strconv.AppendInt(w.b, int64(v), 10) }

// Int64 appends a number.
func (w *Writer) Int64(v int64) { w.b = strconv.AppendInt(w.b, v, 10) }

// Bool appends a truth.
func (w *Writer) Bool(v bool) { w.b = strconv.AppendBool(w.b, v) }

// Name appends a string in which nothing has to be escaped: an enum's value, a cursor.
func (w *Writer) Name(s string) {
	w.b = append(w.b, '"')
	w.b = append(w.b, s...)
	w.b = append(w.b, '"')
}

// ID appends an id.
func (w *Writer) ID(id gid.ID) {
	w.b = append(w.b, '"')
	w.b = id.Append(w.b)
	w.b = append(w.b, '"')
}

// DateTime appends an instant.
func (w *Writer) DateTime(t time.Time) { w.b = scalar.AppendDateTime(w.b, t) }

// Date appends a day.
func (w *Writer) Date(t time.Time) { w.b = scalar.AppendDate(w.b, t) }

const hexDigits = "0123456789ABCDEF"

// String appends a string, escaped as gqlgen does.
func (w *Writer) String(s string) { w.b = appendString(w.b, s) }

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '\\' && c != '"' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size != 1 {
				i += size
				continue
			}
			// gqlgen copies a byte that is no UTF-8 as it stands; JSON must not have it.
			b = append(append(b, s[start:i]...), "\uFFFD"...)
			i++
			start = i
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '\t':
			b = append(b, `\t`...)
		case '\r':
			b = append(b, `\r`...)
		case '\n':
			b = append(b, `\n`...)
		case '\\':
			b = append(b, `\\`...)
		case '"':
			b = append(b, `\"`...)
		default:
			b = append(b, `\u00`...)
			b = append(b, hexDigits[c>>4], hexDigits[c&0xf])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

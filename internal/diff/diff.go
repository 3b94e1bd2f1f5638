// Package diff tells how one text became another, to be read: as runs of words that stayed, came or went.
//
// Texts are what anybody wrote, so the work is bounded whatever they are: words are compared first; where two texts differ too much
// for that, lines are; and where even lines differ too much, all between what is the same at both ends went, and came. The answer
// depends on the texts alone, never on how fast the machine is.
package diff

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is what became of a run of text.
type Kind string

// The kinds of run.
const (
	Equal    Kind = "EQUAL"
	Deleted  Kind = "DELETED"
	Inserted Kind = "INSERTED"
)

// MarshalGQL writes the SDL's DiffKind.
func (k Kind) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(k))) }

// UnmarshalGQL reads the SDL's DiffKind.
func (k *Kind) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("a kind must be a string, not %T", v)
	}
	*k = Kind(s)
	return nil
}

// Run is a piece of text. All that is equal or deleted is the old text, all that is equal or inserted the new one.
type Run struct {
	Kind Kind
	Text string
}

// maxEdits is how many words, or lines, can differ for them to be told apart one by one. The work grows with its product with the
// texts' length, and the memory with its square.
const maxEdits = 200

// Words compares two texts.
func Words(before, after string) []*Run {
	for _, cut := range []func(string) int{wordEnd, lineEnd} {
		if runs, ok := compare(split(before, cut), split(after, cut)); ok {
			return runs
		}
	}
	a, b := []string{before}, []string{after}
	front, back := commonEnds(split(before, lineEnd), split(after, lineEnd))
	if front+back > 0 {
		a, b = folded(split(before, lineEnd), front, back), folded(split(after, lineEnd), front, back)
	}
	runs, _ := compare(a, b)
	return runs
}

// folded is a text whose lines between two ends are one piece.
func folded(lines []string, front, back int) []string {
	middle := strings.Join(lines[front:len(lines)-back], "")
	return slices.Concat(lines[:front], []string{middle}, lines[len(lines)-back:])
}

// wordEnd is how long the piece is that a text begins with: a word, white space, or one other character.
func wordEnd(text string) int {
	first, n := utf8.DecodeRuneInString(text)
	class := func(r rune) int {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			return 1
		case r == ' ', r == '\t':
			return 2
		default:
			return 0
		}
	}
	of := class(first)
	for of != 0 && n < len(text) {
		r, more := utf8.DecodeRuneInString(text[n:])
		if class(r) != of {
			break
		}
		n += more
	}
	return n
}

// lineEnd is how long the first line of a text is.
func lineEnd(text string) int {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return i + 1
	}
	return len(text)
}

func split(text string, cut func(string) int) []string {
	pieces := make([]string, 0, len(text)/4)
	for text != "" {
		n := cut(text)
		pieces = append(pieces, text[:n])
		text = text[n:]
	}
	return pieces
}

// commonEnds is how many pieces two texts have in common at their beginning, and then at their end.
func commonEnds(a, b []string) (front, back int) {
	for front < min(len(a), len(b)) && a[front] == b[front] {
		front++
	}
	for back < min(len(a), len(b))-front && a[len(a)-1-back] == b[len(b)-1-back] {
		back++
	}
	return front, back
}

// compare finds the fewest pieces that went and came; not ok when they are more than maxEdits.
func compare(a, b []string) (runs []*Run, ok bool) {
	front, back := commonEnds(a, b)
	edits, ok := shortest(a[front:len(a)-back], b[front:len(b)-back])
	if !ok {
		return nil, false
	}
	var out writer
	for _, piece := range a[:front] {
		out.add(Equal, piece)
	}
	for _, e := range edits {
		out.add(e.Kind, e.Text)
	}
	for _, piece := range a[len(a)-back:] {
		out.add(Equal, piece)
	}
	return out.finish(), true
}

// shortest is the greedy algorithm of Eugene W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986): furthest[k] is how far in
// a the paths with d edits reach on the diagonal k, and the furthest of each d are kept to walk back.
func shortest(a, b []string) ([]Run, bool) {
	ids := make(map[string]int32) // whole pieces are compared once, and numbers from then on
	number := func(pieces []string) []int32 {
		out := make([]int32, len(pieces))
		for i, p := range pieces {
			id, known := ids[p]
			if !known {
				id = int32(len(ids))
				ids[p] = id
			}
			out[i] = id
		}
		return out
	}
	x, y := number(a), number(b)
	limit := min(maxEdits, len(x)+len(y))
	furthest := make([]int, 2*limit+3)
	at := func(k int) int { return k + limit + 1 }
	var trace [][]int
	for d := range limit + 1 {
		trace = append(trace, slices.Clone(furthest[at(-d-1):at(d+1)+1]))
		for k := -d; k <= d; k += 2 {
			i := furthest[at(k-1)] + 1
			if k == -d || k != d && furthest[at(k-1)] < furthest[at(k+1)] {
				i = furthest[at(k+1)]
			}
			for i < len(x) && i-k < len(y) && i-k >= 0 && x[i] == y[i-k] {
				i++
			}
			furthest[at(k)] = i
			if i >= len(x) && i-k >= len(y) {
				return walkBack(a, b, trace), true
			}
		}
	}
	return nil, false
}

// walkBack follows the shortest path from its end.
func walkBack(a, b []string, trace [][]int) []Run {
	var edits []Run
	i, j := len(a), len(b)
	for d, reached := range slices.Backward(trace) {
		before := func(k int) int { return reached[k+d+1] }
		k := i - j
		down := k == -d || k != d && before(k-1) < before(k+1)
		from := k - 1
		if down {
			from = k + 1
		}
		fromI := before(from)
		if d == 0 {
			fromI = 0
		}
		fromJ := fromI - from
		if d == 0 {
			fromJ = 0
		}
		for i > fromI && j > fromJ {
			i, j = i-1, j-1
			edits = append(edits, Run{Equal, a[i]})
		}
		switch {
		case d == 0:
		case down:
			j--
			edits = append(edits, Run{Inserted, b[j]})
		default:
			i--
			edits = append(edits, Run{Deleted, a[i]})
		}
	}
	slices.Reverse(edits)
	return edits
}

// writer puts pieces together: within a change what went comes first, and then what came, as people read it.
type writer struct {
	runs                  []*Run
	equal, deleted, added strings.Builder
}

func (w *writer) add(k Kind, text string) {
	switch k {
	case Equal:
		w.flush(Deleted, &w.deleted)
		w.flush(Inserted, &w.added)
		w.equal.WriteString(text)
	case Deleted:
		w.flush(Equal, &w.equal)
		w.deleted.WriteString(text)
	case Inserted:
		w.flush(Equal, &w.equal)
		w.added.WriteString(text)
	}
}

func (w *writer) flush(k Kind, text *strings.Builder) {
	if text.Len() > 0 {
		w.runs = append(w.runs, &Run{k, text.String()})
		text.Reset()
	}
}

func (w *writer) finish() []*Run {
	w.flush(Equal, &w.equal)
	w.flush(Deleted, &w.deleted)
	w.flush(Inserted, &w.added)
	return w.runs
}

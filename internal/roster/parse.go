package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Parse reads a file. It returns Problems when the file is at fault, sorted by line and complete, and another error when
// reading failed.
func Parse(r io.Reader) (*Roster, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read roster: %w", err)
	}
	var problems Problems
	if text = decode(text, &problems); len(problems) > 0 {
		return nil, problems.err()
	}
	reader := csv.NewReader(bytes.NewReader(text))
	reader.FieldsPerRecord = -1 // counted here, to go on after a bad row
	reader.ReuseRecord = true

	cells, line, err := next(reader, &problems)
	if err != nil {
		if len(problems) == 0 {
			problems.add(0, "", "the file is empty")
		}
		return nil, problems.err()
	}
	h := readHeader(cells, line, &problems)
	if len(problems) > 0 {
		// Without its columns no line means anything.
		return nil, problems.err()
	}
	g := newGathering(&problems)
	for {
		cells, line, err = next(reader, &problems)
		if errors.Is(err, io.EOF) {
			break
		}
		if blank(cells) {
			continue // spreadsheets write their empty rows, too
		}
		if g.roster.Rows++; g.roster.Rows > MaxRows {
			problems.add(line, "", "the file has more than %d rows; split it", MaxRows)
			break
		}
		if len(cells) != h.cells {
			problems.add(line, "", "the row has %d cells, the header has %d", len(cells), h.cells)
			continue
		}
		if row, ok := readRow(h, cells, line, &problems); ok {
			g.add(row)
		}
	}
	if g.roster.Rows == 0 && len(problems) == 0 {
		problems.add(0, "", "the file has no row after its header")
	}
	if err := problems.err(); err != nil {
		return nil, err
	}
	return &g.roster, nil
}

// next is the next row that can be read at all, and its line. The only error is io.EOF.
func next(r *csv.Reader, problems *Problems) ([]string, int, error) {
	for {
		cells, err := r.Read()
		if err == nil {
			line, _ := r.FieldPos(0)
			return cells, line, nil
		}
		bad, ok := errors.AsType[*csv.ParseError](err)
		if !ok {
			return nil, 0, io.EOF // of a reader over memory, nothing else fails
		}
		reason := "the row cannot be read: " + bad.Err.Error()
		switch {
		case errors.Is(bad.Err, csv.ErrBareQuote):
			reason = `a quote stands inside a cell that is not quoted; quote the cell and double the quote`
		case errors.Is(bad.Err, csv.ErrQuote):
			reason = `a quoted cell is not closed, or goes on after its closing quote`
		}
		problems.add(bad.StartLine, "", "%s", reason)
	}
}

func blank(cells []string) bool {
	for _, c := range cells {
		if squeeze(c) != "" {
			return false
		}
	}
	return true
}

// decode refuses what is not UTF-8 and takes off the byte order mark.
func decode(text []byte, problems *Problems) []byte {
	switch {
	case len(text) > MaxBytes:
		problems.add(0, "", "the file is longer than %d MiB", MaxBytes>>20)
		return nil
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}), bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		problems.add(0, "", "the file is UTF-16; save it as CSV in UTF-8")
		return nil
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if bytes.IndexByte(text, 0) >= 0 {
		problems.add(0, "", "the file holds NUL bytes: it is no text in UTF-8; save it as CSV in UTF-8")
		return nil
	}
	if utf8.Valid(text) {
		return text
	}
	for i, line := range strings.SplitAfter(string(text), "\n") {
		if !utf8.ValidString(line) {
			problems.add(i+1, "", "the line is not UTF-8; save the file as CSV in UTF-8")
		}
	}
	return nil
}

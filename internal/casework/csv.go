package casework

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// commaSeparated writes CSV as RFC 4180 has it: UTF-8, lines that end with CR LF, quotes where they are needed. A byte order mark comes first,
// since Excel takes a file without one for the local code page; other programs skip it.
//
// A spreadsheet runs a cell that begins with = + - @, a tab or a carriage return as a formula: a text that does gets an apostrophe
// before it (OWASP, CSV Injection). Numbers do not.
type commaSeparated struct{ *csv.Writer }

func newCSV(out io.Writer) (*commaSeparated, error) {
	if _, err := io.WriteString(out, "\ufeff"); err != nil {
		return nil, fmt.Errorf("begin an export: %w", err)
	}
	w := csv.NewWriter(out)
	w.UseCRLF = true
	return &commaSeparated{w}, nil
}

func (c *commaSeparated) line(cells []cell) error {
	texts := make([]string, len(cells))
	for i, of := range cells {
		texts[i] = of.text
		if !of.number {
			texts[i] = harmless(of.text)
		}
	}
	return c.Write(texts)
}

func (c *commaSeparated) close() error {
	c.Flush()
	return c.Error()
}

// harmless is a text that no spreadsheet takes for a formula. The wide forms of the signs count too: some programs fold them.
func harmless(text string) string {
	if strings.ContainsAny(firstRune(strings.TrimLeft(text, " \u00a0\n")), "=+-@\t\r＝＋－＠") || strings.ContainsAny(firstRune(text), "\t\r\n") {
		return "'" + text
	}
	return text
}

func firstRune(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}

// plain is true for a number as both formats write it.
func plain(text string) bool {
	n, err := strconv.ParseFloat(text, 64)
	return err == nil && !math.IsInf(n, 0) && !math.IsNaN(n) && !strings.ContainsAny(text, "xXpP_")
}

package casework

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// spreadsheet writes an Office Open XML workbook (ECMA-376) with one sheet while the lines come, and keeps none of them: texts stand in their cells
// ("inlineStr") and not in a table of all texts. The libraries that write workbooks gather the sheet in memory or in a file first.
//
// Such a cell is a text whatever it begins with: no program runs it as a formula.
type spreadsheet struct {
	zip   *zip.Writer
	sheet *bufio.Writer
	lines int
}

const (
	maxCell = 32_767 // characters, and the most that Excel takes
	ooxml   = "http://schemas.openxmlformats.org/"
)

func newXLSX(out io.Writer, at time.Time) (*spreadsheet, error) {
	z := zip.NewWriter(out)
	create := func(name string) (io.Writer, error) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at})
		if err != nil {
			return nil, fmt.Errorf("begin a workbook: %w", err)
		}
		return w, nil
	}
	for _, part := range [][2]string{
		{"[Content_Types].xml", `<Types xmlns="` + ooxml + `package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
			`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
		{"_rels/.rels", `<Relationships xmlns="` + ooxml + `package/2006/relationships"><Relationship Id="rId1" Type="` + ooxml +
			`officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns="` + ooxml + `spreadsheetml/2006/main" xmlns:r="` + ooxml +
			`officeDocument/2006/relationships"><sheets><sheet name="Applications" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="` + ooxml + `package/2006/relationships"><Relationship Id="rId1" Type="` + ooxml +
			`officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
	} {
		w, err := create(part[0])
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, xml.Header+part[1]); err != nil {
			return nil, fmt.Errorf("begin a workbook: %w", err)
		}
	}
	w, err := create("xl/worksheets/sheet1.xml")
	if err != nil {
		return nil, err
	}
	s := &spreadsheet{zip: z, sheet: bufio.NewWriter(w)}
	_, err = s.sheet.WriteString(xml.Header + `<worksheet xmlns="` + ooxml + `spreadsheetml/2006/main"><sheetData>`)
	return s, err
}

// line writes a row. What fails sticks in the buffered writer, and is told at its end.
func (s *spreadsheet) line(cells []cell) error {
	s.lines++
	_, _ = fmt.Fprintf(s.sheet, `<row r="%d">`, s.lines)
	for i, c := range cells {
		at := fmt.Sprintf("%s%d", column(i), s.lines)
		switch {
		case c.text == "":
		case c.number:
			_, _ = fmt.Fprintf(s.sheet, `<c r="%s"><v>%s</v></c>`, at, strings.TrimPrefix(c.text, "+"))
		default:
			_, _ = fmt.Fprintf(s.sheet, `<c r="%s" t="inlineStr"><is><t xml:space="preserve">`, at)
			if err := xml.EscapeText(s.sheet, []byte(clipped(c.text))); err != nil {
				return err
			}
			_, _ = s.sheet.WriteString(`</t></is></c>`)
		}
	}
	_, err := s.sheet.WriteString("</row>")
	return err
}

func (s *spreadsheet) close() error {
	if _, err := s.sheet.WriteString("</sheetData></worksheet>"); err != nil {
		return err
	}
	if err := s.sheet.Flush(); err != nil {
		return err
	}
	return s.zip.Close()
}

// clipped is as much of a text as a cell takes.
func clipped(text string) string {
	if utf8.RuneCountInString(text) <= maxCell {
		return text
	}
	return string([]rune(text)[:maxCell])
}

// column is the name of a column, counted from 0: A to Z, AA and on.
func column(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}

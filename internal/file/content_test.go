package file

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/internal/input"
)

func TestNames(t *testing.T) {
	for given, want := range map[string]string{
		" a.pdf\t":                         "a.pdf",
		"الرقم\u200f.txt":                  "الرقم\u200f.txt",
		"👩\u200d💻.md":                      "👩\u200d💻.md",
		strings.Repeat("x", 300) + ".docx": strings.Repeat("x", 195) + ".docx",
		"a." + strings.Repeat("x", 300):    "a." + strings.Repeat("x", 198),
		"...hidden.txt":                    "...hidden.txt",
		"CON":                              "CON",
		"":                                 "", "..": "", "a/b": "", `a\b`: "", "a\nb": "", "a\u2028b": "", "a\u2066b": "", "\ufeffa": "", "a\x7f": "", "a\u0085b": "",
	} {
		var check input.Checker
		if got := cleanName(&check, given); (check.Err() != nil) != (want == "") || want != "" && got != want {
			t.Errorf("%q became %q: %v", given, got, check.Err())
		}
	}
}

func TestMedia(t *testing.T) {
	for name, c := range map[string]struct{ head, named, want string }{
		"a PDF":                  {"%PDF-1.4\n", "a.exe", "application/pdf"},
		"text":                   {"hello", "a", "text/plain"},
		"a table":                {"a,b\n1,2\n3,4\n", "a.csv", "text/csv"},
		"a table as text":        {"a,b\n1,2\n3,4\n", "a.TXT", "text/plain"},
		"Markdown":               {"# A\n\ntext", "README.MD", "text/markdown"},
		"a table of Windows":     {"N\xe4me;Wert\r\n1;2\r\n", "a.csv", "text/csv"},
		"a GIF":                  {"GIF89a\x01\x00\x01\x00\x00\x00\x00", "a", "image/gif"},
		"a JPEG":                 {"\xff\xd8\xff\xe0\x00\x10JFIF", "a", "image/jpeg"},
		"a WebP":                 {"RIFF\x00\x00\x00\x00WEBPVP8 ", "a", "image/webp"},
		"an MP4":                 {"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "a", "video/mp4"},
		"an M4A":                 {"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A isom", "a", "audio/mp4"},
		"an MP3":                 {"ID3\x03\x00\x00\x00\x00\x00\x0bTIT2\x00\x00\x00\x01\x00\x00\x00", "a", "audio/mpeg"},
		"an MP3 without a title": {"\xff\xfb\x90\x44\x00\x00", "a", "audio/mpeg"},
		"a script":               {"#!/bin/sh\nrm x\n", "a.txt", ""},
		"a vector picture":       {"\n <SVG onload=alert(1)>", "a.txt", ""},
		"a PDF after something":  {"\n%PDF-1.4\n", "a.pdf", ""},
		"a WebM":                 {"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm", "a", "video/webm"},
		"a page":                 {"<html>", "a.txt", ""},
		"a page after a comment": {"<!-- x -->\n<script>", "a.md", ""},
		"JSON":                   {`{"a": 1}`, "a.txt", ""},
		"an archive":             {"PK\x03\x04\x14\x00\x00\x00\x08\x00aaaaaaaaaaaaaaaaaaaaaaaa", "a.docx", ""},
		"a program":              {"\x7fELF\x02\x01\x01\x00", "a", ""},
		"bytes":                  {"\x00\x01\x02\x03", "a.txt", ""},
		"a calendar":             {"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "a.txt", ""},
	} {
		m, err := mediaOf([]byte(c.head), c.named)
		if m.name != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s is %q: %v", name, m.name, err)
		}
	}
}

func TestTail(t *testing.T) {
	const mark = "PK\x05\x06"
	for name, c := range map[string]struct {
		parts []string
		want  bool
	}{
		"nothing":             {nil, false},
		"at the end":          {[]string{strings.Repeat("x", 200_000), mark}, true},
		"across parts":        {[]string{strings.Repeat("x", 200_000) + "PK", "\x05", "\x06x"}, true},
		"as far as it can be": {[]string{mark + strings.Repeat("x", tailBytes-4)}, true},
		"too far":             {[]string{mark, strings.Repeat("x", tailBytes-3)}, false},
		"in many parts":       {append([]string{mark}, strings.Split(strings.Repeat("x,", 40_000), ",")...), true},
	} {
		var end tail
		for _, p := range c.parts {
			_, _ = end.Write([]byte(p))
		}
		if end.holdsArchive() != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
	}
}

func TestOrientation(t *testing.T) {
	segment := func(data string) []byte {
		return append([]byte{0xff, 0xd8, 0xff, 0xe1, byte((len(data) + 2) >> 8), byte(len(data) + 2)}, data...)
	}
	exif := func(tiff string) []byte { return segment("Exif\x00\x00" + tiff) }
	for name, c := range map[string]struct {
		jpeg []byte
		want int
	}{
		"little endian":               {exif("II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x08\x00\x00\x00"), 8},
		"big endian":                  {exif("MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x03\x00\x00"), 3},
		"none":                        {[]byte("\xff\xd8\xff\xda\x00\x02"), 1},
		"nothing":                     {nil, 1},
		"a directory that is outside": {exif("MM\x00\x2a\xff\xff\xff\xff"), 1},
		"a directory that is cut":     {exif("MM\x00\x2a\x00\x00\x00\x08\xff\xff\x01\x12"), 1},
		"a segment that is cut":       {exif("MM\x00\x2a")[:12], 1},
		"a header that is cut":        {exif("MM"), 1},
	} {
		if got := orientation(c.jpeg); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func FuzzShrink(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00\x2a"), 1)
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"), 2)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		sorts := []string{"image/png", "image/jpeg", "image/gif", "image/webp"}
		small, _, err := shrink(data, sorts[uint(n)%4])
		if err == nil && (len(small) == 0 || bytes.Contains(small, []byte("Exif"))) {
			t.Errorf("%d bytes", len(small))
		}
	})
}

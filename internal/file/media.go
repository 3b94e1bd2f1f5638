package file

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"github.com/pursuing-equity/commons/internal/fault"
)

// media is a sort of content that is taken.
type media struct {
	name       string   // the media type that it is served with
	sniffed    []string // what else package mimetype calls it
	extensions []string // that its files may have; the first is given to those with another one
	sort       sort
}

// sort decides how large content may be and how it is looked at.
type sort byte

const (
	document sort = iota
	text
	picture
	recording // sound or film
)

// taken is all that is taken. What runs, or what a browser renders with scripts in it, is not: HTML, SVG, XML, scripts, programs.
// Nor are archives: nobody can say what is in one before it is open on somebody's machine, and a link to where it is kept does.
// Office documents are archives that programs open as documents only; they are never unpacked here.
var taken = []media{
	{"application/pdf", nil, []string{".pdf"}, document},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", nil, []string{".docx"}, document},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", nil, []string{".xlsx"}, document},
	{"application/vnd.openxmlformats-officedocument.presentationml.presentation", nil, []string{".pptx"}, document},
	{"application/vnd.oasis.opendocument.text", nil, []string{".odt"}, document},
	{"application/vnd.oasis.opendocument.spreadsheet", nil, []string{".ods"}, document},
	{"application/vnd.oasis.opendocument.presentation", nil, []string{".odp"}, document},
	{"image/png", nil, []string{".png"}, picture},
	{"image/jpeg", nil, []string{".jpg", ".jpeg"}, picture},
	{"image/webp", nil, []string{".webp"}, picture},
	{"image/gif", nil, []string{".gif"}, picture},
	{"video/mp4", nil, []string{".mp4", ".m4v"}, recording},
	{"video/webm", nil, []string{".webm"}, recording},
	{"audio/mpeg", nil, []string{".mp3"}, recording},
	{"audio/mp4", []string{"audio/x-m4a"}, []string{".m4a"}, recording},
	// Text is told apart by its name: one may look like the other.
	{"text/plain", []string{"text/csv", "text/tab-separated-values"}, []string{".txt", ".text", ".log"}, text},
	{"text/csv", nil, []string{".csv"}, text},
	{"text/markdown", nil, []string{".md", ".markdown"}, text},
}

// beginnings are what content of a media type begins with where package mimetype looks further, because readers and players overlook
// what stands before: it may be anything.
var beginnings = map[string][]string{
	"application/pdf": {"%PDF-"},
	"audio/mpeg":      {"ID3", "\xff\xfb", "\xff\xfa", "\xff\xf3", "\xff\xf2", "\xff\xe3", "\xff\xe2"},
}

// runs reports whether a text is a script or a vector picture that is not otherwise known as one.
func runs(head []byte) bool {
	head = bytes.ToLower(bytes.TrimLeft(head[:min(len(head), 256)], "\ufeff \t\r\n"))
	return bytes.HasPrefix(head, []byte("#!")) || bytes.HasPrefix(head, []byte("<svg"))
}

// headBytes is how much of the beginning is looked at.
const headBytes = 64 << 10

// mediaOf says what the content is by its beginning; what its sender calls it counts for nothing but the sort of text.
func mediaOf(head []byte, name string) (media, error) {
	mimetype.SetLimit(headBytes) // the package keeps it for all; within its own 3 KiB many an office document cannot be told
	found := mimetype.Detect(head)
	for _, m := range taken {
		if !found.Is(m.name) && !slices.ContainsFunc(m.sniffed, found.Is) {
			continue
		}
		if begins := beginnings[m.name]; begins != nil && !slices.ContainsFunc(begins, func(b string) bool { return bytes.HasPrefix(head, []byte(b)) }) {
			return media{}, hidden()
		}
		if m.sort == text && runs(head) {
			break
		}
		if m.sort != text {
			return m, nil
		}
		for _, other := range taken {
			if other.sort == text && slices.Contains(other.extensions, strings.ToLower(path.Ext(name))) {
				return other, nil
			}
		}
		return m, nil
	}
	return media{}, fault.New(fault.UnsupportedMediaType, "This is no sort of file that can be uploaded here (it looks like %s). "+
		"PDF, Word, Excel, PowerPoint and OpenDocument files, text, CSV, Markdown, PNG, JPEG, WebP, GIF, MP4, WebM, MP3 and M4A can.", plain(found.String()))
}

// plain is a media type without its parameters.
func plain(mediaType string) string {
	name, _, _ := strings.Cut(mediaType, ";")
	return name
}

// largest is how large content of the sort may be.
func (l Limits) largest(s sort) int64 {
	if s == recording {
		return l.Media
	}
	return l.Document
}

// markup is what a page or a script begins with, in lower case. No picture, film or sound holds one by chance.
var markup = [][]byte{[]byte("<script"), []byte("<html"), []byte("<!doctype"), []byte("<iframe"), []byte("<?php"), []byte("javascript:")}

// twoFaced reports whether the beginning of a picture or a recording is a page or a PDF as well. Nothing here renders it as such:
// files are served as attachments, with their type and in a sandbox. But whoever sends one means harm to a program elsewhere.
func (m media) twoFaced(head []byte) bool {
	if m.sort != picture && m.sort != recording {
		return false
	}
	lower := bytes.ToLower(head)
	for _, mark := range markup {
		if bytes.Contains(lower, mark) {
			return true
		}
	}
	return bytes.Contains(head[:min(len(head), 2<<10)], []byte("%PDF-")) // readers look for it in the first 1,024 bytes
}

// tail keeps the end of what is written to it: there a ZIP has its directory, whatever stands before it.
type tail struct{ last []byte }

// tailBytes is how far from its end a ZIP's directory can end: a comment of 65,535 bytes comes after it.
const tailBytes = 1<<16 + 22

// Write keeps the last bytes. It never fails.
func (t *tail) Write(b []byte) (int, error) {
	n := len(b)
	if n >= tailBytes {
		t.last = append(t.last[:0], b[n-tailBytes:]...)
		return n, nil
	}
	if len(t.last)+n > 2*tailBytes {
		t.last = append(t.last[:0], t.last[len(t.last)-tailBytes:]...)
	}
	t.last = append(t.last, b...)
	return n, nil
}

// holdsArchive reports whether what was written ends with a ZIP.
func (t *tail) holdsArchive() bool {
	return bytes.Contains(t.last[max(0, len(t.last)-tailBytes):], []byte("PK\x05\x06"))
}

// archive reports whether content of the sort is a ZIP by nature.
func (m media) archive() bool {
	return m.sort == document && m.name != "application/pdf"
}

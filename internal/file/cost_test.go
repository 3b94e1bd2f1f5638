//go:build unix

package file

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// bomb is a PNG that says that it is wide and high, with 64 MiB of nothing in a few KiB.
func bomb(side uint32) []byte {
	chunk := func(kind string, data []byte) []byte {
		b := append(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), kind...), data...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, side), side)
	var pixels bytes.Buffer
	z := zlib.NewWriter(&pixels)
	for range 64 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	return bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(header, 8, 2, 0, 0, 0)), chunk("IDAT", pixels.Bytes()), chunk("IEND", nil)}, nil)
}

// document64 is a Word document that would unpack to 64 MiB.
func document64() []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"[Content_Types].xml", "_rels/.rels", "word/document.xml"} {
		f, _ := z.Create(name)
		_, _ = io.WriteString(f, "<a/>")
	}
	f, _ := z.Create("word/media/zeros")
	for range 64 {
		_, _ = f.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	return b.Bytes()
}

// processor is the processor time that the process has taken. Tests of this package run one after the other.
func processor(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// What is hostile costs at most 100 ms of processor time, whether it is refused or kept.
func TestHostileContentIsCheap(t *testing.T) {
	s, v := newService(t, database.SQLite(t))
	ctx := viewer.NewContext(t.Context(), v)
	for name, c := range map[string]struct {
		purpose file.Purpose
		name    string
		body    []byte
	}{
		"a picture of 900 megapixels":         {file.PurposeAVATAR, "a.png", bomb(30_000)},
		"a picture that is a bomb, kept":      {file.PurposeRESOURCE, "a.png", bomb(30_000)},
		"a document that is a bomb, kept":     {file.PurposeRESOURCE, "a.docx", document64()},
		"a page":                              {file.PurposeRESOURCE, "a.png", []byte("<html>" + strings.Repeat("<div>", 200_000))},
		"a megabyte of brackets":              {file.PurposeRESOURCE, "a.txt", []byte(strings.Repeat("[", 1<<20))},
		"a megabyte of commas":                {file.PurposeRESOURCE, "a.csv", []byte(strings.Repeat(",\n", 1<<19))},
		"a megabyte of the beginnings of PKs": {file.PurposeRESOURCE, "a.txt", []byte(strings.Repeat("PK\x05", 350_000))},
	} {
		t.Run(name, func(t *testing.T) {
			before := processor(t)
			_, err := s.Upload(ctx, v, NewFile{Name: c.name, Purpose: c.purpose, Declared: int64(len(c.body))}, bytes.NewReader(c.body))
			took := processor(t) - before
			t.Logf("%v, error %v", took, err)
			if took > 100*time.Millisecond {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// The largest picture that is decoded is made small.
func BenchmarkAvatarOf20Megapixels(b *testing.B) {
	var large bytes.Buffer
	if err := png.Encode(&large, image.NewRGBA(image.Rect(0, 0, 4472, 4472))); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := shrink(large.Bytes(), "image/png"); err != nil {
			b.Fatal(err)
		}
	}
}

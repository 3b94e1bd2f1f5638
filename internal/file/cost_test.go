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
	"math/rand/v2"
	"strconv"
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
		"a picture gone over 400 times":       {file.PurposeAVATAR, "a.jpg", scans(4472, 400)},
		"the largest picture that is taken":   {file.PurposeAVATAR, "a.png", drawn(1024, 0)},
		"the heaviest picture that is taken":  {file.PurposeAVATAR, "a.png", drawn(1024, 0xff)},
		"a picture gone over as often as may": {file.PurposeAVATAR, "a.jpg", scans(1024, 12)},
		"a picture that is a bomb, kept":      {file.PurposeRESOURCE, "a.png", bomb(30_000)},
		"a document that is a bomb, kept":     {file.PurposeRESOURCE, "a.docx", document64()},
		"a page":                              {file.PurposeRESOURCE, "a.png", []byte("<html>" + strings.Repeat("<div>", 200_000))},
		"a megabyte of brackets":              {file.PurposeRESOURCE, "a.txt", []byte(strings.Repeat("[", 1<<20))},
		"a megabyte of commas":                {file.PurposeRESOURCE, "a.csv", []byte(strings.Repeat(",\n", 1<<19))},
		"a megabyte of the beginnings of PKs": {file.PurposeRESOURCE, "a.txt", []byte(strings.Repeat("PK\x05", 350_000))},
	} {
		t.Run(name, func(t *testing.T) {
			least := time.Hour
			for range 3 { // what else the machine does only adds to it
				before := processor(t)
				_, err := s.Upload(ctx, v, NewFile{Name: c.name, Purpose: c.purpose, Declared: int64(len(c.body))}, bytes.NewReader(c.body))
				least = min(least, processor(t)-before)
				t.Logf("%v, error %v", least, err)
			}
			if least > raceFactor*100*time.Millisecond {
				t.Errorf("it took %v", least)
			}
		})
	}
}

// scans is a progressive JPEG whose scans say, in a few bytes each, that a whole band of all its blocks is empty (ITU-T T.81, G.1.2.2).
func scans(side, n int) []byte {
	table := func(class, symbol byte) []byte { // one code, of one bit
		return append(append([]byte{0xff, 0xc4, 0, 20, class, 1}, make([]byte, 15)...), symbol)
	}
	var b bytes.Buffer
	b.Write([]byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0})
	b.Write(bytes.Repeat([]byte{1}, 64))
	b.Write([]byte{0xff, 0xc2, 0, 11, 8, byte(side >> 8), byte(side), byte(side >> 8), byte(side), 1, 1, 0x11, 0})
	b.Write(table(0x10, 0xe0)) // a run of 2^14 and more empty blocks
	b.Write(table(0x00, 0x00))
	blocks := ((side + 7) / 8) * ((side + 7) / 8)
	bits := strings.Repeat("0"+strings.Repeat("1", 13)+"1", (blocks+32766)/32767)
	bits += strings.Repeat("1", (8-len(bits)%8)%8)
	var data []byte
	for i := 0; i < len(bits); i += 8 {
		c, _ := strconv.ParseUint(bits[i:i+8], 2, 8)
		if data = append(data, byte(c)); c == 0xff {
			data = append(data, 0)
		}
	}
	for range n {
		b.Write([]byte{0xff, 0xda, 0, 8, 1, 1, 0x00, 1, 63, 0})
		b.Write(data)
	}
	b.Write([]byte{0xff, 0xd9})
	return b.Bytes()
}

// drawn is a square picture whose colours are random in the bits of a mask: all of them cannot be compressed.
func drawn(side int, mask byte) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] = byte(r.Uint32()) & mask
		if i%4 == 3 && mask != 0 {
			m.Pix[i] = 0xff // a PNG of three colours
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, m)
	return b.Bytes()
}

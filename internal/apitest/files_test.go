package apitest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// reply is an answer of plain HTTP.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// code is the code of the first error in the answer; empty when there is none.
func (r reply) code() string {
	var body struct {
		Errors []apitest.Error `json:"errors"`
	}
	if json.Unmarshal(r.body, &body) != nil || len(body.Errors) == 0 {
		return ""
	}
	return body.Errors[0].Code()
}

// field is a text in the answer's JSON.
func (r reply) field(name string) string {
	var body map[string]any
	_ = json.Unmarshal(r.body, &body)
	text, _ := body[name].(string)
	return text
}

// id is the id of what was uploaded.
func (r reply) id(t *testing.T) string {
	t.Helper()
	if r.status != http.StatusCreated {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	return r.field("id")
}

// send sends a request as it is, with headers in pairs.
func send(t *testing.T, method, address string, body io.Reader, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		req.Header.Add(pair[0], pair[1])
	}
	client := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, text}
}

// upload sends a file with a token; empty for a visitor.
func upload(t *testing.T, w *apitest.World, token, query string, body io.Reader, headers ...string) reply {
	t.Helper()
	if token != "" {
		headers = append(headers, "Authorization", "Bearer "+token)
	}
	return send(t, http.MethodPost, w.URL+"/files?"+query, body, headers...)
}

// called is an upload's query.
func called(name, purpose string) string {
	return url.Values{"name": {name}, "purpose": {purpose}}.Encode()
}

// stays counts the bytes' places in the storage and the rows: what an upload that failed must not leave.
func stays(t *testing.T, w *apitest.World) (places, rows int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(w.App.Config.DataDir, "files"), func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			places++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err = w.App.Store.Client(w.System()).File.Query().Count(w.System())
	if err != nil {
		t.Fatal(err)
	}
	return places, rows
}

// drawn is a picture that tells its corners apart: red, green, blue and white from the top left, row by row.
func drawn(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := [2][2]color.RGBA{{{255, 0, 0, 255}, {0, 255, 0, 255}}, {{0, 0, 255, 255}, {255, 255, 255, 255}}}[y*2/height][x*2/width]
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func encodedPNG(m image.Image) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, m)
	return b.Bytes()
}

func encodedJPEG(m image.Image) []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, m, nil)
	return b.Bytes()
}

func encodedGIF(m image.Image) []byte {
	var b bytes.Buffer
	_ = gif.Encode(&b, m, nil)
	return b.Bytes()
}

const (
	pdf        = "%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
	createFile = `mutation($input: CreateResourceInput!) { createResource(input: $input) { resource { id file { id name mediaType size url } } errors { code path } } }`
	updateFile = `mutation($input: UpdateResourceInput!) { updateResource(input: $input) { resource { file { id } versions(first: 9) { edges { node { number file { id url } } } } } errors { code path } } }`
	setAvatar  = `mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { member { avatarUrl } errors { code path } } }`
	seeFile    = `query($id: ID!) { node(id: $id) { ... on File { id name url } } }`
	deleteFile = `mutation($input: DeleteFileInput!) { deleteFile(input: $input) { fileId errors { code path } } }`
)

func TestFiles(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, out := w.Member("ada"), w.Member("out")
		staff := w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		network := w.Space(space.KindNETWORK, "Network", ada)
		hidden := w.Space(space.KindAFFINITY, "Hidden", ada)
		_ = network
		absolute := func(link string) string { return w.URL + link }

		w.T.Run("a resource holds a file, and its link leads to the bytes", func(t *testing.T) {
			r := upload(t, w, staff.Token(), called("Leitfaden für Teams.pdf", "RESOURCE"), strings.NewReader(pdf))
			id := r.id(t)
			if r.field("name") != "Leitfaden für Teams.pdf" || r.field("mediaType") != "application/pdf" {
				t.Errorf("answer %s", r.body)
			}
			made := staff.Must(createFile, input(vars{"kind": "FILE", "title": "Guide", "audience": "PUBLIC", "fileId": id}))
			if made.String("createResource.resource.file.id") != id || made.Int("createResource.resource.file.size") != len(pdf) {
				t.Errorf("made %v", made.Data)
			}
			link := absolute(made.String("createResource.resource.file.url"))
			got := send(t, http.MethodGet, link, nil)
			if got.status != http.StatusOK || string(got.body) != pdf {
				t.Fatalf("status %d: %s", got.status, got.body)
			}
			for name, want := range map[string]string{
				"Content-Type": "application/pdf", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'",
				"Content-Disposition": `attachment; filename="Leitfaden f_r Teams.pdf"; filename*=UTF-8''Leitfaden%20f%C3%BCr%20Teams.pdf`,
				"Cache-Control":       "private, no-cache", "Cross-Origin-Resource-Policy": "cross-origin", "Accept-Ranges": "bytes",
			} {
				if got.header.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
				}
			}
			if part := send(t, http.MethodGet, link, nil, "Range", "bytes=1-3"); part.status != http.StatusPartialContent || string(part.body) != "PDF" {
				t.Errorf("a part: %d %q", part.status, part.body)
			}
			if head := send(t, http.MethodHead, link, nil); head.status != http.StatusOK || len(head.body) != 0 || head.header.Get("Content-Length") != fmt.Sprint(len(pdf)) {
				t.Errorf("HEAD: %d %v", head.status, head.header)
			}
			if same := send(t, http.MethodGet, link, nil, "If-None-Match", got.header.Get("ETag")); same.status != http.StatusNotModified {
				t.Errorf("not changed: %d", same.status)
			}
			if again := out.Must(seeFile, vars{"id": id}).String("node.url"); absolute(again) != link && time.Now().Minute() != 0 {
				t.Errorf("another viewer's link differs: %s", again)
			}
			archive := `mutation($input: ArchiveResourceInput!) { archiveResource(input: $input) { resource { file { id } } errors { code } } }`
			retired := staff.Must(archive, input(vars{"resourceId": made.String("createResource.resource.id")}))
			if retired.At("archiveResource.resource.file") != nil {
				t.Errorf("retired: %v", retired.Data)
			}
			if gone := send(t, http.MethodGet, link, nil); gone.status != http.StatusNotFound {
				t.Errorf("retired: %d", gone.status)
			}
		})
		w.T.Run("a file in a hidden space is there for its members only", func(t *testing.T) {
			id := upload(t, w, ada.Token(), called("a.csv", "RESOURCE"), strings.NewReader("a,b\n1,2\n")).id(t)
			for _, p := range []*apitest.Person{out, staff} {
				if code := p.Do(seeFile, vars{"id": id}).Code(); code != "NOT_FOUND" {
					t.Errorf("%s, before: %q", p.Handle, code)
				}
			}
			made := ada.Must(createFile, input(vars{"kind": "FILE", "title": "H", "audience": "SPACE", "spaceId": hidden, "fileId": id}))
			ada.Must(seeFile, vars{"id": id})
			for _, p := range []*apitest.Person{out, staff} {
				if got, want := p.Do(seeFile, vars{"id": id}), p.Do(seeFile, vars{"id": w.NewID(gid.File)}); got.Body != want.Body {
					t.Errorf("%s: %s", p.Handle, got.Body)
				}
			}
			if code := ada.Do(deleteFile, input(vars{"fileId": id})).Code(); code != "FORBIDDEN" {
				t.Errorf("what is in use: %q", code)
			}
			second := upload(t, w, ada.Token(), called("b.md", "RESOURCE"), strings.NewReader("# B\n")).id(t)
			resource := made.String("createResource.resource.id")
			r := ada.Must(updateFile, input(vars{"resourceId": resource, "expectedVersion": 1, "fileId": second}))
			if r.String("updateResource.resource.file.id") != second || r.String("updateResource.resource.versions.edges.1.node.file.id") != id {
				t.Errorf("versions %v", r.Data)
			}
			r = ada.Must(updateFile, input(vars{"resourceId": resource, "expectedVersion": 2, "title": "I"}))
			if r.String("updateResource.resource.file.id") != second {
				t.Errorf("left out: %v", r.Data)
			}
			r = ada.Must(updateFile, input(vars{"resourceId": resource, "expectedVersion": 3, "fileId": nil}))
			if r.At("updateResource.resource.file") != nil || send(t, http.MethodGet, absolute(r.String("updateResource.resource.versions.edges.3.node.file.url")), nil).status != http.StatusOK {
				t.Errorf("none: %v", r.Data)
			}
		})
		w.T.Run("only an own file that nothing holds can be given away", func(t *testing.T) {
			create := func(p *apitest.Person, id any) *apitest.Response {
				return p.Do(createFile, input(vars{"kind": "FILE", "title": "T", "audience": "SPACE", "spaceId": hidden, "fileId": id}))
			}
			others := upload(t, w, out.Token(), called("a.txt", "RESOURCE"), strings.NewReader("theirs")).id(t)
			foreign, missing := create(ada, others), create(ada, w.NewID(gid.File))
			if foreign.Code() != "NOT_FOUND" || foreign.Body != missing.Body || foreign.String("createResource.errors.0.path.0") != "fileId" {
				t.Errorf("another's: %s", foreign.Body)
			}
			picture := upload(t, w, ada.Token(), called("a.png", "AVATAR"), bytes.NewReader(encodedPNG(drawn(8, 8)))).id(t)
			if code := create(ada, picture).Code(); code != "INVALID_INPUT" {
				t.Errorf("of another purpose: %q", code)
			}
			own := upload(t, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("mine")).id(t)
			if code := ada.Do(setAvatar, input(vars{"avatarFileId": own})).Code(); code != "INVALID_INPUT" {
				t.Errorf("a text as an avatar: %q", code)
			}
			if code := create(ada, own).Code(); code != "" {
				t.Errorf("own: %q", code)
			}
			if code := create(ada, own).Code(); code != "INVALID_INPUT" {
				t.Errorf("twice: %q", code)
			}
			ada.Must(deleteFile, input(vars{"fileId": picture}))
			if code := ada.Do(setAvatar, input(vars{"avatarFileId": picture})).Code(); code != "NOT_FOUND" {
				t.Errorf("deleted: %q", code)
			}
		})
		w.T.Run("who uploads must be signed in, and may write", func(t *testing.T) {
			if r := upload(t, w, "", called("a.txt", "RESOURCE"), strings.NewReader("x")); r.status != http.StatusUnauthorized {
				t.Errorf("a visitor: %d %s", r.status, r.body)
			}
			if r := upload(t, w, w.Token(ada, "READ"), called("a.txt", "RESOURCE"), strings.NewReader("x")); r.status != http.StatusForbidden || r.code() != "INSUFFICIENT_SCOPE" {
				t.Errorf("a token that only reads: %d %s", r.status, r.body)
			}
		})
		w.T.Run("a key makes an upload happen once", func(t *testing.T) {
			first := upload(t, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("once"), "Idempotency-Key", "k1")
			places, rows := stays(t, w)
			again := upload(t, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("once"), "Idempotency-Key", "k1")
			if !bytes.Equal(first.body, again.body) || again.status != http.StatusCreated {
				t.Errorf("%s and %s", first.body, again.body)
			}
			if r := upload(t, w, ada.Token(), called("a.txt", "RESOURCE"), strings.NewReader("other"), "Idempotency-Key", "k1"); r.status != http.StatusConflict || r.code() != "IDEMPOTENCY_CONFLICT" {
				t.Errorf("another file: %d %s", r.status, r.body)
			}
			if p, n := stays(t, w); p != places || n != rows {
				t.Errorf("%d places and %d rows, before %d and %d", p, n, places, rows)
			}
		})
	})
}

// gps is a marker that stands where a camera writes where it was.
const gps = "GPS-41.8781N-87.6298W"

// photographed is a JPEG whose EXIF data say that it lies on its side, and where it was taken.
func photographed(m image.Image, orientation byte) []byte {
	tiff := []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string([]byte{orientation}) + "\x00\x00\x00\x00\x00\x00" + gps)
	data := append([]byte("Exif\x00\x00"), tiff...)
	whole := encodedJPEG(m)
	segment := append([]byte{0xff, 0xe1, byte((len(data) + 2) >> 8), byte(len(data) + 2)}, data...)
	return append(append(append([]byte{}, whole[:2]...), segment...), whole[2:]...)
}

func TestAvatars(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		avatar := func(t *testing.T, name string, data []byte) (string, reply) {
			t.Helper()
			id := upload(t, w, ada.Token(), called(name, "AVATAR"), bytes.NewReader(data)).id(t)
			link := ada.Must(setAvatar, input(vars{"avatarFileId": id})).String("updateProfile.member.avatarUrl")
			return link, send(t, http.MethodGet, w.URL+link, nil)
		}
		var last string
		w.T.Run("a photograph is made small, upright and without metadata", func(t *testing.T) {
			link, got := avatar(t, "me.jpeg", photographed(drawn(600, 400), 6))
			last = link
			if got.status != http.StatusOK || got.header.Get("Content-Type") != "image/jpeg" || got.header.Get("Cache-Control") != "private, max-age=3600" ||
				got.header.Get("Content-Disposition") != `inline; filename="me.jpeg"; filename*=UTF-8''me.jpeg` {
				t.Errorf("%d %v", got.status, got.header)
			}
			if bytes.Contains(got.body, []byte("GPS")) || bytes.Contains(got.body, []byte("Exif")) {
				t.Error("the metadata are there")
			}
			m, err := jpeg.Decode(bytes.NewReader(got.body))
			if err != nil || m.Bounds().Dx() != 256 || m.Bounds().Dy() != 256 {
				t.Fatalf("%v %v", m.Bounds(), err)
			}
			if r, g, b, _ := m.At(200, 40).RGBA(); r>>8 < 200 || g>>8 > 60 || b>>8 > 60 { // what was at the top left is at the top right
				t.Errorf("not upright: %d %d %d", r>>8, g>>8, b>>8)
			}
		})
		w.T.Run("what is see-through stays so, and the picture before is gone", func(t *testing.T) {
			m := drawn(300, 300)
			m.SetRGBA(0, 0, color.RGBA{})
			link, got := avatar(t, "me.gif.png", encodedPNG(m))
			if got.header.Get("Content-Type") != "image/png" {
				t.Errorf("%v", got.header)
			}
			if send(t, http.MethodGet, w.URL+last, nil).status != http.StatusNotFound {
				t.Error("the old link works")
			}
			last = link
		})
		w.T.Run("all sorts, small and large", func(t *testing.T) {
			for name, data := range map[string][]byte{"a.gif": encodedGIF(drawn(1, 1)), "a.png": encodedPNG(drawn(3000, 10)), "a.jpg": encodedJPEG(drawn(1100, 900))} {
				if _, got := avatar(t, name, data); got.status != http.StatusOK {
					t.Errorf("%s: %d", name, got.status)
				}
			}
		})
		w.T.Run("null removes it, and the address of before shows again", func(t *testing.T) {
			ada.Must(setAvatar, input(vars{"avatarUrl": "https://example.org/ada.png"}))
			link := ada.Must(`{ viewer { avatarUrl } }`, nil).String("viewer.avatarUrl")
			r := ada.Must(setAvatar, input(vars{"avatarFileId": nil}))
			if r.String("updateProfile.member.avatarUrl") != "https://example.org/ada.png" || send(t, http.MethodGet, w.URL+link, nil).status != http.StatusNotFound {
				t.Errorf("%v", r.Data)
			}
			if r := ada.Must(setAvatar, input(vars{"avatarUrl": ""})); r.At("updateProfile.member.avatarUrl") != nil {
				t.Errorf("none: %v", r.Data)
			}
		})
		w.T.Run("the picture of an erased member is gone, with its bytes", func(t *testing.T) {
			link, _ := avatar(t, "a.png", encodedPNG(drawn(20, 20)))
			if _, err := w.App.Accounts.Erase(w.System(), viewer.Session(ada.ID, gid.ID{}), &ada.ID, ada.Handle, ""); err != nil {
				t.Fatal(err)
			}
			if err := w.App.Accounts.FinishErasures(w.System()); err != nil {
				t.Fatal(err)
			}
			if send(t, http.MethodGet, w.URL+link, nil).status != http.StatusNotFound {
				t.Error("the link works")
			}
			if err := w.App.Files.Sweep(w.System()); err != nil {
				t.Fatal(err)
			}
			if places, rows := stays(t, w); places != 0 || rows != 0 {
				t.Errorf("%d places and %d rows stay", places, rows)
			}
		})
	})
}

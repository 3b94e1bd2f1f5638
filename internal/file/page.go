package file

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"gocloud.dev/gcerrors"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Pages are the endpoints of plain HTTP, by the patterns of http.ServeMux.
func (s *Service) Pages() map[string]func(http.ResponseWriter, *http.Request, viewer.Viewer) error {
	return map[string]func(http.ResponseWriter, *http.Request, viewer.Viewer) error{
		"POST /files":            s.serveUpload,
		"GET /files/{id}/{name}": s.serveDownload,
	}
}

// serveUpload takes the bytes as they are: POST /files?name=…&purpose=RESOURCE|AVATAR|POST|APPLICATION, and perhaps an Idempotency-Key. It answers 201.
func (s *Service) serveUpload(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(values["name"]) > 1 || len(values["purpose"]) > 1 {
		return fault.New(fault.BadRequest, "Send name and purpose once each, in the URL: /files?name=…&purpose=RESOURCE.")
	}
	if sent, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); strings.HasPrefix(sent, "multipart/") {
		return fault.New(fault.UnsupportedMediaType, "Send the bytes of the file as the body, and no form.")
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fault.New(fault.UnsupportedMediaType, "Send the body without a Content-Encoding.")
	}
	in := NewFile{Name: values.Get("name"), Purpose: file.Purpose(values.Get("purpose")), Declared: r.ContentLength}
	if keys := r.Header.Values("Idempotency-Key"); len(keys) > 0 {
		in.IdempotencyKey = &keys[0]
	}
	f, err := s.Upload(r.Context(), v, in, r.Body)
	if err != nil {
		return err
	}
	body, err := json.Marshal(struct {
		ID        gid.ID `json:"id"`
		Name      string `json:"name"`
		MediaType string `json:"mediaType"`
		Size      int64  `json:"size"`
	}{f.ID, f.Name, f.MediaType, f.Size})
	if err != nil {
		return fmt.Errorf("describe a file: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(body) // there is nobody to tell when the client is gone
	return nil
}

// serveDownload answers a link: whoever has it may have the file, for as long as the link is good and the file is there. A wrong link,
// one that is over, and one to a file that is gone are the same NOT_FOUND.
func (s *Service) serveDownload(w http.ResponseWriter, r *http.Request, _ viewer.Viewer) error {
	ctx := viewer.NewContext(r.Context(), viewer.System("serve a signed link"))
	query := r.URL.Query()
	good, err := s.admits(ctx, r.PathValue("id"), r.PathValue("name"), query.Get("for"), query.Get("expires"), query.Get("signature"))
	if err != nil {
		return err
	}
	id, err := gid.Parse(r.PathValue("id"))
	if !good || err != nil {
		return fault.Missing()
	}
	which, err := s.whose(ctx, query.Get("for"))
	if err != nil {
		return err
	}
	f, err := s.Store.Client(ctx).File.Query().Where(file.ID(id), access.ServedFiles(), which).Only(ctx)
	if ent.IsNotFound(err) {
		return fault.Missing()
	}
	if err != nil {
		return fmt.Errorf("load file: %w", err)
	}
	bucket, err := s.open(ctx)
	if err != nil {
		return err
	}
	switch there, err := bucket.Attributes(ctx, keyOf(id)); {
	case gcerrors.Code(err) == gcerrors.Canceled:
		return err
	case err != nil:
		return storageAway(err)
	case there.Size != f.Size:
		return storageAway(fmt.Errorf("%s has %d bytes and not %d", id, there.Size, f.Size))
	}

	h := w.Header()
	h.Set("Content-Type", f.MediaType)
	h.Set("Content-Disposition", disposition(f))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	// The link is the permission and no cookie adds to it: pages elsewhere may show what they have a link to.
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("ETag", `"`+hex.EncodeToString(f.Hash)+`"`)
	h.Set("Vary", "Origin")
	if f.Purpose == file.PurposeAVATAR { // seen again and again
		h.Set("Cache-Control", "private, max-age=3600")
	} else { // asked for each time, so that what was retired is gone; what was not changed is not sent again
		h.Set("Cache-Control", "private, no-cache")
	}
	if strings.Contains(r.Header.Get("Range"), ",") { // many parts at once serve nobody but who floods; all of it is a right answer, too
		r.Header.Del("Range")
	}
	stored := &stored{ctx: ctx, service: s, key: keyOf(id), size: f.Size}
	defer stored.close()
	http.ServeContent(w, r, "", f.CreatedAt, stored)
	return nil
}

// disposition names a file for who saves it (RFC 6266): in ASCII, and as it is called. Only what was made here, an avatar, is shown.
func disposition(f *ent.File) string {
	how := "attachment"
	if f.Purpose == file.PurposeAVATAR {
		how = "inline"
	}
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%`, r) {
			return '_'
		}
		return r
	}, f.Name)
	return how + `; filename="` + ascii + `"; filename*=UTF-8''` + encoded(f.Name)
}

// encoded is a text as a header's parameter has it (RFC 5987).
func encoded(text string) string {
	const plain = "!#$&+-.^_`|~"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// stored is content that can be read from anywhere in it. The storage is asked when something is read, from there on.
type stored struct {
	ctx     context.Context //nolint:containedctx // io.ReadSeeker has no place for it; it lives as long as its request
	service *Service
	key     string
	size    int64
	at      int64
	from    io.ReadCloser // nil until something is read
}

// Seek is io.Seeker's.
func (c *stored) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 {
		return c.at, errors.New("seek before the beginning")
	}
	if offset != c.at {
		c.close()
		c.at = offset
	}
	return offset, nil
}

// Read is io.Reader's.
func (c *stored) Read(b []byte) (int, error) {
	if c.at >= c.size {
		return 0, io.EOF
	}
	if c.from == nil {
		from, err := c.service.read(c.ctx, c.key, c.at)
		if err != nil {
			return 0, err
		}
		c.from = from
	}
	n, err := c.from.Read(b)
	c.at += int64(n)
	return n, err
}

func (c *stored) close() {
	if c.from != nil {
		_ = c.from.Close()
		c.from = nil
	}
}

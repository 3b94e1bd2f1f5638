package inbound

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/pursuing-equity/commons/internal/gid"
)

// What is looked at of a mail. More is refused, or left where it is.
const (
	maxHeader      = 256 << 10 // bytes
	maxFields      = 1_000
	maxParts       = 100
	maxDepth       = 10
	maxText        = 512 << 10 // bytes of a part that is read as text
	maxAttachments = 10
)

// message is a mail of which the header was read.
type message struct {
	header   netmail.Header
	body     io.Reader
	from     string // in small letters; empty when there is no one sender
	identity string // its Message-ID, or the hash of all of it

	parts        int
	plain, html  string
	flowed, tidy bool // how lines of the plain part go on: format=flowed, DelSp=yes
}

// attachment is a file of a mail, decoded while it is read.
type attachment struct {
	name    string
	content io.Reader
}

// open reads the header of a mail.
func open(r io.ReadSeeker) (*message, error) {
	in := bufio.NewReaderSize(r, 4<<10)
	head, err := readHeader(in)
	if err != nil {
		return nil, err
	}
	parsed, err := netmail.ReadMessage(bytes.NewReader(head))
	if err != nil {
		return nil, errMalformed
	}
	m := &message{header: parsed.Header, body: in, identity: strings.TrimSpace(parsed.Header.Get("Message-Id"))}
	if from, err := netmail.ParseAddressList(parsed.Header.Get("From")); err == nil && len(from) == 1 && len(parsed.Header["From"]) == 1 {
		m.from = strings.ToLower(from[0].Address)
	}
	if m.identity == "" {
		sum := sha256.New()
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		if _, err := io.Copy(sum, r); err != nil {
			return nil, err
		}
		if _, err := r.Seek(int64(len(head)), io.SeekStart); err != nil {
			return nil, err
		}
		in.Reset(r)
		m.identity = hex.EncodeToString(sum.Sum(nil))
	}
	return m, nil
}

// readHeader reads to the empty line behind the header, and that line.
func readHeader(in *bufio.Reader) ([]byte, error) {
	var head []byte
	for fields := 0; ; {
		line, err := in.ReadSlice('\n')
		head = append(head, line...)
		switch {
		case len(head) > maxHeader, fields > maxFields:
			return nil, errMalformed
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return append(head, "\r\n\r\n"...), nil // a header without a body
		case err != nil:
			return nil, err
		case len(bytes.TrimRight(line, "\r\n")) == 0:
			return head, nil
		}
		fields++
	}
}

var (
	// outOfOffice are the beginnings of subjects by which programs answer for people, in the languages of common mail programs.
	outOfOffice = regexp.MustCompile(`(?i)^\s*(out of (the )?office|automatic reply|auto(matic)?[- ]?(reply|response|answer)|autoreply|auto:|vacation reply|` +
		`abwesenheitsnotiz|abwesend|automatische antwort|r[ée]ponse automatique|absence du bureau|absent du bureau|respuesta autom[áa]tica|fuera de la oficina|` +
		`risposta automatica|fuori sede|automatisch antwoord|afwezig|resposta autom[áa]tica|fora do escrit[óo]rio|autosvar|automatiskt? svar|fr[åa]nvaro|frav[æa]r|` +
		`automaattinen vastaus|poissa|automatyczna odpowied[źz]|automatick[áa] odpov[eě][ďd]|nieobecno|` +
		`undeliver(able|ed)|delivery (status notification|failure|has failed)|mail delivery failed|returned mail|failure notice)`)

	programs = regexp.MustCompile(`(?i)^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+@-]|$)`)
)

// automatic reports whether a program wrote the mail, or sent it on to many (RFC 3834 and what is common beside it).
func (m *message) automatic() bool {
	says := func(name string) string { return strings.ToLower(strings.TrimSpace(m.header.Get(name))) }
	if auto := says("Auto-Submitted"); auto != "" && auto != "no" {
		return true
	}
	switch says("Precedence") {
	case "bulk", "junk", "list", "auto_reply", "auto-reply":
		return true
	}
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "List-Id", "List-Unsubscribe", "X-Failed-Recipients", "X-Loop"} {
		if says(name) != "" {
			return true
		}
	}
	kind, _, _ := mime.ParseMediaType(says("Content-Type"))
	own, _, _ := strings.Cut(strings.TrimLeft(m.identity, "<"), "@")
	_, mine := gid.Parse(own) // our own mails are named by ids
	subject, err := new(mime.WordDecoder).DecodeHeader(m.header.Get("Subject"))
	if err != nil {
		subject = m.header.Get("Subject")
	}
	return kind == "multipart/report" || mine == nil || programs.MatchString(m.from) || outOfOffice.MatchString(subject)
}

// read goes through the parts of the mail: it keeps the texts, and hands over what is attached, up to ten files.
func (m *message) read(attached func(attachment) error) error {
	taken := 0
	return m.walk(textproto.MIMEHeader(m.header), m.body, 0, false, func(a attachment) error {
		if taken++; taken > maxAttachments {
			return nil
		}
		return attached(a)
	})
}

// walk goes through a part. Related says that it belongs to a page that is shown with it: pictures there are decoration.
func (m *message) walk(h textproto.MIMEHeader, body io.Reader, depth int, related bool, attached func(attachment) error) error {
	if m.parts++; m.parts > maxParts || depth > maxDepth {
		return errMalformed
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind == "" {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		if params["boundary"] == "" {
			return errMalformed
		}
		for parts := multipart.NewReader(body, params["boundary"]); ; {
			part, err := parts.NextRawPart()
			switch {
			case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
				return nil // some programs leave the last boundary out
			case err != nil:
				return errMalformed
			}
			if err := m.walk(part.Header, part, depth+1, kind == "multipart/related", attached); err != nil {
				return err
			}
		}
	}
	body = decoded(h.Get("Content-Transfer-Encoding"), body)
	disposition, how, _ := mime.ParseMediaType(h.Get("Content-Disposition"))
	name := how["filename"]
	if name == "" {
		name = params["name"]
	}
	if name, err = new(mime.WordDecoder).DecodeHeader(name); err != nil {
		name = ""
	}
	switch {
	case disposition == "attachment", name != "" && !related:
		return m.attach(name, body, attached)
	case kind == "text/plain" && m.plain == "":
		m.plain, m.flowed, m.tidy = text(body, params["charset"]), strings.EqualFold(params["format"], "flowed"), strings.EqualFold(params["delsp"], "yes")
	case kind == "text/html" && m.html == "":
		m.html = text(body, params["charset"])
	}
	return nil
}

// attach hands a file over. One that is empty, or was broken on its way, is left out.
func (m *message) attach(name string, body io.Reader, attached func(attachment) error) error {
	in := bufio.NewReader(body)
	if _, err := in.Peek(1); err != nil {
		return nil //nolint:nilerr // it is left out
	}
	if name == "" {
		name = "attachment"
	}
	return attached(attachment{name, in})
}

// decoded undoes the encoding for the way.
func decoded(encoding string, r io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, &letters{r})
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	}
	return r
}

// letters leaves out what is none of base64, as RFC 2045, 6.8 says.
type letters struct{ io.Reader }

// Read reads letters of base64 only.
func (l *letters) Read(p []byte) (int, error) {
	for {
		n, err := l.Reader.Read(p)
		kept := 0
		for _, b := range p[:n] {
			if b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '+' || b == '/' || b == '=' {
				p[kept] = b
				kept++
			}
		}
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}

// text is a part's text, as far as it can be read, in UTF-8 and without control characters.
func text(r io.Reader, charset string) string {
	raw, _ := io.ReadAll(io.LimitReader(r, maxText)) // what was broken on the way is as much as there is
	if known, err := htmlindex.Get(charset); err == nil {
		if converted, err := known.NewDecoder().Bytes(raw); err == nil {
			raw = converted
		}
	}
	return clean(string(raw))
}

// answer is what the sender wrote, as Markdown.
func (m *message) answer() string {
	written := m.plain
	if m.flowed {
		written = unfold(written, m.tidy)
	}
	if strings.TrimSpace(written) == "" {
		written = fromHTML(m.html)
	}
	return strip(written)
}

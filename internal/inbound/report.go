package inbound

import (
	"bufio"
	"context"
	"crypto/hmac"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// A mail server that has taken a mail over and cannot deliver it reports to the envelope's sender (RFC 3464). That is an address of its
// own for each member, mail address and day, signed as those for answers are: who wrote the report nobody can know, so that the address has
// to be the proof. It is in the Return-Path of the member's own mail, and in all that they send on, and does no more than to stop such mail.

const bouncePrefix = "bounce+"

// reported is for how many days a report is waited for. Servers try for four or five days (RFC 5321, 4.5.4.1), each that a mail passes.
const reported = 14

// maxReported is how much is read of the part of a report that programs read: it has a few lines for each recipient.
const maxReported = 64 << 10

// ReturnPathOf is where reports go of what became of mail of today to a member's address: empty while the key cannot be had.
func (s *Service) ReturnPathOf(memberID gid.ID, address string) string {
	ctx := viewer.NewContext(context.Background(), viewer.System("make an address for reports"))
	day := binary.BigEndian.AppendUint16(nil, s.today())
	mac, err := s.mac(ctx, memberID, bounceOf(day, address))
	if err != nil {
		s.Logger.WarnContext(ctx, "a mail goes without an address for reports", "error", err.Error())
		return ""
	}
	return bouncePrefix + base32Lower.EncodeToString(slices.Concat(memberID[:], day, mac)) + "@" + s.Domain
}

// today is the number of the day, since 1970: two bytes are enough until 2149.
func (s *Service) today() uint16 {
	return uint16(s.Now().Unix() / int64(24*time.Hour/time.Second))
}

// bounceOf is what an address for reports is good for alone.
func bounceOf(day []byte, address string) string {
	return "reports of day " + hex.EncodeToString(day) + " to " + strings.ToLower(address)
}

// memberOf is the member for whose mail an address for reports was made, as long as they have the mail address that it went to, and reports
// are waited for.
func (s *Service) memberOf(ctx context.Context, address string) (gid.ID, error) {
	id, sum, is := s.read(address, bouncePrefix, gid.Member, 2)
	if !is {
		return gid.ID{}, errNoAddress
	}
	day := sum[:2]
	if age := int(s.today()) - int(binary.BigEndian.Uint16(day)); age < -1 || age > reported { // clocks of processes differ
		return gid.ID{}, errNoAddress
	}
	m, err := s.reportedOf(ctx, id)
	if err != nil {
		return gid.ID{}, err
	}
	mac, err := s.mac(ctx, id, bounceOf(day, m.Email))
	if err != nil {
		return gid.ID{}, err
	}
	if !hmac.Equal(mac, sum[2:]) {
		return gid.ID{}, errNoAddress
	}
	return id, nil
}

func (s *Service) reportedOf(ctx context.Context, id gid.ID) (*ent.Member, error) {
	m, err := s.Store.Client(ctx).Member.Query().Where(member.ID(id), access.ActiveMembers()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, errNoAddress
	}
	if err != nil {
		return nil, fmt.Errorf("load whose mail is reported of: %w", err)
	}
	return m, nil
}

// takeReport counts a report that mail to a member was given up. One that says anything else is taken, and means nothing here: so is one of another
// mailbox, to which the member or their server sent the mail on.
func (s *Service) takeReport(ctx context.Context, sender string, id gid.ID, content io.ReadSeeker) error {
	ctx = viewer.NewContext(ctx, viewer.System("take a report"))
	if sender != "" {
		return errNoReport // RFC 3464, 2: reports have no sender of their own, so that nothing is reported of them
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return err
	}
	m, err := open(content)
	if err != nil {
		return err
	}
	kind, params, err := mime.ParseMediaType(m.header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || !strings.EqualFold(params["report-type"], "delivery-status") || params["boundary"] == "" {
		return errNoReport
	}
	to, err := s.reportedOf(ctx, id)
	if err != nil {
		return err
	}
	status, failed := givenUp(multipart.NewReader(m.body, params["boundary"]), to.Email)
	if !failed {
		return nil
	}
	if err := s.Bounced(ctx, id, status); err != nil {
		return fmt.Errorf("take a report: %w", err)
	}
	return nil
}

var enhanced = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}`)

// givenUp is the status with which a report's mail to an address was given up, and whether it was. The address may have led to another one, if the
// report says that it was the mail's own.
func givenUp(parts *multipart.Reader, address string) (status string, failed bool) {
	for range maxParts {
		part, err := parts.NextPart()
		if err != nil {
			return "", false
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if kind != "message/delivery-status" && kind != "message/global-delivery-status" {
			continue
		}
		in := textproto.NewReader(bufio.NewReader(io.LimitReader(decoded(part.Header.Get("Content-Transfer-Encoding"), part), maxReported)))
		for range maxParts { // the first group of fields is about the mail, each other one about a recipient
			fields, err := in.ReadMIMEHeader()
			to := names(fields.Get("Final-Recipient"), address) || names(fields.Get("Original-Recipient"), address)
			if to && strings.EqualFold(strings.TrimSpace(fields.Get("Action")), "failed") {
				return enhanced.FindString(strings.TrimSpace(fields.Get("Status"))), true
			}
			if err != nil && !errors.Is(err, io.EOF) || err != nil && len(fields) == 0 {
				break
			}
		}
	}
	return "", false
}

// names reports whether a field of a report, such as "rfc822; ada@example.org", names an address. Servers change the case of letters.
func names(field, address string) bool {
	_, named, _ := strings.Cut(field, ";")
	return strings.EqualFold(strings.Trim(strings.TrimSpace(named), "<>"), address)
}

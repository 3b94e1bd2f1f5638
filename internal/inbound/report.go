package inbound

import (
	"bufio"
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"regexp"
	"strings"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// A mail server that has taken a mail over and cannot deliver it reports to the envelope's sender (RFC 3464). That is an address of its
// own for each member and mail address, signed as those for answers are: who wrote the report nobody can know, so that the address has
// to be the proof. It is in the Return-Path of the member's own mail, and does no more than to stop such mail.

const bouncePrefix = "bounce+"

// maxReported is how much is read of the part of a report that programs read: it has a few lines for each recipient.
const maxReported = 64 << 10

// ReturnPathOf is where reports go of what became of mail to a member's address: empty while the key cannot be had.
func (s *Service) ReturnPathOf(memberID gid.ID, address string) string {
	ctx := viewer.NewContext(context.Background(), viewer.System("make an address for reports"))
	mac, err := s.mac(ctx, memberID, strings.ToLower(address))
	if err != nil {
		s.Logger.WarnContext(ctx, "a mail goes without an address for reports", "error", err.Error())
		return ""
	}
	return bouncePrefix + base32Lower.EncodeToString(append(memberID[:], mac...)) + "@" + s.Domain
}

// memberOf is the member for whose mail an address for reports was made, as long as they have the mail address that it went to.
func (s *Service) memberOf(ctx context.Context, address string) (gid.ID, error) {
	id, sum, is := s.read(address, bouncePrefix, gid.Member)
	if !is {
		return gid.ID{}, errNoAddress
	}
	m, err := s.Store.Client(ctx).Member.Query().Where(member.ID(id), access.ActiveMembers()).Only(ctx)
	if ent.IsNotFound(err) {
		return gid.ID{}, errNoAddress
	}
	if err != nil {
		return gid.ID{}, fmt.Errorf("load whose mail is reported of: %w", err)
	}
	mac, err := s.mac(ctx, id, strings.ToLower(m.Email))
	if err != nil {
		return gid.ID{}, err
	}
	if !hmac.Equal(mac, sum) {
		return gid.ID{}, errNoAddress
	}
	return id, nil
}

// takeReport counts a report that mail to a member was given up. One that says anything else is taken, and means nothing here.
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
	status, failed := givenUp(multipart.NewReader(m.body, params["boundary"]))
	if !failed {
		return nil
	}
	if err := s.Bounced(ctx, id, status); err != nil {
		return fmt.Errorf("take a report: %w", err)
	}
	return nil
}

var enhanced = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}`)

// givenUp is the status with which a report's mail was given up, and whether it was. A mail of ours has one recipient.
func givenUp(parts *multipart.Reader) (status string, failed bool) {
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
			if strings.EqualFold(strings.TrimSpace(fields.Get("Action")), "failed") {
				return enhanced.FindString(strings.TrimSpace(fields.Get("Status"))), true
			}
			if err != nil && !errors.Is(err, io.EOF) || err != nil && len(fields) == 0 {
				break
			}
		}
	}
	return "", false
}

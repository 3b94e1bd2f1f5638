package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	// exportLasts is for how long a link to an archive is good.
	exportLasts = 24 * time.Hour
	// exportPath is where archives are fetched.
	exportPath = "/exports/"
)

// exportRate is how often a member may ask for a link: an archive is much work.
var exportRate = store.Throttle{Burst: 10, Refill: exportLasts / 10}

// ExportLink is where a member's archive can be fetched, and until when.
type ExportLink struct {
	URL       string
	ExpiresAt time.Time
}

// Address is the link's URL; nil for no link.
func (l *ExportLink) Address() *string {
	if l == nil {
		return nil
	}
	return &l.URL
}

// Until is when the link expires; nil for no link.
func (l *ExportLink) Until() *time.Time {
	if l == nil {
		return nil
	}
	return &l.ExpiresAt
}

// CreateExport makes a link to an archive of what the viewer has here. Whoever has the link can fetch it, so it takes a sign-in with
// a browser or a token that may write. It returns RATE_LIMITED after ten in a day; the same key gives the same link.
func (s *Service) CreateExport(ctx context.Context, v viewer.Viewer, key *string) (*ExportLink, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	if wait, err := s.Store.Take(ctx, "export "+me.String(), exportRate, now); err != nil {
		return nil, err
	} else if wait > 0 {
		return nil, fault.New(fault.RateLimited, "You have asked for many links today. Use one that you have, or try again in %s.", wait.Round(time.Minute))
	}
	var made gid.ID // nothing is stored but the audit entry; the id tells when the link was made
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		once := store.Once{Member: me, Operation: "createExport", Key: key, Payload: struct{}{}, At: now}
		made, err = once.Do(ctx, tx, func() (gid.ID, error) {
			return s.NewID(gid.AuditEntry), s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ExportLinkMade, Subject: me})
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.exportLink(ctx, me, made.Time().Add(exportLasts))
}

// ExportLink makes a link to an archive of what a member has here, for those who cannot sign in to ask for it: a closed or suspended
// account keeps the right to its data. It goes to the member's own mail address and nowhere else. It returns NOT_FOUND for an
// erased account.
func (s *Service) ExportLink(ctx context.Context, id gid.ID) (string, error) {
	ctx = viewer.NewContext(ctx, viewer.System("make an export link"))
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		there, err := tx.Member.Query().Where(member.ID(id), member.StatusNEQ(member.StatusERASED)).Exist(ctx)
		if err != nil {
			return fmt.Errorf("load member: %w", err)
		}
		if !there {
			return fault.Missing()
		}
		return s.Audit.Append(ctx, tx, viewer.System("make an export link"), audit.Entry{Action: audit.ExportLinkMade, Subject: id})
	})
	if err != nil {
		return "", err
	}
	link, err := s.exportLink(ctx, id, s.Now().Add(exportLasts))
	if err != nil {
		return "", err
	}
	return link.URL, nil
}

func (s *Service) exportLink(ctx context.Context, id gid.ID, expires time.Time) (*ExportLink, error) {
	expires = expires.UTC().Truncate(time.Second)
	signature, err := s.signExport(ctx, id, expires)
	if err != nil {
		return nil, err
	}
	token := binary.BigEndian.AppendUint64(append([]byte(nil), id[:]...), uint64(expires.Unix()))
	token = append(token, signature...)
	return &ExportLink{URL: strings.TrimSuffix(s.PublicURL, "/") + exportPath + base64.RawURLEncoding.EncodeToString(token), ExpiresAt: expires}, nil
}

// signExport is HMAC-SHA-256, under a key that all processes share, of the member and of when the link expires.
func (s *Service) signExport(ctx context.Context, id gid.ID, expires time.Time) ([]byte, error) {
	key, err := s.Store.Secret(ctx, "exports")
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(binary.BigEndian.AppendUint64(id[:], uint64(expires.Unix())))
	return mac.Sum(nil), nil
}

// OpenExport returns whose archive a link's token is for. It returns NOT_FOUND, always in the same words, for a token that is forged or
// expired and for a member who was erased.
func (s *Service) OpenExport(ctx context.Context, token string) (*ent.Member, error) {
	const named, dated = len(gid.ID{}), len(gid.ID{}) + 8
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != dated+sha256.Size {
		return nil, fault.Missing()
	}
	id := gid.ID(raw[:named])
	expires := time.Unix(int64(binary.BigEndian.Uint64(raw[named:dated])), 0)
	ctx = viewer.NewContext(ctx, viewer.System("open an export"))
	signature, err := s.signExport(ctx, id, expires)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(signature, raw[dated:]) || !expires.After(s.Now()) {
		return nil, fault.Missing()
	}
	m, err := s.Store.Client(ctx).Member.Query().Where(member.ID(id), member.StatusNEQ(member.StatusERASED)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing()
	}
	if err != nil {
		return nil, fmt.Errorf("load member: %w", err)
	}
	return m, nil
}

// NoteExport writes down that somebody begins to fetch a member's archive, from where they do.
func (s *Service) NoteExport(ctx context.Context, v viewer.Viewer, m *ent.Member) error {
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.DataExported, Subject: m.ID})
	})
}

package casework

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
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
	// exportLasts is for how long a link to an export is good.
	exportLasts = time.Hour
	// exportPath is where exports are fetched.
	exportPath = "/application-exports/"
)

// exportRate is how often a member may ask for a link.
var exportRate = store.Throttle{Burst: 30, Refill: 2 * time.Minute}

// Format is how an export is written.
type Format string

// The formats.
const (
	CSV  Format = "CSV"
	XLSX Format = "XLSX"
)

// MarshalGQL writes the SDL's ExportFormat.
func (f Format) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(f))) }

// UnmarshalGQL reads the SDL's ExportFormat.
func (f *Format) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a format must be a string, not %T", v)
	}
	*f = Format(text)
	return nil
}

// ExportLink is where an export can be fetched, and until when.
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

// Export is what a link is good for: which applications, how they are written, and who asked for them.
type Export struct {
	CallID  gid.ID    `json:"c"`
	By      gid.ID    `json:"m"`
	Format  Format    `json:"f"`
	Filter  *Filter   `json:"q,omitempty"`
	Expires time.Time `json:"x"`
}

// CreateExport makes a link to an export of the applications to a call that a filter, or nil, lets through. Whoever has the link can fetch it within an
// hour, as long as who made it is staff. For staff. It returns RATE_LIMITED for more than one every two minutes, after thirty.
func (s *Service) CreateExport(ctx context.Context, v viewer.Viewer, e Export) (*ExportLink, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	if err := e.Filter.check(); err != nil {
		return nil, err
	}
	if e.Format != CSV && e.Format != XLSX {
		return nil, fault.Invalid("format", "There is no such format.")
	}
	if err := s.staffCall(ctx, s.Store.Client(ctx), v, e.CallID); err != nil {
		return nil, err
	}
	now := s.Now()
	if wait, err := s.Store.Take(ctx, "application export "+me.String(), exportRate, now); err != nil {
		return nil, err
	} else if wait > 0 {
		return nil, fault.New(fault.RateLimited, "You have asked for many exports. Use a link that you have, or try again in %s.", wait.Round(time.Second))
	}
	err = s.change(ctx, v, func(ctx context.Context, tx *ent.Client, _ gid.ID) error {
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ExportLinkMade, Subject: e.CallID})
	})
	if err != nil {
		return nil, err
	}
	e.By, e.Expires = me, now.Add(exportLasts).UTC().Truncate(time.Second)
	text, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write an export's link: %w", err)
	}
	signature, err := s.sign(ctx, text)
	if err != nil {
		return nil, err
	}
	token := base64.RawURLEncoding.EncodeToString(append(signature, text...))
	return &ExportLink{URL: strings.TrimSuffix(s.PublicURL, "/") + exportPath + token, ExpiresAt: e.Expires}, nil
}

// sign is HMAC-SHA-256, under a key that all processes share, of what a link is good for.
func (s *Service) sign(ctx context.Context, text []byte) ([]byte, error) {
	key, err := s.Store.Secret(ctx, "application exports")
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return mac.Sum(nil), nil
}

// OpenExport reads a link's token and writes down that somebody, from where the viewer is, begins to fetch. It returns NOT_FOUND, always in the same
// words, for a token that is forged or expired, and when who made it is not staff any more.
func (s *Service) OpenExport(ctx context.Context, v viewer.Viewer, token string) (*Export, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) <= sha256.Size {
		return nil, fault.Missing()
	}
	ctx = viewer.NewContext(ctx, viewer.System("open an export"))
	signature, err := s.sign(ctx, raw[sha256.Size:])
	if err != nil {
		return nil, err
	}
	var e Export
	if !hmac.Equal(signature, raw[:sha256.Size]) || json.Unmarshal(raw[sha256.Size:], &e) != nil || !e.Expires.After(s.Now()) {
		return nil, fault.Missing()
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if _, err := s.stillStaff(ctx, tx, e.By); err != nil {
			return err
		}
		by := viewer.Member(e.By, gid.ID{}, viewer.Read).At(v.Address())
		return s.Audit.Append(ctx, tx, by, audit.Entry{Action: audit.ApplicationsExported, Subject: e.CallID, Reason: string(e.Format)})
	})
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// stillStaff is the viewer that a member is now, who asked for something before: NOT_FOUND unless their account is in use and they are staff.
func (s *Service) stillStaff(ctx context.Context, c *ent.Client, id gid.ID) (viewer.Viewer, error) {
	v := viewer.Member(id, gid.ID{}, viewer.Write)
	active, err := c.Member.Query().Where(member.ID(id), access.ActiveMembers()).Exist(ctx)
	if err != nil {
		return v, fmt.Errorf("load who asked: %w", err)
	}
	actor, err := access.Load(ctx, c, v)
	if err != nil {
		return v, err
	}
	if !active || !actor.IsStaff() {
		return v, fault.Missing()
	}
	return v, nil
}

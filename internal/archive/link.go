package archive

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/spaceexport"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Path is the pattern at which archives are fetched.
const Path = "GET /space-exports/{token}"

const pathBegins = "/space-exports/"

// link is where a member can fetch an archive: the two ids and HMAC-SHA-256 of them under a key that all processes share.
func (s *Service) link(ctx context.Context, e *ent.SpaceExport, me gid.ID) (string, error) {
	signature, err := s.sign(ctx, e.ID, me)
	if err != nil {
		return "", err
	}
	token := append(append(append([]byte(nil), e.ID[:]...), me[:]...), signature...)
	return strings.TrimSuffix(s.PublicURL(), "/") + pathBegins + base64.RawURLEncoding.EncodeToString(token), nil
}

func (s *Service) sign(ctx context.Context, export, me gid.ID) ([]byte, error) {
	key, err := s.Store.Secret(ctx, "space exports")
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(append(append([]byte(nil), export[:]...), me[:]...))
	return mac.Sum(nil), nil
}

// Open returns the archive that a link's token is for, and writes down that it is fetched. It returns NOT_FOUND, always in the same words, for a token
// that is forged, for an archive that is older than a day or forgotten, and when the member whom the link was made for may not have it any more. The caller
// closes what it returns.
func (s *Service) Open(ctx context.Context, v viewer.Viewer, token string) (io.ReadSeekCloser, error) {
	const named = len(gid.ID{})
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 2*named+sha256.Size {
		return nil, fault.Missing()
	}
	id, who := gid.ID(raw[:named]), gid.ID(raw[named:2*named])
	ctx = viewer.NewContext(ctx, viewer.System("open a space export"))
	signature, err := s.sign(ctx, id, who)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(signature, raw[2*named:]) {
		return nil, fault.Missing()
	}
	c := s.Store.Client(ctx)
	e, err := c.SpaceExport.Query().Where(spaceexport.ID(id), spaceexport.FinishedAtNotNil(), spaceexport.CreatedAtGT(s.Now().Add(-lasts))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing()
	}
	if err != nil {
		return nil, fmt.Errorf("load space export: %w", err)
	}
	if err := s.still(ctx, c, who, e.SpaceID); err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		return s.Audit.Append(ctx, tx, viewer.Member(who, gid.ID{}, viewer.Read).At(v.Address()), audit.Entry{Action: audit.SpaceExported, Subject: e.SpaceID})
	})
	if err != nil {
		return nil, err
	}
	kept := e.ID
	if e.KeptID != nil {
		kept = *e.KeptID
	}
	return s.Files.Kept(ctx, kept, e.Size), nil
}

// still asks whether a member may have archives of a space now.
func (s *Service) still(ctx context.Context, c *ent.Client, who, spaceID gid.ID) error {
	active, err := c.Member.Query().Where(member.ID(who), access.ActiveMembers()).Exist(ctx)
	if err != nil {
		return fmt.Errorf("load member: %w", err)
	}
	if !active {
		return fault.Missing()
	}
	err = s.allowed(ctx, c, viewer.Member(who, gid.ID{}, viewer.Read), spaceID)
	if len(fault.All(err)) > 0 {
		return fault.Missing()
	}
	return err
}

// Serve answers a link with the archive.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	content, err := s.Open(r.Context(), v, r.PathValue("token"))
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", `attachment; filename="commons-space.zip"`)
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}

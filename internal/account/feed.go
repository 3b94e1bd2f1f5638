package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	// feedPrefix tells a feed's token from those that sign in: it is good for reading one space's feed and for nothing else.
	feedPrefix = "cmf_"
	mostFeeds  = 50
)

// CreateFeedAddress makes an address at which the viewer, and whoever else has it, can read a space's newest posts as long as the viewer
// can. It takes a sign-in with a browser: an address outlives the token that would have made it. It returns NOT_FOUND for a space that they cannot see, FORBIDDEN for a hidden one, and LIMIT_REACHED for who has 50 addresses. The
// same key gives the same address.
func (s *Service) CreateFeedAddress(ctx context.Context, v viewer.Viewer, spaceID gid.ID, key *string) (*string, error) {
	me, err := access.InBrowser(v)
	if err != nil {
		return nil, err
	}
	signing, err := s.Store.Secret(ctx, "feeds")
	if err != nil {
		return nil, err
	}
	now := s.Now()
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		sp, _, err := access.Space(ctx, tx, v, spaceID)
		switch {
		case fault.Is(err, fault.NotFound):
			return fault.Missing().At("spaceId")
		case err != nil:
			return err
		case access.Hidden(sp.Kind):
			return fault.Denied("Nothing leads into this space from outside: it has no feed.").At("spaceId")
		}
		if _, err := lockActive(ctx, tx, me); err != nil { // the count is looked at under this lock
			return err
		}
		once := store.Once{Member: me, Operation: "createFeedAddress", Key: key, Payload: spaceID, At: now}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) {
			has, err := tx.AccessToken.Query().Where(access.OwnAccessTokens(v), accesstoken.KindEQ(accesstoken.KindFEED), live(now)).Count(ctx)
			if err != nil {
				return gid.ID{}, fmt.Errorf("count feeds: %w", err)
			}
			if has >= mostFeeds {
				return gid.ID{}, fault.New(fault.LimitReached, "You have %d addresses of feeds. Revoke them, and make those that you need.", has)
			}
			id := s.NewID(gid.AccessToken)
			err = tx.AccessToken.Create().SetID(id).SetCreatedAt(now).SetMemberID(me).SetKind(accesstoken.KindFEED).SetHash(Hash(feedToken(signing, id))).
				SetName(spaceID.String()).SetScope(accesstoken.ScopeREAD).Exec(ctx)
			if err != nil {
				return gid.ID{}, fmt.Errorf("create feed address: %w", err)
			}
			return id, nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	address := strings.TrimSuffix(s.PublicURL, "/") + "/spaces/" + spaceID.String() + "/feed.atom?token=" + feedToken(signing, id)
	return &address, nil
}

// feedToken is 256 bits that only this installation can make of an id, so that an address can be shown again and is kept nowhere.
func feedToken(signing []byte, id gid.ID) string {
	mac := hmac.New(sha256.New, signing)
	mac.Write(id[:])
	return feedPrefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// RevokeFeedAddresses ends all addresses of feeds that the viewer has, and returns how many there were.
func (s *Service) RevokeFeedAddresses(ctx context.Context, v viewer.Viewer) (*int, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var n int
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		n, err = tx.AccessToken.Update().Where(access.OwnAccessTokens(v), accesstoken.KindEQ(accesstoken.KindFEED), accesstoken.RevokedAtIsNil()).
			SetRevokedAt(s.Now()).Save(ctx)
		if err != nil || n == 0 {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.FeedAddressesRevoked, Subject: me})
	})
	if err != nil {
		return nil, fmt.Errorf("revoke feeds: %w", err)
	}
	return &n, nil
}

// OpenFeed says who reads a space's feed by a token. It returns NOT_FOUND, always in the same words, for a token that is unknown, revoked
// or of another space, and for a member who may not sign in.
func (s *Service) OpenFeed(ctx context.Context, token string, spaceID gid.ID, address string) (viewer.Viewer, error) {
	if !strings.HasPrefix(token, feedPrefix) || len(token) > mostSecret {
		return viewer.Viewer{}, fault.Missing()
	}
	ctx = viewer.NewContext(ctx, viewer.System("open a feed"))
	t, err := s.Store.Client(ctx).AccessToken.Query().Where(accesstoken.Hash(Hash(token)), accesstoken.KindEQ(accesstoken.KindFEED),
		accesstoken.Name(spaceID.String()), accesstoken.RevokedAtIsNil(), accesstoken.HasMemberWith(access.ActiveMembers())).Only(ctx)
	if ent.IsNotFound(err) {
		return viewer.Viewer{}, fault.Missing()
	}
	if err != nil {
		return viewer.Viewer{}, fmt.Errorf("open a feed: %w", err)
	}
	s.used(ctx, t, address)
	return viewer.Member(t.MemberID, t.ID, viewer.Read), nil
}

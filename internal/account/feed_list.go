package account

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// FeedAddress is an address of a feed that a member has. The address itself is a secret that was shown when it was made.
type FeedAddress struct {
	*ent.AccessToken
	Space *ent.Space // nil when the member cannot see it any more: the address shows nothing then
}

// FeedAddresses are the member's that have not ended, the newest first: 50 at most. Two statements.
func (s *Service) FeedAddresses(ctx context.Context, a *Account) ([]*FeedAddress, error) {
	rows, err := s.owned(ctx, a, accesstoken.KindFEED)
	if err != nil {
		return nil, err
	}
	addresses, ids := make([]*FeedAddress, len(rows)), make([]gid.ID, 0, len(rows))
	for i, t := range rows {
		addresses[i] = &FeedAddress{AccessToken: t}
		if id, err := gid.Parse(t.Name); err == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return addresses, nil
	}
	spaces, err := s.Store.Client(ctx).Space.Query().Where(page.AnyOf(space.FieldID, ids), access.VisibleSpaces(a.viewer)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the spaces of feeds: %w", err)
	}
	for _, address := range addresses {
		for _, sp := range spaces {
			if sp.ID.String() == address.Name {
				address.Space = sp
			}
		}
	}
	return addresses, nil
}

// RevokeFeedAddress ends one of the viewer's addresses of feeds. It returns NOT_FOUND for what is none of them, or is over.
func (s *Service) RevokeFeedAddress(ctx context.Context, v viewer.Viewer, id gid.ID) error {
	me, err := access.SignedIn(v)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		n, err := tx.AccessToken.Update().Where(accesstoken.ID(id), access.OwnAccessTokens(v), accesstoken.KindEQ(accesstoken.KindFEED), accesstoken.RevokedAtIsNil()).
			SetRevokedAt(s.Now()).Save(ctx)
		if err != nil {
			return fmt.Errorf("revoke a feed: %w", err)
		}
		if n == 0 {
			return fault.Missing().At("feedAddressId")
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.FeedAddressesRevoked, Subject: me})
	})
}

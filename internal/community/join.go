package community

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/joinrequest"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewJoinRequest asks to belong to the group with an address.
type NewJoinRequest struct {
	Address, Message string
	IdempotencyKey   *string `json:"-"`
}

const (
	maxAddress     = 100
	joinAddressLen = 16 // of 32 letters: 80 random bits, which nobody finds by trying 10 a day
	requestsADay   = 10
)

// RequestToJoin asks the facilitators of the group with an address to be let in. Whether there is one is not looked at: the same
// statements run and the same answer comes either way, and each request is a new one even if the last was not answered, because
// what became of that must not show. It returns LIMIT_REACHED to who has asked ten times within a day, wherever that was.
func (s *Service) RequestToJoin(ctx context.Context, v viewer.Viewer, in NewJoinRequest) (*ent.JoinRequest, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	in.Address = strings.ToLower(check.Line("address", in.Address, 1, maxAddress))
	in.Message = check.Text("message", in.Message, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	once := store.Once{Operation: "requestToJoin", Key: in.IdempotencyKey, Payload: in}
	return create[ent.JoinRequest](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		// Rows are counted, not acts in store.Take: what is sent again with its key after a lost answer must not count twice.
		if _, err := tx.Member.Query().Where(member.ID(me), store.LockRow).Only(ctx); err != nil {
			return gid.ID{}, fmt.Errorf("lock the member: %w", err)
		}
		now := s.Now()
		asked, err := tx.JoinRequest.Query().Where(joinrequest.MemberID(me), joinrequest.CreatedAtGT(now.Add(-24*time.Hour))).Count(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("count join requests: %w", err)
		}
		if asked >= requestsADay {
			return gid.ID{}, fault.New(fault.LimitReached, "You can ask %d times a day.", requestsADay)
		}
		id := s.NewID(gid.JoinRequest)
		if err := tx.JoinRequest.Create().SetID(id).SetCreatedAt(now).SetMemberID(me).SetAddress(in.Address).SetMessage(in.Message).Exec(ctx); err != nil {
			return gid.ID{}, fmt.Errorf("create join request: %w", err)
		}
		return id, nil
	})
}

// RenewJoinAddress gives an affinity group a fresh address to ask at. For its facilitators. Who asked at the old one is forgotten.
func (s *Service) RenewJoinAddress(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Space, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		sp, rights, err := lockSpace(ctx, tx, v, id, "spaceId")
		switch {
		case err != nil:
			return err
		case !rights.Manage:
			return fault.Denied(whoManagesSpaces)
		case sp.Kind != space.KindAFFINITY:
			return fault.Denied("Only affinity groups have an address to ask at.")
		case sp.ArchivedAt != nil:
			return archived("space").At("spaceId")
		}
		address := strings.ToLower(rand.Text()[:joinAddressLen])
		if err := tx.Space.UpdateOneID(id).SetJoinAddress(address).SetUpdatedAt(s.Now()).Exec(ctx); err != nil {
			return store.RetryOnConflict(err)
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.JoinAddressRenewed, Subject: id, Space: id})
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Space](ctx, s, v, id)
}

// JoinAddresses are the addresses at which one asks to join groups: nil where there is none, and for who does not facilitate the group.
func (s *Service) JoinAddresses(ctx context.Context, v viewer.Viewer, spaces []*ent.Space) ([]*string, error) {
	c := s.Store.Client(ctx)
	actor, err := access.Load(ctx, c, v)
	if err != nil {
		return nil, err
	}
	rights, err := actor.Spaces(ctx, c, spaces...)
	if err != nil {
		return nil, err
	}
	addresses := make([]*string, len(spaces))
	for i, sp := range spaces {
		if rights[sp.ID].Manage {
			addresses[i] = sp.JoinAddress
		}
	}
	return addresses, nil
}

// JoinRequests are who waits to be let into groups that the viewer facilitates, the oldest first; of other spaces none. It takes three
// statements for all spaces.
func (s *Service) JoinRequests(ctx context.Context, v viewer.Viewer, spaces []gid.ID, a page.Args) ([]*page.Connection[ent.JoinRequest], error) {
	c := s.Store.Client(ctx)
	addressed := space.JoinAddressNotNil()
	to := page.Through{Table: space.Table, Parent: space.FieldID, Child: space.FieldJoinAddress, On: joinrequest.FieldAddress, Where: addressed}
	var asked []*ent.JoinRequest
	return page.EachThrough(spaceJoinRequests, a, to, spaces,
		func(r *ent.JoinRequest) page.Key { return page.Key{ID: r.ID} },
		func(within func(*sql.Selector)) (_ []*ent.JoinRequest, err error) {
			asked, err = c.JoinRequest.Query().Where(within).All(ctx)
			return asked, err
		},
		func(parents, _ []gid.ID) ([]page.Link, error) {
			groups, err := c.Space.Query().Where(page.AnyOf(space.FieldID, parents), addressed, access.VisibleSpaces(v)).All(ctx)
			if err != nil {
				return nil, fmt.Errorf("load groups: %w", err)
			}
			var links []page.Link
			for _, g := range groups {
				for _, r := range asked {
					if r.Address == *g.JoinAddress {
						links = append(links, page.Link{Parent: g.ID, Child: r.ID})
					}
				}
			}
			return links, nil
		}, joinrequest.StateEQ(joinrequest.StatePENDING), access.ManagedJoinRequests(v))
}

// AcceptJoinRequest lets the member who asked into the group. For its facilitators; NOT_FOUND for everybody else, who asked included. A
// request that was decided already does not change: ALREADY_EXISTS.
func (s *Service) AcceptJoinRequest(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.JoinRequest, error) {
	return s.decide(ctx, v, id, joinrequest.StateACCEPTED, audit.JoinRequestAccepted, func(ctx context.Context, tx *ent.Client, sp *ent.Space, r *ent.JoinRequest) error {
		if sp.ArchivedAt != nil {
			return archived("space").At("joinRequestId")
		}
		if err := lockThisMember(ctx, tx, r.MemberID, "joinRequestId"); err != nil {
			return err
		}
		_, err := s.letIn(ctx, tx, NewSpaceMembership{SpaceID: sp.ID, MemberID: r.MemberID, Role: spacemembership.RoleMEMBER})
		if fault.Is(err, fault.AlreadyExists) { // somebody let them in another way
			return nil
		}
		return err
	})
}

// DeclineJoinRequest takes a request off the list of those who wait. For the group's facilitators; NOT_FOUND for everybody else. Who asked
// is not told.
func (s *Service) DeclineJoinRequest(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.JoinRequest, error) {
	return s.decide(ctx, v, id, joinrequest.StateDECLINED, audit.JoinRequestDeclined, func(context.Context, *ent.Client, *ent.Space, *ent.JoinRequest) error { return nil })
}

// decide settles a request, and every other of the same member's to the same group that waits.
func (s *Service) decide(ctx context.Context, v viewer.Viewer, id gid.ID, state joinrequest.State, action audit.Action,
	do func(context.Context, *ent.Client, *ent.Space, *ent.JoinRequest) error,
) (*ent.JoinRequest, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		r, err := tx.JoinRequest.Query().Where(joinrequest.ID(id), access.ManagedJoinRequests(v)).Only(ctx)
		if err != nil {
			return missing(err, "joinRequestId")
		}
		group, err := tx.Space.Query().Where(space.JoinAddress(r.Address), access.VisibleSpaces(v)).OnlyID(ctx)
		if err != nil {
			return missing(err, "joinRequestId")
		}
		sp, _, err := lockSpace(ctx, tx, v, group, "joinRequestId")
		if err != nil {
			return err
		}
		// Again, now that nobody else decides.
		if r, err = tx.JoinRequest.Query().Where(joinrequest.ID(id), access.ManagedJoinRequests(v)).Only(ctx); err != nil {
			return missing(err, "joinRequestId")
		}
		switch r.State {
		case state:
			return nil
		case joinrequest.StatePENDING:
		default:
			return exists("joinRequestId", "This was decided already.")
		}
		if err := do(ctx, tx, sp, r); err != nil {
			return err
		}
		me, _ := v.MemberID()
		err = tx.JoinRequest.Update().
			Where(joinrequest.MemberID(r.MemberID), joinrequest.Address(r.Address), joinrequest.StateEQ(joinrequest.StatePENDING)).
			SetState(state).SetDecidedByID(me).SetDecidedAt(s.Now()).Exec(ctx)
		if err != nil {
			return fmt.Errorf("decide a join request: %w", err)
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: action, Subject: id, Space: sp.ID})
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.JoinRequest](ctx, s, v, id)
}

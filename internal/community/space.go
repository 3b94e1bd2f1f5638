package community

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/ent"
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
	"github.com/pursuing-equity/commons/internal/webhook"
)

// NewSpace is a workgroup, an affinity group or a direct conversation to create, with those who belong to it beside the viewer.
type NewSpace struct {
	Kind           space.Kind
	Name, About    string
	MemberIDs      []gid.ID
	IdempotencyKey *string `json:"-"`
}

// SpacePatch is what to change of a space; nil leaves a field as it is.
type SpacePatch struct{ Name, About *string }

// How many others belong to a new space.
const (
	maxInDirect = 9
	maxInGroup  = 100
)

func (in NewSpace) check(me gid.ID) (NewSpace, error) {
	var c input.Checker
	most, least := maxInGroup, 0
	switch in.Kind {
	case space.KindAFFINITY, space.KindWORKGROUP:
		in.Name = c.Line("name", in.Name, 1, maxName)
	case space.KindDIRECT:
		most, least = maxInDirect, 1
		if in.Name != "" {
			c.Refuse("name", "A direct conversation has no name.")
		}
	default:
		c.Refuse("kind", "The spaces of the network, of cohorts and of teams come by themselves.")
	}
	in.About = c.Text("about", in.About, 0, maxAbout)
	if n := len(in.MemberIDs); n < least || n > most {
		c.Refuse("memberIds", "Name %d to %d others.", least, most)
	}
	for i, id := range in.MemberIDs {
		switch path := "memberIds." + strconv.Itoa(i); {
		case id == me:
			c.Refuse(path, "You belong to it anyway.")
		case slices.Contains(in.MemberIDs[:i], id):
			c.Refuse(path, "This member is named twice.")
		}
	}
	return in, c.Err()
}

// CreateSpace creates a workgroup or an affinity group, for staff, or a direct conversation, for those who take part. The viewer
// becomes its facilitator. It returns NOT_FOUND at each of the members whom the viewer cannot see, and FORBIDDEN at
// each who does not take messages of theirs.
func (s *Service) CreateSpace(ctx context.Context, v viewer.Viewer, in NewSpace) (*ent.Space, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	once := store.Once{Operation: "createSpace", Key: in.IdempotencyKey, Payload: in}
	in, err = in.check(me)
	if err != nil {
		return nil, err
	}
	if in.Kind == space.KindDIRECT {
		if err := s.Newcomers.Conversation(ctx, v, in.IdempotencyKey); err != nil {
			return nil, err
		}
	}
	return create[ent.Space](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		return s.makeSpace(ctx, tx, v, me, in, s.instant())
	})
}

// tellOfSpace tells those outside who want to know that there is a space, unless it is hidden.
func (s *Service) tellOfSpace(ctx context.Context, tx *ent.Client, id gid.ID, kind space.Kind, at time.Time) error {
	if access.Hidden(kind) {
		return nil
	}
	return s.Webhooks.Tell(ctx, tx, at, webhook.Happening{
		Event: webhook.SpaceCreated, Data: map[string]any{"spaceId": id.String(), "kind": string(kind)},
	})
}

// StartConversation makes a direct conversation of the viewer's with others, within a transaction, by the rules of CreateSpace.
func (s *Service) StartConversation(ctx context.Context, tx *ent.Client, v viewer.Viewer, others []gid.ID) (gid.ID, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return gid.ID{}, err
	}
	in, err := NewSpace{Kind: space.KindDIRECT, MemberIDs: others}.check(me)
	if err != nil {
		return gid.ID{}, err
	}
	// By the database's clock the transaction has begun before now: the places must have begun before it, for whoever goes on to write there.
	return s.makeSpace(ctx, tx, v, me, in, s.instant().Add(-time.Minute))
}

// makeSpace is CreateSpace of what was checked, within its transaction.
func (s *Service) makeSpace(ctx context.Context, tx *ent.Client, v viewer.Viewer, me gid.ID, in NewSpace, starts time.Time) (gid.ID, error) {
	if in.Kind == space.KindDIRECT {
		if err := takesPart(ctx, tx, v); err != nil {
			return gid.ID{}, err
		}
	} else if err := staffOnly(ctx, tx, v); err != nil {
		return gid.ID{}, err
	}
	if err := checkMembers(ctx, tx, v, in.MemberIDs); err != nil {
		return gid.ID{}, err
	}
	if in.Kind == space.KindDIRECT {
		if err := takeMessages(ctx, tx, me, in.MemberIDs); err != nil {
			return gid.ID{}, err
		}
	}
	now, id := s.Now(), s.NewID(gid.Space)
	err := tx.Space.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetKind(in.Kind).SetName(in.Name).SetAbout(in.About).Exec(ctx)
	if err != nil {
		return gid.ID{}, fmt.Errorf("create space: %w", err)
	}
	rows := make([]*ent.SpaceMembershipCreate, 0, len(in.MemberIDs)+1)
	var added []gid.ID
	for _, m := range append([]gid.ID{me}, in.MemberIDs...) {
		place, role := s.NewID(gid.SpaceMembership), spacemembership.RoleMEMBER
		if m == me {
			role = spacemembership.RoleFACILITATOR
		} else {
			added = append(added, place)
		}
		rows = append(rows, tx.SpaceMembership.Create().SetID(place).SetCreatedAt(now).
			SetSpaceID(id).SetMemberID(m).SetRole(role).SetStartsAt(starts))
	}
	if err := tx.SpaceMembership.CreateBulk(rows...).Exec(ctx); err != nil {
		return gid.ID{}, fmt.Errorf("create space memberships: %w", err)
	}
	if in.Kind == space.KindDIRECT { // everybody may start one
		return id, nil
	}
	for _, m := range added {
		e := audit.Entry{Action: audit.SpaceMembershipGiven, Subject: m, Space: access.HiddenID(&ent.Space{ID: id, Kind: in.Kind})}
		if err := s.Audit.Append(ctx, tx, v, e); err != nil {
			return gid.ID{}, err
		}
	}
	return id, s.tellOfSpace(ctx, tx, id, in.Kind, now)
}

func takesPart(ctx context.Context, tx *ent.Client, v viewer.Viewer) error {
	actor, err := access.Load(ctx, tx, v)
	if err != nil {
		return err
	}
	takes, err := actor.TakesPart(ctx, tx)
	if err == nil && !takes {
		err = fault.Denied("Only those who take part in the network can do that.")
	}
	return err
}

// checkMembers makes sure that the viewer can see all of the members and that their accounts are in use: one statement.
func checkMembers(ctx context.Context, tx *ent.Client, v viewer.Viewer, members []gid.ID) error {
	if len(members) == 0 {
		return nil
	}
	rows, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, members), access.VisibleMembers(v)).All(ctx)
	if err != nil {
		return fmt.Errorf("load members: %w", err)
	}
	status := make(map[gid.ID]member.Status, len(rows))
	for _, m := range rows {
		status[m.ID] = m.Status
	}
	var faults fault.List
	for i, id := range members {
		path := "memberIds." + strconv.Itoa(i)
		switch st, visible := status[id]; {
		case !visible:
			faults = append(faults, fault.Missing().At(path))
		case st != member.StatusACTIVE:
			faults = append(faults, fault.Invalid(path, "This account is closed."))
		}
	}
	return faults.Err()
}

// takeMessages returns FORBIDDEN at each of the members who blocks the sender: one statement.
func takeMessages(ctx context.Context, tx *ent.Client, sender gid.ID, members []gid.ID) error {
	taking, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, members), access.TakesMessagesOf(sender)).IDs(ctx)
	if err != nil {
		return fmt.Errorf("look who takes messages: %w", err)
	}
	var faults fault.List
	for i, id := range members {
		if !slices.Contains(taking, id) {
			faults = append(faults, access.TakesNoMessages().At("memberIds."+strconv.Itoa(i)))
		}
	}
	return faults.Err()
}

// lockSpace holds the row of a space that the viewer can see, with their rights in it. Whoever changes a space's memberships
// holds it, so that its last facilitator is known.
func lockSpace(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID, path string) (*ent.Space, access.SpaceRights, error) {
	if _, err := tx.Space.Query().Where(space.ID(id), access.VisibleSpaces(v), store.LockRow).Only(ctx); err != nil {
		return nil, access.SpaceRights{}, missing(err, path)
	}
	sp, rights, err := access.Space(ctx, tx, v, id) // again: somebody may have been sent out while this waited
	if fault.Is(err, fault.NotFound) {
		err = fault.Missing().At(path)
	}
	return sp, rights, err
}

const whoManagesSpaces = "Only those who look after this space can do that."

// ownSpace reports whether people made the space, and so manage who belongs to it and archive it.
func ownSpace(k space.Kind) bool {
	return k == space.KindAFFINITY || k == space.KindWORKGROUP || k == space.KindDIRECT
}

// UpdateSpace changes a space. For its facilitators; for staff, unless it is hidden.
func (s *Service) UpdateSpace(ctx context.Context, v viewer.Viewer, id gid.ID, patch SpacePatch) (*ent.Space, error) {
	var check input.Checker
	patch.Name = line(&check, "name", patch.Name, 0, maxName)
	patch.About = text(&check, "about", patch.About, maxAbout)
	if err := check.Err(); err != nil {
		return nil, err
	}
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		sp, rights, err := lockSpace(ctx, tx, v, id, "spaceId")
		switch {
		case err != nil:
			return err
		case !rights.Manage:
			return fault.Denied(whoManagesSpaces)
		case sp.ArchivedAt != nil:
			return archived("space").At("spaceId")
		case patch.Name != nil && *patch.Name != "" && sp.Kind == space.KindDIRECT:
			return fault.Invalid("name", "A direct conversation has no name.")
		case patch.Name != nil && *patch.Name == "" && sp.Kind != space.KindDIRECT:
			return fault.Invalid("name", "This must not be empty.")
		}
		u := tx.Space.UpdateOneID(id).SetUpdatedAt(s.Now()).SetNillableName(patch.Name).SetNillableAbout(patch.About)
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("update space: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Space](ctx, s, v, id)
}

// ArchiveSpace makes a space read only that people made. For its facilitators; for staff, unless it is hidden. Doing it again
// changes nothing.
func (s *Service) ArchiveSpace(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Space, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		sp, rights, err := lockSpace(ctx, tx, v, id, "spaceId")
		switch {
		case err != nil:
			return err
		case !rights.Manage:
			return fault.Denied(whoManagesSpaces)
		case !ownSpace(sp.Kind):
			return fault.Denied("The spaces of the network, of cohorts and of teams are archived with what they belong to.")
		}
		return archiveSpaceOf(ctx, tx, s.Now(), space.ID(id))
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Space](ctx, s, v, id)
}

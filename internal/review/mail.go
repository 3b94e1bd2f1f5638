package review

import (
	"context"
	"fmt"
	"strconv"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// MailAssigned is the template of the mail to a reviewer who has something to review: name, count, link. It names no application and nobody
// who applies.
const MailAssigned = "reviews-assigned"

const (
	dataReviewer = "reviewer"
	pageReviews  = "/reviews"
)

// tell writes to reviewers that there is something to review, within the transaction.
func (s *Service) tell(ctx context.Context, tx *ent.Client, reviewers []gid.ID) error {
	if len(reviewers) == 0 {
		return nil
	}
	members, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, reviewers), access.ActiveMembers()).Order(member.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load reviewers: %w", err)
	}
	letters := make([]mail.Mail, len(members))
	for i, m := range members {
		letters[i] = mail.Mail{Address: m.Email, Template: MailAssigned, Data: map[string]string{dataReviewer: m.ID.String()}}
	}
	if len(letters) == 0 {
		return nil
	}
	return s.Mail.Send(ctx, tx, letters...)
}

// Compose returns the values for the mail right before it is sent: how many reviews wait for the reviewer then, without what they have a
// conflict of interest with. It returns false when none does.
func (s *Service) Compose(ctx context.Context, template, address string, data map[string]string) (values map[string]string, send bool, err error) {
	if template != MailAssigned {
		return nil, false, fmt.Errorf("compose mail: there is no template %q", template)
	}
	ctx = viewer.NewContext(ctx, viewer.System("compose mail"))
	id, err := gid.Parse(data[dataReviewer])
	if err != nil {
		return nil, false, fmt.Errorf("compose mail: %w", err)
	}
	c := s.Store.Client(ctx)
	m, err := c.Member.Query().Where(member.ID(id), member.Email(address), access.ActiveMembers()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("load the reviewer: %w", err)
	}
	n, err := c.ReviewAssignment.Query().Where(
		access.OwnReviewAssignments(viewer.Member(id, gid.ID{}, viewer.Read)), reviewassignment.StateEQ(reviewassignment.StateASSIGNED),
	).Count(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("count what is to be reviewed: %w", err)
	}
	return map[string]string{"name": m.Name, "count": strconv.Itoa(n), "link": s.PublicURL + pageReviews}, n > 0, nil
}

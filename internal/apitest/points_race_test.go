package apitest_test

import (
	"context"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/tally"
)

// examined is an application with a reviewer, who has written a review and not submitted it.
func examined(w *apitest.World, owner, reviewer, staff *apitest.Person) (id, assignment gid.ID) {
	w.T.Helper()
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		offering, err := offeringOf(ctx, tx, w)
		if err != nil {
			return err
		}
		call, err := judgedCallOf(ctx, tx, w, offering, false)
		if err != nil {
			return err
		}
		if id, err = submittedOf(ctx, tx, w, call, owner); err != nil {
			return err
		}
		assignment, err = assignedOf(ctx, tx, w, id, reviewer, staff)
		return err
	})
	reviewer.Must(saveReview, input(vars{"assignmentId": assignment, "scores": scores(4, 4, "Why"), "recommendation": "ACCEPT", "expectedVersion": 0}))
	return id, assignment
}

// Who has written some of an application and edits it no more must not judge it: what they said before counts no more.
func TestPointsOfWhoWroteIt(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, ada, rev := w.Role(w.Member("staff"), "STAFF"), w.Member("ada"), w.Member("rev")
		w.Space(space.KindNETWORK, "Network", ada, rev)
		id, assignment := examined(w, ada, rev, staff)
		rev.Must(submitReview, input(vars{"assignmentId": assignment, "expectedVersion": 1}))
		ada.Must(addEditor, input(vars{"applicationId": id, "memberId": rev.ID}))
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			err := tx.Submission.Create().SetID(w.NewID(gid.Submission)).SetCreatedAt(w.App.Config.Now()).SetApplicationID(id).SetNumber(2).SetFormVersion(1).
				SetContent(schema.SubmittedContent{OrganizationName: "Clinic"}).SetHash(make([]byte, 32)).SetSubmitterID(rev.ID).Exec(ctx)
			if err != nil {
				return err
			}
			return tx.Application.UpdateOneID(id).SetSubmissions(2).Exec(ctx)
		})
		ada.Must(removeEditor, input(vars{"applicationId": id, "memberId": rev.ID}))
		if wrong := wrongPoints(w); len(wrong) > 0 {
			w.T.Errorf("not what counts: %v", wrong)
		}
	})
}

// Whoever gets a post at the organization that applies while they submit their review of it has a conflict of interest: the review does not count.
func TestPointsOfAPostMeanwhile(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, ada, rev := w.Role(w.Member("staff"), "STAFF"), w.Member("ada"), w.Member("rev")
		_, assignment := examined(w, ada, rev, staff)
		o, err := w.App.Community.CreateOrganization(staff.Context(), staff.Viewer, community.NewOrganization{Name: "clinic", Kind: "CLINIC"})
		must0(w.T, err)
		done := make(chan struct{})
		w.Tx(func(ctx context.Context, tx *ent.Client) error { // as CreateAffiliation does
			if _, err := tx.Member.Query().Where(member.ID(rev.ID), store.LockRow).Only(ctx); err != nil {
				return err
			}
			err := tx.Affiliation.Create().SetID(w.NewID(gid.Affiliation)).SetCreatedAt(w.App.Config.Now()).SetMemberID(rev.ID).SetOrganizationID(o.ID).SetTitle("Nurse").Exec(ctx)
			if err != nil {
				return err
			}
			if err := tally.ReviewedBy(ctx, tx, rev.ID); err != nil {
				return err
			}
			go func() {
				defer close(done)
				rev.Do(submitReview, input(vars{"assignmentId": assignment, "expectedVersion": 1}))
			}()
			select {
			case <-done:
			case <-time.After(500 * time.Millisecond): // it waits for this transaction
			}
			return nil
		})
		<-done
		if wrong := wrongPoints(w); len(wrong) > 0 {
			w.T.Errorf("not what counts: %v", wrong)
		}
	})
}

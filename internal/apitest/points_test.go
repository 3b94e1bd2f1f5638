package apitest_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/migrate"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/tally"
)

// meansOf are the means of what counts of the applications' reviews, times 1,000, as access has it now.
func meansOf(w *apitest.World) map[gid.ID]int {
	out := map[gid.ID]int{}
	sums, ns := map[gid.ID]int{}, map[gid.ID]int{}
	for _, r := range w.App.Store.Client(w.System()).Review.Query().Where(access.CountedReviews()).WithAssignment().AllX(w.System()) {
		sums[r.Edges.Assignment.ApplicationID] += r.Points
		ns[r.Edges.Assignment.ApplicationID]++
	}
	for id, n := range ns {
		out[id] = sums[id] * 1000 / n
	}
	return out
}

// wrongPoints are the applications whose kept points are not those means, as far as they round.
func wrongPoints(w *apitest.World) (wrong []*ent.Application) {
	means := meansOf(w)
	for _, a := range w.App.Store.Client(w.System()).Application.Query().AllX(w.System()) {
		mean, is := means[a.ID]
		if is != (a.ReviewPoints != nil) || is && (*a.ReviewPoints < mean-1 || *a.ReviewPoints > mean+1) {
			wrong = append(wrong, a)
		}
	}
	return wrong
}

// migrated runs the statement of a migration that begins with some words, as the upgrade of a database that has rows does.
func migrated(w *apitest.World, name, begin string) {
	w.T.Helper()
	dir := "sqlite"
	if w.App.Store.Postgres() {
		dir = "postgres"
	}
	text, err := fs.ReadFile(migrate.Files, dir+"/"+name+".sql")
	must0(w.T, err)
	at := strings.Index(string(text), begin)
	if at < 0 {
		w.T.Fatalf("%s has no %s", name, begin)
	}
	statement, _, _ := strings.Cut(string(text)[at:], ";\n")
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	})
}

func TestApplicationsByPoints(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, other, ada := w.Role(w.Member("staff"), "STAFF"), w.Role(w.Member("other"), "STAFF"), w.Member("ada")
		rev, peer := w.Member("rev"), w.Member("peer")
		w.Space(space.KindNETWORK, "Network", ada, rev)
		c := &intake{World: w, staff: staff}
		ids := make([]gid.ID, 4)
		assignments := map[[2]gid.ID]gid.ID{}
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err != nil {
				return err
			}
			if c.call, err = judgedCallOf(ctx, tx, w, offering, false); err != nil {
				return err
			}
			for i := range ids {
				if ids[i], err = submittedOf(ctx, tx, w, c.call, ada); err != nil {
					return err
				}
				for _, by := range []*apitest.Person{rev, peer} {
					if assignments[[2]gid.ID{ids[i], by.ID}], err = assignedOf(ctx, tx, w, ids[i], by, staff); err != nil {
						return err
					}
				}
			}
			return nil
		})
		say := func(by *apitest.Person, at, equity, team, version int) {
			id := assignments[[2]gid.ID{ids[at], by.ID}]
			by.Must(saveReview, input(vars{"assignmentId": id, "scores": scores(equity, team, "Why"), "recommendation": "ACCEPT", "expectedVersion": version}))
			by.Must(submitReview, input(vars{"assignmentId": id, "expectedVersion": version + 1}))
		}
		expect := func(t *testing.T, order ...int) {
			t.Helper()
			want := make([]string, len(order))
			for i, at := range order {
				want[i] = ids[at].String()
			}
			for _, size := range []int{1, 50} {
				if got, _ := c.list(t, nil, "POINTS", size); !slices.Equal(got, want) {
					t.Errorf("%v, not %v", got, want)
				}
				got, _ := c.list(t, nil, "POINTS_ASCENDING", size)
				slices.Reverse(got)
				if !slices.Equal(got, want) {
					t.Errorf("upwards %v, not %v", got, want)
				}
			}
			if wrong := wrongPoints(w); len(wrong) > 0 {
				t.Errorf("not what counts: %v", wrong)
			}
		}
		w.T.Run("the best come first, and what nobody reviewed is not there", func(t *testing.T) {
			expect(t)
			say(rev, 0, 4, 4, 0)  // 100
			say(peer, 0, 0, 1, 0) // 6.25
			say(rev, 1, 3, 3, 0)  // 75
			say(rev, 2, 3, 1, 0)  // 62.5
			say(peer, 2, 2, 2, 0) // 50
			expect(t, 1, 2, 0)
		})
		w.T.Run("a review that is reopened counts no more until it is submitted again", func(t *testing.T) {
			id := staff.Must(judgedBy, vars{"id": ids[1]}).String("node.reviews.0.id")
			staff.Must(reopenReview, input(vars{"reviewId": id, "reason": "Look again"}))
			expect(t, 2, 0)
			say(rev, 1, 3, 2, 3) // 68.75
			expect(t, 1, 2, 0)
		})
		w.T.Run("nor does that of who has a conflict of interest, as long as it lasts", func(t *testing.T) {
			r := staff.Must(declareConflict, input(vars{"applicationId": ids[0], "memberId": peer.ID, "note": "A friend"}))
			expect(t, 0, 1, 2)
			staff.Must(endConflict, input(vars{"conflictId": r.String("declareConflict.conflict.id"), "reason": "No"}))
			expect(t, 1, 2, 0)
			ada.Must(addEditor, input(vars{"applicationId": ids[2], "memberId": rev.ID}))
			expect(t, 1, 0, 2)
			ada.Must(removeEditor, input(vars{"applicationId": ids[2], "memberId": rev.ID}))
			expect(t, 1, 2, 0)
			o, err := w.App.Community.CreateOrganization(staff.Context(), staff.Viewer, community.NewOrganization{Name: "Elsewhere", Kind: "CLINIC"})
			must0(t, err)
			_, err = w.App.Community.CreateAffiliation(staff.Context(), staff.Viewer, community.NewAffiliation{OrganizationID: o.ID, MemberID: &rev.ID, Title: "Nurse"})
			must0(t, err)
			expect(t, 1, 2, 0)
			rename := func(name string) {
				t.Helper()
				staff.Must(`mutation($input: UpdateOrganizationInput!) { updateOrganization(input: $input) { errors { code } } }`, input(vars{"organizationId": o.ID, "name": name}))
			}
			rename("clinic") // as the applicants call theirs
			expect(t, 2, 0)
			rename("Elsewhere")
			expect(t, 1, 2, 0)
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Application.UpdateOneID(ids[1]).SetOrganizationID(o.ID).Exec(ctx)
			})
			_, err = w.App.Community.CreateAffiliation(staff.Context(), staff.Viewer, community.NewAffiliation{OrganizationID: o.ID, MemberID: &rev.ID, Title: "Head nurse"})
			must0(t, err)
			expect(t, 2, 0)
		})
		w.T.Run("who is taken off counts no more", func(t *testing.T) {
			staff.Must(declareConflict, input(vars{"applicationId": ids[0], "memberId": peer.ID, "note": "A friend"}))
			staff.Must(removeReviewer, input(vars{"assignmentId": assignments[[2]gid.ID{ids[0], peer.ID}], "reason": "A friend"}))
			expect(t, 0, 2)
		})
		w.T.Run("staff learn nothing of the points of what they have a conflict of interest with", func(t *testing.T) {
			staff.Must(declareConflict, input(vars{"applicationId": ids[2], "memberId": staff.ID, "note": "Mine"}))
			for _, order := range []string{"POINTS", "POINTS_ASCENDING"} {
				for _, size := range []int{1, 50} {
					if got, _ := c.list(t, nil, order, size); !slices.Equal(got, []string{ids[0].String()}) {
						t.Errorf("%s: %v", order, got)
					}
				}
			}
			if got, _ := c.list(t, nil, "NUMBER", 50); len(got) != 4 {
				t.Error(got)
			}
			c.staff = other
			expect(t, 0, 2)
			for _, p := range []*apitest.Person{rev, ada} {
				if r := p.Must(callApplications, vars{"id": c.call, "orderBy": "POINTS"}); r.Len("node.applications.edges") != 0 {
					t.Error(r)
				}
			}
		})
		w.T.Run("what somebody with a conflict of interest said does not count once nothing tells of it any more", func(t *testing.T) {
			if _, err := w.App.Accounts.Erase(rev.Context(), inBrowser(rev), nil, rev.Handle, ""); err != nil {
				t.Fatal(err)
			}
			expect(t, 0, 2)
		})
		w.T.Run("an upgraded database has them", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Application.Update().ClearReviewPoints().Exec(ctx)
			})
			migrated(w, "20261128210000_review_points", "UPDATE")
			expect(t, 0, 2)
		})
	})
}

// Two reviews of one application that come at once both count.
func TestPointsOfReviewsAtOnce(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, ada := w.Role(w.Member("staff"), "STAFF"), w.Member("ada")
		reviewers := []*apitest.Person{w.Member("a"), w.Member("b"), w.Member("c"), w.Member("d")}
		var id gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err != nil {
				return err
			}
			call, err := judgedCallOf(ctx, tx, w, offering, false)
			if err == nil {
				id, err = submittedOf(ctx, tx, w, call, ada)
			}
			return err
		})
		done := make(chan *apitest.Response)
		for i, p := range reviewers {
			var of gid.ID
			w.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
				of, err = assignedOf(ctx, tx, w, id, p, staff)
				return err
			})
			p.Must(saveReview, input(vars{"assignmentId": of, "scores": scores(i, i, "Why"), "recommendation": "ACCEPT", "expectedVersion": 0}))
			go func() { done <- p.Do(submitReview, input(vars{"assignmentId": of, "expectedVersion": 1})) }()
		}
		for range reviewers {
			if r := <-done; r.Code() != "" {
				w.T.Error(r)
			}
		}
		if wrong := wrongPoints(w); len(wrong) > 0 {
			w.T.Errorf("not what counts: %v", wrong)
		}
	})
}

// Who is admitted has a post at their organization from then on: what they said of an application of its name counts no more.
func TestPointsAfterAdmission(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		a := newAdmissions(w, 1, 2)
		reviewed := func() *int { return w.App.Store.Client(w.System()).Application.GetX(w.System(), a.ids[1]).ReviewPoints }
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			if err := tx.Application.UpdateOneID(a.ids[1]).SetOrganizationName("Clinic of " + a.people[0].Handle).Exec(ctx); err != nil {
				return err
			}
			asked, err := assignedOf(ctx, tx, w, a.ids[1], a.people[0], a.staff)
			if err != nil {
				return err
			}
			if _, err := reviewOf(ctx, tx, w, asked, 5_000); err != nil {
				return err
			}
			return tally.Applications(ctx, tx, a.ids[1])
		})
		if n := reviewed(); n == nil || *n != 5_000_000 {
			w.T.Fatal(n)
		}
		a.prepare("ACCEPT")
		a.staff.Must(release, input(vars{"callId": a.call}))
		a.people[0].Must(acceptOffer, input(vars{"applicationId": a.ids[0]}))
		if n := reviewed(); n != nil || len(wrongPoints(w)) > 0 {
			w.T.Error(n)
		}
	})
}

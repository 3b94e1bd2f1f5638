package apitest_test

import (
	"context"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// What is unread in a space comes from the counters of its threads, of which these have every sort.
func TestUnreadOfSpaces(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, staff := w.Member("ada"), w.Member("ben"), w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		group, silent, foreign := w.Space(space.KindWORKGROUP, "G", ada, ben), w.Space(space.KindWORKGROUP, "S", ada), w.Space(space.KindWORKGROUP, "F", ben)
		// thread makes a thread of posts, some of them tombstones, that ada has read up to a number, or never when negative.
		thread := func(in gid.ID, posts, deleted, read, uncounted int) {
			id, now := w.NewID(gid.Thread), w.App.Config.Now()
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				err := tx.Thread.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetLastActivityAt(now).SetSpaceID(in).SetAuthorID(ben.ID).
					SetTitle("T").SetPostSeq(posts).SetDeletedPosts(deleted).Exec(ctx)
				if err != nil || read < 0 {
					return err
				}
				return tx.ReadState.Create().SetID(w.NewID(gid.ReadState)).SetCreatedAt(now).SetUpdatedAt(now).SetThreadID(id).SetMemberID(ada.ID).
					SetLastReadSeq(read).SetUncounted(uncounted).Exec(ctx)
			})
		}
		thread(group, 10, 3, -1, 0) // 7
		thread(group, 10, 3, 4, 1)  // 5
		thread(group, 5, 0, 5, 1)   // 0, not below
		thread(foreign, 9, 0, -1, 0)
		spaces := []gid.ID{silent, group, foreign}
		got, err := w.App.Forum.UnreadOfSpaces(ada.Context(), ada.Viewer, spaces)
		must0(w.T, err)
		if got[silent].Posts != 0 || got[group].Posts != 12 || got[foreign].Posts != 0 {
			w.T.Errorf("unread are %v", got)
		}
		got, err = w.App.Forum.UnreadOfSpaces(staff.Context(), staff.Viewer, []gid.ID{group})
		must0(w.T, err)
		if got[group].Posts != 0 {
			w.T.Errorf("staff who do not belong to it have %d unread", got[group].Posts)
		}
		count := func(n int) int64 {
			return w.LeastStatements(func() {
				_, err := w.App.Forum.UnreadOfSpaces(ada.Context(), ada.Viewer, spaces[:n])
				must0(w.T, err)
			})
		}
		if one, all := count(1), count(3); one != all {
			w.T.Errorf("%d statements for one space, %d for three", one, all)
		}
		for range 2 { // more threads than are opened at once, and again
			for range 450 {
				thread(group, 2, 0, -1, 0)
			}
			ada.Must(`mutation { markAllRead(input: { notifications: true }) { errors { code } } }`, nil)
			if n := ada.Must(`{ viewer { unreadPostCount } }`, nil).Int("viewer.unreadPostCount"); n != 0 {
				w.T.Errorf("%d are unread after all were read", n)
			}
		}
	})
}

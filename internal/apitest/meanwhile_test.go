package apitest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/flag"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/roster"
)

// meanwhile runs do beside the transaction that the caller is in, until it is through or waits for a lock of that transaction. The channel
// closes when it is through.
func meanwhile(w *apitest.World, do func()) <-chan struct{} {
	w.T.Helper()
	through := make(chan struct{})
	go func() {
		defer close(through)
		do()
	}()
	w.Eventually("it is through, or waits", func() bool {
		select {
		case <-through:
			return true
		default:
		}
		rows, err := w.App.Store.Client(w.System()).QueryContext(w.System(), "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
		if err != nil {
			return false
		}
		defer func() { _ = rows.Close() }()
		return rows.Next() && rows.Err() == nil
	})
	return through
}

// What a moderator decides while a mention in a flag's note is replaced stands.
func TestADecisionWhileAMentionIsErased(t *testing.T) {
	t.Parallel()
	w := apitest.Serve(t, database.Postgres(t))
	ada, eve, host := w.Member("ada"), w.Member("eve"), w.Member("host")
	network := w.Space(space.KindNETWORK, "Network", host, ada, eve)
	said := w.Post(eve, w.Thread(ada, network, "T", "B"), "x")
	ada.Must(flagPost, input(vars{"postId": said, "reason": "SPAM", "note": "As @" + eve.Handle + " does."}))
	var through <-chan struct{}
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		err := tx.Flag.Update().Where(flag.PostID(said)).SetState(flag.StateDISMISSED).SetResolverID(host.ID).SetResolvedAt(w.App.Config.Now()).SetResolution("No.").Exec(ctx)
		through = meanwhile(w, func() { must0(t, w.App.Moderation.EraseMentions(w.System(), eve.Handle, "erased-1")) })
		return err
	})
	<-through
	f := w.App.Store.Client(w.System()).Flag.Query().OnlyX(w.System())
	if f.Resolution != "No." || f.Note != "As @erased-1 does." {
		t.Errorf("the note is %q, the decision %q", f.Note, f.Resolution)
	}
}

// Who comes into a team by an import while its offering is given more has that, too.
func TestAGrantWhileTeamsAreImported(t *testing.T) {
	t.Parallel()
	w := apitest.Serve(t, database.Postgres(t))
	staff, lead, host := w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Member("lead"), w.Member("host")
	w.Space(space.KindNETWORK, "Network")
	program := w.NewID(gid.Program)
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		now := w.App.Config.Now()
		return tx.Program.Create().SetID(program).SetCreatedAt(now).SetSlug("p").SetName("P").SetStartsOn(now).SetEndsOn(now).Exec(ctx)
	})
	one := offer(w, staff, program, "one", lead)
	group := w.Space(space.KindWORKGROUP, "Coaching", host)
	r, err := roster.Parse(strings.NewReader("organization_name,organization_kind,team_name,cohort,member_name,member_email,team_role,time_zone\n" +
		"one,CLINIC,one,one,Ann,ann.imported@example.org,MEMBER,UTC\nOther,CLINIC,Second,one,Bo,bo.imported@example.org,LEAD,UTC\n"))
	must0(t, err)
	var through <-chan struct{}
	_, err = roster.Import(w.System(), w.App.Store, r, roster.Options{Now: w.App.Config.Now, NewID: func(k gid.Kind) gid.ID {
		if k == gid.SpaceMembership && through == nil { // what the offering opens was read
			through = meanwhile(w, func() {
				staff.Must(grantEntitlement, input(vars{"offeringId": one.id, "support": "COACHING", "spaceId": group}))
			})
		}
		return gid.New(k, time.Now())
	}})
	must0(t, err)
	<-through
	for _, email := range []string{"ann.imported@example.org", "bo.imported@example.org"} {
		if n := belongs(w, group, email); n != 1 {
			t.Errorf("%s has %d places in what was opened", email, n)
		}
	}
}

func belongs(w *apitest.World, group gid.ID, email string) int {
	return w.App.Store.Client(w.System()).SpaceMembership.Query().
		Where(spacemembership.SpaceID(group), spacemembership.HasMemberWith(member.Email(email))).CountX(w.System())
}

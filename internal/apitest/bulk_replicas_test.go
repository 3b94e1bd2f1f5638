package apitest_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/bulkaction"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/casework"
)

// Several processes share bulk actions, and take them from each other while they work, for clocks differ and leases are lost: each application is reminded
// once by each, and each failure is told once.
func TestBulkActionsOfSeveralProcesses(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		const many, actions = 90, 3
		processes := 3
		if strings.HasPrefix(url, "sqlite:") {
			processes = 1
		}
		var worlds []*apitest.World
		for i := range processes {
			worlds = append(worlds, offices(t, url, 1, func() time.Time { return time.Now().Add(time.Duration(i) * time.Hour) })...)
		}
		w := worlds[0]
		w.Space("NETWORK", "Network", w.Member("host"))
		c := newIntake(w)
		c.grow(many)
		ids := c.applications
		refused := ids[:many/3] // these are in no state to be reminded
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			if err := tx.Application.Update().SetState(application.StateDRAFT).ClearSubmittedAt().Exec(ctx); err != nil {
				return err
			}
			for _, a := range refused {
				if err := tx.Application.UpdateOneID(a.ID).SetState(application.StateWITHDRAWN).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		for range actions {
			_, err := w.App.Casework.StartBulkAction(c.staff.Context(), c.staff.Viewer, casework.NewBulkAction{
				CallID: c.call, Filter: &casework.Filter{}, Work: casework.Work{Kind: casework.Remind},
			})
			must0(t, err)
		}
		client := w.App.Store.Client(w.System())
		unfinished := func() int { return client.BulkAction.Query().Where(bulkaction.FinishedAtIsNil()).CountX(w.System()) }
		var all sync.WaitGroup
		var took atomic.Int64
		for i := range 2 * processes {
			all.Go(func() {
				for unfinished() > 0 {
					did, err := worlds[i/2].App.Casework.WorkOnce(w.System())
					if err != nil {
						t.Error(err)
						return
					}
					if did {
						took.Add(1)
					}
				}
			})
		}
		all.Go(func() {
			for unfinished() > 0 { // as if whoever has them were thought dead
				w.Tx(func(ctx context.Context, tx *ent.Client) error {
					return tx.BulkAction.Update().Where(bulkaction.FinishedAtIsNil(), bulkaction.LeasedUntilNotNil()).ClearLeasedUntil().Exec(ctx)
				})
			}
		})
		all.Wait()
		if took.Load() <= actions {
			t.Errorf("%d leases for %d bulk actions: nobody worked where another one did", took.Load(), actions)
		}
		reminded := map[string]int{}
		for _, m := range client.Mail.Query().Where(mail.Template(casework.MailReminder)).AllX(w.System()) {
			reminded[m.Data["application"]]++
		}
		for _, a := range ids[len(refused):] {
			if n := reminded[a.ID.String()]; n != actions {
				t.Errorf("%s was reminded %d times", a.ID, n)
			}
		}
		for _, b := range client.BulkAction.Query().AllX(w.System()) {
			if b.Done != many || b.Failed != len(refused) || b.State != bulkaction.StateDONE {
				t.Errorf("%d done, %d failed, %s", b.Done, b.Failed, b.State)
			}
			failures := client.BulkFailure.Query().AllX(w.System())
			of := map[string]int{}
			for _, f := range failures {
				if f.BulkActionID == b.ID {
					of[f.ApplicationID.String()]++
				}
			}
			for _, a := range refused {
				if of[a.ID.String()] != 1 {
					t.Errorf("%s failed %d times", a.ID, of[a.ID.String()])
				}
			}
		}
		t.Logf("%d leases for %d bulk actions", took.Load(), actions)
	})
}

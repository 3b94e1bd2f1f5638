package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// changed is what notifications become when moderation adds to them or takes from them.
type changed struct {
	reasons         []string
	read, rest, due *time.Time
	told            time.Time
}

// changes are notifications by what they become, so that the statements do not grow with their number.
type changes map[string]*alike

type alike struct {
	changed
	ids []gid.ID
}

func (c changes) add(id gid.ID, to changed) {
	key := fmt.Sprint(strings.Join(to.reasons, " "), to.read, to.rest, to.due, to.told)
	if c[key] == nil {
		c[key] = &alike{changed: to}
	}
	c[key].ids = append(c[key].ids, id)
}

func (c changes) write(ctx context.Context, tx *ent.Client) error {
	for _, a := range c {
		why := reasonsOf(a.reasons)
		u := tx.Notification.Update().Where(page.AnyOf(notification.FieldID, a.ids)).SetReasons(a.reasons).SetToldAt(a.told).
			SetDuty(slices.ContainsFunc(why, Reason.moderates)).SetFlagged(slices.Contains(why, Flagged) && !slices.Contains(why, FlagResolved) && !slices.Contains(why, Warned)).
			SetNews(slices.ContainsFunc(why, func(r Reason) bool { return !r.moderates() }))
		m := u.Mutation()
		for _, at := range []struct {
			value *time.Time
			set   func(time.Time)
			clear func()
		}{{a.read, m.SetReadAt, m.ClearReadAt}, {a.rest, m.SetRestReadAt, m.ClearRestReadAt}, {a.due, m.SetMailDueAt, m.ClearMailDueAt}} {
			if at.value != nil {
				at.set(*at.value)
			} else {
				at.clear()
			}
		}
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("change notifications of moderation: %w", err)
		}
	}
	return nil
}

// without are reasons but for one.
func without(reasons []string, but Reason) []string {
	return slices.DeleteFunc(slices.Clone(reasons), func(r string) bool { return r == string(but) })
}

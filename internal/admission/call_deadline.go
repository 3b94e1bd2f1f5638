package admission

import (
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/input"
)

// deadline is one of a call's three: what was announced, and the instant that it made with the zone.
type deadline struct {
	path  string
	local string
	at    time.Time
}

// deadlines are those of a call.
type deadlines struct {
	zone               string
	opens, due, closes deadline
}

func noDeadlines() deadlines {
	return deadlines{"", deadline{path: "opensLocal"}, deadline{path: "dueLocal"}, deadline{path: "closesLocal"}}
}

func deadlinesOf(c *ent.Call) deadlines {
	text := func(local string, at time.Time) string {
		if local == "" { // of a call that was made before local times were kept
			return shown(at, c.TimeZone)
		}
		return local
	}
	return deadlines{
		c.TimeZone,
		deadline{"opensLocal", text(c.OpensLocal, c.OpensAt), c.OpensAt},
		deadline{"dueLocal", text(c.DueLocal, c.DueAt), c.DueAt},
		deadline{"closesLocal", text(c.ClosesLocal, c.ClosesAt), c.ClosesAt},
	}
}

// patched are the deadlines after a patch that was checked. Those that it leaves stay at their instants, unless the zone changes: then all
// clocks show what they showed, elsewhere.
func (d deadlines) patched(p CallPatch) (deadlines, error) {
	moved := p.TimeZone != nil && *p.TimeZone != d.zone
	if moved {
		d.zone = *p.TimeZone
	}
	zone, err := time.LoadLocation(d.zone)
	if err != nil {
		return d, fmt.Errorf("load the call's zone: %w", err)
	}
	var check input.Checker
	for _, one := range []struct {
		*deadline
		text *string
		last bool
	}{{&d.opens, p.OpensLocal, false}, {&d.due, p.DueLocal, true}, {&d.closes, p.ClosesLocal, true}} {
		if one.text == nil && !moved || one.text != nil && *one.text == one.local && !moved {
			continue
		}
		if one.text != nil {
			one.local = *one.text
		}
		at, _ := wall(one.local)
		switch found := instants(at, zone); {
		case len(found) == 0:
			check.Refuse(one.path, "There is no such time in this zone: the clocks go forward over it. Choose another one.")
		case one.last: // nobody who reads the clock is late
			one.at = found[len(found)-1]
		default:
			one.at = found[0]
		}
	}
	if err := check.Err(); err != nil {
		return d, err
	}
	return d, d.inOrder()
}

func (d deadlines) inOrder() error {
	var check input.Checker
	if !d.opens.at.Before(d.due.at) {
		check.Refuse("dueLocal", "Applications are due after the call opens.")
	}
	if d.closes.at.Before(d.due.at) {
		check.Refuse("closesLocal", "A call does not close before applications are due.")
	}
	return check.Err()
}

// mayMove says whether the deadlines of a published call may become others: not into the past, and after the opening only later.
func (d deadlines) mayMove(to deadlines, released bool, now time.Time) error {
	opened := !now.Before(d.opens.at)
	var denied, wrong fault.List
	for i, pair := range [][2]deadline{{d.opens, to.opens}, {d.due, to.due}, {d.closes, to.closes}} {
		from, to := pair[0], pair[1]
		switch {
		case from.at.Equal(to.at):
		case released:
			denied = append(denied, fault.Denied("Decisions were released: the deadlines stay.").At(to.path))
		case opened && i == 0:
			denied = append(denied, fault.Denied("The call has opened: the opening stays.").At(to.path))
		case opened && to.at.Before(from.at):
			denied = append(denied, fault.Denied("The call has opened: this can only be moved later.").At(to.path))
		case to.at.Before(now):
			wrong = append(wrong, fault.Invalid(to.path, "This has passed. Choose a time that is to come."))
		}
	}
	return append(denied, wrong...).Err()
}

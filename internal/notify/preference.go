package notify

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notificationpreference"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// instantWait is how long mail that is to go at once waits, so that who reads in the app meanwhile gets none.
const instantWait = 2 * time.Minute

const dayMinutes = 24 * 60

// Rhythm is how often mail goes. Both preferences store it.
type Rhythm string

// MarshalGQL writes the SDL's MailRhythm.
func (r Rhythm) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(r))) }

// UnmarshalGQL reads the SDL's MailRhythm.
func (r *Rhythm) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("a rhythm must be a string, not %T", v)
	}
	*r = Rhythm(s)
	return nil
}

// PreferencePatch changes what is not nil.
type PreferencePatch struct {
	DirectMail, WatchedMail *Rhythm
	DigestHour, DigestWeek  *int
	QuietFrom, QuietUntil   *int
	QuietChanged            bool // the two above are set, and nil is no quiet hours
}

// usual is the preference of who has set none.
func usual(memberID gid.ID) *ent.NotificationPreference {
	return &ent.NotificationPreference{
		MemberID: memberID, DirectMail: notificationpreference.DefaultDirectMail, WatchedMail: notificationpreference.DefaultWatchedMail,
		DigestHour: notificationpreference.DefaultDigestHour, DigestWeekday: notificationpreference.DefaultDigestWeekday,
	}
}

// Preference is how the viewer wants to be told outside the app.
func (s *Service) Preference(ctx context.Context, v viewer.Viewer) (*ent.NotificationPreference, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	return s.PreferenceOf(ctx, me)
}

// PreferenceOf is a member's: for themselves.
func (s *Service) PreferenceOf(ctx context.Context, memberID gid.ID) (*ent.NotificationPreference, error) {
	all, err := preferences(ctx, s.Store.Client(ctx), []gid.ID{memberID})
	return all[memberID], err
}

// preferences are those of some members: one statement. Who has set none has the usual one.
func preferences(ctx context.Context, c *ent.Client, members []gid.ID) (map[gid.ID]*ent.NotificationPreference, error) {
	rows, err := c.NotificationPreference.Query().Where(page.AnyOf(notificationpreference.FieldMemberID, members)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load notification preferences: %w", err)
	}
	of := make(map[gid.ID]*ent.NotificationPreference, len(members))
	for _, m := range members {
		of[m] = usual(m)
	}
	for _, r := range rows {
		of[r.MemberID] = r
	}
	return of, nil
}

// UpdatePreference changes how the viewer is told outside the app from now on; what waits already goes when it was due.
func (s *Service) UpdatePreference(ctx context.Context, v viewer.Viewer, p PreferencePatch) (*ent.NotificationPreference, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	within := func(field string, n *int, least, most int) {
		if n != nil && (*n < least || *n > most) {
			check.Refuse(field, "This must be from %d to %d.", least, most)
		}
	}
	within("digestHour", p.DigestHour, 0, 23)
	within("digestWeekday", p.DigestWeek, 1, 7)
	within("quietHours.from", p.QuietFrom, 0, dayMinutes-1)
	within("quietHours.until", p.QuietUntil, 0, dayMinutes-1)
	if err := check.Err(); err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		now := s.Now()
		old, err := tx.NotificationPreference.Query().Where(notificationpreference.MemberID(me), store.LockRow).Only(ctx)
		if ent.IsNotFound(err) {
			err = tx.NotificationPreference.Create().SetID(s.NewID(gid.NotificationPreference)).SetMemberID(me).SetCreatedAt(now).SetUpdatedAt(now).Exec(ctx)
			if err != nil {
				return store.RetryOnConflict(err)
			}
			old, err = tx.NotificationPreference.Query().Where(notificationpreference.MemberID(me)).Only(ctx)
		}
		if err != nil {
			return fmt.Errorf("lock the preference: %w", err)
		}
		u := tx.NotificationPreference.UpdateOneID(old.ID).SetUpdatedAt(now)
		if p.DirectMail != nil {
			u.SetDirectMail(notificationpreference.DirectMail(*p.DirectMail))
		}
		if p.WatchedMail != nil {
			u.SetWatchedMail(notificationpreference.WatchedMail(*p.WatchedMail))
		}
		if p.DigestHour != nil {
			u.SetDigestHour(*p.DigestHour)
		}
		if p.DigestWeek != nil {
			u.SetDigestWeekday(*p.DigestWeek)
		}
		if p.QuietChanged {
			u.ClearQuietFrom().ClearQuietUntil().SetNillableQuietFrom(p.QuietFrom).SetNillableQuietUntil(p.QuietUntil)
		}
		return u.Exec(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("change the notification preference: %w", err)
	}
	return s.Preference(ctx, v)
}

// direct reports whether the reason is that the post is meant for the member themselves.
func (r Reason) direct() bool {
	return r.calls() || r == Reply || r == DirectMessage || r == Reminder || r.moderates()
}

// never is the rhythm of no mail.
const never = "NEVER"

// rhythm is how often mail goes: one of the values of both preferences.
func rhythm(p *ent.NotificationPreference, direct bool) string {
	if direct {
		return string(p.DirectMail)
	}
	return string(p.WatchedMail)
}

// mailDueAt is dueAt for a member; nil while their address takes no mail.
func mailDueAt(m *ent.Member, p *ent.NotificationPreference, direct bool, now time.Time) *time.Time {
	if m.MailBouncingAt != nil {
		return nil
	}
	return dueAt(p, direct, now, m.TimeZone)
}

// dueAt is when a member is told by mail of what happens now; nil: never. Hours and days are those of the member's own time zone.
func dueAt(p *ent.NotificationPreference, direct bool, now time.Time, zone string) *time.Time {
	location, err := time.LoadLocation(zone)
	if err != nil {
		location = time.UTC
	}
	local := now.In(location)
	at := func(days, hour int) time.Time {
		return time.Date(local.Year(), local.Month(), local.Day()+days, hour, 0, 0, 0, location)
	}
	var due time.Time
	switch rhythm(p, direct) {
	case "INSTANT":
		due = now.Add(instantWait)
	case "HOURLY":
		due = now.Truncate(time.Hour).Add(time.Hour)
	case "DAILY":
		if due = at(0, p.DigestHour); !due.After(now) {
			due = at(1, p.DigestHour)
		}
	case "WEEKLY":
		days := (p.DigestWeekday - int(local.Weekday()) + 7) % 7
		if due = at(days, p.DigestHour); !due.After(now) {
			due = at(days+7, p.DigestHour)
		}
	default:
		return nil
	}
	due = afterQuiet(p, due.In(location)).UTC()
	return &due
}

// afterQuiet moves an instant that lies in the quiet hours to their end.
func afterQuiet(p *ent.NotificationPreference, at time.Time) time.Time {
	if p.QuietFrom == nil || p.QuietUntil == nil || *p.QuietFrom == *p.QuietUntil {
		return at
	}
	from, until, minute := *p.QuietFrom, *p.QuietUntil, at.Hour()*60+at.Minute()
	end := func(days int) time.Time {
		return time.Date(at.Year(), at.Month(), at.Day()+days, until/60, until%60, 0, 0, at.Location())
	}
	switch {
	case from < until && minute >= from && minute < until, from > until && minute < until:
		return end(0)
	case from > until && minute >= from:
		return end(1)
	}
	return at
}

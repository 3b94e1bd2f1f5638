package notify

import (
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
)

func TestDueAt(t *testing.T) {
	night := func(p *ent.NotificationPreference) *ent.NotificationPreference {
		p.QuietFrom, p.QuietUntil = new(22*60), new(7*60+30)
		return p
	}
	weekly := func(p *ent.NotificationPreference) *ent.NotificationPreference { p.DirectMail = "WEEKLY"; return p }
	daily := func(p *ent.NotificationPreference) *ent.NotificationPreference { p.DirectMail = "DAILY"; return p }
	hourly := func(p *ent.NotificationPreference) *ent.NotificationPreference { p.DirectMail = "HOURLY"; return p }
	same := func(p *ent.NotificationPreference) *ent.NotificationPreference { return p }
	for name, c := range map[string]struct {
		with      func(*ent.NotificationPreference) *ent.NotificationPreference
		now, want string
	}{
		"at once waits two minutes":                  {same, "2026-11-24T12:00:00-06:00", "2026-11-24T12:02:00-06:00"},
		"the next hour":                              {hourly, "2026-11-24T12:00:00-06:00", "2026-11-24T13:00:00-06:00"},
		"today at eight":                             {daily, "2026-11-24T07:59:00-06:00", "2026-11-24T08:00:00-06:00"},
		"tomorrow at eight":                          {daily, "2026-11-24T08:00:00-06:00", "2026-11-25T08:00:00-06:00"},
		"eight is eight when the clock goes forward": {daily, "2026-03-07T09:00:00-06:00", "2026-03-08T08:00:00-05:00"},
		"eight is eight when the clock goes back":    {daily, "2026-10-31T09:00:00-05:00", "2026-11-01T08:00:00-06:00"},
		"on Monday":                                  {weekly, "2026-11-24T12:00:00-06:00", "2026-11-30T08:00:00-06:00"},
		"this Monday":                                {weekly, "2026-11-30T07:00:00-06:00", "2026-11-30T08:00:00-06:00"},
		"the night is quiet":                         {night, "2026-11-24T23:00:00-06:00", "2026-11-25T07:30:00-06:00"},
		"until the morning":                          {night, "2026-11-24T06:00:00-06:00", "2026-11-24T07:30:00-06:00"},
		"the day is not":                             {night, "2026-11-24T21:57:00-06:00", "2026-11-24T21:59:00-06:00"},
		"a night in which the clock goes forward":    {night, "2026-03-07T23:00:00-06:00", "2026-03-08T07:30:00-05:00"},
	} {
		now, _ := time.Parse(time.RFC3339, c.now)
		want, _ := time.Parse(time.RFC3339, c.want)
		if got := dueAt(c.with(usual([16]byte{})), true, now, "America/Chicago"); got == nil || !got.Equal(want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	never := usual([16]byte{})
	never.WatchedMail = "NEVER"
	if got := dueAt(never, false, time.Now(), "UTC"); got != nil {
		t.Errorf("never is %v", got)
	}
}

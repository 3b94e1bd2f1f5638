package admission

import (
	"slices"
	"time"
)

// wallLayouts are how a local time is written: with or without seconds.
var wallLayouts = [...]string{"2006-01-02T15:04", "2006-01-02T15:04:05"}

// wall reads what a clock on the wall shows, as if it hung in Greenwich.
func wall(text string) (at time.Time, ok bool) {
	for _, layout := range wallLayouts {
		if at, err := time.Parse(layout, text); err == nil && at.Year() >= 2000 && at.Year() < 2200 {
			return at, true
		}
	}
	return time.Time{}, false
}

// instants are those at which a clock on the wall of a zone shows a local time, the earliest first: one nearly always, none within the
// hour that it leaps over, and two within the one that it shows twice.
func instants(at time.Time, zone *time.Location) []time.Time {
	var found []time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} { // the offsets before and after a change of clocks close by
		_, offset := at.Add(near).In(zone).Zone()
		i := at.Add(-time.Duration(offset) * time.Second)
		shown := i.In(zone)
		if _, there := shown.Zone(); there == offset && !slices.Contains(found, i) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, time.Time.Compare)
	return found
}

// shown is what a clock on the wall of a zone shows at an instant.
func shown(at time.Time, zone string) string {
	where, err := time.LoadLocation(zone)
	if err != nil { // a zone that this machine's data have no more
		where = time.UTC
	}
	if at = at.In(where); at.Second() != 0 {
		return at.Format(wallLayouts[1])
	}
	return at.Format(wallLayouts[0])
}

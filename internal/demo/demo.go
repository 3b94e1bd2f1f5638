// Package demo makes the real program as data: "Pursuing Equity" with its two offerings, invented organizations and
// people, and the spaces where they talk.
//
// Generate is pure: the same options give the same ids and the same bytes on every machine, so that a benchmark, a
// screenshot or a bug report of one person means the same to another. Load writes a World into a database. People and
// organizations are invented; the program, its sponsor, its frameworks and the training's provider are not.
package demo

import (
	"fmt"
	"math"
	"time"
)

// Options say how much to make, and which of the many possible worlds.
type Options struct {
	// Scale 1 is the program's real size: 50 organizations, 500 members, 5,000 posts. Posts grow with the scale, threads
	// with its power of 0.85 and people with its power of 0.6. At most 1,000.
	Scale int
	// Seed picks the world. Two seeds share no id.
	Seed uint64
	// Now is the latest instant of the program's story; the program's end when zero, before the program or after its end.
	Now time.Time
	// Today is the day on which the data are looked at: calls that are open, and offers that stand, are dated by it. The day after the
	// latest instant of the story when zero.
	Today time.Time
}

// Size at scale 1.
const (
	basePosts   = 5000
	baseThreads = 300
	maxScale    = 1000
)

// Validate returns an error that names the option at fault.
func (o Options) Validate() error {
	if o.Scale < 1 || o.Scale > maxScale {
		return fmt.Errorf("demo scale %d: must be between 1 and %d", o.Scale, maxScale)
	}
	return nil
}

// posts is how many posts the world holds, tombstones included.
func (o Options) posts() int { return basePosts * o.Scale }

// threads is about how many threads the world holds.
func (o Options) threads() int {
	return int(math.Round(baseThreads * math.Pow(float64(o.Scale), 0.85)))
}

// waves is how many times the program's 50 teams are made; each wave has a cohort of each offering.
func (o Options) waves() int {
	return int(math.Round(math.Pow(float64(o.Scale), 0.6)))
}

// until is the end of the program's story: nobody writes later, and no team comes or goes.
func (o Options) until() time.Time {
	end := programEnd.Add(24*time.Hour - time.Microsecond)
	if o.Now.After(programStart.AddDate(0, 1, 0)) && o.Now.Before(end) {
		return o.Now.UTC().Truncate(time.Microsecond)
	}
	return end
}

// today is midnight, in UTC, of the day on which the data are looked at.
func (o Options) today() time.Time {
	day := o.Today
	if until := o.until(); day.Before(until) {
		day = until.Add(24 * time.Hour)
	}
	return day.UTC().Truncate(24 * time.Hour)
}

// Generate makes the world of the options. Threads with their posts are not kept: World.Discussions makes them one
// thread at a time, so that half a million posts need no memory.
func Generate(o Options) (*World, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	topics, err := readTopics()
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(callZone)
	if err != nil {
		return nil, fmt.Errorf("the zone of the calls: %w", err)
	}
	g := &generator{
		options: o, until: o.until(), today: o.today(), zone: zone, topics: topics, people: names(), mostlyHe: mostlyHe(), handles: map[string]int{}, names: map[string]bool{},
	}
	g.program()
	for wave := range o.waves() {
		g.cohorts(wave)
		g.organizations(wave)
	}
	g.accounts()
	g.admission()
	g.spaces()
	g.resources()
	g.plan()
	return &g.world, nil
}

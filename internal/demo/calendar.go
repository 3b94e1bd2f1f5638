package demo

import "time"

// People write on working days, mostly in the hours when it is day across the country: 13:00 to 01:00 UTC.
const (
	dayStart  = 13 * time.Hour
	dayLength = 12 * time.Hour
)

// busy turns working time since the program's start, which is a Monday, into an instant. It keeps order: later working time is
// never earlier.
func busy(work time.Duration) time.Time {
	day := int(work / dayLength)
	return programStart.AddDate(0, 0, day/5*7+day%5).Add(dayStart + work%dayLength)
}

// workUntil is the working time from the program's start to an instant at most.
func workUntil(at time.Time) time.Duration {
	days := int(at.Sub(programStart) / (24 * time.Hour))
	work := time.Duration(days/7*5+min(days%7, 5)) * dayLength
	for work > 0 && !busy(work).Before(at) {
		work -= dayLength
	}
	return max(work, 0)
}

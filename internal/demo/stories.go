package demo

// story is how it goes with an application. What is not said goes as usual: submitted in time, all letters signed, two reviews done.
type story struct {
	state    string
	strength int // of 10, as reviewers see it
	reason   string

	late, extended bool
	asked          bool   // staff asked for more once, and got it
	letters        string // of a draft: how the asks for signatures stand
	reviews        reviewing
	prepared       string // the decision that staff prepare
	conflict       conflicting
	promoted       bool // it waited before a place became free
}

// reviewing is how far the reviews are.
type reviewing int

const (
	reviewed    reviewing = iota
	notAssigned           // nobody was asked
	waiting               // nobody has begun
	begun                 // one has begun
)

// conflicting is why a reviewer is not one, or might not have been.
type conflicting int

const (
	noConflict conflicting = iota
	declared               // by the reviewer, who then declined
	toldByStaff
	ended   // it was declared, and is none any more
	removed // staff took the reviewer off
)

// signing is how the asks for signatures of a draft stand.
const (
	signedNone    = "NONE"
	signedPending = "PENDING"
	signedRefused = "REFUSED"
)

// others are the applications to a call of the program that led to no place: one of every kind at least.
func others() []story {
	return []story{
		{state: "DECLINED", strength: 3, reason: "We had more applications than places. Reviewers would like to see something small tried first, and hope to read from you again.", conflict: declared},
		{state: "DECLINED", strength: 4, reason: "We had more applications than places, and others were further with their data. Everything in our library is open to you.", late: true, conflict: removed},
		{state: "DECLINED", strength: 2, reason: "The letter did not say what your leaders will do themselves. Please apply again when it can.", conflict: ended},
		{state: "WAITLISTED", strength: 7, reason: "You are on our waitlist: when a place becomes free it is offered in order.", conflict: toldByStaff},
		{state: "WAITLISTED", strength: 6, reason: "You are on our waitlist: when a place becomes free it is offered in order.", extended: true},
		{state: "OFFERED", strength: 7, promoted: true},
		{state: "OFFER_DECLINED", strength: 8},
		{state: "OFFER_EXPIRED", strength: 8, asked: true},
		{state: "WITHDRAWN", reviews: notAssigned},
		{state: "SUBMITTED", strength: 6, late: true, prepared: "WAITLIST"},
		{state: "SUBMITTED", strength: 5, late: true, reviews: begun},
		{state: "INFORMATION_REQUESTED", strength: 6, late: true, reviews: waiting},
		{state: "DRAFT", letters: signedRefused, extended: true},
		{state: "DRAFT", letters: signedNone},
	}
}

// early are the applications to the call that is open.
func early() []story {
	return []story{
		{state: "SUBMITTED", strength: 8, reviews: begun},
		{state: "SUBMITTED", strength: 6, reviews: waiting},
		{state: "INFORMATION_REQUESTED", strength: 5, reviews: notAssigned},
		{state: "WITHDRAWN", reviews: notAssigned},
		{state: "DRAFT", letters: signedPending},
		{state: "DRAFT", letters: signedNone},
	}
}

// enrolled is how it went with the n-th of the cohort's teams.
func enrolled(n int) story {
	s := story{state: "ADMITTED", strength: 7 + n%4}
	switch n {
	case 2:
		s.late = true
	case 5:
		s.extended = true
	case 7:
		s.asked = true
	}
	return s
}

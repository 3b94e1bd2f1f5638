package admission

import (
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/fault"
)

// The kinds of requirements, beside the form.
const (
	letterKind = "LETTER"
	videoKind  = "VIDEO"
	otherKind  = "OTHER"
)

// writable says whether the viewer may change the part of an application that a question or a requirement is the key of: an editor, while it
// is a draft and the call takes it, or when more was asked about that part and the answer is not overdue.
func (a *held) writable(key string, now time.Time) error {
	switch {
	case !a.Editor:
		return fault.Denied("Only its editors can write an application.")
	case a.State == application.StateINFORMATION_REQUESTED && !slices.Contains(a.Reopened, key):
		return fault.Denied("Staff have not asked about this: it no longer changes.")
	case a.State != application.StateDRAFT && a.State != application.StateINFORMATION_REQUESTED:
		return fault.Denied("This application no longer changes.")
	case a.over(now):
		return closed().At("applicationId")
	}
	return nil
}

// over is true once nothing of an application can be changed or submitted any more.
func (a *held) over(now time.Time) bool {
	if a.State == application.StateINFORMATION_REQUESTED {
		return a.InformationDueAt != nil && !now.Before(*a.InformationDueAt)
	}
	return stateAt(a.Call, a.ExtendedUntil, now) == Closed
}

// ends is the instant from which on nothing of an application can be changed or submitted any more.
func (a *held) ends() time.Time {
	switch {
	case a.State == application.StateINFORMATION_REQUESTED && a.InformationDueAt != nil:
		return *a.InformationDueAt
	default:
		return later(a.Call.ClosesAt, a.ExtendedUntil)
	}
}

// requirement is what a document is for, or INVALID_INPUT: a letter is for one of its signers, anything else for none.
func (a *held) requirement(key, signer string) (schema.Requirement, error) {
	at := slices.IndexFunc(a.Call.Requirements, func(r schema.Requirement) bool { return r.Key == key && r.Kind != formKind })
	if at < 0 {
		return schema.Requirement{}, fault.Invalid("requirement", "The call demands no such document.")
	}
	r := a.Call.Requirements[at]
	if len(r.Signers) == 0 && signer != "" || len(r.Signers) > 0 && !slices.Contains(r.Signers, signer) {
		return r, fault.Invalid("signer", "This is none of the letter's signers.")
	}
	return r, nil
}

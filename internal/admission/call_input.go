package admission

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
)

// Limits of a call.
const (
	maxSummary      = 10_000
	maxHelp         = 2_000
	maxRequirements = 20
	maxSigners      = 5
	maxSigner       = 60
	maxCriteria     = 20
	maxPoints       = 100
	maxWeight       = 100
	maxPlaces       = 10_000
	maxOfferDays    = 365
	maxReviews      = 10
)

// CallPatch is what to change of a call, or how to make one; nil leaves a field as it is.
type CallPatch struct {
	Title, Summary                     *string
	TimeZone                           *string
	OpensLocal, DueLocal, ClosesLocal  *string
	Requirements                       []*schema.Requirement // all of them
	Rubric                             []*schema.Criterion   // all of them
	CohortID                           *gid.ID               // zero for none
	Capacity, OfferDays, ReviewsWanted *int
	Blind                              *bool
}

// check returns the patch as it is kept.
func (p CallPatch) check() (CallPatch, error) {
	var c input.Checker
	if p.Title != nil {
		p.Title = new(c.Line("title", *p.Title, 1, maxName))
	}
	if p.Summary != nil {
		p.Summary = new(c.Text("summary", *p.Summary, 0, maxSummary))
	}
	if p.TimeZone != nil {
		if _, err := time.LoadLocation(*p.TimeZone); err != nil || *p.TimeZone == "" || *p.TimeZone == "Local" {
			c.Refuse("timeZone", "This must be a name in the IANA database: America/New_York.")
		}
	}
	for path, text := range map[string]*string{"opensLocal": p.OpensLocal, "dueLocal": p.DueLocal, "closesLocal": p.ClosesLocal} {
		if text == nil {
			continue
		}
		if _, ok := wall(*text); !ok {
			c.Refuse(path, "Write a local time like 2022-11-01T17:00.")
		}
	}
	within(&c, "capacity", p.Capacity, 0, maxPlaces)
	within(&c, "offerDays", p.OfferDays, 1, maxOfferDays)
	within(&c, "reviewsWanted", p.ReviewsWanted, 0, maxReviews)
	p.Requirements = checkRequirements(&c, p.Requirements)
	p.Rubric = checkRubric(&c, p.Rubric)
	return p, c.Err()
}

func within(c *input.Checker, path string, n *int, least, most int) {
	if n != nil && (*n < least || *n > most) {
		c.Refuse(path, "This must be from %d to %d.", least, most)
	}
}

var slug = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,59}$`)

// checkKey checks a name for programs, and that it stands once.
func checkKey(c *input.Checker, path, key string, seen map[string]bool) {
	switch {
	case !slug.MatchString(key):
		c.Refuse(path, "A key has 1 to 60 small letters, digits, - and _, and begins with a letter or digit.")
	case seen[key]:
		c.Refuse(path, "Each key stands once.")
	}
	seen[key] = true
}

func checkRequirements(c *input.Checker, all []*schema.Requirement) []*schema.Requirement {
	if len(all) > maxRequirements {
		c.Refuse("requirements", "A call has at most %d requirements.", maxRequirements)
		return nil
	}
	var out []*schema.Requirement
	seen, forms := make(map[string]bool, len(all)), 0
	for i, in := range all {
		at := fmt.Sprintf("requirements.%d.", i)
		r := *in
		checkKey(c, at+"key", r.Key, seen)
		r.Label, r.Help = c.Line(at+"label", r.Label, 1, maxName), c.Text(at+"help", r.Help, 0, maxHelp)
		r.Letter = c.Text(at+"letter", r.Letter, 0, maxLetter)
		r.Signers = slices.Clone(r.Signers)
		for j, signer := range r.Signers {
			path := fmt.Sprintf("%ssigners.%d", at, j)
			r.Signers[j] = c.Line(path, signer, 1, maxSigner)
			if slices.Index(r.Signers, r.Signers[j]) < j {
				c.Refuse(path, "Each role signs once.")
			}
		}
		switch r.Kind {
		case letterKind:
			if len(r.Signers) == 0 || len(r.Signers) > maxSigners {
				c.Refuse(at+"signers", "A letter is signed by 1 to %d roles.", maxSigners)
			}
		case formKind, videoKind, otherKind:
			if len(r.Signers) > 0 || r.Letter != "" {
				c.Refuse(at+"signers", "Only a letter is signed.")
			}
			if r.Kind == formKind {
				forms++
			}
		default:
			c.Refuse(at+"kind", "A requirement is a FORM, a LETTER, a VIDEO or OTHER.")
		}
		if forms > 1 {
			c.Refuse(at+"kind", "A call has one form.")
		}
		out = append(out, &r)
	}
	return out
}

func checkRubric(c *input.Checker, all []*schema.Criterion) []*schema.Criterion {
	if len(all) > maxCriteria {
		c.Refuse("rubric", "A rubric has at most %d criteria.", maxCriteria)
		return nil
	}
	if all == nil {
		return nil
	}
	out, seen := make([]*schema.Criterion, 0, len(all)), make(map[string]bool, len(all))
	for i, in := range all {
		at := fmt.Sprintf("rubric.%d.", i)
		r := *in
		checkKey(c, at+"key", r.Key, seen)
		r.Label, r.Description = c.Line(at+"label", r.Label, 1, maxName), c.Text(at+"description", r.Description, 0, maxHelp)
		within(c, at+"max", &r.Max, 1, maxPoints)
		within(c, at+"weight", &r.Weight, 1, maxWeight)
		out = append(out, &r)
	}
	return out
}

// values are what pointers point to.
func values[T any](all []*T) []T {
	out := make([]T, len(all))
	for i, p := range all {
		out[i] = *p
	}
	return out
}

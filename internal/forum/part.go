package forum

import (
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
)

// Part is how much of a post is loaded: beside another post or a thread there stand mostly its number, its author and its time, and
// its texts are nearly all of its row.
type Part bool

// The parts of a post.
const (
	Whole Part = false
	Head  Part = true // without what it says and said
)

// whole reports whether a post is known to be loaded with its texts: each has some while it is neither deleted nor hidden.
func whole(p *ent.Post) bool { return p.BodyHTML != "" }

func (p Part) of(q *ent.PostQuery) *ent.PostQuery {
	if p == Head {
		q.Select(slices.DeleteFunc(slices.Clone(post.Columns), func(column string) bool {
			switch column {
			case post.FieldBody, post.FieldBodyHTML, post.FieldQuote, post.FieldHiddenBody, post.FieldHiddenReason:
				return true
			}
			return false
		})...)
	}
	return q
}

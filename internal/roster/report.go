package roster

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Report is what an import did, or would do.
type Report struct {
	Rows      int
	Created   []Change
	Changed   []Change
	Unchanged map[string]int // by kind
	// SpaceMemberships is how many memberships of spaces follow from it, and LostPlaces how many members lose one.
	SpaceMemberships, LostPlaces int
}

// Change is one row that is made or changed. Line is where the file says so.
type Change struct {
	Line   int
	Kind   string // organization, team, enrollment, member, affiliation or place
	Name   string
	Detail string // what changes: title "Nurse" → "Nurse Manager"
}

// String is the change as it is printed.
func (c Change) String() string {
	s := fmt.Sprintf("line %d: %s %s", c.Line, c.Kind, c.Name)
	if c.Detail != "" {
		s += ": " + c.Detail
	}
	return s
}

// Empty reports whether nothing is made or changed.
func (r *Report) Empty() bool {
	return len(r.Created) == 0 && len(r.Changed) == 0 && r.SpaceMemberships == 0 && r.LostPlaces == 0
}

// WriteTo prints every change, one a line, and the counts.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	for _, part := range []struct {
		title   string
		changes []Change
	}{{"create", r.Created}, {"change", r.Changed}} {
		for _, c := range part.changes {
			fmt.Fprintf(&b, "%s %s\n", part.title, c)
		}
	}
	fmt.Fprintf(&b, "%d rows: %d created, %d changed, %d unchanged", r.Rows, len(r.Created), len(r.Changed), r.unchanged())
	fmt.Fprintf(&b, "; %d new space memberships, %d members lose some\n", r.SpaceMemberships, r.LostPlaces)
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func (r *Report) unchanged() int {
	n := 0
	for _, count := range r.Unchanged {
		n += count
	}
	return n
}

func (r *Report) created(line int, kind, name string) {
	r.Created = append(r.Created, Change{Line: line, Kind: kind, Name: name})
}

// compared notes a row that was there before, as changed when there are differences.
func (r *Report) compared(line int, kind, name string, differences []string) {
	if len(differences) == 0 {
		r.Unchanged[kind]++
		return
	}
	r.Changed = append(r.Changed, Change{Line: line, Kind: kind, Name: name, Detail: strings.Join(differences, ", ")})
}

func (r *Report) sort() {
	for _, list := range [][]Change{r.Created, r.Changed} {
		slices.SortStableFunc(list, func(a, b Change) int { return a.Line - b.Line })
	}
}

// difference appends what changes when the file says something else than what is there; an empty value says nothing.
func difference(list []string, what, have, said string) []string {
	if said == "" || said == have {
		return list
	}
	return append(list, fmt.Sprintf("%s %q → %q", what, have, said))
}

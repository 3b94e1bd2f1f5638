package roster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is something wrong with one line of the file. Line is the physical line where the row begins, from 1 on; 0 is
// the file as a whole. Column is empty when the row as a whole is at fault.
type Problem struct {
	Line   int
	Column string
	Reason string
}

// String is the problem as it is printed: "line 12, member_email: is not an e-mail address".
func (p Problem) String() string {
	where := fmt.Sprintf("line %d", p.Line)
	if p.Line == 0 {
		where = "file"
	}
	if p.Column != "" {
		where += ", " + p.Column
	}
	return where + ": " + p.Reason
}

// Problems is everything wrong with a file, by line. It is the error that Parse and Import return for a bad file.
type Problems []Problem //nolint:recvcheck // add must write; the others are called on a value, as errors are

// Error lists all problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(line int, column, reason string, args ...any) {
	*p = append(*p, Problem{Line: line, Column: column, Reason: fmt.Sprintf(reason, args...)})
}

// err is the sorted list as an error, or nil when it is empty.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return p
}

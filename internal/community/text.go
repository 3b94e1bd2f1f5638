package community

import (
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/input"
)

// A patch has a pointer for each field: nil leaves the field as it is, the zero value empties it. Where it must not be empty, the
// check refuses it.

func line(c *input.Checker, path string, v *string, least, most int) *string {
	if v == nil {
		return nil
	}
	return new(c.Line(path, *v, least, most))
}

func text(c *input.Checker, path string, v *string, most int) *string {
	if v == nil {
		return nil
	}
	return new(c.Text(path, *v, 0, most))
}

// enum checks a value that an input gave against the values that there are.
func enum[T ~string](c *input.Checker, path string, v *T, valid func(T) error) {
	if v != nil && valid(*v) != nil {
		c.Refuse(path, "This is none of the values that there are.")
	}
}

// day is a day's midnight in UTC.
func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

func dayOf(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(day(*t))
}

// words joins what is not empty.
func words(parts ...string) string {
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

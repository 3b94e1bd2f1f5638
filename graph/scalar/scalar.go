// Package scalar reads and writes the SDL's custom scalars.
package scalar

import (
	"io"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/pursuing-equity/commons/internal/fault"
)

// MarshalDateTime writes an instant in UTC with up to six decimals.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(AppendDateTime(make([]byte, 0, 32), t)) })
}

// AppendDateTime is MarshalDateTime for who has a buffer.
func AppendDateTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, `"2006-01-02T15:04:05.999999Z07:00"`)
}

// UnmarshalDateTime reads RFC 3339. Decimals beyond the sixth are cut off: the databases keep microseconds.
func UnmarshalDateTime(v any) (time.Time, error) {
	if s, ok := v.(string); ok {
		if t, err := time.Parse(time.RFC3339, s); err == nil && t.Year() >= 1 && t.Year() <= 9999 {
			return t.UTC().Truncate(time.Microsecond), nil
		}
	}
	return time.Time{}, fault.New(fault.BadVariables, "This is not a DateTime. Write RFC 3339: 2023-01-17T18:30:00Z.")
}

// MarshalDate writes a day.
func MarshalDate(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(AppendDate(make([]byte, 0, 12), t)) })
}

// AppendDate is MarshalDate for who has a buffer.
func AppendDate(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, `"2006-01-02"`) }

// UnmarshalDate reads a day as midnight UTC.
func UnmarshalDate(v any) (time.Time, error) {
	if s, ok := v.(string); ok {
		if t, err := time.Parse(time.DateOnly, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.New(fault.BadVariables, "This is not a Date. Write ISO 8601: 2023-01-17.")
}

// MarshalTimeZone writes the name of a zone.
func MarshalTimeZone(name string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(name)) })
}

// UnmarshalTimeZone reads the name of a zone in the IANA database.
func UnmarshalTimeZone(v any) (string, error) {
	if s, ok := v.(string); ok && s != "" && s != "Local" {
		if _, err := time.LoadLocation(s); err == nil {
			return s, nil
		}
	}
	return "", fault.New(fault.BadVariables, "This is not a time zone. Write a name of the IANA database: America/New_York.")
}

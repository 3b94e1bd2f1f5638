package roster

import (
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// row is one line's cells, checked one by one.
type row struct {
	line             int
	organization     Organization
	team, cohort     string
	member           Member
	role             string
	startsOn, endsOn time.Time
}

// readRow checks the cells of a row. It reports every bad cell, and false when there is one.
func readRow(h header, cells []string, line int, problems *Problems) (row, bool) {
	before := len(*problems)
	value := map[string]string{}
	for i, c := range h.known {
		if h.at[i] < 0 {
			continue
		}
		v := squeeze(cells[h.at[i]])
		switch {
		case v == "" && c.required:
			problems.add(line, c.name, "must not be empty")
		case strings.ContainsFunc(v, unprintable):
			problems.add(line, c.name, "holds characters that cannot be seen")
		case utf8.RuneCountInString(v) > c.most:
			problems.add(line, c.name, "has more than %d characters", c.most)
		default:
			value[c.name] = v
		}
	}
	r := row{line: line, team: value[colTeam], cohort: value[colCohort]}
	r.organization = Organization{Line: line, Name: value[colOrganization], Kind: word(value[colKind]), City: value[colCity], Region: value[colRegion], Country: strings.ToUpper(value[colCountry])}
	r.member = Member{Line: line, Email: strings.ToLower(value[colEmail]), Name: value[colName], Pronouns: value[colPronouns], Title: value[colTitle], TimeZone: value[colZone]}
	r.role = word(value[colRole])

	if k := r.organization.Kind; k != "" && !slices.Contains(kinds(), k) {
		problems.add(line, colKind, "%q must be one of %s", value[colKind], strings.Join(kinds(), ", "))
	}
	if c := r.organization.Country; c != "" && (len(c) != 2 || strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		problems.add(line, colCountry, "%q must be two letters, such as US", value[colCountry])
	}
	if r.role != "" && !slices.Contains(roles(), r.role) {
		problems.add(line, colRole, "%q must be one of %s", value[colRole], strings.Join(roles(), ", "))
	}
	if e := r.member.Email; e != "" && !address(e) {
		problems.add(line, colEmail, "%q is not an e-mail address", e)
	}
	if z := r.member.TimeZone; z != "" && !h.zone(z) {
		problems.add(line, colZone, "%q is not an IANA time zone, such as America/Chicago", z)
	}
	r.startsOn = readDay(value[colStarts], line, colStarts, problems)
	r.endsOn = readDay(value[colEnds], line, colEnds, problems)
	if !r.startsOn.IsZero() && !r.endsOn.IsZero() && r.endsOn.Before(r.startsOn) {
		problems.add(line, colEnds, "is before starts_on")
	}
	return r, len(*problems) == before
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// word is the form of an enum: "senior leader" is SENIOR_LEADER.
func word(s string) string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToUpper(s))
}

func address(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" {
		return false
	}
	local, domain, _ := strings.Cut(s, "@")
	return local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(s, "[]\"") && !strings.HasSuffix(domain, ".")
}

// zone reports whether the name is of a zone that a person can live in: "Local" is the server's, and "" is UTC by chance.
func (h header) zone(name string) bool {
	known, ok := h.zones[name]
	if !ok {
		_, err := time.LoadLocation(name)
		known = err == nil && name != "Local"
		h.zones[name] = known
	}
	return known
}

// readDay reads 2023-01-31; the zero time is for an empty cell and after a problem.
func readDay(s string, line int, column string, problems *Problems) time.Time {
	if s == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, s)
	if err != nil || day.Year() < 1900 || day.Year() > 2199 {
		problems.add(line, column, "%q is not a day such as 2023-01-31", s)
		return time.Time{}
	}
	return day
}

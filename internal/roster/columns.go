package roster

import (
	"slices"
	"strings"
)

// Columns of the file.
const (
	colOrganization = "organization_name"
	colKind         = "organization_kind"
	colCity         = "organization_city"
	colRegion       = "organization_region"
	colCountry      = "organization_country"
	colTeam         = "team_name"
	colCohort       = "cohort"
	colEmail        = "member_email"
	colName         = "member_name"
	colPronouns     = "pronouns"
	colTitle        = "title"
	colZone         = "time_zone"
	colRole         = "team_role"
	colStarts       = "starts_on"
	colEnds         = "ends_on"
)

type column struct {
	name     string
	required bool
	most     int // characters
}

func columns() []column {
	return []column{
		{colOrganization, true, 200}, {colKind, false, 40}, {colCity, false, 120}, {colRegion, false, 120}, {colCountry, false, 2},
		{colTeam, true, 200}, {colCohort, false, 300},
		{colEmail, true, 254}, {colName, true, 120}, {colPronouns, false, 60}, {colTitle, false, 160}, {colZone, true, 60},
		{colRole, false, 40}, {colStarts, false, 10}, {colEnds, false, 10},
	}
}

func kinds() []string {
	return []string{"HEALTH_SYSTEM", "HOSPITAL", "CLINIC", "PAYER", "COMMUNITY_PARTNER", "OTHER"}
}

func roles() []string {
	return []string{"LEAD", "SENIOR_LEADER", "DATA_LEAD", "COMMUNITY_PARTNER", "MEMBER"}
}

// header is where each known column is.
type header struct {
	cells int
	known []column
	at    []int           // by place in known; -1 when the file lacks it
	zones map[string]bool // what zone() said: reading one from disk for each row takes longer than all the rest
}

// readHeader finds the columns. Every unknown, doubled or missing column is a problem of the header's line.
func readHeader(cells []string, line int, problems *Problems) header {
	known := columns()
	h := header{cells: len(cells), known: known, at: make([]int, len(known)), zones: map[string]bool{}}
	for i := range h.at {
		h.at[i] = -1
	}
	if len(cells) == 1 && strings.ContainsAny(cells[0], ";\t|") {
		problems.add(line, "", "the columns must be separated by commas")
		return h
	}
	if strings.ContainsRune(strings.Join(cells, ""), '\r') {
		problems.add(line, "", "lines must end in LF or CRLF, not in CR alone")
		return h
	}
	for place, cell := range cells {
		name := strings.ReplaceAll(strings.ToLower(squeeze(cell)), " ", "_")
		i := slices.IndexFunc(known, func(c column) bool { return c.name == name })
		switch {
		case name == "":
			problems.add(line, "", "column %d has no name", place+1)
		case i < 0:
			problems.add(line, "", "unknown column %q", name)
		case h.at[i] >= 0:
			problems.add(line, "", "column %q is there twice", name)
		default:
			h.at[i] = place
		}
	}
	for i, c := range known {
		if c.required && h.at[i] < 0 {
			problems.add(line, "", "column %q is missing", c.name)
		}
	}
	return h
}

// squeeze trims white space and makes one space of every run of it.
func squeeze(s string) string {
	if !strings.ContainsAny(s, "\t\n\v\f\r \u0085\u00a0\u2002\u2003\u2007\u2009\u202f\u2028\u2029\u3000") {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

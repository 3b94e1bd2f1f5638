// Package roster imports organizations, teams, members, their roles and their cohort from a CSV file: one line for each
// member's place in a team.
//
// The file is UTF-8, with or without a byte order mark, separated by commas, with lines that end in LF or CRLF. A cell in
// quotes may hold commas, doubled quotes and line breaks; white space is trimmed, and any run of it inside a cell becomes one space. The first
// line names the columns, in any order, in small or capital letters; an unknown column is refused.
//
//	organization_name     required  1 to 200 characters; the same spelling names the same organization
//	organization_kind     optional  HEALTH_SYSTEM, HOSPITAL, CLINIC, PAYER, COMMUNITY_PARTNER or OTHER (which a new one is by default)
//	organization_city     optional  up to 120 characters
//	organization_region   optional  state or region, up to 120 characters
//	organization_country  optional  two letters, ISO 3166: US
//	team_name             required  1 to 200 characters, unique in the organization
//	cohort                optional  a cohort's name, "offering-slug/cohort name", or an offering's slug if it has one cohort; the team is enrolled
//	member_email          required  the member's address: it says who the member is
//	member_name           required  1 to 120 characters
//	pronouns              optional  up to 60 characters
//	title                 optional  up to 160 characters
//	time_zone             required  IANA: America/Chicago
//	team_role             optional  LEAD, SENIOR_LEADER, DATA_LEAD, COMMUNITY_PARTNER or MEMBER (the default for a new place)
//	starts_on             optional  2023-01-31; by default the cohort's first day, else the day of the import
//	ends_on               optional  2023-01-31, not later than the day of the import
//
// An empty cell leaves what is there as it is: an import never blanks anything, and it never removes anybody. What a file
// says twice must be the same both times.
//
// Parse finds everything that is wrong with the file itself, Import also what does not fit the database; both tell every
// bad line and not only the first.
package roster

import "time"

// Limits of a file.
const (
	// MaxBytes is the size of the longest file that is read, 32 MiB.
	MaxBytes = 32 << 20
	// MaxRows is how many lines of members a file may have.
	MaxRows = 100_000
)

// Roster is a file without faults: what it says of each organization, team, member and place, once. Line is where each
// is first named.
type Roster struct {
	Rows          int
	Organizations []Organization
	Teams         []Team
	Members       []Member
	Places        []Place
}

// Organization is an organization of the file; empty means unsaid.
type Organization struct {
	Line                              int
	Name, Kind, City, Region, Country string
}

// Team is a team of the file. Organization is an index into Roster.Organizations.
type Team struct {
	Line         int
	Organization int
	Name, Cohort string
}

// Member is a member of the file. Organizations are the indexes of those whose teams the member is in.
type Member struct {
	Line                                   int
	Email, Name, Pronouns, Title, TimeZone string
	Organizations                          []int
}

// Place is a member's place in a team, as indexes into Roster.Teams and Roster.Members. A zero day and an empty role
// are unsaid.
type Place struct {
	Line             int
	Team, Member     int
	Role             string
	StartsOn, EndsOn time.Time
}

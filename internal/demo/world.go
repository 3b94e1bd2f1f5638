package demo

import (
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// World is all rows of the demo but the discussions, in an order in which they can be inserted. A zero time or id
// means that there is none.
type World struct {
	Program          Program
	Frameworks       []Framework
	Offerings        []Offering
	Sponsorships     []Sponsorship
	Calls            []Call
	Cohorts          []Cohort
	Organizations    []Organization
	Members          []Member
	Affiliations     []Affiliation
	Teams            []Team
	TeamMemberships  []TeamMembership
	Enrollments      []Enrollment
	Roles            []RoleAssignment
	Spaces           []Space
	SpaceMemberships []SpaceMembership
	Resources        []Resource
	ResourceVersions []ResourceVersion
	Admission        Admission

	discussions plan
}

// Program is a dated undertaking.
type Program struct {
	ID               gid.ID
	Slug             string
	Name             string
	Summary          string
	StartsOn, EndsOn time.Time
	CreatedAt        time.Time
}

// Framework is an improvement framework.
type Framework struct {
	ID        gid.ID
	Name      string
	Summary   string
	CreatedAt time.Time
}

// Support is what an offering entitles its teams to. Its JSON is stored.
type Support struct {
	Kind        string `json:"kind"`
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
}

// Offering is one way to take part. FeeAmount is in cents.
type Offering struct {
	ID           gid.ID
	ProgramID    gid.ID
	Slug         string
	Name         string
	Summary      string
	Outcome      string
	Supports     []Support
	FeeAmount    int
	FeeCurrency  string
	TeamCapacity int
	CreatedAt    time.Time
}

// Sponsorship is who pays and what is waived for each team, in cents.
type Sponsorship struct {
	ID              gid.ID
	OfferingID      gid.ID
	SponsorName     string
	WaivedAmount    int
	Currency        string
	Acknowledgement string
	CreatedAt       time.Time
}

// Cohort is one run of an offering.
type Cohort struct {
	ID               gid.ID
	OfferingID       gid.ID
	Name             string
	StartsOn, EndsOn time.Time
	CreatedAt        time.Time
}

// Organization takes part.
type Organization struct {
	ID         gid.ID
	Name       string
	Kind       string
	City       string
	Region     string
	Country    string
	WebsiteURL string
	About      string
	CreatedAt  time.Time
	domain     string // of its members' addresses
	zone       string
}

// Member is a person with an account.
type Member struct {
	ID        gid.ID
	Email     string
	Handle    string
	Name      string
	Pronouns  string
	Title     string
	About     string
	TimeZone  string
	Expertise []string
	Interests []string
	Status    string
	CreatedAt time.Time
}

// Affiliation is a member's post at an organization.
type Affiliation struct {
	ID             gid.ID
	MemberID       gid.ID
	OrganizationID gid.ID
	Title          string
	Primary        bool
	StartsOn       time.Time
	EndsOn         time.Time
	CreatedAt      time.Time
}

// Team is an organization's group in the program.
type Team struct {
	ID             gid.ID
	OrganizationID gid.ID
	Name           string
	About          string
	CreatedAt      time.Time
}

// TeamMembership is a member's dated place in a team.
type TeamMembership struct {
	ID               gid.ID
	TeamID, MemberID gid.ID
	Role             string
	StartsOn, EndsOn time.Time
	CreatedAt        time.Time
}

// Enrollment is a team's place in a cohort.
type Enrollment struct {
	ID               gid.ID
	CohortID, TeamID gid.ID
	State            string
	Reason           string
	ApplicationID    gid.ID
	Fee              Fee
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Fee is what a team's place costs and what of it is waived, in cents, and who pays that.
type Fee struct {
	Amount, Waived int
	SponsorshipID  gid.ID
	Note           string
}

// RoleAssignment is a role within a scope; ScopeID is zero for the platform.
type RoleAssignment struct {
	ID        gid.ID
	MemberID  gid.ID
	Role      string
	Scope     string
	ScopeID   gid.ID
	CreatedAt time.Time
}

// Space is where people talk.
type Space struct {
	ID        gid.ID
	Kind      string
	Name      string
	About     string
	CohortID  gid.ID
	TeamID    gid.ID
	CreatedAt time.Time
}

// SpaceMembership lets a member into a space. Derived ones follow from team memberships and enrollments.
type SpaceMembership struct {
	ID                gid.ID
	SpaceID, MemberID gid.ID
	Role              string
	Derived           bool
	StartsAt, EndsAt  time.Time
	CreatedAt         time.Time
}

// Resource is material that teams work with.
type Resource struct {
	ID         gid.ID
	Kind       string
	Title      string
	Summary    string
	URL        string
	Licence    string
	Audience   string
	SpaceID    gid.ID
	Version    int
	AuthorID   gid.ID
	Frameworks []gid.ID
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// ResourceVersion is what a resource was in one version.
type ResourceVersion struct {
	ID         gid.ID
	ResourceID gid.ID
	AuthorID   gid.ID
	Number     int
	Title      string
	Summary    string
	URL        string
	Licence    string
	Note       string
	CreatedAt  time.Time
}

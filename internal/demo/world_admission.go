package demo

import (
	"time"

	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/gid"
)

// Admission is how teams came to their places: what was asked, who applied, what reviewers and staff said.
type Admission struct {
	Forms          []FormVersion
	Applications   []Application
	Editors        []ApplicationEditor
	Answers        []Answer
	AnswerVersions []AnswerVersion
	SignerRequests []SignerRequest
	Documents      []Document
	Submissions    []Submission
	Extensions     []Extension
	Assignments    []ReviewAssignment
	Reviews        []Review
	Conflicts      []Conflict
	Decisions      []Decision
}

// Call is a call for applications. Its deadlines are what the clocks of TimeZone show and the instants that this makes.
type Call struct {
	ID                                gid.ID
	OfferingID                        gid.ID
	CohortID                          gid.ID // none while nobody has said where it leads
	Title, Summary                    string
	OpensAt, DueAt, ClosesAt          time.Time
	OpensLocal, DueLocal, ClosesLocal string
	TimeZone                          string
	Requirements                      []schema.Requirement
	Rubric                            []schema.Criterion
	Capacity                          int
	Blind                             bool
	Applications                      int
	CreatedAt, ReleasedAt             time.Time
}

// FormVersion is what a call asks.
type FormVersion struct {
	ID        gid.ID
	CallID    gid.ID
	Questions []schema.Question
	CreatedAt time.Time
}

// Application is an organization's wish to take part.
type Application struct {
	ID, CallID, OrganizationID         gid.ID
	OrganizationName, OrganizationKind string
	TeamName                           string
	Number                             int
	State                              string
	Reopened                           []string
	InformationRequest                 string
	InformationDueAt                   time.Time
	SubmittedAt                        time.Time
	Late                               bool
	Submissions                        int
	ExtendedUntil                      time.Time
	NextReminderAt                     time.Time
	CreatedAt, UpdatedAt               time.Time
}

// ApplicationEditor is a member who writes an application.
type ApplicationEditor struct {
	ID, ApplicationID, MemberID, AddedByID gid.ID
	Owner                                  bool
	CreatedAt                              time.Time
}

// Answer is what an application says to a question.
type Answer struct {
	ID, ApplicationID    gid.ID
	Key, Value           string
	Version              int
	EditorID             gid.ID
	CreatedAt, UpdatedAt time.Time
}

// AnswerVersion is what an answer said before.
type AnswerVersion struct {
	ID, AnswerID, EditorID gid.ID
	Version                int
	Value                  string
	CreatedAt              time.Time
}

// SignerRequest asks somebody to sign a letter.
type SignerRequest struct {
	ID, ApplicationID, RequesterID gid.ID
	Requirement, Signer            string
	Name, Email                    string
	Letter                         string
	LetterHash                     []byte
	State                          string
	SignedName, Address, Refusal   string
	CreatedAt, ExpiresAt           time.Time
	AnsweredAt                     time.Time
}

// Document is what an application holds for a requirement.
type Document struct {
	ID, ApplicationID, SignerRequestID, AddedByID gid.ID
	Requirement, Signer, URL                      string
	CreatedAt                                     time.Time
}

// Submission is a frozen version of an application.
type Submission struct {
	ID, ApplicationID, SubmitterID gid.ID
	Number                         int
	Content                        schema.SubmittedContent
	Hash                           []byte
	CreatedAt                      time.Time
}

// Extension is more time for one application.
type Extension struct {
	ID, ApplicationID, GrantedByID gid.ID
	Until                          time.Time
	UntilLocal, Reason             string
	CreatedAt                      time.Time
}

// ReviewAssignment asks somebody to review an application.
type ReviewAssignment struct {
	ID, ApplicationID, ReviewerID, AssignedByID gid.ID
	State, EndReason                            string
	CreatedAt, UpdatedAt, EndedAt               time.Time
}

// Review is what a reviewer says.
type Review struct {
	ID, AssignmentID                  gid.ID
	Scores                            []schema.Score
	Comment, Recommendation           string
	Points                            int
	Version                           int
	CreatedAt, SubmittedAt, UpdatedAt time.Time
}

// Conflict is a conflict of interest that was declared.
type Conflict struct {
	ID, ApplicationID, MemberID, DeclaredByID gid.ID
	Note                                      string
	CreatedAt, EndedAt                        time.Time
}

// Decision is what staff decided about an application.
type Decision struct {
	ID, ApplicationID, CallID, DeciderID gid.ID
	Kind, Reason, Note                   string
	Rank                                 int // 0: none
	Answer                               string
	CreatedAt, ReleasedAt, ExpiresAt     time.Time
	AnsweredAt, SupersededAt             time.Time
}

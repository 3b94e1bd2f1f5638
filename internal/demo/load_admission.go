package demo

import (
	"context"
	"strings"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

func loadCalls(ctx context.Context, l *store.Loader, w *World) error {
	err := insert(ctx, l, "calls", []string{
		"id", "created_at", "offering_id", "cohort_id", "title", "summary", "opens_at", "due_at", "closes_at", "opens_local", "due_local", "closes_local", "time_zone",
		"requirements", "rubric", "capacity", "blind", "form_version", "last_number", "published_at", "released_at", "updated_at",
	}, w.Calls, func(c Call) []any {
		return []any{
			c.ID, c.CreatedAt, c.OfferingID, c.CohortID, c.Title, c.Summary, c.OpensAt, c.DueAt, c.ClosesAt, c.OpensLocal, c.DueLocal, c.ClosesLocal, c.TimeZone,
			stored(c.Requirements), stored(c.Rubric), c.Capacity, c.Blind, 1, c.Applications, c.CreatedAt, instant(c.ReleasedAt), c.CreatedAt,
		}
	})
	if err != nil {
		return err
	}
	return insert(ctx, l, "form_versions", []string{"id", "created_at", "call_id", "number", "questions", "published_at", "updated_at"}, w.Admission.Forms, func(f FormVersion) []any {
		return []any{f.ID, f.CreatedAt, f.CallID, 1, stored(f.Questions), f.CreatedAt, f.CreatedAt}
	})
}

func loadApplications(ctx context.Context, l *store.Loader, w *World) error {
	a, starters := w.Admission, make(map[gid.ID]gid.ID)
	for _, e := range w.Admission.Editors {
		if e.MemberID == e.AddedByID {
			starters[e.ApplicationID] = e.MemberID
		}
	}
	err := insert(ctx, l, "applications", []string{
		"id", "created_at", "call_id", "organization_id", "organization_name", "organization_kind", "team_name", "number", "state", "reopened", "information_request",
		"information_due_at", "submitted_at", "late", "submissions", "extended_until", "next_reminder_at", "updated_at", "started_by_id",
	}, a.Applications, func(r Application) []any {
		return []any{
			r.ID, r.CreatedAt, r.CallID, r.OrganizationID, r.OrganizationName, r.OrganizationKind, r.TeamName, r.Number, r.State, list(r.Reopened), r.InformationRequest,
			instant(r.InformationDueAt), instant(r.SubmittedAt), r.Late, r.Submissions, instant(r.ExtendedUntil), instant(r.NextReminderAt), r.UpdatedAt, starters[r.ID],
		}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "application_editors", []string{"id", "created_at", "application_id", "member_id", "owner", "added_by_id"}, a.Editors, func(e ApplicationEditor) []any {
		return []any{e.ID, e.CreatedAt, e.ApplicationID, e.MemberID, e.Owner, e.AddedByID}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "answers", []string{"id", "created_at", "application_id", "key", "value", "version", "editor_id", "updated_at"}, a.Answers, func(r Answer) []any {
		return []any{r.ID, r.CreatedAt, r.ApplicationID, r.Key, r.Value, r.Version, r.EditorID, r.UpdatedAt}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "answer_versions", []string{"id", "created_at", "answer_id", "version", "value", "editor_id"}, a.AnswerVersions, func(v AnswerVersion) []any {
		return []any{v.ID, v.CreatedAt, v.AnswerID, v.Version, v.Value, v.EditorID}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "submissions", []string{"id", "created_at", "application_id", "number", "form_version", "content", "hash", "submitter_id"}, a.Submissions, func(s Submission) []any {
		return []any{s.ID, s.CreatedAt, s.ApplicationID, s.Number, 1, stored(s.Content), s.Hash, s.SubmitterID}
	})
	if err != nil {
		return err
	}
	return insert(ctx, l, "extensions", []string{"id", "created_at", "application_id", "until", "until_local", "reason", "granted_by_id"}, a.Extensions, func(e Extension) []any {
		return []any{e.ID, e.CreatedAt, e.ApplicationID, e.Until, e.UntilLocal, e.Reason, e.GrantedByID}
	})
}

func loadLetters(ctx context.Context, l *store.Loader, w *World) error {
	err := insert(ctx, l, "signer_requests", []string{
		"id", "created_at", "application_id", "requirement", "signer", "name", "email", "letter", "letter_hash", "expires_at", "state", "signed_name", "answered_at", "address",
		"refusal", "requester_id",
	}, w.Admission.SignerRequests, func(r SignerRequest) []any {
		return []any{
			r.ID, r.CreatedAt, r.ApplicationID, r.Requirement, r.Signer, r.Name, r.Email, r.Letter, r.LetterHash, r.ExpiresAt, r.State, r.SignedName, instant(r.AnsweredAt), r.Address,
			r.Refusal, r.RequesterID,
		}
	})
	if err != nil {
		return err
	}
	return insert(ctx, l, "documents", []string{"id", "created_at", "application_id", "requirement", "signer", "url", "signer_request_id", "added_by_id"}, w.Admission.Documents, func(d Document) []any {
		return []any{d.ID, d.CreatedAt, d.ApplicationID, d.Requirement, d.Signer, d.URL, d.SignerRequestID, d.AddedByID}
	})
}

func loadReviews(ctx context.Context, l *store.Loader, w *World) error {
	a := w.Admission
	err := insert(ctx, l, "review_assignments", []string{"id", "created_at", "application_id", "reviewer_id", "assigned_by_id", "state", "ended_at", "end_reason", "updated_at"}, a.Assignments, func(r ReviewAssignment) []any {
		return []any{r.ID, r.CreatedAt, r.ApplicationID, r.ReviewerID, r.AssignedByID, r.State, instant(r.EndedAt), r.EndReason, r.UpdatedAt}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "reviews", []string{"id", "created_at", "assignment_id", "scores", "comment", "recommendation", "points", "submitted_at", "version", "updated_at"}, a.Reviews, func(r Review) []any {
		return []any{r.ID, r.CreatedAt, r.AssignmentID, stored(r.Scores), r.Comment, word(r.Recommendation), r.Points, instant(r.SubmittedAt), r.Version, r.UpdatedAt}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "conflicts", []string{"id", "created_at", "application_id", "member_id", "note", "declared_by_id", "ended_at"}, a.Conflicts, func(c Conflict) []any {
		return []any{c.ID, c.CreatedAt, c.ApplicationID, c.MemberID, c.Note, c.DeclaredByID, instant(c.EndedAt)}
	})
	if err != nil {
		return err
	}
	return insert(ctx, l, "decisions", []string{
		"id", "created_at", "application_id", "call_id", "kind", "reason", "note", "rank", "decider_id", "released_at", "expires_at", "answer", "answered_at", "superseded_at", "updated_at",
	}, a.Decisions, func(d Decision) []any {
		var rank any
		if d.Rank > 0 {
			rank = d.Rank
		}
		return []any{
			d.ID, d.CreatedAt, d.ApplicationID, d.CallID, d.Kind, d.Reason, d.Note, rank, d.DeciderID, instant(d.ReleasedAt), instant(d.ExpiresAt), word(d.Answer), instant(d.AnsweredAt),
			instant(d.SupersededAt), later(d.CreatedAt, d.ReleasedAt),
		}
	})
}

// word is a word for a column that may be absent.
func word(v string) any {
	if v == "" {
		return nil
	}
	return v
}

// applicationDocuments are what submitted applications are found by: what they said last.
func applicationDocuments(w *World) []document {
	newest := map[gid.ID]Submission{}
	for _, s := range w.Admission.Submissions {
		newest[s.ApplicationID] = s
	}
	var documents []document
	for _, a := range w.Admission.Applications {
		s, ok := newest[a.ID]
		if !ok {
			continue
		}
		var said []string
		for _, answer := range s.Content.Answers {
			said = append(said, answer.Value)
		}
		documents = append(documents, document{kind: "APPLICATION", object: a.ID, title: strings.TrimSpace(a.OrganizationName + " " + a.TeamName), body: strings.Join(said, "\n")})
	}
	return documents
}

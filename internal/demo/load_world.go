package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// loadWorld writes everything but the discussions, parents first.
func loadWorld(ctx context.Context, l *store.Loader, w *World) error {
	for _, load := range []func(context.Context, *store.Loader, *World) error{
		loadProgram, loadCalls, loadPeople, loadApplications, loadLetters, loadReviews, loadTeams, loadSpaces, loadResources, loadSearch,
	} {
		if err := load(ctx, l, w); err != nil {
			return err
		}
	}
	return nil
}

func loadProgram(ctx context.Context, l *store.Loader, w *World) error {
	err := insert(ctx, l, "programs", []string{"id", "created_at", "slug", "name", "summary", "starts_on", "ends_on"}, []Program{w.Program}, func(p Program) []any {
		return []any{p.ID, p.CreatedAt, p.Slug, p.Name, p.Summary, p.StartsOn, p.EndsOn}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "frameworks", []string{"id", "created_at", "name", "summary"}, w.Frameworks, func(f Framework) []any {
		return []any{f.ID, f.CreatedAt, f.Name, f.Summary}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "offerings", []string{"id", "created_at", "program_id", "slug", "name", "summary", "outcome", "supports", "fee_amount", "fee_currency", "team_capacity"}, w.Offerings, func(o Offering) []any {
		return []any{o.ID, o.CreatedAt, o.ProgramID, o.Slug, o.Name, o.Summary, o.Outcome, stored(o.Supports), o.FeeAmount, o.FeeCurrency, o.TeamCapacity}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "sponsorships", []string{"id", "created_at", "offering_id", "sponsor_name", "waived_amount", "currency", "acknowledgement"}, w.Sponsorships, func(s Sponsorship) []any {
		return []any{s.ID, s.CreatedAt, s.OfferingID, s.SponsorName, s.WaivedAmount, s.Currency, s.Acknowledgement}
	})
	if err != nil {
		return err
	}
	return insert(ctx, l, "cohorts", []string{"id", "created_at", "offering_id", "name", "starts_on", "ends_on", "updated_at"}, w.Cohorts, func(c Cohort) []any {
		return []any{c.ID, c.CreatedAt, c.OfferingID, c.Name, c.StartsOn, c.EndsOn, c.CreatedAt}
	})
}

func loadPeople(ctx context.Context, l *store.Loader, w *World) error {
	err := insert(ctx, l, "organizations", []string{"id", "created_at", "name", "kind", "city", "region", "country", "website_url", "about", "updated_at"}, w.Organizations, func(o Organization) []any {
		return []any{o.ID, o.CreatedAt, o.Name, o.Kind, o.City, o.Region, o.Country, o.WebsiteURL, o.About, o.CreatedAt}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "members", []string{"id", "created_at", "email", "handle", "name", "pronouns", "title", "about", "time_zone", "expertise", "interests", "status", "updated_at"}, w.Members, func(m Member) []any {
		return []any{m.ID, m.CreatedAt, m.Email, m.Handle, m.Name, m.Pronouns, m.Title, m.About, m.TimeZone, list(m.Expertise), list(m.Interests), m.Status, m.CreatedAt}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "affiliations", []string{"id", "created_at", "member_id", "organization_id", "title", "is_primary", "starts_on", "ends_on"}, w.Affiliations, func(a Affiliation) []any {
		return []any{a.ID, a.CreatedAt, a.MemberID, a.OrganizationID, a.Title, a.Primary, a.StartsOn, instant(a.EndsOn)}
	})
	if err != nil {
		return err
	}
	return insert(ctx, l, "role_assignments", []string{"id", "created_at", "member_id", "role", "scope", "scope_id"}, w.Roles, func(r RoleAssignment) []any {
		return []any{r.ID, r.CreatedAt, r.MemberID, r.Role, r.Scope, r.ScopeID}
	})
}

func loadTeams(ctx context.Context, l *store.Loader, w *World) error {
	err := insert(ctx, l, "teams", []string{"id", "created_at", "organization_id", "name", "about", "updated_at"}, w.Teams, func(t Team) []any {
		return []any{t.ID, t.CreatedAt, t.OrganizationID, t.Name, t.About, t.CreatedAt}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "team_memberships", []string{"id", "created_at", "team_id", "member_id", "role", "starts_on", "ends_on", "updated_at"}, w.TeamMemberships, func(m TeamMembership) []any {
		return []any{m.ID, m.CreatedAt, m.TeamID, m.MemberID, m.Role, m.StartsOn, instant(m.EndsOn), m.CreatedAt}
	})
	if err != nil {
		return err
	}
	return insert(ctx, l, "enrollments", []string{"id", "created_at", "cohort_id", "team_id", "state", "reason", "application_id", "fee_amount", "waived_amount", "fee_currency", "sponsorship_id", "fee_note", "updated_at"}, w.Enrollments, func(e Enrollment) []any {
		return []any{e.ID, e.CreatedAt, e.CohortID, e.TeamID, e.State, e.Reason, e.ApplicationID, e.Fee.Amount, e.Fee.Waived, "USD", e.Fee.SponsorshipID, e.Fee.Note, e.UpdatedAt}
	})
}

func loadSpaces(ctx context.Context, l *store.Loader, w *World) error {
	err := insert(ctx, l, "spaces", []string{"id", "created_at", "kind", "name", "about", "cohort_id", "team_id", "updated_at"}, w.Spaces, func(s Space) []any {
		return []any{s.ID, s.CreatedAt, s.Kind, s.Name, s.About, s.CohortID, s.TeamID, s.CreatedAt}
	})
	if err != nil {
		return err
	}
	return insert(ctx, l, "space_memberships", []string{"id", "created_at", "space_id", "member_id", "role", "derived", "starts_at", "ends_at"}, w.SpaceMemberships, func(m SpaceMembership) []any {
		return []any{m.ID, m.CreatedAt, m.SpaceID, m.MemberID, m.Role, m.Derived, m.StartsAt, instant(m.EndsAt)}
	})
}

func loadResources(ctx context.Context, l *store.Loader, w *World) error {
	err := insert(ctx, l, "resources", []string{"id", "created_at", "kind", "title", "summary", "url", "licence", "audience", "space_id", "version", "author_id", "updated_at"}, w.Resources, func(r Resource) []any {
		return []any{r.ID, r.CreatedAt, r.Kind, r.Title, r.Summary, r.URL, r.Licence, r.Audience, r.SpaceID, r.Version, r.AuthorID, r.UpdatedAt}
	})
	if err != nil {
		return err
	}
	err = insert(ctx, l, "resource_versions", []string{"id", "created_at", "resource_id", "author_id", "number", "title", "summary", "url", "licence", "note"}, w.ResourceVersions, func(v ResourceVersion) []any {
		return []any{v.ID, v.CreatedAt, v.ResourceID, v.AuthorID, v.Number, v.Title, v.Summary, v.URL, v.Licence, v.Note}
	})
	if err != nil {
		return err
	}
	type tag struct{ resource, framework gid.ID }
	var tags []tag
	for _, r := range w.Resources {
		for _, f := range r.Frameworks {
			tags = append(tags, tag{r.ID, f})
		}
	}
	return insert(ctx, l, "resource_frameworks", []string{"resource_id", "framework_id"}, tags, func(t tag) []any { return []any{t.resource, t.framework} })
}

// document is a row of search_documents.
type document struct {
	kind           string
	object, thread gid.ID
	title, body    string
}

func loadSearch(ctx context.Context, l *store.Loader, w *World) error {
	var documents []document
	for _, o := range w.Organizations {
		documents = append(documents, document{kind: "ORGANIZATION", object: o.ID, title: o.Name, body: words(o.City, o.Region, o.About)})
	}
	for _, m := range w.Members {
		documents = append(documents, document{kind: "MEMBER", object: m.ID, title: m.Name, body: words(append([]string{m.Title, m.About}, m.Expertise...)...)})
	}
	for _, r := range w.Resources {
		documents = append(documents, document{kind: "RESOURCE", object: r.ID, title: r.Title, body: r.Summary})
	}
	return insertDocuments(ctx, l, append(documents, applicationDocuments(w)...))
}

func insertDocuments(ctx context.Context, l *store.Loader, documents []document) error {
	return insert(ctx, l, "search_documents", []string{"kind", "object_id", "thread_id", "title", "body"}, documents, func(d document) []any {
		return []any{d.kind, d.object, d.thread, d.title, d.body}
	})
}

// words joins what is not empty.
func words(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		if p == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(p)
	}
	return b.String()
}

// instant is a time for a column that may be absent.
func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// stored is a value as a column of JSON keeps it.
func stored(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("demo: %T as JSON: %v", v, err)) // only structs of strings and numbers come here
	}
	return raw
}

// list is a list for a column that may be absent.
func list[T any](v []T) json.RawMessage {
	if len(v) == 0 {
		return nil
	}
	return stored(v)
}

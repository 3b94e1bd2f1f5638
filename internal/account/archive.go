package account

import (
	"archive/zip"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/answerversion"
	"github.com/pursuing-equity/commons/ent/applicationeditor"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/identity"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/notificationpreference"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/savedview"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// readme says what an archive is. It says the same to everybody: what is left out is left out whether there is any or not.
const readme = `This archive holds what you have on Commons, as of %s.

profile.json         what you say of yourself
affiliations.json    your posts at organizations
teams.json           your places in teams
spaces.json          your places in spaces
roles.json           the roles that you were given
threads.json         the threads that you started
posts.json           the posts that you wrote, with what they said before they were edited
posts.md             the same posts, to be read
reactions.json       your reactions
votes.json           how you voted in polls
read-positions.json  how far you have read
notifications.json   what you were told of posts
notices.json         what else you were told: of reviews, applications and warnings
drafts.json          what you have begun to write, with earlier versions
watching.json        how much you want to hear of spaces and threads
preference.json      when you want mail
bookmarks.json       the posts that you keep for later, with your notes
applications.json    the applications that you write
answers.json         what you answered in applications, with earlier versions
decisions.json       what was decided about them, and what was answered
saved-views.json     the views of applications that you keep
resources.json       the resources that you added
files.json           the files that you uploaded
blocks.json          whom you block and mute
flags.json           posts that you flagged, and what became of it
moderation.json      what moderators did to what you wrote, and warnings given to you
sign-ins.json        your sessions and access tokens, without their secrets, and your accounts elsewhere
reviews.json         what you are asked to review, and what you said, as long as you may judge it
conflicts.json       conflicts of interest that were declared of you by yourself
activity.json        what the audit log has of you

Times are in UTC. A deleted post has no text any more: nobody has it.

What is said and done in affinity groups is never exported, not even to its authors: an archive is copied and kept, and must not tell
of such a group. For the same reason requests to join a group are not here. What others wrote is theirs and not here either.
`

// exportPage is how many rows are read at once.
const exportPage = 500

// archive writes one member's data.
type archive struct {
	*Service
	zip    *zip.Writer
	member *ent.Member
	viewer viewer.Viewer // the member, for what is theirs and what they can see
	at     time.Time
}

// WriteExport writes the archive of a member: a zip with JSON, and their posts as Markdown. It reads one view of the database, page by
// page, and keeps no more than a page in memory. Names in the zip are fixed: no text of anybody's becomes a path.
func (s *Service) WriteExport(ctx context.Context, m *ent.Member, w io.Writer) error {
	ctx = viewer.NewContext(ctx, viewer.System("export"))
	return s.Store.Snapshot(ctx, func(ctx context.Context) error {
		a := &archive{Service: s, zip: zip.NewWriter(w), member: m, viewer: viewer.Member(m.ID, gid.ID{}, viewer.Read), at: s.Now()}
		parts := []func(context.Context) error{
			a.readme, a.profile, a.affiliations, a.teams, a.spaces, a.roles, a.threads, a.posts, a.text, a.reactions, a.votes, a.positions,
			a.notifications, a.notices, a.watching, a.preference, a.drafts, a.bookmarks, a.applications, a.answers, a.decisions, a.savedViews, a.resources, a.files, a.blocks, a.flags, a.moderation, a.reviews, a.conflicts, a.signIns, a.activity,
		}
		for _, part := range parts {
			if err := part(ctx); err != nil {
				return fmt.Errorf("export %s: %w", m.ID, err)
			}
		}
		return a.zip.Close()
	})
}

func (a *archive) create(name string) (io.Writer, error) {
	return a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.at})
}

func (a *archive) readme(context.Context) error {
	w, err := a.create("README.txt")
	if err == nil {
		_, err = fmt.Fprintf(w, readme, a.at.UTC().Format(time.RFC3339))
	}
	return err
}

// list writes a file with one JSON array, an element a line.
func (a *archive) list(name string, write func(add func(any) error) error) error {
	w, err := a.create(name)
	if err != nil {
		return err
	}
	between := "[\n"
	err = write(func(element any) error {
		line, err := json.Marshal(element)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, between); err != nil {
			return err
		}
		between = ",\n"
		_, err = w.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	last := "\n]\n"
	if between == "[\n" {
		last = "[]\n"
	}
	_, err = io.WriteString(w, last)
	return err
}

// rows writes a file with an element for each row that load finds.
func rows[T any](a *archive, name string, id func(*T) gid.ID, load func(within func(*sql.Selector)) ([]*T, error), show func(*T) any) error {
	return a.list(name, func(add func(any) error) error {
		return page.Walk(exportPage, id, load, func(all []*T) error {
			for _, row := range all {
				if err := add(show(row)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (a *archive) profile(context.Context) error {
	w, err := a.create("profile.json")
	if err != nil {
		return err
	}
	m := a.member
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{
		"id": m.ID, "email": m.Email, "handle": m.Handle, "name": m.Name, "pronouns": m.Pronouns, "title": m.Title, "about": m.About,
		"avatarUrl": m.AvatarURL, "timeZone": m.TimeZone, "expertise": m.Expertise, "interests": m.Interests, "showsPresence": m.ShowsPresence, "status": m.Status, "suspendedUntil": m.SuspendedUntil,
		"mailStoppedAt": m.MailBouncingAt,
		"createdAt":     m.CreatedAt, "updatedAt": m.UpdatedAt,
	})
}

// day is a date without a time of day; nil for none.
func day(at *time.Time) any {
	if at == nil {
		return nil
	}
	return at.Format(time.DateOnly)
}

func (a *archive) affiliations(ctx context.Context) error {
	return rows(a, "affiliations.json", func(r *ent.Affiliation) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Affiliation, error) {
		return a.Store.Client(ctx).Affiliation.Query().Where(affiliation.MemberID(a.member.ID), within).WithOrganization().All(ctx)
	}, func(r *ent.Affiliation) any {
		return map[string]any{
			"id": r.ID, "organizationId": r.OrganizationID, "organization": r.Edges.Organization.Name, "title": r.Title, "primary": r.IsPrimary,
			"startsOn": day(r.StartsOn), "endsOn": day(r.EndsOn), "createdAt": r.CreatedAt,
		}
	})
}

func (a *archive) teams(ctx context.Context) error {
	return rows(a, "teams.json", func(r *ent.TeamMembership) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.TeamMembership, error) {
		return a.Store.Client(ctx).TeamMembership.Query().Where(teammembership.MemberID(a.member.ID), within).WithTeam().All(ctx)
	}, func(r *ent.TeamMembership) any {
		return map[string]any{
			"id": r.ID, "teamId": r.TeamID, "team": r.Edges.Team.Name, "role": r.Role, "startsOn": day(&r.StartsOn), "endsOn": day(r.EndsOn), "createdAt": r.CreatedAt,
		}
	})
}

func (a *archive) spaces(ctx context.Context) error {
	return rows(a, "spaces.json", func(r *ent.SpaceMembership) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.SpaceMembership, error) {
		return a.Store.Client(ctx).SpaceMembership.Query().Where(access.ExportableSpaceMemberships(a.viewer), within).WithSpace().All(ctx)
	}, func(r *ent.SpaceMembership) any {
		return map[string]any{
			"id": r.ID, "spaceId": r.SpaceID, "kind": r.Edges.Space.Kind, "space": r.Edges.Space.Name, "role": r.Role,
			"startsAt": r.StartsAt, "endsAt": r.EndsAt, "createdAt": r.CreatedAt,
		}
	})
}

func (a *archive) roles(ctx context.Context) error {
	return rows(a, "roles.json", func(r *ent.RoleAssignment) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.RoleAssignment, error) {
		return a.Store.Client(ctx).RoleAssignment.Query().
			Where(roleassignment.MemberID(a.member.ID), access.VisibleRoleAssignments(a.viewer), within).All(ctx)
	}, func(r *ent.RoleAssignment) any {
		return map[string]any{"id": r.ID, "role": r.Role, "scope": r.Scope, "scopeId": r.ScopeID, "endsAt": r.EndsAt, "createdAt": r.CreatedAt}
	})
}

func (a *archive) preference(ctx context.Context) error {
	return rows(a, "preference.json", func(p *ent.NotificationPreference) gid.ID { return p.ID }, func(within func(*sql.Selector)) ([]*ent.NotificationPreference, error) {
		return a.Store.Client(ctx).NotificationPreference.Query().Where(notificationpreference.MemberID(a.member.ID), within).All(ctx)
	}, func(p *ent.NotificationPreference) any {
		return map[string]any{
			"directMail": p.DirectMail, "watchedMail": p.WatchedMail, "digestHour": p.DigestHour, "digestWeekday": p.DigestWeekday,
			"quietFrom": p.QuietFrom, "quietUntil": p.QuietUntil, "updatedAt": p.UpdatedAt,
		}
	})
}

func (a *archive) resources(ctx context.Context) error {
	return rows(a, "resources.json", func(r *ent.Resource) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Resource, error) {
		return a.Store.Client(ctx).Resource.Query().Where(access.ExportableResources(a.viewer), within).All(ctx)
	}, func(r *ent.Resource) any {
		return map[string]any{
			"id": r.ID, "kind": r.Kind, "title": r.Title, "summary": r.Summary, "url": r.URL, "licence": r.Licence, "audience": r.Audience,
			"spaceId": r.SpaceID, "version": r.Version, "createdAt": r.CreatedAt, "updatedAt": r.UpdatedAt, "archivedAt": r.ArchivedAt,
		}
	})
}

// savedViews are the views of calls' applications that the member keeps.
func (a *archive) savedViews(ctx context.Context) error {
	return rows(a, "saved-views.json", func(r *ent.SavedView) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.SavedView, error) {
		return a.Store.Client(ctx).SavedView.Query().Where(savedview.OwnerID(a.member.ID), within).All(ctx)
	}, func(r *ent.SavedView) any {
		return map[string]any{"callId": r.CallID, "name": r.Name, "filter": r.Filter, "shared": r.Shared, "createdAt": r.CreatedAt, "updatedAt": r.UpdatedAt}
	})
}

// files names the files that the member uploaded, but for those that an affinity group works with.
func (a *archive) files(ctx context.Context) error {
	return rows(a, "files.json", func(r *ent.File) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.File, error) {
		return a.Store.Client(ctx).File.Query().Where(access.ExportableFiles(a.viewer), file.DeletedAtIsNil(), within).All(ctx)
	}, func(r *ent.File) any {
		return map[string]any{"id": r.ID, "purpose": r.Purpose, "name": r.Name, "mediaType": r.MediaType, "size": r.Size, "createdAt": r.CreatedAt}
	})
}

// applications are those that the member edits now. What they say is the organization's.
func (a *archive) applications(ctx context.Context) error {
	return rows(a, "applications.json", func(r *ent.ApplicationEditor) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.ApplicationEditor, error) {
		return a.Store.Client(ctx).ApplicationEditor.Query().Where(applicationeditor.MemberID(a.member.ID), within).WithApplication().All(ctx)
	}, func(r *ent.ApplicationEditor) any {
		of := r.Edges.Application
		return map[string]any{
			"id": of.ID, "callId": of.CallID, "organization": of.OrganizationName, "team": of.TeamName, "state": of.State, "owner": r.Owner, "createdAt": r.CreatedAt,
		}
	})
}

// answers are what the member wrote, whether they edit the application still or not.
func (a *archive) answers(ctx context.Context) error {
	return rows(a, "answers.json", func(r *ent.AnswerVersion) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.AnswerVersion, error) {
		return a.Store.Client(ctx).AnswerVersion.Query().Where(answerversion.EditorID(a.member.ID), within).WithAnswer().All(ctx)
	}, func(r *ent.AnswerVersion) any {
		return map[string]any{
			"applicationId": r.Edges.Answer.ApplicationID, "question": r.Edges.Answer.Key, "version": r.Version, "value": r.Value, "createdAt": r.CreatedAt,
		}
	})
}

// decisions are those about the applications that the member edits, as far as they were told: without staff's notes, and without the ranks, which
// would tell of others who wait.
func (a *archive) decisions(ctx context.Context) error {
	return rows(a, "decisions.json", func(r *ent.Decision) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Decision, error) {
		return a.Store.Client(ctx).Decision.Query().Where(access.ReceivedDecisions(a.viewer), within).All(ctx)
	}, func(r *ent.Decision) any {
		return map[string]any{
			"applicationId": r.ApplicationID, "kind": r.Kind, "reason": r.Reason, "releasedAt": r.ReleasedAt, "expiresAt": r.ExpiresAt, "answer": r.Answer, "answeredAt": r.AnsweredAt,
		}
	})
}

// blocks are whom the member blocks and mutes, by their ids: what they are called is theirs.
func (a *archive) blocks(ctx context.Context) error {
	return rows(a, "blocks.json", func(r *ent.Block) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Block, error) {
		return a.Store.Client(ctx).Block.Query().Where(access.OwnBlocks(a.viewer), within).All(ctx)
	}, func(r *ent.Block) any {
		return map[string]any{"memberId": r.BlockedID, "kind": r.Kind, "createdAt": r.CreatedAt}
	})
}

func (a *archive) signIns(ctx context.Context) error {
	return a.list("sign-ins.json", func(add func(any) error) error {
		err := page.Walk(exportPage, func(t *ent.AccessToken) gid.ID { return t.ID }, func(within func(*sql.Selector)) ([]*ent.AccessToken, error) {
			return a.Store.Client(ctx).AccessToken.Query().Where(accesstoken.MemberID(a.member.ID), within).All(ctx)
		}, func(tokens []*ent.AccessToken) error {
			for _, t := range tokens {
				err := add(map[string]any{
					"id": t.ID, "kind": t.Kind, "name": t.Name, "scope": t.Scope, "address": t.Address, "createdAt": t.CreatedAt,
					"lastUsedAt": t.LastUsedAt, "expiresAt": t.ExpiresAt, "revokedAt": t.RevokedAt,
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		identities, err := a.Store.Client(ctx).Identity.Query().Where(identity.MemberID(a.member.ID)).Order(identity.ByID()).All(ctx)
		if err != nil {
			return fmt.Errorf("load identities: %w", err)
		}
		for _, i := range identities {
			if err := add(map[string]any{"id": i.ID, "kind": "IDENTITY", "issuer": i.Issuer, "subject": i.Subject, "createdAt": i.CreatedAt}); err != nil {
				return err
			}
		}
		return nil
	})
}

// activity is what the audit log has of the member. Why others did something, from where and who they were is not the member's.
func (a *archive) activity(ctx context.Context) error {
	mine := auditentry.Or(auditentry.ActorID(a.member.ID), auditentry.SubjectID(a.member.ID))
	return rows(a, "activity.json", func(e *ent.AuditEntry) gid.ID { return e.ID }, func(within func(*sql.Selector)) ([]*ent.AuditEntry, error) {
		return a.Store.Client(ctx).AuditEntry.Query().Where(mine, auditentry.SpaceIDIsNil(), within).All(ctx)
	}, func(e *ent.AuditEntry) any {
		if e.ActorID == nil || *e.ActorID != a.member.ID {
			return map[string]any{"id": e.ID, "action": e.Action, "subjectId": e.SubjectID, "byYou": false, "createdAt": e.CreatedAt}
		}
		return map[string]any{
			"id": e.ID, "action": e.Action, "subjectId": e.SubjectID, "byYou": true, "reason": e.Reason, "address": e.Address, "createdAt": e.CreatedAt,
		}
	})
}

// said is what a post says to its author: also what a moderator hid.
func said(p *ent.Post) string { return cmp.Or(p.HiddenBody, p.Body) }

// flags are those that the member raised.
func (a *archive) flags(ctx context.Context) error {
	return rows(a, "flags.json", func(r *ent.Flag) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Flag, error) {
		return a.Store.Client(ctx).Flag.Query().Where(access.ExportableFlags(a.viewer), within).All(ctx)
	}, func(r *ent.Flag) any {
		return map[string]any{"postId": r.PostID, "reason": r.Reason, "note": r.Note, "state": r.State, "createdAt": r.CreatedAt, "resolvedAt": r.ResolvedAt}
	})
}

// moderation is what was done to the member, and not who did it; why, where that was said to them: in a warning.
func (a *archive) moderation(ctx context.Context) error {
	return rows(a, "moderation.json", func(r *ent.ModerationAction) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.ModerationAction, error) {
		return a.Store.Client(ctx).ModerationAction.Query().Where(access.ExportableModerationActions(a.viewer), within).All(ctx)
	}, func(r *ent.ModerationAction) any {
		reason := ""
		if r.Kind == moderationaction.KindWARN {
			reason = r.Reason
		}
		return map[string]any{
			"kind": r.Kind, "spaceId": r.SpaceID, "threadId": r.ThreadID, "postId": r.PostID, "reason": reason, "endsAt": r.EndsAt,
			"createdAt": r.CreatedAt, "acknowledgedAt": r.SeenAt,
		}
	})
}

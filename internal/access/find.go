package access

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Find loads the objects of ids that the viewer can see, whatever their kinds: one statement a kind. What they cannot see is
// left out, exactly as what does not exist.
func Find(ctx context.Context, c *ent.Client, v viewer.Viewer, ids ...gid.ID) (map[gid.ID]any, error) {
	return FindColumns(ctx, c, v, func(gid.Kind) []string { return nil }, ids...)
}

// FindColumns is Find for who needs some columns only, the id's among them. Only says which of a kind; nil means all.
func FindColumns(ctx context.Context, c *ent.Client, v viewer.Viewer, only func(gid.Kind) []string, ids ...gid.ID) (map[gid.ID]any, error) {
	found := make(map[gid.ID]any, len(ids))
	kinds := make(map[gid.Kind][]gid.ID)
	for _, id := range ids {
		kinds[id.Kind()] = append(kinds[id.Kind()], id)
	}
	for kind, ids := range kinds {
		if err := find(ctx, c, v, kind, only(kind), ids, found); err != nil {
			return nil, fmt.Errorf("find %s: %w", kind, err)
		}
	}
	return found, nil
}

func find(ctx context.Context, c *ent.Client, v viewer.Viewer, kind gid.Kind, only []string, ids []gid.ID, found map[gid.ID]any) error {
	those := page.AnyOf("id", ids)
	switch kind {
	case gid.Organization:
		return into(ctx, found, func(o *ent.Organization) gid.ID { return o.ID }, only, c.Organization.Query().Where(those, VisibleOrganizations(v)))
	case gid.Member:
		return into(ctx, found, func(o *ent.Member) gid.ID { return o.ID }, only, c.Member.Query().Where(those, VisibleMembers(v)))
	case gid.Affiliation:
		return into(ctx, found, func(o *ent.Affiliation) gid.ID { return o.ID }, only, c.Affiliation.Query().Where(those, VisibleAffiliations(v)))
	case gid.Team:
		return into(ctx, found, func(o *ent.Team) gid.ID { return o.ID }, only, c.Team.Query().Where(those, VisibleTeams(v)))
	case gid.TeamMembership:
		return into(ctx, found, func(o *ent.TeamMembership) gid.ID { return o.ID }, only, c.TeamMembership.Query().Where(those, VisibleTeamMemberships(v)))
	case gid.Program:
		return into(ctx, found, func(o *ent.Program) gid.ID { return o.ID }, only, c.Program.Query().Where(those))
	case gid.Offering:
		return into(ctx, found, func(o *ent.Offering) gid.ID { return o.ID }, only, c.Offering.Query().Where(those))
	case gid.Entitlement:
		return into(ctx, found, func(o *ent.Entitlement) gid.ID { return o.ID }, only, c.Entitlement.Query().Where(those, VisibleEntitlements(v)))
	case gid.Sponsorship:
		return into(ctx, found, func(o *ent.Sponsorship) gid.ID { return o.ID }, only, c.Sponsorship.Query().Where(those))
	case gid.Call:
		return into(ctx, found, func(o *ent.Call) gid.ID { return o.ID }, only, c.Call.Query().Where(those, VisibleCalls(v)))
	case gid.Application:
		return into(ctx, found, func(o *ent.Application) gid.ID { return o.ID }, only, c.Application.Query().Where(those, VisibleApplications(v)))
	case gid.BulkAction:
		return into(ctx, found, func(o *ent.BulkAction) gid.ID { return o.ID }, only, c.BulkAction.Query().Where(those, VisibleBulkActions(v)))
	case gid.ReviewAssignment:
		return into(ctx, found, func(o *ent.ReviewAssignment) gid.ID { return o.ID }, only, c.ReviewAssignment.Query().Where(those, VisibleReviewAssignments(v)))
	case gid.Review:
		return into(ctx, found, func(o *ent.Review) gid.ID { return o.ID }, only, c.Review.Query().Where(those, VisibleReviews(v)))
	case gid.Cohort:
		return into(ctx, found, func(o *ent.Cohort) gid.ID { return o.ID }, only, c.Cohort.Query().Where(those, VisibleCohorts(v)))
	case gid.Enrollment:
		return into(ctx, found, func(o *ent.Enrollment) gid.ID { return o.ID }, only, c.Enrollment.Query().Where(those, VisibleEnrollments(v)))
	case gid.RoleAssignment:
		return into(ctx, found, func(o *ent.RoleAssignment) gid.ID { return o.ID }, only, c.RoleAssignment.Query().Where(those, VisibleRoleAssignments(v)))
	case gid.Space:
		return into(ctx, found, func(o *ent.Space) gid.ID { return o.ID }, only, c.Space.Query().Where(those, VisibleSpaces(v)))
	case gid.SpaceMembership:
		return into(ctx, found, func(o *ent.SpaceMembership) gid.ID { return o.ID }, only, c.SpaceMembership.Query().Where(those, VisibleSpaceMemberships(v)))
	case gid.Thread:
		return into(ctx, found, func(o *ent.Thread) gid.ID { return o.ID }, only, c.Thread.Query().Where(those, VisibleThreads(v)))
	case gid.Post:
		return into(ctx, found, func(o *ent.Post) gid.ID { return o.ID }, only, c.Post.Query().Where(those, VisiblePosts(v)))
	case gid.Poll:
		return into(ctx, found, func(o *ent.Poll) gid.ID { return o.ID }, only, c.Poll.Query().Where(those, VisiblePolls(v)))
	case gid.PollOption:
		return into(ctx, found, func(o *ent.PollOption) gid.ID { return o.ID }, only, c.PollOption.Query().Where(those, VisiblePollOptions(v)))
	case gid.PostRevision:
		return into(ctx, found, func(o *ent.PostRevision) gid.ID { return o.ID }, only, c.PostRevision.Query().Where(those, VisiblePostRevisions(v)))
	case gid.BreakGlass:
		return into(ctx, found, func(o *ent.BreakGlass) gid.ID { return o.ID }, only, c.BreakGlass.Query().Where(those, VisibleBreakGlasses(v)))
	case gid.JoinRequest:
		return into(ctx, found, func(o *ent.JoinRequest) gid.ID { return o.ID }, only, c.JoinRequest.Query().Where(those, VisibleJoinRequests(v)))
	case gid.AuditEntry:
		return into(ctx, found, func(o *ent.AuditEntry) gid.ID { return o.ID }, only, c.AuditEntry.Query().Where(those, VisibleAuditEntries(v)))
	case gid.Notification:
		return into(ctx, found, func(o *ent.Notification) gid.ID { return o.ID }, only, c.Notification.Query().Where(those, VisibleNotifications(v)))
	case gid.Notice:
		return into(ctx, found, func(o *ent.Notice) gid.ID { return o.ID }, only, c.Notice.Query().Where(those, VisibleNotices(v)))
	case gid.Draft:
		return into(ctx, found, func(o *ent.Draft) gid.ID { return o.ID }, only, c.Draft.Query().Where(those, VisibleDrafts(v)))
	case gid.Bookmark:
		return into(ctx, found, func(o *ent.Bookmark) gid.ID { return o.ID }, only, c.Bookmark.Query().Where(those, VisibleBookmarks(v)))
	case gid.Resource:
		return into(ctx, found, func(o *ent.Resource) gid.ID { return o.ID }, only, c.Resource.Query().Where(those, VisibleResources(v)))
	case gid.ResourceVersion:
		return into(ctx, found, func(o *ent.ResourceVersion) gid.ID { return o.ID }, only, c.ResourceVersion.Query().Where(those, VisibleResourceVersions(v)))
	case gid.File:
		return into(ctx, found, func(o *ent.File) gid.ID { return o.ID }, only, c.File.Query().Where(those, VisibleFiles(v)))
	case gid.WebhookEndpoint:
		return into(ctx, found, func(o *ent.WebhookEndpoint) gid.ID { return o.ID }, only, c.WebhookEndpoint.Query().Where(those, VisibleWebhookEndpoints(v)))
	case gid.WebhookDelivery:
		return into(ctx, found, func(o *ent.WebhookDelivery) gid.ID { return o.ID }, only, c.WebhookDelivery.Query().Where(those, VisibleWebhookDeliveries(v)))
	case gid.Flag:
		return into(ctx, found, func(o *ent.Flag) gid.ID { return o.ID }, only, c.Flag.Query().Where(those, VisibleFlags(v)))
	case gid.ModerationAction:
		return into(ctx, found, func(o *ent.ModerationAction) gid.ID { return o.ID }, only, c.ModerationAction.Query().Where(those, VisibleModerationActions(v)))
	case gid.Decision:
		return into(ctx, found, func(o *ent.Decision) gid.ID { return o.ID }, only, c.Decision.Query().Where(those, VisibleDecisions(v)))
	case gid.Mail:
		return into(ctx, found, func(o *ent.Mail) gid.ID { return o.ID }, only, c.Mail.Query().Where(those, FailedMails(v)))
	case gid.Framework:
		return into(ctx, found, func(o *ent.Framework) gid.ID { return o.ID }, only, c.Framework.Query().Where(those))
	default: // kinds that are no Node of the graph: nothing to see
		return nil
	}
}

// query is one of ent's, and selected the same with columns chosen.
type query[T any, S selected[T]] interface {
	selected[T]
	Select(columns ...string) S
}

type selected[T any] interface {
	All(ctx context.Context) ([]*T, error)
}

func into[T any, S selected[T], Q query[T, S]](ctx context.Context, found map[gid.ID]any, id func(*T) gid.ID, only []string, q Q) error {
	all := q.All
	if only != nil {
		all = q.Select(only...).All
	}
	rows, err := all(ctx)
	for _, row := range rows {
		found[id(row)] = row
	}
	return err
}

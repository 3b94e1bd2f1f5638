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
	found := make(map[gid.ID]any, len(ids))
	kinds := make(map[gid.Kind][]gid.ID)
	for _, id := range ids {
		kinds[id.Kind()] = append(kinds[id.Kind()], id)
	}
	for kind, ids := range kinds {
		if err := find(ctx, c, v, kind, ids, found); err != nil {
			return nil, fmt.Errorf("find %s: %w", kind, err)
		}
	}
	return found, nil
}

func find(ctx context.Context, c *ent.Client, v viewer.Viewer, kind gid.Kind, ids []gid.ID, found map[gid.ID]any) error {
	those := page.AnyOf("id", ids)
	switch kind {
	case gid.Organization:
		return into(ctx, found, func(o *ent.Organization) gid.ID { return o.ID }, c.Organization.Query().Where(those, VisibleOrganizations(v)).All)
	case gid.Member:
		return into(ctx, found, func(o *ent.Member) gid.ID { return o.ID }, c.Member.Query().Where(those, VisibleMembers(v)).All)
	case gid.Affiliation:
		return into(ctx, found, func(o *ent.Affiliation) gid.ID { return o.ID }, c.Affiliation.Query().Where(those, VisibleAffiliations(v)).All)
	case gid.Team:
		return into(ctx, found, func(o *ent.Team) gid.ID { return o.ID }, c.Team.Query().Where(those, VisibleTeams(v)).All)
	case gid.TeamMembership:
		return into(ctx, found, func(o *ent.TeamMembership) gid.ID { return o.ID }, c.TeamMembership.Query().Where(those, VisibleTeamMemberships(v)).All)
	case gid.Program:
		return into(ctx, found, func(o *ent.Program) gid.ID { return o.ID }, c.Program.Query().Where(those).All)
	case gid.Offering:
		return into(ctx, found, func(o *ent.Offering) gid.ID { return o.ID }, c.Offering.Query().Where(those).All)
	case gid.Entitlement:
		return into(ctx, found, func(o *ent.Entitlement) gid.ID { return o.ID }, c.Entitlement.Query().Where(those, VisibleEntitlements(v)).All)
	case gid.Sponsorship:
		return into(ctx, found, func(o *ent.Sponsorship) gid.ID { return o.ID }, c.Sponsorship.Query().Where(those).All)
	case gid.Call:
		return into(ctx, found, func(o *ent.Call) gid.ID { return o.ID }, c.Call.Query().Where(those, VisibleCalls(v)).All)
	case gid.Application:
		return into(ctx, found, func(o *ent.Application) gid.ID { return o.ID }, c.Application.Query().Where(those, VisibleApplications(v)).All)
	case gid.BulkAction:
		return into(ctx, found, func(o *ent.BulkAction) gid.ID { return o.ID }, c.BulkAction.Query().Where(those, VisibleBulkActions(v)).All)
	case gid.ReviewAssignment:
		return into(ctx, found, func(o *ent.ReviewAssignment) gid.ID { return o.ID }, c.ReviewAssignment.Query().Where(those, VisibleReviewAssignments(v)).All)
	case gid.Review:
		return into(ctx, found, func(o *ent.Review) gid.ID { return o.ID }, c.Review.Query().Where(those, VisibleReviews(v)).All)
	case gid.Cohort:
		return into(ctx, found, func(o *ent.Cohort) gid.ID { return o.ID }, c.Cohort.Query().Where(those, VisibleCohorts(v)).All)
	case gid.Enrollment:
		return into(ctx, found, func(o *ent.Enrollment) gid.ID { return o.ID }, c.Enrollment.Query().Where(those, VisibleEnrollments(v)).All)
	case gid.RoleAssignment:
		return into(ctx, found, func(o *ent.RoleAssignment) gid.ID { return o.ID }, c.RoleAssignment.Query().Where(those, VisibleRoleAssignments(v)).All)
	case gid.Space:
		return into(ctx, found, func(o *ent.Space) gid.ID { return o.ID }, c.Space.Query().Where(those, VisibleSpaces(v)).All)
	case gid.SpaceMembership:
		return into(ctx, found, func(o *ent.SpaceMembership) gid.ID { return o.ID }, c.SpaceMembership.Query().Where(those, VisibleSpaceMemberships(v)).All)
	case gid.Thread:
		return into(ctx, found, func(o *ent.Thread) gid.ID { return o.ID }, c.Thread.Query().Where(those, VisibleThreads(v)).All)
	case gid.Post:
		return into(ctx, found, func(o *ent.Post) gid.ID { return o.ID }, c.Post.Query().Where(those, VisiblePosts(v)).All)
	case gid.Poll:
		return into(ctx, found, func(o *ent.Poll) gid.ID { return o.ID }, c.Poll.Query().Where(those, VisiblePolls(v)).All)
	case gid.PollOption:
		return into(ctx, found, func(o *ent.PollOption) gid.ID { return o.ID }, c.PollOption.Query().Where(those, VisiblePollOptions(v)).All)
	case gid.PostRevision:
		return into(ctx, found, func(o *ent.PostRevision) gid.ID { return o.ID }, c.PostRevision.Query().Where(those, VisiblePostRevisions(v)).All)
	case gid.BreakGlass:
		return into(ctx, found, func(o *ent.BreakGlass) gid.ID { return o.ID }, c.BreakGlass.Query().Where(those, VisibleBreakGlasses(v)).All)
	case gid.JoinRequest:
		return into(ctx, found, func(o *ent.JoinRequest) gid.ID { return o.ID }, c.JoinRequest.Query().Where(those, VisibleJoinRequests(v)).All)
	case gid.AuditEntry:
		return into(ctx, found, func(o *ent.AuditEntry) gid.ID { return o.ID }, c.AuditEntry.Query().Where(those, VisibleAuditEntries(v)).All)
	case gid.Notification:
		return into(ctx, found, func(o *ent.Notification) gid.ID { return o.ID }, c.Notification.Query().Where(those, VisibleNotifications(v)).All)
	case gid.Draft:
		return into(ctx, found, func(o *ent.Draft) gid.ID { return o.ID }, c.Draft.Query().Where(those, VisibleDrafts(v)).All)
	case gid.Bookmark:
		return into(ctx, found, func(o *ent.Bookmark) gid.ID { return o.ID }, c.Bookmark.Query().Where(those, VisibleBookmarks(v)).All)
	case gid.Resource:
		return into(ctx, found, func(o *ent.Resource) gid.ID { return o.ID }, c.Resource.Query().Where(those, VisibleResources(v)).All)
	case gid.ResourceVersion:
		return into(ctx, found, func(o *ent.ResourceVersion) gid.ID { return o.ID }, c.ResourceVersion.Query().Where(those, VisibleResourceVersions(v)).All)
	case gid.File:
		return into(ctx, found, func(o *ent.File) gid.ID { return o.ID }, c.File.Query().Where(those, VisibleFiles(v)).All)
	case gid.WebhookEndpoint:
		return into(ctx, found, func(o *ent.WebhookEndpoint) gid.ID { return o.ID }, c.WebhookEndpoint.Query().Where(those, VisibleWebhookEndpoints(v)).All)
	case gid.WebhookDelivery:
		return into(ctx, found, func(o *ent.WebhookDelivery) gid.ID { return o.ID }, c.WebhookDelivery.Query().Where(those, VisibleWebhookDeliveries(v)).All)
	case gid.Flag:
		return into(ctx, found, func(o *ent.Flag) gid.ID { return o.ID }, c.Flag.Query().Where(those, VisibleFlags(v)).All)
	case gid.ModerationAction:
		return into(ctx, found, func(o *ent.ModerationAction) gid.ID { return o.ID }, c.ModerationAction.Query().Where(those, VisibleModerationActions(v)).All)
	case gid.Decision:
		return into(ctx, found, func(o *ent.Decision) gid.ID { return o.ID }, c.Decision.Query().Where(those, VisibleDecisions(v)).All)
	case gid.Mail:
		return into(ctx, found, func(o *ent.Mail) gid.ID { return o.ID }, c.Mail.Query().Where(those, FailedMails(v)).All)
	case gid.Framework:
		return into(ctx, found, func(o *ent.Framework) gid.ID { return o.ID }, c.Framework.Query().Where(those).All)
	default: // kinds that are no Node of the graph: nothing to see
		return nil
	}
}

func into[T any](ctx context.Context, found map[gid.ID]any, id func(*T) gid.ID, all func(context.Context) ([]*T, error)) error {
	rows, err := all(ctx)
	for _, row := range rows {
		found[id(row)] = row
	}
	return err
}

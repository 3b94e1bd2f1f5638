// Package connection names the SDL's connections and edges: pages of entities. It is internal because gqlgen takes an alias of an
// internal type for a type of its own unless the alias is internal too.
package connection

import (
	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/page"
)

// The SDL's connections and edges.
type (
	ApplicationConnection      = page.Connection[ent.Application]
	ApplicationEdge            = page.Edge[ent.Application]
	AuditEntryConnection       = page.Connection[ent.AuditEntry]
	AuditEntryEdge             = page.Edge[ent.AuditEntry]
	BookmarkConnection         = page.Connection[ent.Bookmark]
	BookmarkEdge               = page.Edge[ent.Bookmark]
	BulkActionConnection       = page.Connection[ent.BulkAction]
	BulkActionEdge             = page.Edge[ent.BulkAction]
	BreakGlassConnection       = page.Connection[ent.BreakGlass]
	BreakGlassEdge             = page.Edge[ent.BreakGlass]
	CallConnection             = page.Connection[ent.Call]
	CallEdge                   = page.Edge[ent.Call]
	CohortConnection           = page.Connection[ent.Cohort]
	CohortEdge                 = page.Edge[ent.Cohort]
	DraftConnection            = page.Connection[ent.Draft]
	DraftEdge                  = page.Edge[ent.Draft]
	EnrollmentConnection       = page.Connection[ent.Enrollment]
	EnrollmentEdge             = page.Edge[ent.Enrollment]
	FlaggedPostConnection      = page.Connection[ent.Flag]
	FlaggedPostEdge            = page.Edge[ent.Flag]
	JoinRequestConnection      = page.Connection[ent.JoinRequest]
	JoinRequestEdge            = page.Edge[ent.JoinRequest]
	MemberConnection           = page.Connection[ent.Member]
	MemberEdge                 = page.Edge[ent.Member]
	ModerationActionConnection = page.Connection[ent.ModerationAction]
	ModerationActionEdge       = page.Edge[ent.ModerationAction]
	NotificationConnection     = page.Connection[ent.Notification]
	NotificationEdge           = page.Edge[ent.Notification]
	OrganizationConnection     = page.Connection[ent.Organization]
	OrganizationEdge           = page.Edge[ent.Organization]
	PostConnection             = page.Connection[ent.Post]
	PostEdge                   = page.Edge[ent.Post]
	PostRevisionConnection     = page.Connection[ent.PostRevision]
	PostRevisionEdge           = page.Edge[ent.PostRevision]
	ResourceConnection         = page.Connection[ent.Resource]
	ResourceEdge               = page.Edge[ent.Resource]
	ResourceVersionConnection  = page.Connection[ent.ResourceVersion]
	ResourceVersionEdge        = page.Edge[ent.ResourceVersion]
	SpaceConnection            = page.Connection[ent.Space]
	SpaceEdge                  = page.Edge[ent.Space]
	SpaceMembershipConnection  = page.Connection[ent.SpaceMembership]
	SpaceMembershipEdge        = page.Edge[ent.SpaceMembership]
	TeamConnection             = page.Connection[ent.Team]
	TeamEdge                   = page.Edge[ent.Team]
	TeamMembershipConnection   = page.Connection[ent.TeamMembership]
	TeamMembershipEdge         = page.Edge[ent.TeamMembership]
	ThreadConnection           = page.Connection[ent.Thread]
	ThreadEdge                 = page.Edge[ent.Thread]
	FailedMailConnection       = page.Connection[ent.Mail]
	FailedMailEdge             = page.Edge[ent.Mail]
	WebhookDeliveryConnection  = page.Connection[ent.WebhookDelivery]
	WebhookDeliveryEdge        = page.Edge[ent.WebhookDelivery]
)

package apitest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/graph"
	"github.com/pursuing-equity/commons/internal/gid"
)

// documents writes operations from the SDL, so that a test that walks the schema walks all of it, what comes later too.
type documents struct {
	t *testing.T
	*ast.Schema
}

func newDocuments(t *testing.T) documents {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	return documents{t, schema}
}

// kinds are the types that have ids, by the kind of the id. Every type that implements Node stands here.
var kinds = map[gid.Kind]string{
	gid.Organization: "Organization", gid.Member: "Member", gid.Affiliation: "Affiliation", gid.Team: "Team", gid.TeamMembership: "TeamMembership",
	gid.Program: "Program", gid.Offering: "Offering", gid.Entitlement: "Entitlement", gid.Sponsorship: "Sponsorship", gid.Cohort: "Cohort", gid.Enrollment: "Enrollment", gid.Call: "Call",
	gid.RoleAssignment: "RoleAssignment", gid.Space: "Space", gid.SpaceMembership: "SpaceMembership", gid.Thread: "Thread", gid.Post: "Post",
	gid.Poll: "Poll", gid.PollOption: "PollOption", gid.PostRevision: "PostRevision", gid.Notification: "Notification", gid.Notice: "Notice", gid.Resource: "Resource", gid.ResourceVersion: "ResourceVersion",
	gid.Framework: "Framework", gid.AuditEntry: "AuditEntry", gid.BreakGlass: "BreakGlass", gid.JoinRequest: "JoinRequest", gid.File: "File",
	gid.WebhookEndpoint: "WebhookEndpoint", gid.WebhookDelivery: "WebhookDelivery",
	gid.Draft: "Draft", gid.Bookmark: "Bookmark", gid.Flag: "Flag", gid.ModerationAction: "ModerationAction", gid.Application: "Application", gid.BulkAction: "BulkAction",
	gid.ReviewAssignment: "ReviewAssignment", gid.Review: "Review", gid.Decision: "Decision", gid.Mail: "FailedMail",
}

// refers is what the ids of arguments and inputs name.
var refers = map[string]gid.Kind{
	"entitlementId": gid.Entitlement, "spaceId": gid.Space, "threadId": gid.Thread, "postId": gid.Post, "postIds": gid.Post, "fromThreadId": gid.Thread, "intoThreadId": gid.Thread, "replyToId": gid.Post, "resourceId": gid.Resource, "memberId": gid.Member,
	"memberIds": gid.Member, "organizationId": gid.Organization, "teamId": gid.Team, "cohortId": gid.Cohort, "offeringId": gid.Offering,
	"enrollmentId": gid.Enrollment, "teamMembershipId": gid.TeamMembership, "spaceMembershipId": gid.SpaceMembership,
	"affiliationId": gid.Affiliation, "roleAssignmentId": gid.RoleAssignment, "scopeId": gid.Space, "frameworkId": gid.Framework,
	"frameworkIds": gid.Framework, "notificationIds": gid.Notification, "breakGlassId": gid.BreakGlass, "joinRequestId": gid.JoinRequest,
	"actorId": gid.Member, "subjectId": gid.Member, "fileId": gid.File, "attachmentFileIds": gid.File, "pollId": gid.Poll, "optionIds": gid.PollOption, "avatarFileId": gid.File, "accessTokenId": gid.AccessToken, "feedAddressId": gid.AccessToken,
	"sessionId": gid.AccessToken, "identityId": gid.Identity, "endpointId": gid.WebhookEndpoint, "deliveryId": gid.WebhookDelivery, "draftId": gid.Draft, "warningId": gid.ModerationAction, "callId": gid.Call, "applicationId": gid.Application, "applicationIds": gid.Application, "reviewerId": gid.Member, "savedViewId": gid.SavedView, "bulkActionId": gid.BulkAction,
	"documentId": gid.Document, "mailId": gid.Mail, "signerRequestId": gid.SignerRequest,
	"reviewerIds": gid.Member, "assignmentId": gid.ReviewAssignment, "reviewId": gid.Review, "conflictId": gid.Conflict,
	"sponsorshipId": gid.Sponsorship,
}

// texts are what inputs are given where any text will not do; by the name of the field, or of the mutation and the field.
var texts = map[string]any{
	"timeZone": "America/Chicago", "emoji": "👍", "url": "https://example.org/", "websiteUrl": "https://example.org/", "avatarUrl": "https://example.org/a.png",
	"country": "US", "handle": nil, "upToSeq": 1, "fromSeq": 1, "expectedVersion": 1, "hours": 2, "idempotencyKey": nil, "expertise": []string{"equity"}, "tags": []string{"equity"},
	"options": []string{"Yes", "No"}, "closesAt": "2099-01-01T00:00:00Z", "quote": nil,
	"opensLocal": "2099-01-01T09:00", "closesLocal": "2099-02-02T09:00", "minLength": 0, "maxLength": 0, "saveForm.min": nil, "saveForm.max": nil,
	"prepareDecision.rank": nil, "prepareDecision.expectedVersion": 0, "recordFee.expectedVersion": 0, "recordFee.currency": "USD",
	"createSpace.kind": "AFFINITY", "saveAnswer.key": "why", "saveAnswer.expectedVersion": 0, "startApplication.organizationId": nil, "requestSignature.email": "somebody@example.org", "dueLocal": "2099-01-01T17:00", "untilLocal": "2099-01-01T17:00", "addDocument.url": nil, "requirement": "video", "signer": "", "createOrganization.kind": "CLINIC", "createResource.kind": "LINK", "createResource.audience": "SPACE",
	"createRoleAssignment.role": "FACILITATOR", "createRoleAssignment.scope": "SPACE", "endsAt": "2099-01-01T00:00:00Z", "expiresAt": "2099-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z",
	"since": "2023-01-01T00:00:00Z", "submittedFrom": "2023-01-01T00:00:00Z", "submittedBefore": "2099-01-01T00:00:00Z", "publishAt": "2099-01-01T00:00:00Z", "remindAt": "2099-01-01T00:00:00Z", "startsOn": "2023-01-01", "endsOn": "2023-12-31",
}

// value is something that an argument or a field of an input takes; id makes the ids.
func (d documents) value(of string, name string, t *ast.Type, id func(gid.Kind) gid.ID) any {
	if text, special := texts[of+"."+name]; special {
		return text
	}
	if text, special := texts[name]; special {
		return text
	}
	if t.Elem != nil {
		if v := d.value(of, name, t.Elem, id); v != nil {
			return []any{v}
		}
		return nil
	}
	def := d.Types[t.Name()]
	switch {
	case t.Name() == "ID":
		kind, known := refers[name]
		if !known {
			d.t.Errorf("%s.%s: say in refers of what kind of object this is an id", of, name)
		}
		return id(kind)
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case t.Name() == "String":
		return "Words that are enough to be a reason, too."
	case t.Name() == "Int":
		return 1
	case t.Name() == "Boolean":
		return true
	case t.Name() == "Cursor":
		return nil
	case def.Kind == ast.InputObject:
		return d.input(of, def, id)
	}
	d.t.Errorf("%s.%s: say in texts what a %s can be", of, name, t.Name())
	return nil
}

// input fills an input: all of its fields.
func (d documents) input(of string, def *ast.Definition, id func(gid.Kind) gid.ID) map[string]any {
	in := map[string]any{}
	for _, f := range def.Fields {
		if v := d.value(of, f.Name, f.Type, id); v != nil {
			in[f.Name] = v
		}
	}
	return in
}

// ids are the fields of an input that hold ids.
func (d documents) ids(def *ast.Definition) []string {
	var names []string
	for _, f := range def.Fields {
		if f.Type.Name() == "ID" {
			names = append(names, f.Name)
		}
	}
	return names
}

// mutation writes a mutation of one input that selects all that it returns.
func (d documents) mutation(f *ast.FieldDefinition) (query string, in *ast.Definition) {
	in = d.Types[f.Arguments.ForName("input").Type.Name()]
	return fmt.Sprintf("mutation($input: %s!) { %s(input: $input) { %s } }", in.Name, f.Name, d.selection(d.Types[f.Type.Name()], 2, 2, "")), in
}

// selection writes all that can be selected of a type, to a depth of objects; connections by their first entries. In a union or
// an interface each type's fields get names of their own: those of several types may differ.
func (d documents) selection(of *ast.Definition, depth, first int, alias string) string {
	if of.IsAbstractType() {
		parts := []string{"__typename"}
		for _, p := range d.GetPossibleTypes(of) {
			if of.Name == "Node" { // any of all types: the id says which
				parts = append(parts, fmt.Sprintf("... on %s { id }", p.Name))
				continue
			}
			parts = append(parts, fmt.Sprintf("... on %s { %s }", p.Name, d.selection(p, depth, first, p.Name+"_")))
		}
		return strings.Join(parts, " ")
	}
	parts := []string{"__typename"}
	for _, f := range of.Fields {
		if strings.HasPrefix(f.Name, "__") || f.Arguments.ForName("first") == nil && len(f.Arguments) > 0 {
			continue
		}
		field := f.Name
		if alias != "" {
			field = alias + f.Name + ": " + f.Name
		}
		if f.Arguments.ForName("first") != nil {
			field += fmt.Sprintf("(first: %d)", first)
		}
		to := d.Types[f.Type.Name()]
		if to.IsLeafType() {
			parts = append(parts, field)
			continue
		}
		below := depth - 1
		if strings.HasSuffix(to.Name, "Connection") || strings.HasSuffix(to.Name, "Edge") || to.Name == "PageInfo" || to.Name == "UserError" {
			below = depth
		}
		if below >= 0 {
			parts = append(parts, field+" { "+d.selection(to, below, first, "")+" }")
		}
	}
	return strings.Join(parts, " ")
}

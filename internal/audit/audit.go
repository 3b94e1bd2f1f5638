// Package audit writes down who did what to which object, from where and why. Entries are written in the transaction of what
// they tell of, and stay: the database refuses to change or delete them.
package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Log writes entries and reads them. All fields are needed.
type Log struct {
	Store *store.Store
	Now   func() time.Time
	NewID func(gid.Kind) gid.ID
}

// Action is what was done. The SDL describes each one under AuditAction.
type Action string

// What is written down.
const (
	SignedIn             Action = "SIGNED_IN"
	SignedOut            Action = "SIGNED_OUT"
	PasswordChanged      Action = "PASSWORD_CHANGED"
	EmailChanged         Action = "EMAIL_CHANGED"
	IdentityLinked       Action = "IDENTITY_LINKED"
	IdentityUnlinked     Action = "IDENTITY_UNLINKED"
	AccessTokenCreated   Action = "ACCESS_TOKEN_CREATED"
	AccessTokenRevoked   Action = "ACCESS_TOKEN_REVOKED"
	SessionEnded         Action = "SESSION_ENDED"
	MemberInvited        Action = "MEMBER_INVITED"
	MemberSuspended      Action = "MEMBER_SUSPENDED"
	SuspensionEnded      Action = "SUSPENSION_ENDED"
	MemberDeactivated    Action = "MEMBER_DEACTIVATED"
	MemberReactivated    Action = "MEMBER_REACTIVATED"
	MemberErased         Action = "MEMBER_ERASED"
	ExportLinkMade       Action = "EXPORT_LINK_MADE"
	DataExported         Action = "DATA_EXPORTED"
	SpaceExportRequested Action = "SPACE_EXPORT_REQUESTED"
	SpaceExported        Action = "SPACE_EXPORTED"
	FeedAddressesRevoked Action = "FEED_ADDRESSES_REVOKED"
	GroupHandedOver      Action = "GROUP_HANDED_OVER"
	RoleGiven            Action = "ROLE_GIVEN"
	RoleEnded            Action = "ROLE_ENDED"
	GlassBroken          Action = "GLASS_BROKEN"
	GlassMended          Action = "GLASS_MENDED"
	JoinRequestAccepted  Action = "JOIN_REQUEST_ACCEPTED"
	JoinRequestDeclined  Action = "JOIN_REQUEST_DECLINED"
	JoinAddressRenewed   Action = "JOIN_ADDRESS_RENEWED"
	SpaceMembershipGiven Action = "SPACE_MEMBERSHIP_GIVEN"
	SpaceMembershipEnded Action = "SPACE_MEMBERSHIP_ENDED"
	PostDeleted          Action = "POST_DELETED"
	ThreadLocked         Action = "THREAD_LOCKED"
	ThreadUnlocked       Action = "THREAD_UNLOCKED"
	ThreadMoved          Action = "THREAD_MOVED"
	ThreadsMerged        Action = "THREADS_MERGED"
	ThreadSplit          Action = "THREAD_SPLIT"
	PostHidden           Action = "POST_HIDDEN"
	PostRestored         Action = "POST_RESTORED"
	FlagsResolved        Action = "FLAGS_RESOLVED"
	MemberWarned         Action = "MEMBER_WARNED"
	OfferingChanged      Action = "OFFERING_CHANGED"
	EntitlementGranted   Action = "ENTITLEMENT_GRANTED"
	EntitlementRevoked   Action = "ENTITLEMENT_REVOKED"
	WebhookCreated       Action = "WEBHOOK_CREATED"
	WebhookChanged       Action = "WEBHOOK_CHANGED"
	WebhookSecretRotated Action = "WEBHOOK_SECRET_ROTATED" //nolint:gosec // it is a name, no secret
	WebhookDeleted       Action = "WEBHOOK_DELETED"
	CallCreated          Action = "CALL_CREATED"
	CallChanged          Action = "CALL_CHANGED"
	CallPublished        Action = "CALL_PUBLISHED"
	CallDeleted          Action = "CALL_DELETED"
	FormSaved            Action = "FORM_SAVED"
	FormPublished        Action = "FORM_PUBLISHED"
	SignedUp             Action = "SIGNED_UP"
	ApplicationSubmitted Action = "APPLICATION_SUBMITTED"
	ApplicationWithdrawn Action = "APPLICATION_WITHDRAWN"

	ApplicationHandedOver Action = "APPLICATION_HANDED_OVER"
	EditorAdded           Action = "EDITOR_ADDED"
	EditorRemoved         Action = "EDITOR_REMOVED"
	InformationRequested  Action = "INFORMATION_REQUESTED"
	ExtensionGranted      Action = "EXTENSION_GRANTED"
	LetterSigned          Action = "LETTER_SIGNED"
	LetterRefused         Action = "LETTER_REFUSED"

	WebhookDisabled      Action = "WEBHOOK_DISABLED"
	ApplicationsExported Action = "APPLICATIONS_EXPORTED"
	BulkActionStarted    Action = "BULK_ACTION_STARTED"
	BulkActionCancelled  Action = "BULK_ACTION_CANCELLED"
	MailRetried          Action = "MAIL_RETRIED"
	MailDiscarded        Action = "MAIL_DISCARDED"

	ReviewerAssigned  Action = "REVIEWER_ASSIGNED"
	ReviewersBalanced Action = "REVIEWERS_BALANCED"
	ReviewerRemoved   Action = "REVIEWER_REMOVED"
	ReviewDeclined    Action = "REVIEW_DECLINED"
	ReviewSubmitted   Action = "REVIEW_SUBMITTED"
	ReviewReopened    Action = "REVIEW_REOPENED"
	ConflictDeclared  Action = "CONFLICT_DECLARED"
	ConflictEnded     Action = "CONFLICT_ENDED"

	DecisionPrepared    Action = "DECISION_PREPARED"
	DecisionDiscarded   Action = "DECISION_DISCARDED"
	DecisionsReleased   Action = "DECISIONS_RELEASED"
	PlaceOffered        Action = "PLACE_OFFERED"
	Waitlisted          Action = "WAITLISTED"
	ApplicationDeclined Action = "APPLICATION_DECLINED"
	OfferAccepted       Action = "OFFER_ACCEPTED"
	OfferDeclined       Action = "OFFER_DECLINED"
	OfferExpired        Action = "OFFER_EXPIRED"
	WaitlistMoved       Action = "WAITLIST_MOVED"
	WaitlistLeft        Action = "WAITLIST_LEFT"
	WaitlistClosed      Action = "WAITLIST_CLOSED"
	PlaceGivenUp        Action = "PLACE_GIVEN_UP"
	PlaceGivenBack      Action = "PLACE_GIVEN_BACK"
	FeeRecorded         Action = "FEE_RECORDED"
)

// Entry is what to write down.
type Entry struct {
	Action  Action
	Subject gid.ID // what it was done to; zero for none
	// Space is the hidden space that it happened in; zero elsewhere. Only who can see the space can see the entry.
	Space  gid.ID
	Reason string
}

// Append writes entries within the transaction of ctx, in one statement. The viewer acts; the program itself and visitors leave no actor.
func (l *Log) Append(ctx context.Context, tx *ent.Client, v viewer.Viewer, entries ...Entry) error {
	rows := make([]*ent.AuditEntryCreate, len(entries))
	for i, e := range entries {
		create := tx.AuditEntry.Create().SetID(l.NewID(gid.AuditEntry)).SetCreatedAt(l.Now()).SetAction(string(e.Action)).
			SetReason(e.Reason).SetAddress(v.Address())
		if me, ok := v.MemberID(); ok {
			create.SetActorID(me)
		}
		if !e.Subject.IsZero() {
			create.SetSubjectID(e.Subject)
		}
		if !e.Space.IsZero() {
			create.SetSpaceID(e.Space)
		}
		rows[i] = create
	}
	if err := tx.AuditEntry.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return nil
}

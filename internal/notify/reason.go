package notify

import (
	"fmt"
	"io"
	"strconv"

	"github.com/pursuing-equity/commons/ent"
)

// Reason is why somebody was notified of a post.
type Reason string

// The reasons, the strongest first.
const (
	Mention       Reason = "MENTION"
	Reply         Reason = "REPLY"
	DirectMessage Reason = "DIRECT_MESSAGE"
	TeamMention   Reason = "TEAM_MENTION"
	RoleMention   Reason = "ROLE_MENTION"
	Announcement  Reason = "ANNOUNCEMENT"
	Watching      Reason = "WATCHING"
	// Reminder is of a bookmark: the member asked for it.
	Reminder Reason = "REMINDER"
	// Flagged, FlagResolved and Warned are of moderation; they stand last, in the order in which they came.
	Flagged      Reason = "FLAGGED"
	FlagResolved Reason = "FLAG_RESOLVED"
	Warned       Reason = "WARNED"
)

// MarshalGQL writes the SDL's NotificationReason.
func (r Reason) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(r))) }

// UnmarshalGQL reads the SDL's NotificationReason.
func (r *Reason) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("a reason must be a string, not %T", v)
	}
	*r = Reason(s)
	return nil
}

// Reasons are why a notification was made, the strongest first.
func Reasons(n *ent.Notification) []Reason { return reasonsOf(n.Reasons) }

func reasonsOf(names []string) []Reason {
	out := make([]Reason, len(names))
	for i, r := range names {
		out[i] = Reason(r)
	}
	return out
}

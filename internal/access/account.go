package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// InBrowser returns the member who acts, if they signed in themselves with a browser. It is asked before anything that changes how
// somebody signs in: a program's token must not become a way in that outlives it. It returns UNAUTHENTICATED for who has not signed
// in, and FORBIDDEN for who has a token.
func InBrowser(v viewer.Viewer) (gid.ID, error) {
	me, err := SignedIn(v)
	if err == nil && !v.InBrowser() {
		err = fault.Denied("Sign in with a browser to do that: an access token is not enough.")
	}
	return me, err
}

// OwnAccessTokens are the viewer's own sessions and tokens. Nobody else sees them, staff and the system included.
func OwnAccessTokens(v viewer.Viewer) predicate.AccessToken {
	me, ok := v.MemberID()
	return func(s *sql.Selector) {
		if !ok {
			s.Where(sql.False())
			return
		}
		s.Where(sql.EQ(s.C(accesstoken.FieldMemberID), me))
	}
}

// CanInvite is for staff.
func (a *Actor) CanInvite() error {
	if !a.IsStaff() {
		return fault.Denied("Only staff can invite people.")
	}
	return nil
}

package apitest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Who was in somebody's account is out of it for good once the owner has set a new password by a link.
func TestResetShutsOut(t *testing.T) {
	eachAtTime(t, func(w *apitest.World, c *clock) {
		ada := w.Member("ada")
		setPassword(w, ada)
		thief := w.SignedIn(ada)
		left := w.As(thief.Must(`mutation($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { token errors { code message } } }`,
			input(vars{"name": "T", "scope": "WRITE", "expiresAt": c.now().Add(300 * 24 * time.Hour)})).String("createAccessToken.token"))
		if p := thief.PostJSON("/auth/email", vars{"email": "thief@evil.example", "present": secretPassword}); p.StatusCode != http.StatusAccepted {
			w.T.Fatalf("%d %s", p.StatusCode, p.Text)
		}
		owner := w.Browser() // the mail to the thief waits for its server meanwhile
		owner.PostJSON("/auth/reset", vars{"email": email(ada)})
		p := owner.PostJSON("/auth/reset/confirm", vars{"token": token(w, email(ada), account.MailReset), "password": "nine lanterns by the river"})
		if p.StatusCode != http.StatusOK || whoami(owner) == "" {
			w.T.Fatalf("%d %s", p.StatusCode, p.Text)
		}
		if whoami(thief) != "" || left.Do(`{ viewer { name } }`, nil).Code() != "UNAUTHENTICATED" {
			w.T.Error("the thief is still signed in")
		}
		c.add(30 * time.Minute)
		if late := links(w, "thief@evil.example", account.MailConfirmEmail); len(late) != 0 {
			w.T.Errorf("a link was sent after all: %v", late)
		}
	})
}

// A request that was signed in before its member was erased changes nothing afterwards.
func TestErasedStaysErased(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		w.Role(w.Member("root"), roleassignment.RoleADMIN)
		ada, ben := w.Member("ada"), w.Member("ben")
		w.Space(space.KindNETWORK, "Network", ada, ben)
		if _, err := w.App.Accounts.Erase(w.System(), viewer.Session(ada.ID, gid.ID{}), &ada.ID, ada.Handle, ""); err != nil {
			w.T.Fatal(err)
		}
		name := "Ada Lovelace"
		if _, err := w.App.Community.UpdateProfile(ada.Context(), ada.Viewer, community.ProfilePatch{Name: &name}); !fault.Is(err, fault.Unauthenticated) {
			w.T.Errorf("a profile was written: %v", err)
		}
		if n := ben.Must(`{ search(query: "Lovelace", first: 5) { edges { cursor } } }`, nil).Len("search.edges"); n != 0 {
			w.T.Errorf("%d found", n)
		}
	})
}

// An administrator for a while does not keep the place of one for good.
func TestLastAdministratorForGood(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		root, ben := w.Role(w.Member("root"), roleassignment.RoleADMIN), w.Member("ben")
		w.Space(space.KindNETWORK, "Network", root, ben)
		root.Must(`mutation($input: CreateRoleAssignmentInput!) { createRoleAssignment(input: $input) { errors { code message } } }`,
			input(vars{"memberId": ben.ID, "role": "ADMIN", "scope": "PLATFORM", "endsAt": time.Now().Add(time.Hour)}))
		if _, err := w.App.Accounts.Deactivate(w.System(), viewer.Session(root.ID, gid.ID{}), nil, ""); !fault.Is(err, fault.Forbidden) {
			w.T.Errorf("%v", err)
		}
	})
}

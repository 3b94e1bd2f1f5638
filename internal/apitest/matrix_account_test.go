package apitest_test

import (
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/openid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// accountRows are the lines of how one signs in.
func accountRows() matrix {
	return matrix{
		queries: map[string]row{
			"account": {"account { email }", none, cells(ok)},
		},
		mutations: map[string]row{
			"createAccessToken": {"accessToken { id }", in(func(*cast) vars {
				return vars{"name": "T", "scope": "READ", "expiresAt": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}
			}), codes("FORBIDDEN", "browser")},
			"revokeAccessToken": {"errors { code }", in(func(c *cast) vars { return vars{"accessTokenId": c.newToken()} }), codes("FORBIDDEN", "browser")},
			"endSession":        {"errors { code }", in(func(c *cast) vars { return vars{"sessionId": c.newSession()} }), codes("FORBIDDEN", "browser")},
			"endOtherSessions":  {"errors { code }", in(func(*cast) vars { return vars{} }), codes("FORBIDDEN", "browser")},
			"unlinkIdentity":    {"errors { code }", in(func(c *cast) vars { return vars{"identityId": c.newIdentity()} }), codes("FORBIDDEN", "browser")},
			"suspendMember": {"member { id }", in(func(c *cast) vars {
				return vars{"memberId": c.newParticipant().ID, "until": c.App.Config.Now().Add(time.Hour), "reason": "R"}
			}), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"endSuspension":    {"member { id }", in(func(c *cast) vars { return vars{"memberId": c.newParticipant().ID} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"deactivateMember": {"member { id }", in(func(c *cast) vars { return vars{"memberId": c.newParticipant().ID, "reason": "R"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"reactivateMember": {"member { id }", in(func(c *cast) vars { return vars{"memberId": c.newParticipant().ID} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"eraseMember": {"member { id }", in(func(c *cast) vars { // nobody with a token: it takes a sign-in with a browser
				p := c.newParticipant()
				return vars{"memberId": p.ID, "handle": p.Handle, "reason": "R"}
			}), codes("FORBIDDEN", "outsider=NOT_FOUND")},
			"createFeedAddress":   {"url", in(func(c *cast) vars { return vars{"spaceId": c.workgroup} }), codes("FORBIDDEN", "browser")},
			"revokeFeedAddresses": {"count", in(func(*cast) vars { return vars{} }), codes(ok)},
			"revokeFeedAddress":   {"errors { code }", in(func(c *cast) vars { return vars{"feedAddressId": c.newFeed()} }), codes("NOT_FOUND", "member")},
			"createExport":        {"url", in(func(*cast) vars { return vars{} }), codes(ok)},
			"inviteMember": {"member { id }", in(func(c *cast) vars {
				return vars{"name": "I", "email": c.name() + "@example.org", "timeZone": "UTC"}
			}), codes("FORBIDDEN", "staff", "admin")},
		},
	}
}

// newSession is another browser of the member's.
func (c *cast) newSession() string {
	c.SignedIn(c.member)
	r := c.browser.Must(`{ account { sessions { id } } }`, nil)
	return r.String("account.sessions.0.id")
}

func (c *cast) newToken() gid.ID {
	t, _, err := c.App.Accounts.CreateAccessToken(c.member.Context(), viewer.Session(c.member.ID, gid.ID{}),
		account.NewAccessToken{Name: "T", Scope: accesstoken.ScopeREAD, ExpiresAt: time.Now().Add(time.Hour)})
	return made(c, t, err).ID
}

// newFeed is an address of a feed of the member's.
func (c *cast) newFeed() string {
	_, err := c.App.Accounts.CreateFeedAddress(c.member.Context(), viewer.Session(c.member.ID, gid.ID{}), c.workgroup, nil)
	if err != nil {
		c.T.Fatal(err)
	}
	r := c.browser.Must(`{ account { feedAddresses { id } } }`, nil)
	return r.String("account.feedAddresses.0.id")
}

// newIdentity is the member at a provider of its own.
func (c *cast) newIdentity() string {
	who := openid.Identity{Issuer: "https://" + c.name() + ".example", Subject: "member"}
	if err := c.App.Accounts.ConnectIdentity(c.member.Context(), viewer.Session(c.member.ID, gid.ID{}), who, "Provider"); err != nil {
		c.T.Fatal(err)
	}
	r := c.browser.Must(`{ account { identities { id } } }`, nil)
	return r.String(fmt.Sprintf("account.identities.%d.id", r.Len("account.identities")-1))
}

// newParticipant is a new member whom those who take part can see.
func (c *cast) newParticipant() *apitest.Person {
	p := c.Member("new")
	c.Join(c.network, p, "MEMBER")
	return p
}

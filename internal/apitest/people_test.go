package apitest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/block"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	updateProfile     = `mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { member { interests showsPresence } errors { code message path } } }`
	mentionCandidates = `query($id: ID!, $prefix: String, $first: Int = 20) { mentionCandidates(placeId: $id, prefix: $prefix, first: $first) { text label member { id } team { id } } }`
	introduce         = `mutation($input: IntroduceInput!) { introduce(input: $input) { thread { id kind space { id kind } posts(first: 2) { edges { node { body } } } } errors { code message path } } }`
)

// fieldOf are the values of a field of a list's entries.
func fieldOf(r *apitest.Response, list, field string) []string {
	out := []string{}
	for i := range r.Len(list) {
		out = append(out, r.String(fmt.Sprintf("%s.%d.%s", list, i, field)))
	}
	return out
}

func blocks(w *apitest.World, by, whom *apitest.Person) {
	w.T.Helper()
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.Block.Create().SetID(w.NewID(gid.Block)).SetCreatedAt(w.App.Config.Now()).SetMemberID(by.ID).SetBlockedID(whom.ID).SetKind(block.KindBLOCK).Exec(ctx)
	})
}

func TestMentionCandidates(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		me, zoe, ada, ben, cleo, outsider := w.Member("me"), w.Member("zoe"), w.Member("ada"), w.Member("ben"), w.Member("cleo"), w.Member("outsider")
		network := w.Space(space.KindNETWORK, "Network", ben, me, zoe, ada, cleo)
		group := w.Space(space.KindAFFINITY, "Group", ben, zoe)
		thread, hidden := w.Thread(me, network, "T", "B"), w.Thread(zoe, group, "S", "B")
		zoe.Must(updateProfile, input(vars{"name": "Zoé  Adams-König"}))
		w.Post(zoe, thread, "I was here")
		ask := func(p *apitest.Person, place gid.ID, prefix string) []string {
			return fieldOf(p.Must(mentionCandidates, vars{"id": place, "prefix": prefix}), "mentionCandidates", "text")
		}
		at := func(p *apitest.Person) string { return "@" + p.Handle }
		w.T.Run("who wrote lately comes first, then names; oneself is not among them", func(t *testing.T) {
			if got, want := ask(me, thread, ""), []string{at(zoe), at(ada), at(ben), at(cleo), "@facilitators"}; !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if got, want := ask(me, network, ""), []string{at(zoe), at(ada), at(ben), at(cleo), "@facilitators"}; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
				t.Errorf("before there is a thread: %v", got)
			}
		})
		w.T.Run("a handle and every word of a name are found by how they begin, without regard to case and accents", func(t *testing.T) {
			for prefix, want := range map[string][]string{
				"ZO": {at(zoe)}, "@zoe": {at(zoe)}, "konig": {at(zoe)}, "ad": {at(zoe), at(ada)}, "zoé adams": {at(zoe)}, "dam": {}, "fac": {"@facilitators"}, "%": {}, "_": {},
			} {
				if got := ask(me, thread, prefix); !slices.Equal(got, want) {
					t.Errorf("%q: got %v, want %v", prefix, got, want)
				}
			}
		})
		w.T.Run("it takes three statements at most, and the databases look into an index", func(t *testing.T) {
			sent := w.App.Store.Record(func() { ask(me, thread, "zo") })
			if n := w.LeastStatements(func() { ask(me, thread, "zo") }); n > 3 {
				t.Errorf("%d statements", n)
			}
			w.Tx(func(ctx context.Context, tx *ent.Client) error { _, err := tx.ExecContext(ctx, "ANALYZE"); return err })
			for _, s := range sent {
				if strings.Contains(s.Query, "member_terms") {
					if p := explained(t, w, s.Query, s.Args); !strings.Contains(p.text, "memberterm_") && !w.App.Store.Postgres() {
						t.Errorf("no index: %s", p.text)
					}
				}
			}
		})
		w.T.Run("a hidden place tells outsiders nothing, and who blocks is not told apart", func(t *testing.T) {
			for _, place := range []gid.ID{hidden, group} {
				a := outsider.Do(mentionCandidates, vars{"id": place, "prefix": "z"})
				b := outsider.Do(mentionCandidates, vars{"id": w.NewID(place.Kind()), "prefix": "z"})
				if a.Body != b.Body || a.Code() != "NOT_FOUND" {
					t.Errorf("%s\n%s", a.Body, b.Body)
				}
			}
			if got := ask(zoe, hidden, ""); !slices.Equal(got, []string{at(ben), "@facilitators"}) {
				t.Errorf("in the group: %v", got)
			}
			blocks(w, cleo, me)
			if got := ask(me, thread, "cl"); !slices.Equal(got, []string{at(cleo)}) {
				t.Errorf("a block shows: %v", got)
			}
			if got := me.Do(mentionCandidates, vars{"id": thread, "first": 21}); got.Code() != "INVALID_INPUT" {
				t.Errorf("%s", got.Body)
			}
		})
	})
}

// enroll makes a team of some people that takes part in a cohort.
func (c *cast) enroll(cohort gid.ID, people ...*apitest.Person) {
	team := c.newTeam()
	for _, p := range people {
		c.newPlace(team, p, "MEMBER")
	}
	c.staff.Must(`mutation($input: EnrollTeamInput!) { enrollTeam(input: $input) { errors { code message } } }`, input(vars{"cohortId": cohort, "teamId": team, "reason": "Asked."}))
}

func TestDirectory(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		c := newCast(w)
		cohort := c.newCohort()
		ada, ben, far := w.Member("ada"), w.Member("ben"), w.Member("far")
		for _, p := range []*apitest.Person{ada, ben} {
			w.Join(c.network, p, spacemembership.RoleMEMBER)
		}
		c.enroll(cohort, ada, ben)
		ada.Must(updateProfile, input(vars{"interests": []string{"Doula care", "Maps"}, "expertise": []string{"Run charts"}, "timeZone": "Europe/Rome"}))
		ben.Must(updateProfile, input(vars{"interests": []string{"doula CARE"}, "expertise": []string{"run charts", "Maps"}}))
		far.Must(updateProfile, input(vars{"interests": []string{"Doula care"}, "expertise": []string{"Run charts"}}))
		find := func(p *apitest.Person, filter string) []string {
			r := p.Must(`{ members(first: 50, `+filter+`) { edges { node { handle } } } }`, nil)
			return slices.Sorted(slices.Values(fieldOf(r, "members.edges", "node.handle")))
		}
		both := slices.Sorted(slices.Values([]string{ada.Handle, ben.Handle}))
		w.T.Run("filters narrow it, and whom the viewer cannot see no filter finds", func(t *testing.T) {
			for filter, want := range map[string][]string{
				`interest: "DOULA care"`:                                       both,
				`expertise: "Run  Charts"`:                                     both,
				`expertise: "maps"`:                                            {ben.Handle},
				`timeZone: "Europe/Rome"`:                                      {ada.Handle},
				`name: "be"`:                                                   {ben.Handle},
				`interest: "doula care", timeZone: "Europe/Rome"`:              {ada.Handle},
				`name: "far"`:                                                  {},
				`cohortId: "` + c.NewID(gid.Cohort).String() + `"`:             {},
				`organizationId: "` + c.NewID(gid.Team).String() + `"`:         {},
				`cohortId: "` + cohort.String() + `", name: "ada"`:             {ada.Handle},
				`organizationId: "` + c.organization.String() + `", name: "b"`: {ben.Handle},
			} {
				if got := find(c.stranger, filter); !slices.Equal(got, want) {
					t.Errorf("%s: got %v, want %v", filter, got, want)
				}
			}
			for _, filter := range []string{`interest: "doula care"`, `cohortId: "` + cohort.String() + `"`, `organizationId: "` + c.organization.String() + `"`} {
				if got := find(c.outsider, filter); len(got) > 0 {
					t.Errorf("an outsider finds %v by %s", got, filter)
				}
			}
		})
		w.T.Run("topics are counted over those whom the viewer can see", func(t *testing.T) {
			r := c.stranger.Must(`{ topics(kind: INTEREST, first: 10) { name memberCount } }`, nil)
			if r.Len("topics") != 2 || r.Int("topics.0.memberCount") != 2 || !strings.EqualFold(r.String("topics.0.name"), "doula care") {
				t.Errorf("%s", r.Body)
			}
			if r := c.outsider.Must(`{ topics { name } }`, nil); r.Len("topics") != 0 {
				t.Errorf("an outsider sees %s", r.Body)
			}
		})
		w.T.Run("who was written by an older program is found after the next look", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				_, err := tx.MemberTerm.Delete().Exec(ctx)
				return err
			})
			if err := w.App.Community.IndexMembers(w.System()); err != nil {
				t.Fatal(err)
			}
			if got := find(c.stranger, `interest: "doula care"`); !slices.Equal(got, both) {
				t.Errorf("found are %v", got)
			}
		})
		w.T.Run("those who share most are suggested first, with what they share; who does not want it is not", func(t *testing.T) {
			const suggested = `{ viewer { suggestedConnections(first: 20) { member { handle } sharedInterests sharedExpertise sharedCohorts { id } } } }`
			r := ada.Must(suggested, nil)
			if r.String("viewer.suggestedConnections.0.member.handle") != ben.Handle || r.String("viewer.suggestedConnections.0.sharedInterests.0") != "doula CARE" ||
				r.String("viewer.suggestedConnections.0.sharedExpertise.0") != "run charts" || r.String("viewer.suggestedConnections.0.sharedCohorts.0.id") != cohort.String() {
				t.Errorf("%s", r.Body)
			}
			if strings.Contains(r.Body, far.Handle) {
				t.Errorf("one is suggested who cannot be seen: %s", r.Body)
			}
			if r := ben.Must(`query($id: ID!) { node(id: $id) { ... on Member { suggestedConnections { member { id } } showsPresence } } }`, vars{"id": ada.ID}); r.At("node.suggestedConnections") != nil || r.At("node.showsPresence") != nil {
				t.Errorf("others see %s", r.Body)
			}
			ben.Must(updateProfile, input(vars{"showsPresence": false}))
			if r := ada.Must(suggested, nil); strings.Contains(r.Body, ben.Handle) {
				t.Errorf("%s", r.Body)
			}
			ben.Must(updateProfile, input(vars{"showsPresence": true}))
			blocks(w, ben, ada)
			if r := ada.Must(suggested, nil); strings.Contains(r.Body, ben.Handle) {
				t.Errorf("who blocks is suggested: %s", r.Body)
			}
		})
	})
}

func TestIntroductions(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		me, ada, ben, far := w.Member("me"), w.Member("ada"), w.Member("ben"), w.Member("far")
		w.Space(space.KindNETWORK, "Network", me, ada, ben)
		spaces := func() int { return w.App.Store.Client(w.System()).Space.Query().CountX(w.System()) }
		w.T.Run("two members and the viewer come together, once", func(t *testing.T) {
			in := vars{"memberIds": []gid.ID{ada.ID, ben.ID}, "message": "You both draw maps.", "idempotencyKey": "k"}
			a, b := me.Must(introduce, input(in)), me.Must(introduce, input(in))
			if a.String("introduce.thread.id") != b.String("introduce.thread.id") || a.String("introduce.thread.space.kind") != "DIRECT" || spaces() != 2 {
				t.Errorf("%s\n%s", a.Body, b.Body)
			}
			if r := ben.Must(`query($id: ID!) { node(id: $id) { ... on Thread { posts(first: 5) { edges { node { body } } } } } }`, vars{"id": a.String("introduce.thread.id")}); r.Len("node.posts.edges") != 1 {
				t.Errorf("%s", r.Body)
			}
			in["memberIds"] = []gid.ID{ben.ID, ada.ID}
			if got := me.Do(introduce, input(in)); got.Code() != "IDEMPOTENCY_CONFLICT" {
				t.Errorf("%s", got.Body)
			}
		})
		w.T.Run("what cannot be is refused, and nothing is made", func(t *testing.T) {
			blocks(w, ben, ada)
			before := spaces()
			for name, c := range map[string]struct {
				ids     []gid.ID
				message string
				code    string
			}{
				"one":          {[]gid.ID{ada.ID}, "x", "INVALID_INPUT"},
				"oneself":      {[]gid.ID{ada.ID, me.ID}, "x", "INVALID_INPUT"},
				"twice":        {[]gid.ID{ada.ID, ada.ID}, "x", "INVALID_INPUT"},
				"nothing said": {[]gid.ID{ada.ID, ben.ID}, " ", "INVALID_INPUT"},
				"a stranger":   {[]gid.ID{ada.ID, far.ID}, "x", "NOT_FOUND"},
				"a block":      {[]gid.ID{ada.ID, ben.ID}, "x", "FORBIDDEN"},
			} {
				if got := me.Do(introduce, input(vars{"memberIds": c.ids, "message": c.message})); got.Code() != c.code {
					t.Errorf("%s: %s", name, got.Body)
				}
			}
			if n := spaces(); n != before {
				t.Errorf("%d spaces, and %d before", n, before)
			}
		})
	})
}

// Who switches their presence off is out of sight in open subscriptions, with another process too.
func TestPresenceCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		w := apitest.Serve(t, url)
		other := w
		if w.App.Store.Postgres() { // one SQLite file is for one process
			other = apitest.Serve(t, url)
		}
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ben, ada)
		thread := w.Thread(ben, network, "T", "B")
		const activity = `subscription($id: ID!) { threadActivity(threadId: $id) { present { handle } typing { handle } } }`
		shows := func(s *apitest.Subscription, what string, holds func(present, typing []string) bool) time.Duration {
			t.Helper()
			began := time.Now()
			for {
				r := s.Next()
				if holds(fieldOf(r, "threadActivity.present", "handle"), fieldOf(r, "threadActivity.typing", "handle")) {
					return time.Since(began)
				}
				if time.Since(began) > 20*time.Second {
					t.Fatalf("in vain: %s; %s", what, r.Body)
				}
			}
		}
		watch := w.As(ben.Token()).Subscribe(activity, vars{"id": thread})
		elsewhere := other.As(w.Token(ada, accesstoken.ScopeWRITE)).Subscribe(activity, vars{"id": thread})
		both := func(present, _ []string) bool { return len(present) == 2 }
		shows(watch, "both are present", both)
		shows(elsewhere, "both are present", both)
		ada.Must(updateProfile, input(vars{"showsPresence": false}))
		alone := func(present, typing []string) bool {
			return slices.Equal(present, []string{ben.Handle}) && len(typing) == 0
		}
		for name, s := range map[string]*apitest.Subscription{"here": watch, "elsewhere": elsewhere} {
			if took := shows(s, "ada is out of sight "+name, alone); took > 2*time.Second {
				t.Errorf("%s it took %v", name, took)
			}
		}
		ada.Must(`mutation($input: IndicateTypingInput!) { indicateTyping(input: $input) { errors { code message } } }`, input(vars{"threadId": thread}))
		ben.Must(`mutation($input: IndicateTypingInput!) { indicateTyping(input: $input) { errors { code message } } }`, input(vars{"threadId": thread}))
		shows(watch, "only ben is seen to write", func(_, typing []string) bool { return slices.Equal(typing, []string{ben.Handle}) })
		ada.Must(updateProfile, input(vars{"showsPresence": true}))
		shows(watch, "ada is seen again", both)
	})
}

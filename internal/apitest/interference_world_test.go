package apitest_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/bulkaction"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/document"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/flag"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/poll"
	"github.com/pursuing-equity/commons/ent/polloption"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/postrevision"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/resourceversion"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/signerrequest"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	entthread "github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/desk"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/library"
	"github.com/pursuing-equity/commons/internal/moderation"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/webhook"
)

// script is the clock of a world, and what makes its ids. It counts the ids of what all see apart from those of what is hidden: so what
// all see has the same ids in a world with hidden things and in one without.
type script struct {
	mu   sync.Mutex
	at   time.Time
	part string
	made map[string]uint64
}

func newScript(at time.Time) *script { return &script{at: at, part: "seen", made: map[string]uint64{}} }

func (s *script) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *script) newID(k gid.Kind) gid.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made[s.part]++
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64([]byte(s.part), s.made[s.part]))
	return gid.Compose(k, s.at, h.Sum64()*0x9e3779b97f4a7c15)
}

// step lets time pass.
func (s *script) step() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(time.Millisecond)
}

// aside begins another part, and returns what goes on with the one before, at its time.
func (s *script) aside(part string) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, at := s.part, s.at
	s.part, s.at = part, s.at.Add(time.Millisecond)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.part, s.at = before, at
	}
}

// stage is a world in which two groups of people do the same things, one of them unseen by the other.
type stage struct {
	*apitest.World
	script *script

	outsider, stranger, lead, neighbour, reviewer, expert, staff, admin, watcher *apitest.Person // watcher is another administrator
	insider, host                                                                *apitest.Person // who belong to what is hidden, and to the network
	network, workgroup, thread                                                   gid.ID
	seen                                                                         map[gid.Kind]gid.ID // one of what most of them can see
	hidden                                                                       map[gid.Kind]gid.ID // one of what nobody who asks can see
	spaces                                                                       []gid.ID            // hidden ones
	address                                                                      string
}

const secret = "zanzibar" // stands in what is seen and in what is hidden: searches for it find the one and not the other

// newStage makes what all see.
func newStage(t *testing.T, url string, at time.Time) *stage {
	t.Helper()
	s := &stage{script: newScript(at), seen: map[gid.Kind]gid.ID{}, hidden: map[gid.Kind]gid.ID{}}
	s.World = apitest.Serve(t, url, apitest.Script(s.script.now, s.script.newID), wide(), apitest.HoldWebhooks())
	s.outsider, s.stranger, s.lead, s.neighbour = s.Member("outsider"), s.Member("stranger"), s.Member("lead"), s.Member("neighbour")
	s.reviewer, s.expert = s.Role(s.Member("reviewer"), roleassignment.RoleREVIEWER), s.Role(s.Member("expert"), roleassignment.RoleEXPERT)
	s.staff, s.admin = s.Role(s.Member("staff"), roleassignment.RoleSTAFF), s.Role(s.Member("admin"), roleassignment.RoleADMIN)
	s.watcher = s.Role(s.Member("watcher"), roleassignment.RoleADMIN)
	s.insider, s.host = s.Member("insider"), s.Member("host")
	s.network = s.Space(space.KindNETWORK, "Network", s.host, s.stranger, s.lead, s.neighbour, s.reviewer, s.expert, s.insider)
	s.workgroup = s.Space(space.KindWORKGROUP, "Workgroup", s.stranger, s.lead, s.host, s.staff, s.admin)
	now := s.script.now()
	s.Tx(func(ctx context.Context, tx *ent.Client) error {
		program, offering := s.NewID(gid.Program), s.NewID(gid.Offering)
		if err := tx.Program.Create().SetID(program).SetCreatedAt(now).SetSlug("p").SetName("Program").SetStartsOn(now).SetEndsOn(now).Exec(ctx); err != nil {
			return err
		}
		s.seen[gid.Program], s.seen[gid.Offering] = program, offering
		return tx.Offering.Create().SetID(offering).SetCreatedAt(now).SetProgramID(program).SetSlug("o").SetName("Offering").
			SetSupports(nil).SetFeeAmount(0).SetFeeCurrency("USD").SetTeamCapacity(10).Exec(ctx)
	})
	s.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		s.seen[gid.Call], err = callOf(ctx, tx, s.World, s.seen[gid.Offering], videoOf, letterOf)
		return err
	})
	organization := func(lead *apitest.Person) (gid.ID, gid.ID) {
		o, err := s.App.Community.CreateOrganization(s.staff.Context(), s.staff.Viewer, community.NewOrganization{Name: "Clinic of " + lead.Handle, Kind: "CLINIC", About: "A " + secret + " clinic."})
		must0(t, err)
		team, err := s.App.Community.CreateTeam(s.staff.Context(), s.staff.Viewer, community.NewTeam{OrganizationID: o.ID, Name: "Team of " + lead.Handle})
		must0(t, err)
		s.Tx(func(ctx context.Context, tx *ent.Client) error {
			return tx.RoleAssignment.Create().SetID(s.NewID(gid.RoleAssignment)).SetCreatedAt(now).SetMemberID(lead.ID).
				SetRole(roleassignment.RoleLEAD).SetScope(roleassignment.ScopeORGANIZATION).SetScopeID(o.ID).Exec(ctx)
		})
		return o.ID, team.ID
	}
	s.listenOutside()
	organization(s.neighbour)
	s.seen[gid.Organization], s.seen[gid.Team] = organization(s.lead)
	s.seen[gid.Member], s.seen[gid.Space] = s.host.ID, s.network
	s.thread = s.say(s.network, s.host, s.lead)
	s.say(s.workgroup, s.host, s.stranger)
	s.seen[gid.Thread] = s.thread
	s.seen[gid.Resource] = s.keep(s.staff, resource.AudienceNETWORK, nil)
	s.keep(s.staff, resource.AudiencePUBLIC, nil)
	s.keep(s.stranger, resource.AudienceSPACE, &s.workgroup)
	return s
}

// listenOutside makes an endpoint outside that wants to be told everything.
func (s *stage) listenOutside() {
	s.T.Helper()
	e, _, err := s.App.Webhooks.CreateEndpoint(s.staff.Context(), inBrowser(s.staff), webhook.NewEndpoint{URL: "https://hooks.example.org/", Events: []webhook.Event{
		webhook.ThreadCreated, webhook.ThreadChanged, webhook.ThreadMerged, webhook.ThreadSplit, webhook.PostCreated, webhook.PostEdited, webhook.PostDeleted, webhook.MemberJoined,
		webhook.EnrollmentChanged, webhook.SpaceCreated,
	}})
	must0(s.T, err)
	s.seen[gid.WebhookEndpoint] = e.ID
	d, err := s.App.Webhooks.Ping(s.staff.Context(), s.staff.Viewer, e.ID, nil)
	must0(s.T, err)
	s.seen[gid.WebhookDelivery] = d.ID
}

func must0(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// say makes two threads with an edited post, a deleted one, a reaction, an answer, and mentions of everybody.
func (s *stage) say(in gid.ID, a, b *apitest.Person) gid.ID {
	s.T.Helper()
	var thread gid.ID
	for n := range 2 {
		s.script.step()
		thread = s.Thread(a, in, fmt.Sprintf("%s %d", secret, n), "What is said here is about "+secret+". "+s.mentions())
		first := s.Post(b, thread, "An answer about "+secret+". "+s.mentions())
		_, err := s.App.Forum.CreatePost(a.Context(), a.Viewer, forum.NewPost{
			ThreadID: thread, Body: "To that: " + secret, ReplyToID: &first, Quote: "An answer about",
			PostExtras: forum.PostExtras{Poll: &forum.NewPoll{Question: "What of " + secret + "?", Options: []string{"Yes", "No"}}},
		})
		must0(s.T, err)
		_, err = s.App.Forum.EditPost(b.Context(), b.Viewer, first, 1, "Another answer about "+secret+". "+s.mentions(), nil)
		must0(s.T, err)
		_, err = s.App.Forum.AddReaction(a.Context(), a.Viewer, first, "👍")
		must0(s.T, err)
		gone := s.Post(b, thread, "Gone")
		_, err = s.App.Forum.DeletePost(b.Context(), b.Viewer, gone)
		must0(s.T, err)
	}
	return thread
}

func (s *stage) mentions() string {
	text := ""
	for _, p := range []*apitest.Person{s.outsider, s.stranger, s.lead, s.reviewer, s.staff, s.admin, s.insider} {
		text += "@" + p.Handle + " "
	}
	return text
}

func (s *stage) keep(by *apitest.Person, audience resource.Audience, in *gid.ID) gid.ID {
	s.T.Helper()
	r, err := s.App.Library.CreateResource(by.Context(), by.Viewer, library.NewResource{Kind: resource.KindLINK, Title: "A " + secret + " tool", Audience: audience, SpaceID: in})
	must0(s.T, err)
	return r.ID
}

// upload gives a resource a file of the insider's.
func (s *stage) upload(resourceID gid.ID) {
	s.T.Helper()
	id := s.NewID(gid.File)
	s.hidden[gid.File] = id
	s.Tx(func(ctx context.Context, tx *ent.Client) error {
		now := s.script.now()
		if err := tx.File.Create().SetID(id).SetCreatedAt(now).SetAttachedAt(now).SetOwnerID(s.insider.ID).SetPurpose(file.PurposeRESOURCE).SetName(secret + ".txt").
			SetMediaType("text/plain").SetSize(1).SetHash(make([]byte, 32)).Exec(ctx); err != nil {
			return err
		}
		return tx.Resource.UpdateOneID(resourceID).SetFileID(id).Exec(ctx)
	})
}

// hide does in secret what must not show to anybody who is not of insider, host and watcher: an affinity group with all that a group
// can have, an archived one, and a direct conversation.
func (s *stage) hide() {
	defer s.script.aside("hidden")()
	in, v := s.insider.Context(), s.insider.Viewer
	for i, kind := range []space.Kind{space.KindAFFINITY, space.KindDIRECT, space.KindAFFINITY} {
		id := s.Space(kind, map[space.Kind]string{space.KindAFFINITY: "A " + secret + " group"}[kind], s.insider)
		place := s.Join(id, s.host, spacemembership.RoleMEMBER)
		thread := s.say(id, s.insider, s.host)
		kept := s.keep(s.insider, resource.AudienceSPACE, &id)
		_, err := s.App.Library.UpdateResource(in, v, kept, 1, library.ResourcePatch{})
		must0(s.T, err)
		s.upload(kept)
		s.moderate(kind, thread)
		_, err = s.App.Forum.LockThread(in, v, thread, "Enough")
		must0(s.T, err)
		s.spaces = append(s.spaces, id)
		glass, err := s.App.Community.BreakGlass(s.watcher.Context(), s.watcher.Viewer, community.NewBreakGlass{SpaceID: id, Reason: "Somebody asked us to look at this.", Hours: 2})
		must0(s.T, err)
		s.Tx(func(ctx context.Context, tx *ent.Client) error {
			role := s.NewID(gid.RoleAssignment)
			s.hidden[gid.RoleAssignment] = role
			return tx.RoleAssignment.Create().SetID(role).SetCreatedAt(s.script.now()).SetMemberID(s.host.ID).
				SetRole(roleassignment.RoleFACILITATOR).SetScope(roleassignment.ScopeSPACE).SetScopeID(id).Exec(ctx)
		})
		if kind == space.KindAFFINITY && i > 0 {
			_, err = s.App.Community.ArchiveSpace(in, v, id)
			must0(s.T, err)
			continue
		}
		s.hidden[gid.Space], s.hidden[gid.SpaceMembership], s.hidden[gid.Thread] = id, place, thread
		s.hidden[gid.Resource], s.hidden[gid.BreakGlass] = kept, glass.ID
	}
	group := s.spaces[0]
	renewed, err := s.App.Community.RenewJoinAddress(in, v, group)
	must0(s.T, err)
	s.address = *renewed.JoinAddress
	for i := range 2 {
		asked, err := s.App.Community.RequestToJoin(s.host.Context(), s.host.Viewer, community.NewJoinRequest{Address: s.address, Message: "Me, too."})
		must0(s.T, err)
		s.hidden[gid.JoinRequest] = asked.ID
		if i == 0 {
			_, err = s.App.Community.DeclineJoinRequest(in, v, asked.ID)
			must0(s.T, err)
		}
	}
	s.keepAside()
	s.note()
	s.Tx(func(ctx context.Context, tx *ent.Client) error { // a mail about all this that no server takes
		now := s.script.now()
		s.hidden[gid.Mail] = s.NewID(gid.Mail)
		return tx.Mail.Create().SetID(s.hidden[gid.Mail]).SetCreatedAt(now).SetNextAt(now.AddDate(0, 1, 0)).SetFailedAt(now).SetAttempts(1).
			SetAddress(s.host.Handle + "@example.org").SetTemplate(access.PrivateMail).SetLastError("550 No").Exec(ctx)
	})
}

// moderate has those who belong to a hidden group flag, hide and warn.
func (s *stage) moderate(kind space.Kind, thread gid.ID) {
	s.T.Helper()
	if kind == space.KindDIRECT {
		return
	}
	in, v := s.insider.Context(), s.insider.Viewer
	theirs, err := s.App.Store.Client(s.System()).Post.Query().Where(post.ThreadID(thread), post.AuthorID(s.host.ID), post.DeletedAtIsNil()).First(s.System())
	must0(s.T, err)
	flagged := func(p gid.ID) gid.ID {
		f, err := s.App.Moderation.FlagPost(in, v, moderation.NewFlag{PostID: p, Reason: flag.ReasonPRIVACY, Note: "About " + secret})
		must0(s.T, err)
		return f.ID
	}
	flagged(theirs.ID)
	_, err = s.App.Moderation.HidePost(in, v, theirs.ID, "About "+secret)
	must0(s.T, err)
	s.hidden[gid.Flag] = flagged(s.Post(s.host, thread, "More about "+secret))
	w, err := s.App.Moderation.WarnMember(in, v, moderation.NewWarning{MemberID: s.host.ID, PostID: &theirs.ID, Text: "About " + secret})
	must0(s.T, err)
	s.hidden[gid.ModerationAction] = w.ID
	of, err := s.App.Store.Client(s.System()).Thread.Query().Where(entthread.ID(thread)).Only(s.System())
	must0(s.T, err)
	_, err = s.App.Moderation.WarnMember(in, v, moderation.NewWarning{MemberID: s.host.ID, SpaceID: &of.SpaceID, Text: "About " + secret})
	must0(s.T, err)
}

// keepAside has those who belong to hidden spaces begin to write there and keep what was said there.
func (s *stage) keepAside() {
	s.T.Helper()
	in, v, thread := s.insider.Context(), s.insider.Viewer, s.hidden[gid.Thread]
	d, _, err := s.App.Desk.SaveDraft(in, v, desk.DraftPatch{ThreadID: &thread, Body: new("Soon more about " + secret)})
	must0(s.T, err)
	_, _, err = s.App.Desk.SaveDraft(in, v, desk.DraftPatch{ID: &d.ID, Body: new("Now more about " + secret), ExpectedVersion: new(1)})
	must0(s.T, err)
	_, err = s.App.Desk.ScheduleDraft(in, v, d.ID, s.script.now().Add(24*time.Hour))
	must0(s.T, err)
	p, err := s.App.Store.Client(s.System()).Post.Query().Where(post.ThreadID(thread), post.Seq(1)).Only(s.System())
	must0(s.T, err)
	b, err := s.App.Desk.BookmarkPost(in, v, p.ID, desk.BookmarkPatch{Note: new("About " + secret), RemindAt: new(s.script.now().Add(24 * time.Hour))})
	must0(s.T, err)
	s.hidden[gid.Draft], s.hidden[gid.Bookmark] = d.ID, b.ID
}

// note finds one of each kind of what was made in hidden spaces without telling its id.
func (s *stage) note() {
	s.T.Helper()
	s.Tx(func(ctx context.Context, tx *ent.Client) error {
		thread := s.hidden[gid.Thread]
		n, err := tx.Notification.Query().Where(notification.ThreadID(thread)).First(ctx)
		if err != nil {
			return err
		}
		s.hidden[gid.Notification], s.hidden[gid.Post] = n.ID, n.PostID
		if s.hidden[gid.Notice], err = tx.Notice.Query().Order(ent.Desc(notice.FieldID)).FirstID(ctx); err != nil {
			return err
		}
		if s.hidden[gid.Poll], err = tx.Poll.Query().Where(poll.HasPostWith(post.ThreadID(thread))).FirstID(ctx); err != nil {
			return err
		}
		if s.hidden[gid.PollOption], err = tx.PollOption.Query().Where(polloption.PollID(s.hidden[gid.Poll])).FirstID(ctx); err != nil {
			return err
		}
		if s.hidden[gid.PostRevision], err = tx.PostRevision.Query().Where(postrevision.HasPostWith(post.ThreadID(thread))).FirstID(ctx); err != nil {
			return err
		}
		if s.hidden[gid.ResourceVersion], err = tx.ResourceVersion.Query().Where(resourceversion.ResourceID(s.hidden[gid.Resource])).FirstID(ctx); err != nil {
			return err
		}
		s.hidden[gid.AuditEntry], err = tx.AuditEntry.Query().Where(auditentry.SpaceID(s.spaces[0])).FirstID(ctx) // of nobody who asks
		return err
	})
}

// decide puts an application on its call's waitlist, with words that nobody else may learn.
func (s *stage) decide(id gid.ID) {
	s.Tx(func(ctx context.Context, tx *ent.Client) error {
		a, err := tx.Application.UpdateOneID(id).SetState(application.StateWAITLISTED).SetSubmissions(1).Save(ctx)
		if err != nil {
			return err
		}
		now := s.script.now()
		s.hidden[gid.Decision] = s.NewID(gid.Decision)
		return tx.Decision.Create().SetID(s.hidden[gid.Decision]).SetCreatedAt(now).SetUpdatedAt(now).SetApplicationID(id).SetCallID(a.CallID).
			SetKind(decision.KindWAITLIST).SetRank(1).SetReason("For " + secret).SetNote("Of " + secret).SetDeciderID(s.staff.ID).SetReleasedAt(now).Exec(ctx)
	})
}

// hideMore does what staff see, and those who belong to nothing do not: a workgroup, and a member who belongs to it alone.
func (s *stage) hideMore() {
	defer s.script.aside("hidden")()
	alone := s.Member("alone")
	s.hidden[gid.Member] = alone.ID
	group := s.Space(space.KindWORKGROUP, "Another "+secret+" workgroup", s.insider, alone, s.host)
	s.hidden[gid.Thread] = s.say(group, s.insider, alone)
	s.hidden[gid.Space] = group
	s.hidden[gid.Resource] = s.keep(s.insider, resource.AudienceSPACE, &group)
	_, err := s.App.Forum.LockThread(s.staff.Context(), s.staff.Viewer, s.hidden[gid.Thread], "Enough")
	must0(s.T, err)
	applied, err := s.App.Admission.Start(s.insider.Context(), s.insider.Viewer, admission.NewApplication{
		CallID: s.seen[gid.Call], TeamName: group.String(), OrganizationName: new("A " + secret + " clinic"), OrganizationKind: new(organization.KindCLINIC),
	})
	must0(s.T, err)
	s.hidden[gid.Application] = applied.ID
	s.Tx(func(ctx context.Context, tx *ent.Client) error { // what staff do and keep, of whom nobody asks here
		now := s.script.now()
		view := s.NewID(gid.SavedView)
		s.hidden[gid.BulkAction] = s.NewID(gid.BulkAction)
		err := tx.BulkAction.Create().SetID(s.hidden[gid.BulkAction]).SetCreatedAt(now).SetCallID(s.seen[gid.Call]).SetActorID(s.staff.ID).SetKind("REMIND").
			SetInput(map[string]any{"kind": "REMIND", "message": secret}).SetTargets([]string{applied.ID.String()}).SetDone(1).SetState(bulkaction.StateDONE).SetFinishedAt(now).Exec(ctx)
		if err != nil {
			return err
		}
		return tx.SavedView.Create().SetID(view).SetCreatedAt(now).SetUpdatedAt(now).SetCallID(s.seen[gid.Call]).SetOwnerID(s.staff.ID).
			SetName(secret + view.String()).SetFilter(map[string]any{"text": secret}).SetShared(true).Exec(ctx)
	})
	s.prepareCall()
	_, _, err = s.App.Admission.SaveAnswer(s.insider.Context(), s.insider.Viewer, admission.AnswerPatch{ApplicationID: applied.ID, Key: "why", Value: "For " + secret})
	must0(s.T, err)
	s.hideApplication(applied.ID, s.host)
	s.judgeAside()
	s.decide(applied.ID)
	s.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		s.hidden[gid.SpaceMembership], err = tx.SpaceMembership.Query().Where(spacemembership.SpaceID(group)).FirstID(ctx)
		if err != nil {
			return err
		}
		id := s.NewID(gid.Affiliation)
		s.hidden[gid.Affiliation] = id
		return tx.Affiliation.Create().SetID(id).SetCreatedAt(s.script.now()).SetMemberID(alone.ID).SetOrganizationID(s.seen[gid.Organization]).SetTitle("Nurse").Exec(ctx)
	})
	s.note()
}

// hideApplication has an application say and hold all that one can.
func (s *stage) hideApplication(id gid.ID, editor *apitest.Person) {
	s.T.Helper()
	in, v := s.insider.Context(), s.insider.Viewer
	_, err := s.App.Admission.AddEditor(in, v, admission.NewEditor{ApplicationID: id, MemberID: &editor.ID})
	must0(s.T, err)
	_, err = s.App.Admission.AddDocument(in, v, admission.NewDocument{ApplicationID: id, Requirement: "video", URL: "https://example.org/" + secret})
	must0(s.T, err)
	_, err = s.App.Admission.RequestSignature(in, v, admission.NewSignerRequest{
		ApplicationID: id, Requirement: "letter", Signer: "CEO", Name: "Chief of " + secret, Email: "chief@" + secret + ".example", Letter: new("We support " + secret),
	})
	must0(s.T, err)
	_, err = s.App.Admission.GrantExtension(s.staff.Context(), s.staff.Viewer, admission.Longer{ApplicationID: id, UntilLocal: "2099-01-01T17:00", Reason: "For " + secret})
	must0(s.T, err)
	s.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		if s.hidden[gid.Document], err = tx.Document.Query().Where(document.ApplicationID(id)).OnlyID(ctx); err != nil {
			return err
		}
		s.hidden[gid.SignerRequest], err = tx.SignerRequest.Query().Where(signerrequest.ApplicationID(id)).OnlyID(ctx)
		return err
	})
}

// prepareCall has staff write a call that is not published, and a form that is not, of one that is.
func (s *stage) prepareCall() {
	s.T.Helper()
	in, v := s.staff.Context(), s.staff.Viewer
	c, err := s.App.Admission.CreateCall(in, v, admission.NewCall{OfferingID: s.seen[gid.Offering], CallPatch: admission.CallPatch{
		Title: new("For " + secret), TimeZone: new("America/Chicago"), OpensLocal: new("2021-01-01T09:00"), DueLocal: new("2099-01-01T09:00"),
	}})
	must0(s.T, err)
	s.hidden[gid.Call] = c.ID
	for _, id := range []gid.ID{c.ID, s.seen[gid.Call]} {
		of, err := s.App.Store.Client(s.System()).Call.Get(s.System(), id)
		must0(s.T, err)
		_, _, err = s.App.Admission.SaveForm(in, v, id, of.Version, []*schema.Question{{Key: "why", Kind: "TEXT", Label: "Why " + secret + "?"}})
		must0(s.T, err)
	}
	_, _, err = s.App.Admission.PublishForm(in, v, c.ID, 2)
	must0(s.T, err)
}

// judgeAside has the expert asked to review an application, and review it, before a conflict of interest is found: from then on all of it is
// hidden from them, as it is from everybody else who belongs to the network.
func (s *stage) judgeAside() {
	s.T.Helper()
	s.Tx(func(ctx context.Context, tx *ent.Client) error {
		of, err := submittedOf(ctx, tx, s.World, s.seen[gid.Call], s.insider)
		if err != nil {
			return err
		}
		for _, who := range []*apitest.Person{s.host, s.expert} {
			if s.hidden[gid.ReviewAssignment], err = assignedOf(ctx, tx, s.World, of, who, s.staff); err != nil {
				return err
			}
			if s.hidden[gid.Review], err = reviewOf(ctx, tx, s.World, s.hidden[gid.ReviewAssignment], 7_500); err != nil {
				return err
			}
		}
		s.hidden[gid.Application] = of
		told := []notify.About{{Recipient: s.host.ID, Subject: of}, {Recipient: s.expert.ID, Subject: of}}
		if err := s.App.Notify.TellNotices(ctx, tx, notice.ReasonREVIEW_ASSIGNED, told, s.script.now()); err != nil {
			return err
		}
		return tx.Conflict.Create().SetID(s.NewID(gid.Conflict)).SetCreatedAt(s.script.now()).SetApplicationID(of).SetMemberID(s.expert.ID).
			SetDeclaredByID(s.staff.ID).Exec(ctx)
	})
}

// hideMost does what everybody who takes part sees, and those who belong to nothing do not.
func (s *stage) hideMost() {
	defer s.script.aside("hidden")()
	s.hidden[gid.Thread] = s.say(s.network, s.insider, s.host)
	s.hidden[gid.Space], s.hidden[gid.Member] = s.network, s.host.ID
	s.hidden[gid.Resource] = s.keep(s.staff, resource.AudienceNETWORK, nil)
	o, err := s.App.Community.CreateOrganization(s.staff.Context(), s.staff.Viewer, community.NewOrganization{Name: "Another " + secret + " clinic", Kind: "CLINIC"})
	must0(s.T, err)
	team, err := s.App.Community.CreateTeam(s.staff.Context(), s.staff.Viewer, community.NewTeam{OrganizationID: o.ID, Name: "Another team"})
	must0(s.T, err)
	cohort, err := s.App.Community.CreateCohort(s.staff.Context(), s.staff.Viewer, community.NewCohort{OfferingID: s.seen[gid.Offering], Name: "Cohort", StartsOn: s.script.now(), EndsOn: s.script.now()})
	must0(s.T, err)
	enrollment, err := s.App.Community.EnrollTeam(s.staff.Context(), s.staff.Viewer, community.NewEnrollment{CohortID: cohort.ID, TeamID: team.ID})
	must0(s.T, err)
	s.hidden[gid.Organization], s.hidden[gid.Team], s.hidden[gid.Cohort], s.hidden[gid.Enrollment] = o.ID, team.ID, cohort.ID, enrollment.ID
	s.note()
}

// revoke ends all sign-ins with tokens of a scope.
func (s *stage) revoke(scope accesstoken.Scope) {
	s.T.Helper()
	s.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.AccessToken.Update().Where(accesstoken.ScopeEQ(scope), accesstoken.RevokedAtIsNil()).SetRevokedAt(s.script.now()).Exec(ctx)
	})
}

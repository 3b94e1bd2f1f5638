package demo

import (
	"slices"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// Flag is a member's word to the moderators about a post.
type Flag struct {
	ID, PostID, ReporterID gid.ID
	Reason, Note           string
	State, Resolution      string
	ResolverID             gid.ID
	CreatedAt, ResolvedAt  time.Time
}

// ModerationAction is what a moderator did about a post.
type ModerationAction struct {
	ID, ModeratorID, MemberID gid.ID
	Kind                      string
	PostID                    gid.ID
	Reason                    string
	CreatedAt                 time.Time
}

// incident is a post that somebody flagged, and what became of it.
type incident struct {
	reason, note string
	reporters    int
	state        string
	resolution   string
	act          string // what the moderators did
}

// incidents are those of the network's moderated thread.
func incidents() []incident {
	return []incident{
		{reason: "PRIVACY", note: "With the clinic and the day one can tell who the patient is.", reporters: 2, state: "UPHELD", resolution: "It says too much about one patient.", act: "HIDE"},
		{reason: "HARASSMENT", note: "He answers everything that she writes in this tone.", reporters: 1, state: "UPHELD", resolution: "Please speak to the matter and not about the person.", act: "WARN"},
		{reason: "MISINFORMATION", note: "I do not think that this figure is right.", reporters: 1, state: "DISMISSED", resolution: "The source is given below. Ask in the thread, please."},
		{reason: "OFF_TOPIC", note: "This belongs into a thread of its own.", reporters: 1, state: "OPEN"},
		{reason: "DISCRIMINATION", note: "I know that it is not meant like this. It is still not all right.", reporters: 2, state: "OPEN"},
	}
}

// fewestModerated is how many posts a thread has in which moderators had something to do.
const fewestModerated = 14

// settle finds the thread in which the incidents are: the first of the network's that is neither short nor the long one.
func (p *plan) settle() {
	p.moderated = slices.IndexFunc(p.threads, func(t threadPlan) bool {
		return p.spaces[p.rooms[t.room].space].Kind == "NETWORK" && !t.long && t.posts >= fewestModerated
	})
}

// moderate flags some posts of the thread, and resolves most of the flags. Those who take part in it flag, one of the staff resolves.
func (w *writer) moderate() {
	moderator := w.plan.members[w.plan.rooms[w.thread.room].staff[0]].ID
	left := incidents()
	for i := range w.out.Posts {
		p := &w.out.Posts[i]
		if len(left) == 0 {
			return
		}
		reporters := w.reporters(p.AuthorID)
		if i == 0 || !p.DeletedAt.IsZero() || p.ID == w.out.Thread.AcceptedPostID || len(reporters) < 2 || !w.belongs(p.AuthorID) {
			continue
		}
		at := p.CreatedAt
		if !p.EditedAt.IsZero() {
			at = p.EditedAt
		}
		if at = at.Add(50 * time.Minute); at.Add(5 * time.Hour).After(w.plan.until) {
			return
		}
		w.incident(p, left[0], reporters, moderator, at)
		left = left[1:]
	}
}

// belongs says whether a member takes part in the thread's space and still may.
func (w *writer) belongs(id gid.ID) bool { return w.plan.inside[[2]gid.ID{w.out.Thread.SpaceID, id}] }

// reporters are who can flag a post of somebody's.
func (w *writer) reporters(author gid.ID) []gid.ID {
	var out []gid.ID
	for _, i := range w.members {
		if m := w.plan.members[i]; m.ID != author && m.Status == "ACTIVE" && w.belongs(m.ID) {
			out = append(out, m.ID)
		}
	}
	return out
}

func (w *writer) incident(p *Post, in incident, reporters []gid.ID, moderator gid.ID, at time.Time) {
	resolved := at.Add(4 * time.Hour)
	for i := range in.reporters {
		f := Flag{PostID: p.ID, ReporterID: reporters[i], Reason: in.reason, State: in.state, CreatedAt: at.Add(time.Duration(i) * time.Hour)}
		f.ID = w.id(gid.Flag, f.CreatedAt)
		if i == 0 {
			f.Note = in.note
		}
		if in.state != "OPEN" {
			f.ResolverID, f.ResolvedAt, f.Resolution = moderator, resolved, in.resolution
		}
		w.out.Flags = append(w.out.Flags, f)
	}
	if in.act == "" {
		return
	}
	w.out.Acts = append(w.out.Acts, ModerationAction{
		ID: w.id(gid.ModerationAction, resolved), ModeratorID: moderator, MemberID: p.AuthorID, Kind: in.act, PostID: p.ID, Reason: in.resolution, CreatedAt: resolved,
	})
	if in.act == "HIDE" {
		p.HiddenAt, p.HiddenByID, p.HiddenReason = resolved, moderator, in.resolution
		p.HiddenBody, p.Body = p.Body, ""
		w.out.Thread.DeletedPosts++
	}
}

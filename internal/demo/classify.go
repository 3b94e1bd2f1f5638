package demo

import (
	"strings"

	"github.com/pursuing-equity/commons/internal/gid"
)

// classify says what sort of thread it is, accepts an answer to a question and tags the thread with its topic. What is said in an
// affinity group or among a few is not sorted.
func (w *writer) classify() {
	about, t := w.plan.topics[w.thread.topic], &w.out.Thread
	t.Kind = "DISCUSSION"
	switch w.plan.spaces[w.plan.rooms[w.thread.room].space].Kind {
	case "AFFINITY", "DIRECT":
		return
	}
	s := newStream(w.plan.seed, "tags", int(t.CreatedAt.UnixMicro()))
	w.out.Tags = []Tag{{ID: s.id(gid.ThreadTag, t.CreatedAt), Tag: about.name}}
	switch {
	case about.name == "introductions":
		t.Kind = "INTRODUCTION"
	case about.staff:
		t.Kind = "ANNOUNCEMENT"
	case strings.HasSuffix(t.Title, "?"):
		t.Kind = "QUESTION"
		t.AcceptedPostID = w.bestAnswer()
	case about.name == "pdsa" || about.name == "run-charts" || about.name == "stories":
		t.Kind = "LEARNING_NOTE"
	}
}

// bestAnswer is the post of somebody else that most reacted to; the zero id when nobody reacted to any.
func (w *writer) bestAnswer() (best gid.ID) {
	most := 0
	for _, p := range w.out.Posts {
		count := 0
		for _, c := range p.ReactionCounts {
			count += c.Count
		}
		if count > most && p.DeletedAt.IsZero() && p.AuthorID != w.out.Thread.AuthorID {
			best, most = p.ID, count
		}
	}
	return best
}

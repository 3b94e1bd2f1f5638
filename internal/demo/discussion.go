package demo

import (
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// Discussion is one thread with everything in it.
type Discussion struct {
	Thread        Thread
	Tags          []Tag
	Posts         []Post // in the order of their seq, which is dense from 1
	Revisions     []PostRevision
	Reactions     []Reaction
	ReadStates    []ReadState
	Notifications []Notification
	Flags         []Flag
	Acts          []ModerationAction
}

// Thread is a thread's row with its counters.
type Thread struct {
	ID             gid.ID
	SpaceID        gid.ID
	AuthorID       gid.ID
	Title          string
	Kind           string
	AcceptedPostID gid.ID // the answer to a question; zero when none was accepted
	Pinned         bool
	Locked         bool
	LockReason     string
	PostSeq        int
	DeletedPosts   int
	LastPostID     gid.ID
	CreatedAt      time.Time
	LastActivityAt time.Time
}

// Tag is a word that a thread is found by.
type Tag struct {
	ID  gid.ID
	Tag string
}

// ReactionCount is how many members reacted with one emoji, in the order of first use. Its JSON is stored.
type ReactionCount struct {
	Emoji string `json:"emoji"`
	Count int    `json:"count"`
}

// Post is one contribution; a deleted one has an empty body, and what a hidden one said is apart.
type Post struct {
	ID             gid.ID
	AuthorID       gid.ID
	ReplyToID      gid.ID
	Seq            int
	Body           string
	Version        int
	ReactionCounts []ReactionCount
	CreatedAt      time.Time
	EditedAt       time.Time
	DeletedAt      time.Time
	HiddenAt       time.Time
	HiddenByID     gid.ID
	HiddenBody     string
	HiddenReason   string
}

// PostRevision is what a post said in an older version.
type PostRevision struct {
	ID        gid.ID
	PostID    gid.ID
	EditorID  gid.ID
	Version   int
	Body      string
	CreatedAt time.Time
}

// Reaction is one member's emoji on a post.
type Reaction struct {
	ID        gid.ID
	PostID    gid.ID
	MemberID  gid.ID
	Emoji     string
	CreatedAt time.Time
}

// ReadState is how far a member has read. Uncounted is how many later posts are the member's own or tombstones.
type ReadState struct {
	ID          gid.ID
	MemberID    gid.ID
	LastReadSeq int
	Uncounted   int
	CreatedAt   time.Time
}

// Notification tells a member of a post that mentions them or replies to them.
type Notification struct {
	ID          gid.ID
	RecipientID gid.ID
	ActorID     gid.ID
	PostID      gid.ID
	Reasons     []string
	ReadAt      time.Time
	CreatedAt   time.Time
}

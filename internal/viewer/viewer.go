// Package viewer says who is asking: an id and how they signed in. What they may do is loaded by internal/access when it
// is needed and never carried here; only that they hold no role may be, for a moment, since most members do not.
package viewer

import (
	"context"
	"sync/atomic"

	"github.com/pursuing-equity/commons/internal/gid"
)

// Scope is what a token allows.
type Scope string

// The scopes of a token. Write includes read.
const (
	Read  Scope = "read"
	Write Scope = "write"
)

// Viewer is who asks. The zero Viewer is nobody and fails closed; Anonymous is somebody who has not signed in.
type Viewer struct {
	kind    kind
	member  gid.ID
	token   gid.ID
	scope   Scope
	browser bool
	noRole  bool
	address string
	reason  string
}

type kind byte

const (
	nobody kind = iota
	anonymous
	member
	system
)

// Anonymous is a visitor without a token.
func Anonymous() Viewer { return Viewer{kind: anonymous} }

// Member is a member who signed in with a token of a scope.
func Member(id, token gid.ID, scope Scope) Viewer {
	return Viewer{kind: member, member: id, token: token, scope: scope}
}

// Session is a member who signed in with a browser.
func Session(id, session gid.ID) Viewer {
	return Viewer{kind: member, member: id, token: session, scope: Write, browser: true}
}

// System is the program itself: migrations, imports, relays. The reason is for the reader of the code and the log.
func System(reason string) Viewer { return Viewer{kind: system, reason: reason} }

// MemberID is the member's id, and false for everybody else.
func (v Viewer) MemberID() (gid.ID, bool) { return v.member, v.kind == member }

// At is the same viewer with the network address that they ask from.
func (v Viewer) At(address string) Viewer {
	v.address = address
	return v
}

// Address is the network address that the viewer asks from; empty when it is not known.
func (v Viewer) Address() string { return v.address }

// WithoutRoles is the same viewer, who is known to hold no role at this moment: rules of access leave out what only roles give. It is for
// work that is done at once: a role that is given meanwhile counts with the next.
func (v Viewer) WithoutRoles() Viewer {
	v.noRole = true
	return v
}

// Lasting is the same viewer for work during which they may be given a role.
func (v Viewer) Lasting() Viewer {
	v.noRole = false
	return v
}

// HoldsNoRole reports whether the viewer is known to hold no role.
func (v Viewer) HoldsNoRole() bool { return v.noRole }

// InBrowser reports whether a member signed in themselves, with a browser: programs that were given a token did not.
func (v Viewer) InBrowser() bool { return v.browser }

// TokenID is the id of the access token or of the session that the member signed in with.
func (v Viewer) TokenID() gid.ID { return v.token }

// CanWrite reports whether the sign-in allows changes at all. What may be changed is internal/access's to say.
func (v Viewer) CanWrite() bool { return v.kind == system || v.kind == member && v.scope == Write }

// IsMember reports whether a member signed in.
func (v Viewer) IsMember() bool { return v.kind == member }

// IsSystem reports whether the program itself asks.
func (v Viewer) IsSystem() bool { return v.kind == system }

// Known reports whether anybody asks at all; the zero Viewer is refused everywhere.
func (v Viewer) Known() bool { return v.kind != nobody }

// Key is the same for two viewers only if nothing tells them apart but where they ask from: the member, the sign-in and its scope.
func (v Viewer) Key() string {
	return string([]byte{byte(v.kind)}) + string(v.member[:]) + string(v.token[:]) + string(v.scope) // one token is one way of signing in
}

// String names the viewer in logs.
func (v Viewer) String() string {
	switch v.kind {
	case member:
		return v.member.String()
	case system:
		return "system: " + v.reason
	case anonymous:
		return "anonymous"
	default:
		return "nobody"
	}
}

type key struct{}

// NewContext puts the viewer into the context. Only the server, the commands and tests do that.
func NewContext(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, key{}, v)
}

// From takes the viewer out of the context. Only package graph does that: domains take the viewer as an argument. In a
// context of NewSharedContext there is nobody, and that it was asked is remembered.
func From(ctx context.Context) Viewer {
	switch v := ctx.Value(key{}).(type) {
	case Viewer:
		return v
	case *Shared:
		v.asked.Store(true)
	}
	return Viewer{}
}

// Present reports whether somebody answers for what happens under the context, without asking who. It is for the tripwire in
// internal/store.
func Present(ctx context.Context) bool {
	switch v := ctx.Value(key{}).(type) {
	case Viewer:
		return v.Known()
	case *Shared:
		return true
	default:
		return false
	}
}

// Shared is work whose result goes to many viewers, each of whom may see what it is about. It has no viewer: a result that
// depended on one would be wrong for the others.
type Shared struct{ asked atomic.Bool }

// NewSharedContext begins shared work.
func NewSharedContext(ctx context.Context) (context.Context, *Shared) {
	s := new(Shared)
	return context.WithValue(ctx, key{}, s), s
}

// Asked reports whether anything asked for the viewer: then the result must not be used.
func (s *Shared) Asked() bool { return s.asked.Load() }

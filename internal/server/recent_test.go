package server

import (
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/viewer"
)

func TestRecentSignIns(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	r := newRecent(func() time.Time { return now })
	token, session := [32]byte{1}, Session{Viewer: viewer.Member(writerID, tokenID, viewer.Read)}
	known := func() bool {
		_, _, ok := r.find(token)
		return ok
	}
	remember := func() {
		_, changes, _ := r.find(token)
		r.put(token, session, changes)
	}
	t.Run("a sign-in is known for a moment", func(t *testing.T) {
		if remember(); !known() {
			t.Error("not at all")
		}
		if now = now.Add(recentLasts); known() {
			t.Error("for ever")
		}
	})
	t.Run("a change forgets it", func(t *testing.T) {
		remember()
		if r.forget(); known() {
			t.Error("still known")
		}
	})
	t.Run("what was looked up before a change is not remembered after it", func(t *testing.T) {
		_, changes, _ := r.find(token)
		r.forget()
		if r.put(token, session, changes); known() {
			t.Error("remembered")
		}
	})
	t.Run("there is a bound", func(t *testing.T) {
		for i := range 3 * recentMost {
			r.put([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, session, r.changes)
		}
		if len(r.byToken) > recentMost {
			t.Errorf("%d are remembered", len(r.byToken))
		}
	})
}

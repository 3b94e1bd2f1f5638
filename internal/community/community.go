// Package community has the rules of who takes part: organizations, members, teams, cohorts, enrollments, roles and spaces.
package community

import (
	"time"

	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// Service has the rules of taking part. All fields are needed.
type Service struct {
	Store  *store.Store
	Events *event.Log
	Now    func() time.Time
	NewID  func(gid.Kind) gid.ID
}

// Package people brings members together: whom they may call by name while they write, what they are interested in, and with whom they
// have something in common.
//
// All that it says of somebody is what they chose to show and what the viewer can see of them anyway.
package people

import (
	"time"

	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/newcomer"
	"github.com/pursuing-equity/commons/internal/store"
)

// Service brings members together. All fields are needed.
type Service struct {
	Store     *store.Store
	Community *community.Service
	Forum     *forum.Service
	Newcomers *newcomer.Service
	Now       func() time.Time
	NewID     func(gid.Kind) gid.ID
}

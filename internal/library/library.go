// Package library has the rules of resources, and search over everything that can be found.
package library

import (
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// Service has the rules of resources and of search. All fields are needed.
type Service struct {
	Store *store.Store
	Now   func() time.Time
	NewID func(gid.Kind) gid.ID
}

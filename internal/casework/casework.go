// Package casework has what staff work with while a call runs: lists of its applications, the views that they keep of them, what they do to
// many at once, exports and statistics.
package casework

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/placement"
	"github.com/pursuing-equity/commons/internal/review"
	"github.com/pursuing-equity/commons/internal/store"
)

// Service has the rules of staff's lists. Make one with New.
type Service struct {
	Config
	bulk bulk
}

// Config is what a Service needs. All fields are needed.
type Config struct {
	Store     *store.Store
	Admission *admission.Service
	Reviews   *review.Service
	Placement *placement.Service
	Audit     *audit.Log
	Events    *event.Log
	Mail      *mail.Service
	Notify    *notify.Service
	PublicURL string // where links lead
	Logger    *slog.Logger
	Now       func() time.Time
	NewID     func(gid.Kind) gid.ID
}

// New makes a service. Run does the work of its bulk actions.
func New(c Config) *Service { return &Service{Config: c, bulk: newBulk()} }

// missing makes NOT_FOUND at a path of what a query did not find, and wraps every other error.
func missing(err error, path string) error {
	if ent.IsNotFound(err) {
		return fault.Missing().At(path)
	}
	return fmt.Errorf("load what %s names: %w", path, err)
}

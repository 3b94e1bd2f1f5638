// Package graph serves the SDL: resolvers take the viewer from the context, call a domain, and split expected faults from the
// others. They decide nothing.
package graph

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/pursuing-equity/commons/graph/generated"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/archive"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/casework"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/desk"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/library"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/moderation"
	"github.com/pursuing-equity/commons/internal/newcomer"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/people"
	"github.com/pursuing-equity/commons/internal/placement"
	"github.com/pursuing-equity/commons/internal/review"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/webhook"
)

// Resolver is what the resolvers call. All fields are needed.
type Resolver struct {
	Moderation *moderation.Service
	Newcomers  *newcomer.Service

	Store     *store.Store
	Admission *admission.Service
	Casework  *casework.Service
	Reviewing *review.Service
	Placement *placement.Service
	Events    *event.Log
	Accounts  *account.Service
	Community *community.Service
	Forum     *forum.Service
	Notify    *notify.Service
	Desk      *desk.Service
	People    *people.Service
	Library   *library.Service
	Audit     *audit.Log
	Files     *file.Service
	Webhooks  *webhook.Service
	Mail      *mail.Service
	Archives  *archive.Service
	Kept      Kept
}

// Schema is the executable schema over the resolvers.
func (r *Resolver) Schema() graphql.ExecutableSchema {
	return generated.NewQueries(generated.Config{Resolvers: r})
}

// Package allowance is what a viewer may still ask for. The server counts it, and the graph shows it.
package allowance

import (
	"context"
	"time"
)

// Allowance is what a viewer has left after an operation. Its unit is the point: an operation takes one, and one more for every
// 1,000 of its cost.
type Allowance struct {
	Limit     int       // points that a rested viewer has
	Remaining int       // points now
	ResetAt   time.Time // when they are all there again
	Cost      int       // of the operation, in objects
}

type key struct{}

// NewContext tells the resolvers below what is left.
func NewContext(ctx context.Context, a Allowance) context.Context {
	return context.WithValue(ctx, key{}, a)
}

// From is what NewContext was given; zero outside of the server.
func From(ctx context.Context) Allowance {
	a, _ := ctx.Value(key{}).(Allowance)
	return a
}

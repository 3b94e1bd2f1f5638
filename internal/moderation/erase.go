package moderation

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/internal/gid"
)

// Erase scrubs what a member wrote and did here. It may be broken off at any moment, and done again changes nothing more.
func (s *Service) Erase(ctx context.Context, id gid.ID) error {
	for _, part := range []func(context.Context, gid.ID) error{s.eraseBlocks} {
		if err := part(ctx, id); err != nil {
			return fmt.Errorf("erase what %s moderated: %w", id, err)
		}
	}
	return nil
}

package file

import (
	"context"
	"fmt"
	"io"

	"github.com/pursuing-equity/commons/internal/gid"
)

// Keep stores bytes under the id of something that is no file of a member's, in place of those that were there. They are there completely or not
// at all, and go with the sweep once the id is a day old: no row tells of them.
func (s *Service) Keep(ctx context.Context, id gid.ID, mediaType string, from io.Reader) error {
	in, err := s.create(ctx, keyOf(id), mediaType)
	if err != nil {
		return err
	}
	if _, err := io.Copy(in, from); err != nil {
		in.abort()
		return fmt.Errorf("keep %s: %w", id, err)
	}
	return in.commit()
}

// Kept reads what was kept under an id and has so many bytes. The caller closes it.
func (s *Service) Kept(ctx context.Context, id gid.ID, size int64) io.ReadSeekCloser {
	return kept{&stored{ctx: ctx, service: s, key: keyOf(id), size: size}}
}

type kept struct{ *stored }

// Close lets go of the storage's connection.
func (k kept) Close() error {
	k.close()
	return nil
}

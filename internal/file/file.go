// Package file has the rules of what members upload: what is taken, how much of it, where the bytes are kept, who may have them
// back, and when they go.
//
// An upload is streamed: it is counted, hashed, looked at and scanned for viruses on its way to the storage, and whatever is
// wrong with it, nothing of it stays. Only then is there a row. A file belongs to its owner until a resource or a profile takes
// it, once; what nothing took is deleted after a day. Downloads are links that carry their own permission for an hour or two, and
// look at the row each time: what was deleted or retired is gone for every link.
package file

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gocloud.dev/blob"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Service has the rules of files. Store, Directory or BucketURL, Now, NewID and Logger are needed.
type Service struct {
	Store     *store.Store
	Directory string // where bytes are kept when there is no BucketURL; made when it is first needed
	BucketURL string // a bucket: s3://name?region=…&endpoint=…
	Scanner   string // where clamd listens: host:port or unix:/path; empty for none
	PublicURL string // what links begin with; empty: they are paths
	Limits    Limits
	Now       func() time.Time
	NewID     func(gid.Kind) gid.ID
	Logger    *slog.Logger

	mu     sync.Mutex
	bucket *blob.Bucket   // nil until it is needed
	secret []byte         // that links are signed with; nil until it is needed
	under  map[gid.ID]int // how many uploads of each member are under way
	total  int            // how many of all members

	pictures sync.Mutex // one picture is decoded at a time: it takes up to 250 MB
}

// Limits are how much is taken, in bytes and in files. A zero field takes the default that stands beside it.
type Limits struct {
	Document int64 // 25 MiB: a document or a picture
	Media    int64 // 200 MiB: a film or a recording
	Avatar   int64 // 4 MiB, before it is made small
	Quota    int64 // 1 GiB: all files of a member
	Files    int   // 10,000: all files of a member
	AtOnce   int   // 8 uploads of a member in one process
	InAll    int   // 64 uploads in one process
}

func (l Limits) orDefaults() Limits {
	size := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	count := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	size(&l.Document, 25<<20)
	size(&l.Media, 200<<20)
	size(&l.Avatar, 4<<20)
	size(&l.Quota, 1<<30)
	count(&l.Files, 10_000)
	count(&l.AtOnce, 8)
	count(&l.InAll, 64)
	return l
}

// File loads a file that the viewer can see; NOT_FOUND otherwise.
func (s *Service) File(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.File, error) {
	f, err := s.Store.Client(ctx).File.Query().Where(file.ID(id), access.VisibleFiles(v)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing()
	}
	if err != nil {
		return nil, fmt.Errorf("load file: %w", err)
	}
	return f, nil
}

// Served are the files of ids that are there for those who can see what holds them: one statement for all. What was deleted, and
// what only retired resources hold, is left out.
func (s *Service) Served(ctx context.Context, ids []gid.ID) ([]*ent.File, error) {
	files, err := s.Store.Client(ctx).File.Query().Where(page.AnyOf(file.FieldID, ids), access.ServedFiles()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load files: %w", err)
	}
	return files, nil
}

// UnderWay is how many uploads this process takes at the moment.
func (s *Service) UnderWay() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// enter counts an upload of a member that begins, and returns how to end it. It returns RATE_LIMITED when too many are under way.
func (s *Service) enter(me gid.ID) (leave func(), err error) {
	limits := s.Limits.orDefaults()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.under[me] >= limits.AtOnce || s.total >= limits.InAll {
		return nil, fault.New(fault.RateLimited, "Too many uploads at once. Send this one when another has ended.")
	}
	if s.under == nil {
		s.under = make(map[gid.ID]int)
	}
	s.under[me]++
	s.total++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.total--
		if s.under[me]--; s.under[me] == 0 {
			delete(s.under, me)
		}
	}, nil
}

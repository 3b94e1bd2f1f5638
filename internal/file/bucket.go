package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // registers s3://
	"gocloud.dev/gcerrors"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

// CheckURL returns an error for what is no URL of a bucket.
func CheckURL(bucketURL string) error {
	if bucketURL == "" {
		return nil
	}
	if u, err := url.Parse(bucketURL); err != nil || u.Scheme != "s3" || u.Host == "" || u.Path != "" && u.Path != "/" {
		return errors.New("must be s3:// and a bucket's name, such as s3://files?region=us-east-1")
	}
	return nil
}

// dayOf is the part of the storage that a file's bytes are in: those of one day stand together, so that orphans are found without a
// look at everything.
func dayOf(at time.Time) string { return at.UTC().Format("2006-01-02") + "/" }

// keyOf is where a file's bytes are kept: no word of a client is in it.
func keyOf(id gid.ID) string { return dayOf(id.Time()) + id.String() }

// open returns the storage. It is reached for when it is first needed: a server whose storage is away still starts.
func (s *Service) open(ctx context.Context) (*blob.Bucket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bucket != nil {
		return s.bucket, nil
	}
	var err error
	if s.BucketURL != "" {
		s.bucket, err = blob.OpenBucket(context.WithoutCancel(ctx), s.BucketURL)
	} else {
		s.bucket, err = fileblob.OpenBucket(s.Directory, &fileblob.Options{
			CreateDir: true, DirFileMode: 0o700, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
		})
	}
	if err != nil {
		s.bucket = nil
		return nil, storageAway(err)
	}
	return s.bucket, nil
}

// Close lets go of the storage.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bucket == nil {
		return nil
	}
	err := s.bucket.Close()
	s.bucket = nil
	return err
}

func storageAway(err error) error {
	return fault.New(fault.Unavailable, "Files cannot be stored or read at the moment. Try again later.").Because(fmt.Errorf("storage: %w", err))
}

// storing is content on its way to the storage: nothing of it is there before commit.
type storing struct {
	w      *blob.Writer
	file   *os.File // in a directory
	cancel context.CancelFunc
}

// create begins to store content.
func (s *Service) create(ctx context.Context, key, mediaType string) (*storing, error) {
	bucket, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	in := new(storing)
	ctx, in.cancel = context.WithCancel(ctx)
	in.w, err = bucket.NewWriter(ctx, key, &blob.WriterOptions{
		ContentType:                 mediaType,
		DisableContentTypeDetection: true,
		MaxConcurrency:              1, // one part in memory at a time
		BeforeWrite: func(as func(any) bool) error {
			as(&in.file)
			return nil
		},
	})
	if err != nil {
		in.cancel()
		return nil, storageAway(err)
	}
	return in, nil
}

// Write stores a part.
func (in *storing) Write(b []byte) (int, error) {
	n, err := in.w.Write(b)
	if err != nil {
		return n, storageAway(err)
	}
	return n, nil
}

// commit makes the content stay, through a loss of power too. A directory has it complete under its name or not at all; that name
// and the bytes are flushed here, which package fileblob leaves to the system.
func (in *storing) commit() error {
	defer in.cancel()
	if in.file != nil {
		if err := in.file.Sync(); err != nil {
			in.abort()
			return storageAway(err)
		}
	}
	if err := in.w.Close(); err != nil {
		return storageAway(err)
	}
	if in.file != nil {
		day := filepath.Dir(in.file.Name())
		for _, directory := range []string{day, filepath.Dir(day)} {
			if err := flush(directory); err != nil {
				return storageAway(err)
			}
		}
	}
	return nil
}

// abort drops the content.
func (in *storing) abort() {
	in.cancel()
	_ = in.w.Close() // says that it was cancelled
}

// flush makes the names in a directory stay.
func flush(directory string) error {
	d, err := os.Open(directory) //nolint:gosec // made of the storage's own name
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// read opens content from an offset to its end.
func (s *Service) read(ctx context.Context, key string, offset int64) (io.ReadCloser, error) {
	bucket, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	r, err := bucket.NewRangeReader(ctx, key, offset, -1, nil)
	if err != nil {
		return nil, storageAway(err)
	}
	return r, nil
}

// discardTime is how long the deletion of bytes may take.
const discardTime = 15 * time.Second

// discard deletes content; what is not there is no error. It does so whatever became of the request that wants it.
func (s *Service) discard(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTime)
	defer cancel()
	bucket, err := s.open(ctx)
	if err != nil {
		return err
	}
	if err := bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return storageAway(err)
	}
	return nil
}

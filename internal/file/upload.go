package file

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewFile is a file to upload.
type NewFile struct {
	Name           string
	Purpose        file.Purpose
	Declared       int64 // how long the sender says that it is; -1 when it does not say
	IdempotencyKey *string
}

// content is what was stored, and what was received: they differ for an avatar.
type content struct {
	media          media
	size           int64
	hash, received []byte
}

// Upload stores a file and returns its row. Its memory does not grow with the file. It returns INVALID_INPUT for a bad name or
// purpose and for a file of nothing, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, CONTENT_REFUSED for what hides something else or a virus,
// LIMIT_REACHED when the member's quota is used up, RATE_LIMITED for too many at once, TIMEOUT for a sender that stalls, and UNAVAILABLE
// when the storage or the scanner is away. Whenever it returns an error, nothing stays.
func (s *Service) Upload(ctx context.Context, v viewer.Viewer, in NewFile, body io.Reader) (*ent.File, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	if !v.CanWrite() {
		return nil, fault.New(fault.InsufficientScope, "This token only reads. Uploads need one with the scope write.")
	}
	var check input.Checker
	in.Name = cleanName(&check, in.Name)
	if file.PurposeValidator(in.Purpose) != nil {
		check.Refuse("purpose", "This must be RESOURCE, POST, APPLICATION or AVATAR.")
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	leave, err := s.enter(me)
	if err != nil {
		return nil, err
	}
	defer leave()
	if in.IdempotencyKey == nil && in.Declared > 0 { // no need to send what there is no room for
		if err := s.room(ctx, s.Store.Client(ctx), me, in.Declared); err != nil {
			return nil, err
		}
	}

	id := s.NewID(gid.File)
	kept := false
	defer func() {
		if !kept {
			s.drop(ctx, id)
		}
	}()
	got, err := s.take(ctx, id, in, body)
	if err != nil {
		return nil, err
	}
	result, err := s.keep(ctx, me, id, in, got)
	if err != nil {
		kept = len(fault.All(err)) == 0 // a commit that gave no answer may have been one: the sweep will see
		return nil, err
	}
	kept = result == id // not when the same was uploaded before
	return s.File(ctx, v, result)
}

// drop deletes what an upload that failed may have left. What cannot be deleted now is an orphan, and swept up later.
func (s *Service) drop(ctx context.Context, id gid.ID) {
	if err := s.discard(ctx, keyOf(id)); err != nil && !fault.Is(err, fault.Unavailable) {
		s.Logger.WarnContext(ctx, "an upload's bytes stay for the sweep", "file", id, "error", err)
	}
}

// take brings content to the storage, and makes an avatar of it if it is for one.
func (s *Service) take(ctx context.Context, id gid.ID, in NewFile, body io.Reader) (content, error) {
	limits := s.Limits.orDefaults()
	most := limits.Media
	if in.Purpose == file.PurposeAVATAR {
		most = limits.Avatar
	}
	if in.Declared > most {
		return content{}, tooLarge(most)
	}
	head, err := readHead(body)
	if err != nil {
		return content{}, err
	}
	m, err := mediaOf(head, in.Name)
	if err != nil {
		return content{}, err
	}
	if in.Purpose == file.PurposeAVATAR {
		if m.sort != picture {
			return content{}, fault.New(fault.UnsupportedMediaType, "An avatar must be a PNG, JPEG, WebP or GIF.")
		}
	} else if most = limits.largest(m.sort); in.Declared > most {
		return content{}, tooLarge(most)
	}
	if m.twoFaced(head) {
		return content{}, hidden()
	}
	got := content{media: m}
	if got.size, got.received, err = s.receive(ctx, keyOf(id), m, most, head, body); err != nil {
		return content{}, err
	}
	got.hash = got.received
	if in.Purpose == file.PurposeAVATAR {
		return s.portray(ctx, id, got)
	}
	return got, nil
}

// readHead reads the beginning of a body, which may be all of it.
func readHead(body io.Reader) ([]byte, error) {
	head := make([]byte, 0, headBytes)
	for len(head) < headBytes {
		n, err := body.Read(head[len(head):headBytes])
		head = head[:len(head)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // io.ReadFull would call a body that broke off a short one
			return nil, brokenOff(err)
		}
	}
	if len(head) == 0 {
		return nil, fault.Invalid("body", "The file is empty.")
	}
	return head, nil
}

func tooLarge(most int64) error {
	return fault.New(fault.PayloadTooLarge, "This file is larger than %d MiB, the most that is taken of its sort.", most>>20)
}

func hidden() error {
	return fault.New(fault.ContentRefused, "This file holds more than it shows: it is something else to another program. It was not kept.")
}

// brokenOff says why a body could not be read to its end.
func brokenOff(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.New(fault.Timeout, "The upload stalled, or was very slow.").Because(err)
	}
	return fault.New(fault.BadRequest, "The upload broke off.").Because(err)
}

// receive streams content to the storage, past the hash, the scanner and a look at its end. It returns its size and hash.
func (s *Service) receive(ctx context.Context, key string, m media, most int64, head []byte, body io.Reader) (size int64, hash []byte, err error) {
	scan, err := newScan(ctx, s.Scanner, scannerStall)
	if err != nil {
		return 0, nil, err
	}
	defer scan.close()
	out, err := s.create(ctx, key, m.name)
	if err != nil {
		return 0, nil, err
	}
	committed := false
	defer func() {
		if !committed {
			out.abort()
		}
	}()
	sum, end := sha256.New(), new(tail)
	buffer := make([]byte, 32<<10)
	for part, ended := head, false; ; {
		if size += int64(len(part)); size > most {
			return 0, nil, tooLarge(most)
		}
		_, _ = sum.Write(part)
		_, _ = end.Write(part)
		if _, err := scan.Write(part); err != nil {
			return 0, nil, scan.verdict() // which says why it takes no more
		}
		if _, err := out.Write(part); err != nil {
			return 0, nil, err
		}
		if ended {
			break
		}
		n, err := body.Read(buffer)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, nil, brokenOff(err)
		}
		part, ended = buffer[:n], err != nil
	}
	if end.holdsArchive() && !m.archive() {
		return 0, nil, hidden()
	}
	if err := scan.verdict(); err != nil {
		return 0, nil, err
	}
	committed = true
	return size, sum.Sum(nil), out.commit()
}

// room returns LIMIT_REACHED when a member has no room for so many more bytes. Within a transaction that holds the member's row it is
// exact.
func (s *Service) room(ctx context.Context, c *ent.Client, me gid.ID, more int64) error {
	var used []struct {
		Bytes sql.NullInt64
		Files int
	}
	err := c.File.Query().Where(file.OwnerID(me), file.DeletedAtIsNil()).
		Aggregate(ent.As(ent.Sum(file.FieldSize), "bytes"), ent.As(ent.Count(), "files")).Scan(ctx, &used)
	if err != nil {
		return fmt.Errorf("add up a member's files: %w", err)
	}
	limits := s.Limits.orDefaults()
	if used[0].Bytes.Int64+more > limits.Quota || used[0].Files >= limits.Files {
		return fault.New(fault.LimitReached, "You have %d files with %d MiB; there is room for %d files and %d MiB. Delete some first.",
			used[0].Files, used[0].Bytes.Int64>>20, limits.Files, limits.Quota>>20)
	}
	return nil
}

// keep writes the row of what was stored, and returns its id; or the id of what the same key gave before. A member's uploads are
// counted one after the other: the row of the member is held.
func (s *Service) keep(ctx context.Context, me, id gid.ID, in NewFile, got content) (result gid.ID, err error) {
	payload := struct {
		Name    string
		Purpose file.Purpose
		Hash    []byte
	}{in.Name, in.Purpose, got.received}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		_, err := tx.Member.Query().Where(member.ID(me), access.ActiveMembers(), store.LockRow).Only(ctx)
		if ent.IsNotFound(err) { // suspended or erased while it was sent
			return fault.New(fault.Unauthenticated, "This account is not in use.")
		}
		if err != nil {
			return fmt.Errorf("hold the member: %w", err)
		}
		now := s.Now()
		once := store.Once{Member: me, Operation: "POST /files", Key: in.IdempotencyKey, Payload: payload, At: now}
		result, err = once.Do(ctx, tx, func() (gid.ID, error) {
			if err := s.room(ctx, tx, me, got.size); err != nil {
				return gid.ID{}, err
			}
			return id, tx.File.Create().SetID(id).SetCreatedAt(now).SetOwnerID(me).SetPurpose(in.Purpose).SetName(got.media.named(in.Name)).
				SetMediaType(got.media.name).SetSize(got.size).SetHash(got.hash).Exec(ctx)
		})
		return err
	})
	return result, err
}

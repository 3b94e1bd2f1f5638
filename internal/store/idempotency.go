package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/idempotencyrecord"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// Once is a request to do something at most once.
type Once struct {
	Member    gid.ID
	Operation string  // the mutation's name
	Key       *string // the client's key; nil to do it every time
	Payload   any     // the input; compared by its JSON
	At        time.Time
}

// maxKey is the longest idempotency key, in bytes.
const maxKey = 200

// keysKept is how long idempotency keys are kept; the SDL promises 24 hours.
const keysKept = 48 * time.Hour

// ForgetKeys deletes idempotency keys that are older than they are kept, a thousand at a time, and returns how many.
func (s *Store) ForgetKeys(ctx context.Context, now time.Time) (int, error) {
	total := 0
	for {
		n := 0
		err := s.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			ids, err := tx.IdempotencyRecord.Query().Where(idempotencyrecord.CreatedAtLT(now.Add(-keysKept))).Limit(1000).IDs(ctx)
			if err != nil || len(ids) == 0 {
				return err
			}
			n, err = tx.IdempotencyRecord.Delete().Where(page.AnyOf(idempotencyrecord.FieldID, ids)).Exec(ctx)
			return err
		})
		total += n
		if err != nil || n < 1000 {
			return total, err
		}
	}
}

// Result is what came of what a member did with an idempotency key, as long as the key is kept.
func (s *Store) Result(ctx context.Context, member gid.ID, key string) (id gid.ID, found bool, err error) {
	r, err := s.Client(ctx).IdempotencyRecord.Query().Where(idempotencyrecord.MemberID(member), idempotencyrecord.Key(key)).Only(ctx)
	if ent.IsNotFound(err) {
		return id, false, nil
	}
	if err != nil {
		return id, false, fmt.Errorf("load the idempotency key: %w", err)
	}
	return r.ResultID, true, nil
}

// Do runs create within the transaction, unless the member's key was used before: then it returns what came of it, or
// IDEMPOTENCY_CONFLICT when the input was another. Of two requests with one key at once, the second waits for the first, and
// then finds its result: it must not be told that what the first one made is in its way.
func (o Once) Do(ctx context.Context, tx *ent.Client, create func() (gid.ID, error)) (gid.ID, error) {
	if o.Key == nil {
		return create()
	}
	if len(*o.Key) == 0 || len(*o.Key) > maxKey {
		return gid.ID{}, fault.Invalid("idempotencyKey", "An idempotency key has 1 to %d characters.", maxKey)
	}
	text, err := json.Marshal(o.Payload)
	if err != nil {
		return gid.ID{}, fmt.Errorf("hash the input: %w", err)
	}
	hash := sha256.Sum256(append([]byte(o.Operation+"\n"), text...))
	if err := alone(ctx, tx, append([]byte("idempotency key "+*o.Key), o.Member[:]...)); err != nil {
		return gid.ID{}, err
	}
	r, err := tx.IdempotencyRecord.Query().Where(idempotencyrecord.MemberID(o.Member), idempotencyrecord.Key(*o.Key)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
	case err != nil:
		return gid.ID{}, fmt.Errorf("load the idempotency key: %w", err)
	case string(r.PayloadHash) != string(hash[:]):
		return gid.ID{}, fault.New(fault.IdempotencyConflict, "This idempotency key was used before with another input. Use a new key for each thing you do.").At("idempotencyKey")
	default:
		return r.ResultID, nil
	}
	id, err := create()
	if err != nil {
		return gid.ID{}, err
	}
	err = tx.IdempotencyRecord.Create().SetID(gid.New(gid.IdempotencyRecord, o.At)).SetCreatedAt(o.At).SetMemberID(o.Member).
		SetKey(*o.Key).SetOperation(o.Operation).SetPayloadHash(hash[:]).SetResultID(id).Exec(ctx)
	return id, RetryOnConflict(err)
}

package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/pursuing-equity/commons/internal/fault"
)

// cost is what argon2id is run with.
type cost struct {
	memory, rounds uint32 // KiB, passes
	lanes          uint8
}

// current is OWASP's minimum for argon2id (Password Storage Cheat Sheet, 2024): 19 MiB, two passes, one lane.
var current = cost{memory: 19 << 10, rounds: 2, lanes: 1}

const (
	saltBytes = 16
	keyBytes  = 32

	// waitingPerCore bounds the line before the hasher, and hashWait how long anybody stands in it.
	waitingPerCore = 16
	hashWait       = 3 * time.Second
	hashAgain      = 5 * time.Second // when to come back
)

// Hasher hashes passwords. A hash takes tens of milliseconds and 19 MiB on purpose, so only as many run at once as there are
// cores, and a short line waits: whatever a flood of sign-ins asks for, the memory is bounded, and everything else is served.
// Who finds the line full is told to come back.
type Hasher struct {
	running chan struct{}
	waiting chan struct{}
}

// NewHasher makes a hasher for this machine.
func NewHasher() *Hasher {
	cores := runtime.GOMAXPROCS(0)
	return &Hasher{running: make(chan struct{}, cores), waiting: make(chan struct{}, cores*(1+waitingPerCore))}
}

// derive runs argon2id in its turn. It returns UNAVAILABLE when the line is full or does not move.
func (h *Hasher) derive(ctx context.Context, password string, salt []byte, c cost, length uint32) ([]byte, error) {
	busy := fault.New(fault.Unavailable, "Too many people are signing in at this moment. Try again in a few seconds.").After(hashAgain)
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return nil, busy
	}
	patience := time.NewTimer(hashWait)
	defer patience.Stop()
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-patience.C:
		return nil, busy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, c.rounds, c.memory, c.lanes, length), nil
}

// Hash is a password as it is kept, in the PHC string format.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	key, err := h.derive(ctx, normal(password), salt, current, keyBytes)
	if err != nil {
		return "", err
	}
	return format(current, salt, key), nil
}

// nobody is the hash that no password has: it is compared where there is none, so that it takes as long.
var nobody = format(current, make([]byte, saltBytes), make([]byte, keyBytes))

// Verify reports whether the password has the hash, and whether the hash was made with other costs than today's. An empty hash
// takes as long as any, and no password has it.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (right, stale bool, err error) {
	none := hash == ""
	if none {
		hash = nobody
	}
	c, salt, key, err := parse(hash)
	if err != nil {
		return false, false, err
	}
	got, err := h.derive(ctx, normal(password), salt, c, uint32(len(key)))
	if err != nil {
		return false, false, err
	}
	right = subtle.ConstantTimeCompare(got, key) == 1 && !none
	return right, c != current || len(salt) != saltBytes || len(key) != keyBytes, nil
}

func format(c cost, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.rounds, c.lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

var errHash = errors.New("a stored password hash is not readable")

// parse reads a stored hash. Its costs are bounded, so that a row that somebody else wrote cannot ask for gigabytes.
func parse(hash string) (c cost, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.rounds, &c.lanes); err != nil {
		return c, nil, nil, errHash
	}
	salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return c, nil, nil, errHash
	}
	key, err = base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(salt) < 8 || len(key) < 16 || len(key) > 64 || c.memory > 128<<10 || c.rounds == 0 || c.rounds > 10 || c.lanes == 0 || c.lanes > 8 {
		return c, nil, nil, errHash
	}
	return c, salt, key, nil
}

package webhook

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	secretPrefix = "whsec_"
	secretBytes  = 32 // the specification wants 24 to 64
)

// written is a secret as it is shown and as libraries that verify take it.
func written(secret []byte) string { return secretPrefix + base64.StdEncoding.EncodeToString(secret) }

// newSecret is what requests to an endpoint are signed with.
func newSecret() []byte {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	return secret
}

// signature is the value of webhook-signature: of each secret one, the newest first, so that a receiver that still has the one before
// can verify too.
func signature(id string, at time.Time, body []byte, secrets ...[]byte) string {
	all := make([]string, len(secrets))
	for i, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		all[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(all, " ")
}

// box seals secrets with the installation's key. It is asked for before a transaction begins: the key may have to be made.
func (s *Service) box(ctx context.Context) (box, error) {
	key := s.key.Load()
	if key == nil {
		made, err := s.Store.Secret(ctx, "webhooks")
		if err != nil {
			return box{}, err
		}
		key = &made
		s.key.Store(key)
	}
	block, err := aes.NewCipher(*key)
	if err != nil {
		return box{}, fmt.Errorf("seal a webhook's secret: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	return box{aead}, err
}

// box seals the secrets of endpoints, each for its own.
type box struct{ cipher.AEAD }

func (b box) seal(endpoint gid.ID, secret []byte) []byte {
	nonce := make([]byte, b.NonceSize(), b.NonceSize()+len(secret)+b.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return b.Seal(nonce, nonce, secret, endpoint[:])
}

func (b box) open(endpoint gid.ID, sealed []byte) ([]byte, error) {
	if len(sealed) < b.NonceSize() {
		return nil, errors.New("a webhook's secret is not sealed")
	}
	secret, err := b.Open(nil, sealed[:b.NonceSize()], sealed[b.NonceSize():], endpoint[:])
	if err != nil {
		return nil, errors.New("a webhook's secret was sealed with another key")
	}
	return secret, nil
}

// secrets are what requests to an endpoint are signed with now.
func (b box) secrets(e *ent.WebhookEndpoint, now time.Time) ([][]byte, error) {
	newest, err := b.open(e.ID, e.Secret)
	if err != nil {
		return nil, err
	}
	all := [][]byte{newest}
	if e.PreviousSecret != nil && e.PreviousSecretEndsAt != nil && e.PreviousSecretEndsAt.After(now) {
		previous, err := b.open(e.ID, *e.PreviousSecret)
		if err != nil {
			return nil, err
		}
		all = append(all, previous)
	}
	return all, nil
}

package openid

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// sealedFor binds what is sealed to its use: the installation's keys have others.
var sealedFor = []byte("openid attempt")

// Seal encrypts an attempt with a key of 32 bytes, for the browser to keep.
func Seal(key []byte, a Attempt) (string, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("seal an attempt: %w", err)
	}
	box, err := gcm(key)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, box.NonceSize(), box.NonceSize()+len(text)+box.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return base64.RawURLEncoding.EncodeToString(box.Seal(nonce, nonce, text, sealedFor)), nil
}

// Unseal opens what Seal made. It returns ErrAnswer for anything else.
func Unseal(key []byte, sealed string) (Attempt, error) {
	box, err := gcm(key)
	if err != nil {
		return Attempt{}, err
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) < box.NonceSize() {
		return Attempt{}, fmt.Errorf("%w: not sealed", ErrAnswer)
	}
	text, err := box.Open(nil, raw[:box.NonceSize()], raw[box.NonceSize():], sealedFor)
	if err != nil {
		return Attempt{}, fmt.Errorf("%w: not sealed by us", ErrAnswer)
	}
	var a Attempt
	if err := json.Unmarshal(text, &a); err != nil {
		return Attempt{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return a, nil
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal an attempt: %w", err)
	}
	return cipher.NewGCM(block)
}

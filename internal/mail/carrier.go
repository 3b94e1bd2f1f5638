package mail

import (
	"context"
	"errors"
	netmail "net/mail"
	"time"
)

// Carrier brings letters to where people read them: a mail server, or the local mailbox.
type Carrier interface {
	// Connect opens a connection for several letters.
	Connect(ctx context.Context) (Connection, error)
}

// Connection takes letters over, one at a time. After an error it is only good for closing.
type Connection interface {
	// Send returns nil once the other side has taken the letter over. It returns ErrRefused when that will never be.
	Send(ctx context.Context, l Letter) error
	Close() error
}

// ErrRefused says that trying again is in vain.
var ErrRefused = errors.New("refused for good")

// RecipientError says that the mail server refused the recipient alone, and for good. It is ErrRefused.
type RecipientError struct {
	Status string // of RFC 3463, such as 5.1.1; empty when the server gave none
	cause  error
}

// Error is what the server said.
func (e *RecipientError) Error() string { return ErrRefused.Error() + ": " + e.cause.Error() }

// Unwrap is ErrRefused and what the server said.
func (e *RecipientError) Unwrap() []error { return []error{ErrRefused, e.cause} }

// Letter is a mail as it is sent.
type Letter struct {
	MessageID  string // without angle brackets; the same for every attempt that says the same
	Date       time.Time
	From, To   netmail.Address
	ReturnPath string // where reports go of what became of it (RFC 5321, 4.4); empty: to From
	Subject    string
	Text, HTML string
	Headers    []Header
}

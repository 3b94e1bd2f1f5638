package inbound

import (
	"context"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/store"
)

// How much mail is taken. Beyond it the other server is asked to come again (RFC 5321, 4.2.2: 450), and keeps the mail meanwhile: what
// somebody wrote in a hurry is late, and not lost.
var (
	senderRate = store.Throttle{Burst: 60, Refill: time.Minute}     // mails of one sender, before anything is read of them
	answerRate = store.Throttle{Burst: 20, Refill: 3 * time.Minute} // answers of one member
)

// within counts a mail under a key: errTooMany when there were too many.
func (s *Service) within(ctx context.Context, key string, rate store.Throttle) error {
	if s.Unlimited {
		return nil
	}
	wait, err := s.Store.Take(ctx, key, rate, s.Now())
	if err == nil && wait > 0 {
		err = errTooMany
	}
	return err
}

// sentBy counts a mail of a sender. Mail without one is what programs send, and is refused as soon as its head was read.
func (s *Service) sentBy(ctx context.Context, sender string) error {
	if sender == "" {
		return nil
	}
	return s.within(ctx, "mail from "+strings.ToLower(sender), senderRate)
}

package inbound

import (
	"context"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// How much mail is taken. Beyond it the other server is asked to come again (RFC 5321, 4.2.2: 450), and keeps the mail meanwhile: what
// somebody wrote in a hurry is late, and not lost.
var (
	addressRate = store.Throttle{Burst: 60, Refill: time.Minute}     // mails to one address, before anything is read of them
	answerRate  = store.Throttle{Burst: 20, Refill: 3 * time.Minute} // answers of one member
)

// perConnection is how many mails one connection brings, whoever they are from: nothing is known of it yet, so nothing is written down.
// The next one ends it (RFC 5321, 4.2.3: 421).
const perConnection = 100

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

// sentTo counts a mail to an address that was made here. Anybody can write any sender on a mail, so no sender is counted: whoever does not hold
// an address uses up nothing of anybody's.
func (s *Service) sentTo(ctx context.Context, id gid.ID) error {
	return s.within(ctx, "mail to "+id.String(), addressRate)
}

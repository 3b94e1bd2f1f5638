package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	netmail "net/mail"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	entmail "github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	batch     = 20               // mails that a process takes at once, and sends over one connection
	lease     = 5 * time.Minute  // for which they are its own; the clocks of processes must agree better than that
	sendLimit = 30 * time.Second // for one mail, and for a connection to be made

	firstWait = 30 * time.Second // before the second attempt; doubled for each that follows
	longWait  = time.Hour        // at most

	poll     = 5 * time.Second // finds what other processes wrote down, and what is due again
	tidy     = time.Minute     // between countings of what waits
	keepDead = 30 * 24 * time.Hour
	maxDead  = 10_000 // mails that failed for good; of more, the oldest are forgotten
	maxError = 500    // characters that are kept of an error
)

// Prepare is asked by the sender, just before a mail goes out, for what its template says: the owner of the template looks up
// whom it is for and makes the links, which are written down nowhere. It returns false when there is nothing to say any more,
// such as to an address that no account has; then the mail is dropped. A text under "link" becomes the mail's button.
type Prepare func(ctx context.Context, template, address string, data map[string]string) (values map[string]string, send bool, err error)

// Write is Prepare for mail of varying parts. It returns nil when there is nothing to say any more.
type Write func(ctx context.Context, address string, data map[string]string) (*Draft, error)

// Draft is what the owner says in a mail of varying parts.
type Draft struct {
	Subject string
	Parts   []Part
	Headers []Header
	// ID is the part before the @ of the Message-ID; empty for the mail's own.
	ID string
	// ReturnPath is where other servers report what became of it; empty: to who it is from.
	ReturnPath string
}

// Part is a paragraph of a mail. One with a link is a button.
type Part struct{ Text, Link string }

// Header is a field of a letter's head beside the usual ones.
type Header struct{ Name, Value string }

// Sender brings what was written down to a carrier. One runs in each process; they share the work.
type Sender struct {
	Store *store.Store

	// Carrier takes the mails. Nil: they stay where they are.
	Carrier Carrier

	// From is the sender that people see.
	From netmail.Address

	// Prepare is the owner of each template. Templates without one say what was written down.
	Prepare map[string]Prepare

	// Write is the owner of each template that has no file: its mail is of varying parts.
	Write map[string]Write

	// Refused is told that the mail server refused an address for good, with its status of RFC 3463, if it gave one. It may be nil.
	Refused func(ctx context.Context, address, status string) error

	Now    func() time.Time
	Logger *slog.Logger

	woken   chan struct{}
	metrics *metrics
}

// NewSender completes a sender. Store, From, Now and Logger are needed.
func NewSender(s Sender) *Sender {
	s.woken = make(chan struct{}, 1)
	s.metrics = newMetrics()
	return &s
}

// Wake makes Run look for mail now. It never blocks.
func (s *Sender) Wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// Run sends mail until ctx ends; a mail that is on its way then still gets there.
func (s *Sender) Run(ctx context.Context) {
	ctx = viewer.NewContext(ctx, viewer.System("send mail"))
	polls, tidies := time.NewTicker(poll), time.NewTicker(tidy)
	defer polls.Stop()
	defer tidies.Stop()
	do := func(work string, f func(context.Context) error) {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "mail waits", "work", work, "error", err.Error())
		}
	}
	do("tidy", s.tidy)
	for {
		if s.Carrier != nil {
			do("send", s.Deliver)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.woken:
		case <-polls.C:
		case <-tidies.C:
			do("tidy", s.tidy)
		}
	}
}

// Deliver tries once to send each mail that is due, those that come meanwhile included.
func (s *Sender) Deliver(ctx context.Context) error {
	for ctx.Err() == nil {
		mails, until, err := s.take(ctx)
		if err != nil || len(mails) == 0 {
			return err
		}
		if err := s.carry(ctx, mails, until); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func due(now time.Time) predicate.Mail {
	return entmail.And(entmail.FailedAtIsNil(), entmail.NextAtLTE(now))
}

// take makes mails that are due this process's own until a time.
func (s *Sender) take(ctx context.Context) (mails []*ent.Mail, until time.Time, err error) {
	now := s.Now()
	// A look comes first, so that a process with nothing to do never asks for the write lock.
	if some, err := s.Store.Client(ctx).Mail.Query().Where(due(now)).Exist(store.Upkeep(ctx)); err != nil || !some {
		return nil, now, err
	}
	until = now.Add(lease)
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		mails, err = tx.Mail.Query().Where(due(now), store.LockFreeRows).Order(entmail.ByNextAt(), entmail.ByID()).Limit(batch).All(ctx)
		if err != nil || len(mails) == 0 {
			return err
		}
		ids := make([]gid.ID, len(mails))
		for i, m := range mails {
			ids[i] = m.ID
			m.Attempts++
		}
		return tx.Mail.Update().Where(page.AnyOf(entmail.FieldID, ids)).AddAttempts(1).SetNextAt(until).Exec(ctx)
	})
	if err != nil {
		return nil, now, fmt.Errorf("take mail from the queue: %w", err)
	}
	return mails, until, nil
}

// carry sends mails over one connection, or over the next one after an error.
func (s *Sender) carry(ctx context.Context, mails []*ent.Mail, until time.Time) error {
	// Who is asked to stop finishes the mail at hand: broken off, it might have been taken over, and would be sent twice.
	working := context.WithoutCancel(ctx)
	var connection Connection
	leave := func() {
		if connection != nil {
			_ = connection.Close() // what was taken over stays so
			connection = nil
		}
	}
	defer leave()
	for i, m := range mails {
		if ctx.Err() != nil || s.Now().Add(2*sendLimit).After(until) {
			return s.giveBack(working, mails[i:])
		}
		if connection == nil {
			var err error
			if connection, err = s.connect(working); err != nil {
				s.Logger.WarnContext(ctx, "no connection to the mail server", "error", err.Error())
				return s.retryAll(working, mails[i:], err)
			}
		}
		err := s.send(working, connection, m)
		if err != nil {
			leave()
		}
		if err := s.settle(working, m, err); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sender) connect(ctx context.Context) (Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	return s.Carrier.Connect(ctx)
}

// errDropped says that there is nothing to say any more.
var errDropped = errors.New("nothing to say any more")

func (s *Sender) send(ctx context.Context, connection Connection, m *ent.Mail) error {
	if s.Now().After(ends(m)) { // nobody was there to send it
		return errDropped
	}
	values := m.Data
	if prepare := s.Prepare[m.Template]; prepare != nil {
		var send bool
		var err error
		if values, send, err = prepare(ctx, m.Template, m.Address, m.Data); err != nil {
			return fmt.Errorf("prepare the mail: %w", err)
		}
		if !send {
			return errDropped
		}
	}
	letter, err := s.letter(ctx, m, values)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	return connection.Send(ctx, letter)
}

// settle writes down what came of an attempt. Whoever has the mail now, if the lease ran out, is not disturbed by a failure; a
// success ends it for all.
func (s *Sender) settle(ctx context.Context, m *ent.Mail, cause error) error {
	now := s.Now()
	next := now.Add(wait(m.Attempts)) // asked once: another answer could lie beyond what the mail is worth, where it would be dropped and not fail
	switch {
	case cause == nil || errors.Is(cause, errDropped):
		if _, err := s.Store.Client(ctx).Mail.Delete().Where(entmail.ID(m.ID)).Exec(ctx); err != nil {
			return fmt.Errorf("delete a mail that was sent: %w", err)
		}
		if cause == nil {
			s.metrics.sent.Inc()
		} else {
			s.metrics.dropped.Inc()
		}
		return nil
	case errors.Is(cause, ErrRefused) || next.After(ends(m)):
		s.metrics.failed.Inc()
		s.report(ctx, m, cause)
		// What the server said often names the address, which the log must not know.
		s.Logger.WarnContext(ctx, "a mail failed for good", "mail", m.ID.String(), "template", m.Template, "attempts", m.Attempts)
		return s.update(ctx, m, func(u *ent.MailUpdate) {
			u.SetFailedAt(now).SetNextAt(now.Add(keepDead)).SetLastError(head(cause.Error(), maxError))
		})
	default:
		s.metrics.retried.Inc()
		return s.update(ctx, m, func(u *ent.MailUpdate) {
			u.SetNextAt(next).SetLastError(head(cause.Error(), maxError))
		})
	}
}

// report says that an address was refused. It is a hint: should it be lost, the next mail brings another.
func (s *Sender) report(ctx context.Context, m *ent.Mail, cause error) {
	refused, is := errors.AsType[*RecipientError](cause)
	if !is || s.Refused == nil {
		return
	}
	if err := s.Refused(ctx, m.Address, refused.Status); err != nil {
		s.Logger.WarnContext(ctx, "a refusal was not counted", "mail", m.ID.String(), "error", err.Error())
	}
}

func (s *Sender) retryAll(ctx context.Context, mails []*ent.Mail, cause error) error {
	for _, m := range mails {
		if err := s.settle(ctx, m, cause); err != nil {
			return err
		}
	}
	return nil
}

// giveBack makes mails that were not tried due again at once.
func (s *Sender) giveBack(ctx context.Context, mails []*ent.Mail) error {
	for _, m := range mails {
		if err := s.update(ctx, m, func(u *ent.MailUpdate) { u.SetNextAt(s.Now()).AddAttempts(-1) }); err != nil {
			return err
		}
	}
	return nil
}

// update changes a mail if it is still this process's.
func (s *Sender) update(ctx context.Context, m *ent.Mail, change func(*ent.MailUpdate)) error {
	u := s.Store.Client(ctx).Mail.Update().Where(entmail.ID(m.ID), entmail.Attempts(m.Attempts))
	change(u)
	if err := u.Exec(ctx); err != nil {
		return fmt.Errorf("write down what came of a mail: %w", err)
	}
	return nil
}

// wait is the time after an attempt that failed. It is spread, so that what failed together does not come back together.
func wait(attempts int) time.Duration {
	w := longWait
	if shift := attempts - 1; shift < 7 {
		w = min(longWait, firstWait<<shift)
	}
	return w*3/4 + rand.N(w/2) //nolint:gosec // nobody gains from guessing it
}

// tidy counts what waits and forgets what failed long ago.
func (s *Sender) tidy(ctx context.Context) error {
	ctx = store.Upkeep(ctx)
	mails := s.Store.Client(ctx).Mail
	waiting, err := mails.Query().Where(entmail.FailedAtIsNil()).Count(ctx)
	if err != nil {
		return err
	}
	s.metrics.waiting.Set(float64(waiting))
	// What was never tried, because there is no mail server, does not wait for ever.
	before := func(at time.Time) predicate.Mail {
		return entmail.And(entmail.CreatedAtLT(at), entmail.Or(entmail.RetriedAtIsNil(), entmail.RetriedAtLT(at)))
	}
	stale := []predicate.Mail{before(s.Now().Add(-longWorth)), entmail.And(entmail.TemplateIn(brief...), before(s.Now().Add(-briefWorth))), entmail.UntilLT(s.Now())}
	if _, err := mails.Delete().Where(entmail.Attempts(0), entmail.FailedAtIsNil(), entmail.Or(stale...)).Exec(ctx); err != nil {
		return err
	}
	forget := []predicate.Mail{entmail.NextAtLTE(s.Now())}
	tooMany, err := mails.Query().Where(entmail.FailedAtNotNil()).Order(entmail.ByNextAt(sql.OrderDesc()), entmail.ByID(sql.OrderDesc())).Offset(maxDead).First(ctx)
	switch {
	case err == nil:
		forget = append(forget, entmail.NextAtLTE(tooMany.NextAt))
	case !ent.IsNotFound(err):
		return err
	}
	_, err = mails.Delete().Where(entmail.FailedAtNotNil(), entmail.Or(forget...)).Exec(ctx)
	return err
}

// head is the beginning of a text, in whole characters.
func head(text string, most int) string {
	n := 0
	for i := range text {
		if n++; n > most {
			return text[:i]
		}
	}
	return text
}

package account

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// How often somebody may try, in all processes together. Each try counts, whether it succeeds or not, and a try that is refused
// counts nothing: so nobody ever waits longer than one refill for the next one, whatever others do.
//
// Passwords are counted three ways. One network address against one account stops who guesses from one place, and a flood from
// elsewhere does not touch it. One network address against all accounts stops who tries one password on everybody; it is wide,
// because a hospital has one address. All network addresses against one account stop a botnet, and this is the one that a
// stranger can use to keep the owner from their password: it is the widest, its wait is two minutes at most, and the owner has
// another way in, since links are counted apart from passwords.
//
// Links and resets are counted by the address that was typed, and silently, for the answer must not tell how often somebody asked. A
// newer link makes an older one void, so a stranger who keeps asking could void the owner's; as a link is sent every five
// minutes at most, the owner has that long to use the newest one, which the stranger was so kind to have sent.
//
// Who asks to sign up may write anybody's address, whose owner never heard of us: to them three mails go at first, and then four a
// day, for a link works for a day. A place has room for a class that signs up together, and not for a list of addresses.
var (
	perPlaceAndAccount = store.Throttle{Burst: 10, Refill: 30 * time.Second}
	perPlace           = store.Throttle{Burst: 60, Refill: 5 * time.Second}
	perAccount         = store.Throttle{Burst: 60, Refill: 2 * time.Minute}

	linksPerPlace   = store.Throttle{Burst: 30, Refill: 20 * time.Second}
	linksPerAddress = store.Throttle{Burst: 3, Refill: 5 * time.Minute}

	signUpsPerPlace   = store.Throttle{Burst: 30, Refill: 2 * time.Minute}
	signUpsPerAddress = store.Throttle{Burst: 3, Refill: 6 * time.Hour}
)

// count is one try to be counted under a key.
type count struct {
	key   string
	limit store.Throttle
}

// throttle counts a try, or returns RATE_LIMITED with the time to wait.
func (s *Service) throttle(ctx context.Context, counts ...count) error {
	for _, c := range counts {
		wait, err := s.Store.Take(ctx, c.key, c.limit, s.Now())
		if err != nil {
			return store.Fault(err)
		}
		if wait > 0 {
			wait = wait.Truncate(time.Second) + time.Second
			return fault.New(fault.RateLimited, "Too many tries. Try again in %d s, or sign in with a link by mail.", int(wait.Seconds())).After(wait)
		}
	}
	return nil
}

// place is what a network address counts as. One customer has a whole network of IPv6 addresses, 64 bits wide or wider (RFC 6177):
// they count as one.
func place(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	network, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return network.String()
}

// throttlePassword counts a try of a password for what names the account: the address that was typed, or the member's id.
func (s *Service) throttlePassword(ctx context.Context, v viewer.Viewer, account string) error {
	at := place(v.Address())
	return s.throttle(ctx,
		count{"password at " + at + " for " + account, perPlaceAndAccount},
		count{"password at " + at, perPlace},
		count{"password for " + account, perAccount})
}

// throttleLink counts a mail that was asked for. It returns RATE_LIMITED for a network address that asks for too many, and false
// for a mail address that has had enough of them.
func (s *Service) throttleLink(ctx context.Context, v viewer.Viewer, template, email string) (bool, error) {
	at, counts, perAddress := place(v.Address()), []count(nil), linksPerAddress
	if template == MailSignUp {
		counts, perAddress = append(counts, count{"sign-ups at " + at, signUpsPerPlace}), signUpsPerAddress
	}
	if err := s.throttle(ctx, append(counts, count{"links at " + at, linksPerPlace})...); err != nil {
		return false, err
	}
	wait, err := s.Store.Take(ctx, template+" to "+email, perAddress, s.Now())
	if err != nil {
		return false, store.Fault(fmt.Errorf("count a link: %w", err))
	}
	return wait == 0, nil
}

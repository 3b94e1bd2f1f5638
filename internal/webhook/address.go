package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/pursuing-equity/commons/internal/input"
)

const (
	maxURL = 2000 // characters

	// sendLimit is how long a request may take, with its connection and its answer.
	sendLimit = 15 * time.Second
)

// ErrAddress says that requests do not go to an address.
var ErrAddress = errors.New("requests do not go to this address")

// reserved are the networks that are not on the public internet and that netip has no word for (RFC 6890 and IANA's registries of
// special addresses).
var reserved = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"168.63.129.16/32", // where a large provider's machines find what is theirs
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// global is where public IPv6 addresses are. Outside lie the mapped, translated (NAT64) and compatible ones, which lead to IPv4
// addresses by another way.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

func within(networks []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// public reports whether an address is on the public internet.
func public(ip netip.Addr) bool {
	ip = ip.Unmap()
	switch {
	case !ip.IsGlobalUnicast(), ip.IsPrivate(), ip.Zone() != "", within(reserved, ip):
		return false
	default:
		return ip.Is4() || global.Contains(ip)
	}
}

// reachable returns ErrAddress for an address that requests do not go to.
func (s *Service) reachable(to netip.AddrPort) error {
	ip := to.Addr().Unmap()
	switch {
	case within(s.Allow, ip):
		return nil
	case !public(ip):
		return fmt.Errorf("%w: it is not on the public internet", ErrAddress)
	case to.Port() != 443 && to.Port() != 8443:
		return fmt.Errorf("%w: the port must be 443 or 8443", ErrAddress)
	}
	return nil
}

// checkURL checks where an endpoint is, as far as its URL tells. What a name stands for is looked at whenever a connection is made:
// it may stand for something else by then.
func (s *Service) checkURL(check *input.Checker, path, value string) string {
	value = check.Line(path, value, 1, maxURL)
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		check.Refuse(path, "This must be an https URL without a user and without a fragment.")
		return value
	}
	port := 443
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
			check.Refuse(path, "This port does not exist.")
			return value
		}
	}
	ip, literal := netip.ParseAddr(u.Hostname())
	switch {
	case literal == nil && s.reachable(netip.AddrPortFrom(ip, uint16(port))) != nil:
		check.Refuse(path, "Requests go to ports 443 and 8443 of the public internet only.")
	case u.Scheme == "http" && (literal != nil || !within(s.Allow, ip.Unmap())):
		check.Refuse(path, "This must be an https URL.")
	case literal != nil && port != 443 && port != 8443 && len(s.Allow) == 0:
		check.Refuse(path, "The port must be 443 or 8443.")
	}
	return value
}

// newClient makes the client that all deliveries go by. It looks at each address right before it connects to it, after every
// resolution of names, goes by no proxy and follows no redirect.
func (s *Service) newClient() *http.Client {
	dialer := &net.Dialer{
		Timeout: sendLimit,
		ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || network != "tcp4" && network != "tcp6" {
				return ErrAddress
			}
			return s.reachable(to)
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
			MaxIdleConns: 100, MaxIdleConnsPerHost: perEndpoint, IdleConnTimeout: 30 * time.Second,
			TLSHandshakeTimeout: sendLimit, ResponseHeaderTimeout: sendLimit, MaxResponseHeaderBytes: 16 << 10, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

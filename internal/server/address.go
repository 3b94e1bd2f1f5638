package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are the networks of the proxies before the server, whose word on where a request comes from is believed.
type proxies []netip.Prefix

func (p proxies) trust(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(a) })
}

// address is where a request comes from: the peer of its connection or, when that is a trusted proxy, the nearest address behind
// it that is none. A proxy appends to X-Forwarded-For, or to Forwarded (RFC 7239), what it has seen; what stands left of the
// first address that no trusted proxy stands for may be invented. When both headers are there and differ, the client has
// written one of them, and nobody can tell which: the address is the proxy's.
func (p proxies) address(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	addr := plain(peer.Addr())
	if !p.trust(addr) {
		return addr.String()
	}
	list, forwarded := r.Header.Values("X-Forwarded-For"), r.Header.Values("Forwarded")
	byList := p.behind(addr, strings.Split(strings.Join(list, ","), ","))
	byForwarded := p.behind(addr, forwardedFor(forwarded))
	switch {
	case len(forwarded) == 0:
		return byList.String()
	case len(list) == 0 || byList == byForwarded:
		return byForwarded.String()
	default:
		return addr.String()
	}
}

// behind goes through what proxies have written, from the nearest, for as long as it comes from one that is trusted. It ends at
// what is no address, such as "unknown".
func (p proxies) behind(addr netip.Addr, hops []string) netip.Addr {
	for i := len(hops) - 1; i >= 0 && p.trust(addr); i-- {
		next, ok := parseHop(hops[i])
		if !ok {
			break
		}
		addr = next
	}
	return addr
}

// parseHop reads an address with or without a port, and with or without the brackets of IPv6.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.Trim(strings.TrimSpace(text), `"`)
	if a, err := netip.ParseAddrPort(text); err == nil {
		return plain(a.Addr()), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return plain(a), err == nil
}

// forwardedFor takes the for parameters out of the elements of Forwarded. An element without one yields an empty text, at which
// the search ends.
func forwardedFor(values []string) []string {
	var hops []string
	for element := range strings.SplitSeq(strings.Join(values, ","), ",") {
		hop := ""
		for pair := range strings.SplitSeq(element, ";") {
			if name, value, found := strings.Cut(pair, "="); found && strings.EqualFold(strings.TrimSpace(name), "for") {
				hop = value
			}
		}
		hops = append(hops, hop)
	}
	return hops
}

// plain is an address without what makes two texts of one: IPv4 inside of IPv6, and a zone.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// neighbourhood is what an address counts as when points are counted: whoever has one address of IPv6 has its whole /64.
func neighbourhood(addr string) string {
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Is4() {
		return addr
	}
	network, err := a.Prefix(64)
	if err != nil {
		return addr
	}
	return network.String()
}

package server

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestAddress(t *testing.T) {
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	type headers map[string][]string
	list := func(values ...string) headers { return headers{"X-Forwarded-For": values} }
	cases := []struct {
		name, peer string
		headers    headers
		want       string
	}{
		{"a peer without headers", "192.0.2.1:5000", nil, "192.0.2.1"},
		{"a peer who claims to be another", "192.0.2.1:5000", list("198.51.100.7"), "192.0.2.1"},
		{"a peer who claims it in Forwarded", "192.0.2.1:5000", headers{"Forwarded": {"for=198.51.100.7"}}, "192.0.2.1"},
		{"a proxy", "10.0.0.1:5000", list("198.51.100.7"), "198.51.100.7"},
		{"a proxy that is silent", "10.0.0.1:5000", nil, "10.0.0.1"},
		{"a client behind a proxy who claims to be another", "10.0.0.1:5000", list("203.0.113.9, 198.51.100.7"), "198.51.100.7"},
		{"a client who claims to be a proxy's client", "10.0.0.1:5000", list("203.0.113.9, 10.9.9.9, 198.51.100.7"), "198.51.100.7"},
		{"two proxies", "10.0.0.1:5000", list("198.51.100.7, 10.0.0.2"), "198.51.100.7"},
		{"two headers are one list", "10.0.0.1:5000", list("203.0.113.9", "198.51.100.7"), "198.51.100.7"},
		{"what is no address ends the search", "10.0.0.1:5000", list("198.51.100.7, unknown, 10.0.0.2"), "10.0.0.2"},
		{"an empty element ends the search", "10.0.0.1:5000", list("198.51.100.7,"), "10.0.0.1"},
		{"a list of proxies only", "10.0.0.1:5000", list("10.0.0.3, 10.0.0.2"), "10.0.0.3"},
		{"a port", "10.0.0.1:5000", list("198.51.100.7:4711"), "198.51.100.7"},
		{"IPv6 with a port", "[fd00::1]:5000", list("[2001:db8::7]:4711"), "2001:db8::7"},
		{"IPv4 inside of IPv6", "[::ffff:10.0.0.1]:5000", list("::ffff:198.51.100.7"), "198.51.100.7"},
		{"Forwarded", "10.0.0.1:5000", headers{"Forwarded": {`for=203.0.113.9, For="[2001:db8::7]:4711";proto=https;by=10.0.0.1`}}, "2001:db8::7"},
		{"Forwarded by one who does not say for whom", "10.0.0.1:5000", headers{"Forwarded": {"for=198.51.100.7, proto=https"}}, "10.0.0.1"},
		{"both, and they agree", "10.0.0.1:5000", headers{"Forwarded": {"for=198.51.100.7"}, "X-Forwarded-For": {"198.51.100.7"}}, "198.51.100.7"},
		{"both, and one is the client's", "10.0.0.1:5000", headers{"Forwarded": {"for=203.0.113.9"}, "X-Forwarded-For": {"198.51.100.7"}}, "10.0.0.1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			maps.Copy(r.Header, c.headers)
			if got := trusted.address(r); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	t.Run("an owner of IPv6 addresses counts once", func(t *testing.T) {
		if a, b := neighbourhood("2001:db8::1"), neighbourhood("2001:db8::ffff:2"); a != b || a == neighbourhood("2001:db8:0:1::1") {
			t.Errorf("%s %s", a, b)
		}
		if neighbourhood("192.0.2.1") == neighbourhood("192.0.2.2") {
			t.Error("two addresses of IPv4 count as one")
		}
	})
}

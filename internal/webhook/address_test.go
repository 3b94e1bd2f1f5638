package webhook

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/internal/input"
)

// Nothing of the operator's own network can be reached, however it is written.
func TestAddresses(t *testing.T) {
	s := New(Config{Allow: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}})
	for _, c := range []struct {
		address string
		ok      bool
	}{
		{"93.184.216.34:443", true},
		{"93.184.216.34:8443", true},
		{"93.184.216.34:80", false},
		{"93.184.216.34:22", false},
		{"[2606:2800:220:1:248:1893:25c8:1946]:443", true},
		{"[::ffff:93.184.216.34]:443", true},
		{"10.20.3.4:9000", true}, // allowed
		{"[::ffff:10.20.3.4]:80", true},
		{"10.21.3.4:443", false},
		{"127.0.0.1:443", false},
		{"127.8.8.8:8443", false},
		{"0.0.0.0:443", false},
		{"192.168.1.1:443", false},
		{"172.16.0.1:443", false},
		{"169.254.169.254:443", false}, // metadata
		{"168.63.129.16:443", false},
		{"100.64.0.1:443", false},
		{"100.100.100.200:443", false},
		{"192.0.0.192:443", false},
		{"198.18.0.1:443", false},
		{"224.0.0.1:443", false},
		{"255.255.255.255:443", false},
		{"[::1]:443", false},
		{"[::]:443", false},
		{"[::ffff:127.0.0.1]:443", false},
		{"[::ffff:192.168.1.1]:443", false},
		{"[::7f00:1]:443", false},           // compatible with 127.0.0.1
		{"[64:ff9b::7f00:1]:443", false},    // NAT64
		{"[64:ff9b:1::a00:1]:443", false},   // NAT64 of a network's own
		{"[2002:7f00:1::]:443", false},      // 6to4
		{"[2001:0:53aa:64c::1]:443", false}, // Teredo
		{"[fd00:ec2::254]:443", false},      // metadata
		{"[fe80::1%eth0]:443", false},       // link-local
		{"[fec0::1]:443", false},            // site-local
		{"[ff02::1]:443", false},            // multicast
		{"[2001:db8::1]:443", false},        // documentation
		{"[100::1]:443", false},             // discard
		{"[5f00::1]:443", false},            // segment routing
	} {
		if err := s.reachable(netip.MustParseAddrPort(c.address)); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", c.address, err)
		}
	}
}

func TestURLs(t *testing.T) {
	for _, c := range []struct {
		url, allow string
		ok         bool
	}{
		{"https://hooks.example.org/a?b=c", "", true},
		{"https://hooks.example.org:8443/", "", true},
		{"https://93.184.216.34/", "", true},
		{"https://hooks.example.org:9000/", "", false},
		{"https://hooks.example.org:9000/", "10.0.0.0/8", true}, // its address is looked at when it is connected to
		{"http://hooks.example.org/", "10.0.0.0/8", false},
		{"http://10.1.2.3:9000/", "10.0.0.0/8", true},
		{"http://10.1.2.3:9000/", "", false},
		{"https://10.1.2.3/", "", false},
		{"https://[::1]/", "", false},
		{"https://[::ffff:127.0.0.1]/", "", false},
		{"https://hooks.example.org:0/", "", false},
		{"https://hooks.example.org:443443/", "", false},
		{"https://ann:secret@hooks.example.org/", "", false},
		{"https://hooks.example.org/#a", "", false},
		{"https:///", "", false},
		{"ftp://hooks.example.org/", "", false},
		{"hooks.example.org", "", false},
		{"https://hooks.example.org/\r\nHost: a", "", false},
		{"https://hooks.example.org/" + strings.Repeat("a", maxURL), "", false},
		{"", "", false},
	} {
		var cfg Config
		if c.allow != "" {
			cfg.Allow = prefixes(c.allow)
		}
		var check input.Checker
		New(cfg).checkURL(&check, "url", c.url)
		if err := check.Err(); (err == nil) != c.ok {
			t.Errorf("%s, %s: %v", c.url, c.allow, err)
		}
	}
}

// A name is looked at when it is resolved, each time: what it stood for before says nothing.
func TestNamesThatLeadInside(t *testing.T) {
	for _, to := range []string{"https://localhost/", "https://localhost:8443/"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := New(Config{}).client.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		if !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", to, err)
		}
	}
}

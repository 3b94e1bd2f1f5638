package account

import (
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/input"
)

func TestPasswordRules(t *testing.T) {
	m := &ent.Member{Name: "Imani Beckwith", Email: "imani.beckwith@clinic.example", Handle: "imani"}
	for password, good := range map[string]bool{
		"seven lanterns by the river":     true,
		"correct horse battery":           true,
		"Imani likes lanterns":            true,
		"пароль из четырёх слов":          true,
		strings.Repeat("é", 6) + "çñöüßå": true,
		strings.Repeat("x y z w ", 26):    false,
		"short":                           false,
		"password 1234":                   false,
		"Pass-Word 1234":                  false,
		"passwordpassword":                false,
		"aaaaaaaaaaaa":                    false,
		"abcabcabcabc":                    false,
		"!?!?!?!?!?!?":                    false,
		"789012345678":                    false,
		"3210987654321":                   false,
		"abcdefghijklmn":                  false,
		"pursuing equity":                 false,
		"ImaniBeckwith1":                  false,
		"imani.beckwith@clinic.example":   false,
		"with\x00 a zero byte in it":      false,
		"not in UTF-8 \xff\xff\xff\xff":   false,
		strings.Repeat("ab12", 51):        false,
	} {
		var c input.Checker
		checkPassword(&c, "password", password, m)
		if (c.Err() == nil) != good {
			t.Errorf("%q: %v", password, c.Err())
		}
	}
	t.Run("the list holds what it is compared with", func(t *testing.T) {
		for line := range strings.Lines(commonPasswords) {
			if word := strings.TrimSpace(line); squash(word) != word {
				t.Errorf("%q is never found", word)
			}
		}
	})
}

func TestHasher(t *testing.T) {
	h := NewHasher()
	hash, err := h.Hash(t.Context(), "pâté de campagne") // one code point for each letter
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%s: %v", hash, err)
	}
	verify := func(hash, password string) (right, stale bool) {
		t.Helper()
		right, stale, err := h.Verify(t.Context(), hash, password)
		if err != nil {
			t.Fatal(err)
		}
		return right, stale
	}
	t.Run("it does not matter how a letter was typed", func(t *testing.T) {
		if right, stale := verify(hash, "pa\u0302te\u0301 de campagne"); !right || stale {
			t.Errorf("right %v, stale %v", right, stale)
		}
		if right, _ := verify(hash, "pate de campagne"); right {
			t.Error("marks do not count")
		}
	})
	t.Run("no password is that of nobody", func(t *testing.T) {
		for _, password := range []string{"", "x", nobody} {
			if right, _ := verify("", password); right {
				t.Errorf("%q is", password)
			}
		}
	})
	t.Run("a hash of other costs is right and stale", func(t *testing.T) {
		c := cost{memory: 64, rounds: 1, lanes: 1}
		key, err := h.derive(t.Context(), "lanterns", make([]byte, saltBytes), c, keyBytes)
		if err != nil {
			t.Fatal(err)
		}
		if right, stale := verify(format(c, make([]byte, saltBytes), key), "lanterns"); !right || !stale {
			t.Errorf("right %v, stale %v", right, stale)
		}
	})
	t.Run("a hash that asks for too much is not run", func(t *testing.T) {
		for _, bad := range []string{"x", "$2b$10$abc", strings.Replace(hash, "m=19456", "m=4194304", 1), strings.Replace(hash, "t=2", "t=1000", 1), strings.Replace(hash, "v=19", "v=16", 1)} {
			if _, _, err := h.Verify(t.Context(), bad, "x"); err == nil {
				t.Errorf("%s", bad)
			}
		}
	})
}

func TestNames(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0":                                                           "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0":    "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile Safari/604.1": "Safari on iPhone",
		"curl/8.14": "Unknown browser", "": "Unknown browser",
	} {
		if got := browserName(agent); got != want {
			t.Errorf("%q: %q", agent, got)
		}
	}
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "::ffff:192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "unix": "unix",
	} {
		if got := place(address); got != want {
			t.Errorf("%q: %q", address, got)
		}
	}
}

package diff_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/diff"
)

// show writes a difference to be read: -went- +came+.
func show(runs []*diff.Run) string {
	var b strings.Builder
	for _, r := range runs {
		mark := map[diff.Kind]string{diff.Deleted: "-", diff.Inserted: "+"}[r.Kind]
		b.WriteString(mark + r.Text + mark)
	}
	return b.String()
}

// whole fails the test unless the runs make both texts.
func whole(t *testing.T, before, after string, runs []*diff.Run) {
	t.Helper()
	var a, b strings.Builder
	for _, r := range runs {
		if r.Kind != diff.Inserted {
			a.WriteString(r.Text)
		}
		if r.Kind != diff.Deleted {
			b.WriteString(r.Text)
		}
	}
	if a.String() != before || b.String() != after {
		t.Errorf("%.80q and %.80q are not made by %.200q", before, after, show(runs))
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, after, want string }{
		{"", "", ""},
		{"", "new", "+new+"},
		{"old", "", "-old-"},
		{"the same", "the same", "the same"},
		{"We ask patients.", "We ask all patients.", "We ask +all +patients."},
		{"We ask everybody today.", "We ask each person today.", "We ask -everybody-+each person+ today."},
		{"a\nb\nc\n", "a\nc\n", "a\n-b\n-c\n"},
		{"naïve café", "naïve cafés", "naïve -café-+cafés+"},
		{"one two three", "three two one", "-one-+three+ two -three-+one+"},
	} {
		runs := diff.Words(c.before, c.after)
		whole(t, c.before, c.after, runs)
		if got := show(runs); got != c.want {
			t.Errorf("%q to %q: %q, want %q", c.before, c.after, got, c.want)
		}
	}
}

func TestRandomTextsAreMadeWhole(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"a", "b", "c", " ", "\n", "é", ".", "word"}
	text := func(n int) string {
		var b strings.Builder
		for range r.IntN(n + 1) {
			b.WriteString(words[r.IntN(len(words))])
		}
		return b.String()
	}
	for i := range 3_000 {
		n := 30
		if i%300 == 0 {
			n = 3_000 // too different for words, or even for lines
		}
		before, after := text(n), text(n)
		whole(t, before, after, diff.Words(before, after))
	}
}

// hostile are pairs of 50,000 characters that are hard to compare.
func hostile() map[string][2]string {
	const n = 50_000
	random := func(seed uint64, alphabet string) string {
		r, b := rand.New(rand.NewPCG(seed, 7)), make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	var numbered, shuffled strings.Builder
	for i := range n / 8 {
		fmt.Fprintf(&numbered, "%06d\n", i)
		fmt.Fprintf(&shuffled, "%06d\n", (i*7919)%(n/8))
	}
	return map[string][2]string{
		"random characters":           {random(1, ".,-!"), random(2, ".,-!")},
		"random lines":                {random(3, "ab \n"), random(4, "ab \n")},
		"two characters in turn":      {strings.Repeat(".-", n/2), strings.Repeat("-.", n/2)},
		"all the same, and another":   {strings.Repeat("!", n), strings.Repeat("?", n)},
		"the same with a change each": {strings.Repeat("x y ", n/4), strings.Repeat("x z ", n/4)},
		"lines in another order":      {numbered.String(), shuffled.String()},
		"one long word":               {strings.Repeat("a", n), strings.Repeat("a", n-1) + "b"},
	}
}

func TestHostileTextsAreBounded(t *testing.T) {
	for name, c := range hostile() {
		t.Run(name, func(t *testing.T) {
			best := time.Hour // of several: others use the machine, too
			for range 5 {
				began := time.Now()
				runs := diff.Words(c[0], c[1])
				best = min(best, time.Since(began))
				whole(t, c[0], c[1], runs)
				if len(runs) > 2_000 {
					t.Fatalf("%d runs", len(runs))
				}
			}
			t.Logf("%s", best)
			if best > 50*time.Millisecond && !raced {
				t.Errorf("%s for 50,000 characters", best)
			}
		})
	}
}

func FuzzWords(f *testing.F) {
	f.Add("We ask patients.", "We ask all patients.")
	f.Fuzz(func(t *testing.T, before, after string) {
		whole(t, before, after, diff.Words(before, after))
	})
}

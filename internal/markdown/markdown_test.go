package markdown_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/internal/markdown"
)

func TestHTML(t *testing.T) {
	r := markdown.New()
	for source, want := range map[string]string{
		"":              "",
		"a **b** _c_":   "<p>a <strong>b</strong> <em>c</em></p>\n",
		"- [x] done":    "<ul>\n<li><input checked=\"\" disabled=\"\" type=\"checkbox\"> done</li>\n</ul>\n",
		"~~old~~":       "<p><del>old</del></p>\n",
		"1 < 2 & 3 > 2": "<p>1 &lt; 2 &amp; 3 &gt; 2</p>\n",
	} {
		if got := r.HTML(source); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}

// dangerous is an element that runs or loads something, an attribute that does, or a link that does. Escaped text is none.
var dangerous = regexp.MustCompile(`<(script|img|svg|iframe|style|math|object|embed)|<[a-z][^>]*\son[a-z]+=|href="(javascript|data|vbscript)`)

func TestNothingRunsInTheReadersPage(t *testing.T) {
	r := markdown.New()
	for _, source := range []string{
		"<script>alert(1)</script>",
		"<img src=x onerror=alert(1)>",
		"![x](javascript:alert(1))",
		"[x](javascript:alert(1))",
		"[x](JaVaScRiPt:alert(1))",
		"[x](data:text/html;base64,PHNjcmlwdD4=)",
		"[x](vbscript:msgbox)",
		"<a href=\"javascript:alert(1)\">x</a>",
		"<svg onload=alert(1)>",
		"<iframe src=//evil.example></iframe>",
		"[x](<javascript:alert(1)>)",
		"[a]: javascript:alert(1)\n\n[a]",
		"<style>*{display:none}</style>",
		"**<b onclick=alert(1)>x</b>**",
		"```html\n<script>alert(1)</script>\n```",
		"`<img src=x onerror=alert(1)>`",
		"<javascript:alert(1)>",
		"[x](https://ok.example \"onmouseover=alert(1)\")",
		"<math><mi xlink:href=\"data:x,<script>alert(1)</script>\">",
	} {
		html := strings.ToLower(r.HTML(source))
		if dangerous.MatchString(html) {
			t.Errorf("%q becomes %q", source, html)
		}
	}
}

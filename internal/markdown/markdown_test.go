package markdown_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/markdown"
)

func TestHTML(t *testing.T) {
	r := markdown.New()
	for source, want := range map[string]string{
		"":                                 "",
		"a **b** _c_":                      "<p>a <strong>b</strong> <em>c</em></p>\n",
		"- [x] done":                       "<ul>\n<li><input checked=\"\" disabled=\"\" type=\"checkbox\"> done</li>\n</ul>\n",
		"~~old~~":                          "<p><del>old</del></p>\n",
		"Well done :tada:":                 "<p>Well done 🎉</p>\n",
		":no such emoji: :nonsense:":       "<p>:no such emoji: :nonsense:</p>\n",
		"`:tada:`":                         "<p><code>:tada:</code></p>\n",
		"```go\nx := 1\n```":               "<pre><code class=\"language-go\">x := 1\n</code></pre>\n",
		"```c++\nx\n```":                   "<pre><code class=\"language-c++\">x\n</code></pre>\n",
		"```a\" onclick=\"x\ny\n```":       "<pre><code>y\n</code></pre>\n",
		"| a | b |\n|:-|-:|\n| 1 | 2 |":    "<table>\n<thead>\n<tr>\n<th align=\"left\">a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align=\"left\">1</td>\n<td align=\"right\">2</td>\n</tr>\n</tbody>\n</table>\n",
		"- [ ] open\n- [x] done":           "<ul>\n<li><input disabled=\"\" type=\"checkbox\"> open</li>\n<li><input checked=\"\" disabled=\"\" type=\"checkbox\"> done</li>\n</ul>\n",
		"See https://example.org/a?b=1&c.": "<p>See <a href=\"https://example.org/a?b=1&amp;c\" rel=\"nofollow noreferrer\">https://example.org/a?b=1&amp;c</a>.</p>\n",
		"1 < 2 & 3 > 2":                    "<p>1 &lt; 2 &amp; 3 &gt; 2</p>\n",
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
		"```language-x\" onmouseover=\"alert(1)\n```",
		"| <img src=x onerror=alert(1)> |\n|-|\n| [x](javascript:alert(1)) |",
		"- [x] <input type=text onfocus=alert(1) autofocus>",
		":smile\"><script>alert(1)</script>:",
		"https://ok.example/\"onmouseover=alert(1)",
		"~~<svg/onload=alert(1)>~~",
		"www.example.org<script>alert(1)</script>",
		"<math><mi xlink:href=\"data:x,<script>alert(1)</script>\">",
	} {
		html := strings.ToLower(r.HTML(source))
		if dangerous.MatchString(html) {
			t.Errorf("%q becomes %q", source, html)
		}
	}
}

// What is made to be slow to read is not.
func TestHostileTextIsRenderedSoon(t *testing.T) {
	r := markdown.New()
	for name, piece := range map[string]string{
		"brackets": "[", "images": "![", "emphasis": "*a _b ", "quotes": "> ", "lists": "- ", "code": "`", "table cells": "|a", "entities": "&amp;", "colons": ":", "emoji": ":tada:",
		"links": "[a](", "references": "[a][", "strikes": "~~a", "angle brackets": "<", "addresses": "http://a.b ", "bare addresses": "www.", "tasks": "- [x] ", "backslashes": "\\",
	} {
		t.Run(name, func(t *testing.T) {
			source := strings.Repeat(piece, 50_000/len(piece))
			best := time.Hour // of two: others use the machine, too
			for range 2 {
				began := time.Now()
				r.HTML(source)
				best = min(best, time.Since(began))
			}
			t.Logf("%s", best)
			if best > time.Second {
				t.Errorf("%s for 50,000 characters", best)
			}
		})
	}
}

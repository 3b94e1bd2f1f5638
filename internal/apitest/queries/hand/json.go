package hand

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// out is an answer that is being written.
type out []byte

func (o *out) raw(s string) { *o = append(*o, s...) }

func (o *out) text(s string) {
	b, err := jsontext.AppendQuote(*o, s)
	if err == nil {
		*o = b
	}
}

func (o *out) id(id gid.ID) {
	*o = append(*o, '"')
	*o = append(*o, id.String()...)
	*o = append(*o, '"')
}

func (o *out) cursor(c page.Cursor) {
	*o = append(*o, '"')
	*o = append(*o, c...)
	*o = append(*o, '"')
}

func (o *out) number(n int) { *o = strconv.AppendInt(*o, int64(n), 10) }

func (o *out) truth(b bool) { *o = strconv.AppendBool(*o, b) }

func (o *out) instant(t time.Time) {
	*o = t.UTC().AppendFormat(*o, `"2006-01-02T15:04:05.999999Z07:00"`)
}

func (o *out) perhaps(t *time.Time) {
	if t == nil {
		o.raw("null")
		return
	}
	o.instant(*t)
}

func (o *out) day(t time.Time) { *o = t.UTC().AppendFormat(*o, `"2006-01-02"`) }

func (o *out) textOrNull(s string) {
	if s == "" {
		o.raw("null")
		return
	}
	o.text(s)
}

// pageInfo writes a page's PageInfo with the fields that the operations ask for.
func (o *out) pageInfo(next bool, end *page.Cursor) {
	o.raw(`"pageInfo":{"hasNextPage":`)
	o.truth(next)
	o.raw(`,"endCursor":`)
	o.cursorOrNull(end)
	o.raw(`}`)
}

func (o *out) cursorOrNull(c *page.Cursor) {
	if c == nil {
		o.raw("null")
		return
	}
	o.cursor(*c)
}

type reaction struct {
	Emoji string `json:"emoji"`
	Count int    `json:"count"`
}

// reactions writes the groups of a post's reactions; mine are the viewer's own.
func (o *out) reactions(counts []byte, mine []string) error {
	if len(counts) <= 2 { // none
		o.raw("[]")
		return nil
	}
	var all []reaction
	if err := json.Unmarshal(counts, &all); err != nil {
		return err
	}
	o.raw("[")
	for i, r := range all {
		if i > 0 {
			o.raw(",")
		}
		o.raw(`{"emoji":`)
		o.text(r.Emoji)
		o.raw(`,"count":`)
		o.number(r.Count)
		o.raw(`,"viewerHasReacted":`)
		has := false
		for _, e := range mine {
			has = has || e == r.Emoji
		}
		o.truth(has)
		o.raw("}")
	}
	o.raw("]")
	return nil
}

package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// markdown writes a file a thread.
func (a *written) markdown(ctx context.Context) error {
	var w io.Writer
	var open *talk
	seen := 0
	return a.eachTalk(ctx, func(talks []*talk) error {
		return a.eachBatch(ctx, talks, func(t *talk, b *batch) (err error) {
			if t != open {
				if w, err = a.create("threads/" + t.ID.String() + ".md"); err != nil {
					return err
				}
				open = t
				if _, err := io.WriteString(w, front(t)); err != nil {
					return err
				}
			}
			for i := range b.posts {
				if _, err := io.WriteString(w, text(b.post(i))); err != nil {
					return err
				}
			}
			if before := seen; before/tell != (before+len(b.posts))/tell {
				if err := a.tell(a.posts); err != nil { // nothing new to say, but the lease is renewed
					return err
				}
			}
			seen += len(b.posts)
			return nil
		})
	})
}

// front is the front matter of a thread's file: YAML, whose strings are JSON's. The title is the heading, too.
func front(t *talk) string {
	quoted := func(v any) string {
		text, _ := json.Marshal(v) //nolint:errchkjson // strings and lists of them
		return string(text)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "---\nid: %s\ntitle: %s\nkind: %s\ntags: %s\nauthor: %s\ncreated: %s\npinned: %t\nlocked: %t\n",
		t.ID, quoted(t.Title), t.Kind, quoted(t.tags), quoted(nameOf(authorOf(t.author))), t.CreatedAt.UTC().Format(time.RFC3339), t.Pinned, t.Locked)
	if t.MergedIntoID != nil {
		fmt.Fprintf(&b, "mergedInto: %s\n", *t.MergedIntoID)
	}
	fmt.Fprintf(&b, "---\n\n# %s\n", t.Title)
	return b.String()
}

func nameOf(a *authorJSON) string {
	if a == nil {
		return "somebody who has left"
	}
	return a.Name + " (@" + a.Handle + ")"
}

// text is a post to be read.
func text(p postJSON) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %d. %s\n\n%s", p.Seq, nameOf(p.Author), p.CreatedAt.Format("2 January 2006, 15:04 UTC"))
	if p.Edits > 0 {
		b.WriteString(", edited")
	}
	b.WriteString("\n\n")
	switch p.State {
	case deleted:
		b.WriteString("*This post was deleted.*\n")
		return b.String()
	case hidden:
		b.WriteString("*This post was hidden by a moderator.*\n")
		return b.String()
	case moved:
		b.WriteString("*This post was moved to another thread.*\n")
		return b.String()
	}
	if p.Quote != "" {
		b.WriteString("> " + strings.ReplaceAll(p.Quote, "\n", "\n> ") + "\n\n")
	}
	b.WriteString(strings.TrimRight(p.Body, "\n") + "\n")
	if p.Poll != nil {
		fmt.Fprintf(&b, "\n**%s** (%d voted)\n\n", p.Poll.Question, p.Poll.Voters)
		for _, o := range p.Poll.Options {
			fmt.Fprintf(&b, "- %s: %d\n", o.Label, o.Votes)
		}
	}
	for i, f := range p.Attachments {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "- File: %s (%s)\n", f.Name, f.ID)
	}
	for i, r := range p.Reactions {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s %d ", r.Emoji, r.Count)
	}
	if len(p.Reactions) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

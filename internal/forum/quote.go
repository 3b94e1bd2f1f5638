package forum

import (
	"context"
	"strings"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

// maxQuote is the longest quote, in characters.
const maxQuote = 2_000

// quotable says whether a quote is of a post: it must stand in its body as it is now. White space is all the same.
func quotable(quote string, from *ent.Post) error {
	plain := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	switch {
	case quote == "":
		return nil
	case from == nil:
		return fault.Invalid("quote", "A quote needs the post that it is from: give replyToId.")
	case from.HiddenAt != nil || !strings.Contains(plain(from.Body), plain(quote)):
		return fault.Invalid("quote", "The post that is answered does not say this.")
	}
	return nil
}

// Quotes are what posts repeat of the posts that they answer, nil for nothing; nothing while the quoted post is hidden, or in a space of
// other readers. At most two statements for all, none when there are no quotes.
func (s *Service) Quotes(ctx context.Context, posts []*ent.Post) ([]*string, error) {
	quotes := make([]*string, len(posts))
	var quoting []*ent.Post
	for _, p := range posts {
		if p.Quote != "" && p.HiddenAt == nil {
			quoting = append(quoting, p)
		}
	}
	answered, err := s.Answered(ctx, quoting, Whole)
	if err != nil {
		return nil, err
	}
	shown := make(map[gid.ID]bool, len(quoting))
	for i, p := range quoting {
		shown[p.ID] = answered[i] != nil && answered[i].HiddenAt == nil
	}
	for i, p := range posts {
		if shown[p.ID] {
			quotes[i] = &p.Quote
		}
	}
	return quotes, nil
}

package forum

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
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

// Quotes are what posts repeat of the posts that they answer, nil for nothing; nothing while the quoted post is hidden. One statement for
// all, none when there are no quotes.
func (s *Service) Quotes(ctx context.Context, posts []*ent.Post) ([]*string, error) {
	quotes := make([]*string, len(posts))
	var ids []gid.ID
	for i, p := range posts {
		if p.Quote != "" && p.HiddenAt == nil && p.ReplyToID != nil {
			quotes[i] = &p.Quote
			ids = append(ids, *p.ReplyToID)
		}
	}
	if len(ids) == 0 {
		return quotes, nil
	}
	hidden, err := s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids), post.HiddenAtNotNil()).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for hidden posts: %w", err)
	}
	for i, p := range posts {
		if quotes[i] != nil && slices.Contains(hidden, *p.ReplyToID) {
			quotes[i] = nil
		}
	}
	return quotes, nil
}

package forum

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/postlink"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// maxLinks is how many objects of the graph a post shows cards of.
const maxLinks = 20

var (
	webAddress = regexp.MustCompile(`https?://[^\s<>"]+`)
	objectID   = regexp.MustCompile(`\b[a-z]{3}_[0-9a-z]{26}\b`)
	codeSpan   = regexp.MustCompile("(?s)```.*?(?:```|$)|`[^`\n]*`")
)

// links are the objects that a text names by their ids: in the text itself, and in addresses of this server. Code, and addresses
// elsewhere, name none.
func (s *Service) links(body string) []gid.ID {
	text := webAddress.ReplaceAllStringFunc(codeSpan.ReplaceAllString(body, " "), func(address string) string {
		if rest, ours := strings.CutPrefix(address, strings.TrimRight(s.PublicURL, "/")); ours && s.PublicURL != "" && strings.HasPrefix(rest, "/") {
			return address
		}
		return " "
	})
	var ids []gid.ID
	for _, name := range objectID.FindAllString(text, -1) {
		if id, err := gid.Parse(name); err == nil && !slices.Contains(ids, id) && len(ids) < maxLinks {
			ids = append(ids, id)
		}
	}
	return ids
}

// link keeps what a post links to, in the place of what it did.
func (s *Service) link(ctx context.Context, tx *ent.Client, postID gid.ID, body string, at time.Time) error {
	if _, err := tx.PostLink.Delete().Where(postlink.PostID(postID)).Exec(ctx); err != nil {
		return fmt.Errorf("delete links: %w", err)
	}
	ids := s.links(body)
	rows := make([]*ent.PostLinkCreate, len(ids))
	for i, id := range ids {
		rows[i] = tx.PostLink.Create().SetID(s.NewID(gid.PostLink)).SetCreatedAt(at).SetPostID(postID).SetObjectID(id).SetPosition(i)
	}
	if err := tx.PostLink.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("keep links: %w", err)
	}
	return nil
}

// Cards are the objects that posts link to and that the viewer can see, in the order of the text; nothing tells how many were left out. It
// takes one statement for all posts, and one for each kind of object.
func (s *Service) Cards(ctx context.Context, v viewer.Viewer, posts []*ent.Post) ([][]any, error) {
	c := s.Store.Client(ctx)
	rows, err := c.PostLink.Query().Where(page.AnyOf(postlink.FieldPostID, shown(posts))).Order(postlink.ByPosition()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load links: %w", err)
	}
	var ids []gid.ID
	for _, r := range rows {
		if !slices.Contains(ids, r.ObjectID) {
			ids = append(ids, r.ObjectID)
		}
	}
	found, err := access.Find(ctx, c, v, ids...)
	if err != nil {
		return nil, err
	}
	of := make(map[gid.ID][]any)
	for _, r := range rows {
		if object := found[r.ObjectID]; object != nil {
			of[r.PostID] = append(of[r.PostID], object)
		}
	}
	cards := make([][]any, len(posts))
	for i, p := range posts {
		cards[i] = append([]any{}, of[p.ID]...)
	}
	return cards, nil
}

// Package feed serves a space's newest posts to programs that read feeds: Atom (RFC 4287), by an address that a member made for
// themselves. What is in it is what that member may read at that moment.
package feed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// newest is how many posts a feed has.
const newest = 50

// Service serves feeds. All fields are needed.
type Service struct {
	Store    *store.Store
	Accounts *account.Service
}

type feed struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Link    link     `xml:"link"`
	Entries []entry  `xml:"entry"`
}

type link struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

type entry struct {
	ID        string  `xml:"id"`
	Title     string  `xml:"title"`
	Published string  `xml:"published"`
	Updated   string  `xml:"updated"`
	Author    string  `xml:"author>name"`
	Content   content `xml:"content"`
}

type content struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// Serve answers GET /spaces/{id}/feed.atom?token=…. A space that is hidden or missing or no longer the reader's, and a token that is
// unknown or revoked, are the same NOT_FOUND.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	id, err := gid.Parse(r.PathValue("id"))
	if err != nil {
		return fault.Missing()
	}
	reader, err := s.Accounts.OpenFeed(r.Context(), r.URL.Query().Get("token"), id, v.Address())
	if err != nil {
		return err
	}
	written, err := s.write(viewer.NewContext(r.Context(), reader), reader, id)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(written)
	w.Header().Set("Cache-Control", "private, max-age=300")
	w.Header().Set("Content-Type", "application/atom+xml; charset=utf-8")
	w.Header().Set("Etag", `"`+hex.EncodeToString(sum[:16])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(written)) // which answers If-None-Match
	return nil
}

func (s *Service) write(ctx context.Context, v viewer.Viewer, id gid.ID) ([]byte, error) {
	c := s.Store.Client(ctx)
	sp, err := c.Space.Query().Where(space.ID(id), access.VisibleSpaces(v)).Only(ctx)
	if ent.IsNotFound(err) || err == nil && access.Hidden(sp.Kind) {
		return nil, fault.Missing()
	}
	if err != nil {
		return nil, fmt.Errorf("load the space of a feed: %w", err)
	}
	posts, err := c.Post.Query().Where(access.VisiblePosts(v), access.HeardPosts(v), post.HasThreadWith(thread.SpaceID(id)), post.DeletedAtIsNil(), post.HiddenAtIsNil(), post.MovedToIDIsNil()).
		Order(post.ByID(sql.OrderDesc())).Limit(newest).WithAuthor().WithThread().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the posts of a feed: %w", err)
	}
	f := feed{ID: urn(id), Title: sp.Name, Link: link{"self", s.Accounts.PublicURL + "/spaces/" + id.String() + "/feed.atom"}, Entries: make([]entry, len(posts))}
	updated := sp.CreatedAt
	for i, p := range posts {
		at := p.CreatedAt
		if p.EditedAt != nil {
			at = *p.EditedAt
		}
		if at.After(updated) {
			updated = at
		}
		f.Entries[i] = entry{
			ID: urn(p.ID), Title: p.Edges.Thread.Title, Published: instant(p.CreatedAt), Updated: instant(at), Author: p.Edges.Author.Name,
			Content: content{"html", p.BodyHTML},
		}
	}
	f.Updated = instant(updated)
	text, err := xml.Marshal(f)
	return append([]byte(xml.Header), text...), err
}

// urn is an id as feeds have it: it stays the same wherever the server is.
func urn(id gid.ID) string { return "urn:uuid:" + id.UUID() }

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

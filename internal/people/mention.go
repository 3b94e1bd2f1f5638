package people

import (
	"context"
	"fmt"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	maxCandidates = 20
	maxPrefix     = 60
	// recentPosts is how many posts back a thread's writers go before others.
	recentPosts = 200
	// facilitators calls those who look after the space: internal/notify knows the word.
	facilitators = "facilitators"
)

// MentionCandidate is somebody whom a text can call, and how.
type MentionCandidate struct {
	Text, Label string
	Member      *ent.Member // or
	Team        *ent.Team   // or, if neither is set, those who look after the space
}

// MentionCandidates are whom a post in a thread, or the first post of a new thread in a space, can call and whose name or handle begins
// with a text: of the members who belong there those first who wrote in the thread lately, then by name; then teams of which somebody
// belongs there; then those who look after the space. Members who block the viewer are found like all others, and are not told. It returns NOT_FOUND for a place that
// the viewer cannot see, and takes three statements at most.
func (s *Service) MentionCandidates(ctx context.Context, v viewer.Viewer, place gid.ID, prefix string, first int) ([]*MentionCandidate, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	switch prefix = community.Fold(strings.TrimPrefix(prefix, "@")); {
	case first < 1 || first > maxCandidates:
		return nil, fault.Invalid("first", "first must be from 1 to %d.", maxCandidates)
	case len(prefix) > maxPrefix:
		return nil, fault.Invalid("prefix", "This must have at most %d characters.", maxPrefix)
	}
	spaceID, recent, err := s.place(ctx, v, place)
	if err != nil {
		return nil, err
	}
	named := func(*sql.Selector) {}
	if prefix != "" {
		named = community.Named(prefix)
	}
	members, err := s.Store.Client(ctx).Member.Query().
		Where(access.SpaceReaders(spaceID), member.IDNEQ(me), named, recent).Order(member.ByName(), member.ByID()).Limit(first).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("find members to mention: %w", err)
	}
	candidates := make([]*MentionCandidate, 0, first)
	for _, m := range members {
		candidates = append(candidates, &MentionCandidate{Text: "@" + m.Handle, Label: m.Name, Member: m})
	}
	if room := first - len(candidates); room > 0 {
		teams, err := s.Store.Client(ctx).Team.Query().
			Where(team.ArchivedAtIsNil(), access.VisibleTeams(v), access.TeamsWithin(spaceID), begins(prefix)).Order(team.ByName(), team.ByID()).Limit(room).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("find teams to mention: %w", err)
		}
		for _, t := range teams {
			candidates = append(candidates, &MentionCandidate{Text: teamText(t), Label: t.Name, Team: t})
		}
	}
	if len(candidates) < first && strings.HasPrefix(facilitators, prefix) {
		candidates = append(candidates, &MentionCandidate{Text: "@" + facilitators, Label: "Those who look after this space"})
	}
	return candidates, nil
}

// place finds the space of a place, and puts those first who wrote there lately.
func (s *Service) place(ctx context.Context, v viewer.Viewer, id gid.ID) (spaceID gid.ID, recent func(*sql.Selector), err error) {
	recent = func(*sql.Selector) {}
	missing := fault.Missing()
	switch id.Kind() {
	case gid.Space:
		found, err := s.Store.Client(ctx).Space.Query().Where(space.ID(id), access.VisibleSpaces(v)).Exist(ctx)
		if err == nil && !found {
			err = missing
		}
		return id, recent, err
	case gid.Thread:
		t, err := s.Store.Client(ctx).Thread.Query().Where(thread.ID(id), access.VisibleThreads(v)).Only(ctx)
		if ent.IsNotFound(err) {
			return gid.ID{}, nil, missing
		}
		if err != nil {
			return gid.ID{}, nil, err
		}
		return t.SpaceID, latestWriters(t), nil
	default:
		return gid.ID{}, nil, missing
	}
}

// latestWriters orders members by their newest post among the latest ones of a thread. It adds an order that goes before those that
// follow.
func latestWriters(t *ent.Thread) func(*sql.Selector) {
	return func(s *sql.Selector) {
		d := sql.Dialect(s.Dialect())
		p := d.Table(post.Table)
		wrote := d.Select(p.C(post.FieldAuthorID)).From(p).Where(sql.And(
			sql.EQ(p.C(post.FieldThreadID), t.ID), sql.GT(p.C(post.FieldSeq), t.PostSeq-recentPosts), sql.IsNull(p.C(post.FieldDeletedAt)), sql.IsNull(p.C(post.FieldHiddenAt)))).
			GroupBy(p.C(post.FieldAuthorID)).As("wrote")
		wrote.AppendSelectAs(sql.Max(p.C(post.FieldSeq)), "latest")
		s.LeftJoin(wrote).On(s.C(member.FieldID), wrote.C(post.FieldAuthorID))
		s.OrderExprFunc(func(b *sql.Builder) {
			b.WriteString("COALESCE(").Ident(wrote.C("latest")).WriteString(", 0) DESC")
		})
	}
}

// begins are the teams of which the name, or a word of it, begins with a text. There are few teams.
func begins(prefix string) func(*sql.Selector) {
	if prefix == "" {
		return func(*sql.Selector) {}
	}
	return func(s *sql.Selector) {
		s.Where(sql.Or(sql.HasPrefixFold(s.C(team.FieldName), prefix), sql.ContainsFold(s.C(team.FieldName), " "+prefix)))
	}
}

// teamText is how a text calls a team: the words are for the reader, the id counts.
func teamText(t *ent.Team) string {
	name := strings.NewReplacer("[", "(", "]", ")").Replace(t.Name)
	return "@[" + name + "](" + t.ID.String() + ")"
}

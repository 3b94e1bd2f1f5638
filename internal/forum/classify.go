package forum

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/ent/threadtag"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Limits of tags: how many a thread has, how long one is, and how many of a space are told.
const (
	maxTags      = 10
	maxTag       = 40
	maxSpaceTags = 100
)

// word is a tag: letters and digits, in parts with hyphens between.
var word = regexp.MustCompile(`^[\p{L}\p{M}\p{N}]+(-[\p{L}\p{M}\p{N}]+)*$`)

// CheckTags returns tags as they are kept: in small letters, in their order, each once.
func CheckTags(check *input.Checker, tags []string) []string {
	kept := make([]string, len(tags))
	for i, t := range tags {
		kept[i] = strings.ToLower(strings.TrimSpace(t))
		if !utf8.ValidString(kept[i]) || !word.MatchString(kept[i]) || utf8.RuneCountInString(kept[i]) > maxTag {
			check.Refuse("tags."+strconv.Itoa(i), "A tag is 1 to %d letters and digits, with single hyphens between.", maxTag)
		}
	}
	slices.Sort(kept)
	kept = slices.Compact(kept)
	if len(kept) > maxTags {
		check.Refuse("tags", "A thread takes at most %d tags.", maxTags)
	}
	return kept
}

func checkKind(check *input.Checker, k thread.Kind) {
	if thread.KindValidator(k) != nil {
		check.Refuse("kind", "There is no such sort of thread.")
	}
}

// filed says whether a thread may be of a kind from now on: announcements are for those who moderate the space.
func (l *locked) filed(k thread.Kind) error {
	if k == thread.KindANNOUNCEMENT && !l.rights.Moderate {
		return fault.Denied("Only those who moderate this space can make announcements.").At("kind")
	}
	return nil
}

// ThreadClass is what a thread is filed under; nil fields are left as they are.
type ThreadClass struct {
	Kind *thread.Kind
	Tags *[]string
}

// ClassifyThread gives a thread another kind or other tags. For its author, and whoever moderates it; only these make announcements.
func (s *Service) ClassifyThread(ctx context.Context, v viewer.Viewer, id gid.ID, c ThreadClass) (*ent.Thread, error) {
	var check input.Checker
	if c.Kind != nil {
		checkKind(&check, *c.Kind)
	}
	var tags []string
	if c.Tags != nil {
		tags = CheckTags(&check, *c.Tags)
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, t *locked, u *ent.ThreadUpdate) error {
		if err := t.changeable(v); err != nil {
			return err
		}
		if c.Kind != nil && *c.Kind != t.Kind {
			if err := t.filed(*c.Kind); err != nil {
				return err
			}
			u.SetKind(*c.Kind).ClearAcceptedPostID()
		}
		if c.Tags == nil {
			return nil
		}
		if _, err := tx.ThreadTag.Delete().Where(threadtag.ThreadID(t.ID)).Exec(ctx); err != nil {
			return fmt.Errorf("delete tags: %w", err)
		}
		if err := s.tag(ctx, tx, t.ID, tags, s.Now()); err != nil {
			return err
		}
		return indexThread(ctx, tx, t.ID, t.Title, tags)
	})
}

// tag writes the tags of a thread that has none.
func (s *Service) tag(ctx context.Context, tx *ent.Client, id gid.ID, tags []string, at time.Time) error {
	rows := make([]*ent.ThreadTagCreate, len(tags))
	for i, t := range tags {
		rows[i] = tx.ThreadTag.Create().SetID(s.NewID(gid.ThreadTag)).SetCreatedAt(at).SetThreadID(id).SetTag(t)
	}
	if err := tx.ThreadTag.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("tag thread: %w", err)
	}
	return nil
}

// indexThread makes a thread found by its title and its tags.
func indexThread(ctx context.Context, tx *ent.Client, id gid.ID, title string, tags []string) error {
	return store.Index(ctx, tx, store.Document{Kind: searchdocument.KindTHREAD, Object: id, Thread: &id, Title: title, Body: strings.Join(tags, " ")})
}

// tagsOf are the tags of a thread.
func tagsOf(ctx context.Context, tx *ent.Client, id gid.ID) ([]string, error) {
	rows, err := tx.ThreadTag.Query().Where(threadtag.ThreadID(id)).Order(threadtag.ByTag()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load tags: %w", err)
	}
	tags := make([]string, len(rows))
	for i, r := range rows {
		tags[i] = r.Tag
	}
	return tags, nil
}

// Tags are the tags of each thread in alphabetical order: one statement for all.
func (s *Service) Tags(ctx context.Context, threads []gid.ID) ([][]string, error) {
	rows, err := s.Store.Client(ctx).ThreadTag.Query().Where(page.AnyOf(threadtag.FieldThreadID, threads)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load tags: %w", err)
	}
	of := make(map[gid.ID][]string, len(threads))
	for _, r := range rows {
		of[r.ThreadID] = append(of[r.ThreadID], r.Tag)
	}
	tags := make([][]string, len(threads))
	for i, id := range threads {
		slices.Sort(of[id]) // as Go orders texts, so that both databases agree
		tags[i] = append([]string{}, of[id]...)
	}
	return tags, nil
}

// SpaceTag is a tag with how many threads of a space have it.
type SpaceTag struct {
	SpaceID     gid.ID `sql:"space_id"`
	Tag         string `sql:"tag"`
	ThreadCount int    `sql:"thread_count"`
}

// SpaceTags are the tags of the threads of each space, the most used first, maxSpaceTags at most: one statement for all.
func (s *Service) SpaceTags(ctx context.Context, spaces []gid.ID) ([][]*SpaceTag, error) {
	var rows []*SpaceTag
	err := s.Store.Client(ctx).ThreadTag.Query().Modify(func(outer *sql.Selector) {
		const count, place = "thread_count", "place"
		b := sql.Dialect(outer.Dialect())
		t, tt := b.Table(thread.Table).As("t"), b.Table(threadtag.Table).As("tt")
		used := b.Select(t.C(thread.FieldSpaceID), tt.C(threadtag.FieldTag), sql.As(sql.Count("*"), count)).From(t).
			Join(tt).On(tt.C(threadtag.FieldThreadID), t.C(thread.FieldID))
		those := b.Select().From(b.Table(space.Table))
		page.AnyOf(space.FieldID, spaces)(those)
		used.Where(sql.And(sql.In(t.C(thread.FieldSpaceID), those.Select(those.C(space.FieldID))), sql.IsNull(t.C(thread.FieldMergedIntoID)))).
			GroupBy(t.C(thread.FieldSpaceID), tt.C(threadtag.FieldTag)).
			AppendSelectExprAs(sql.RowNumber().PartitionBy(t.C(thread.FieldSpaceID)).OrderExpr(sql.Raw("count(*) DESC"), sql.Raw("tag")), place)
		few := used.As("used")
		outer.Select(few.C(thread.FieldSpaceID), few.C(threadtag.FieldTag), few.C(count)).From(few).
			Where(sql.LTE(few.C(place), maxSpaceTags))
	}).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count tags: %w", err)
	}
	of := make(map[gid.ID][]*SpaceTag, len(spaces))
	for _, r := range rows {
		of[r.SpaceID] = append(of[r.SpaceID], r)
	}
	tags := make([][]*SpaceTag, len(spaces))
	for i, id := range spaces {
		slices.SortFunc(of[id], func(a, b *SpaceTag) int {
			return cmp.Or(cmp.Compare(b.ThreadCount, a.ThreadCount), cmp.Compare(a.Tag, b.Tag))
		})
		tags[i] = append([]*SpaceTag{}, of[id]...)
	}
	return tags, nil
}

package library

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/framework"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	files "github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Limits of what can be written, in characters, and of how many frameworks a resource can have.
const (
	maxTitle      = 200
	maxSummary    = 10_000
	maxLicence    = 120
	maxNote       = 2_000
	maxFrameworks = 10
)

// NewResource is a resource to add.
type NewResource struct {
	Kind                         resource.Kind
	Title, Summary, URL, Licence string
	FrameworkIDs                 []gid.ID
	Audience                     resource.Audience
	SpaceID                      *gid.ID // with the audience SPACE
	FileID                       *gid.ID `json:",omitempty"` // an uploaded file of the viewer's own
	IdempotencyKey               *string `json:"-"`
}

// CreateResource adds a resource. For staff; in a space for whoever may write there. It returns NOT_FOUND for a space that the viewer
// cannot see, for a framework that does not exist, and for a file that is not the viewer's own.
func (s *Service) CreateResource(ctx context.Context, v viewer.Viewer, in NewResource) (*ent.Resource, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	r := &ent.Resource{Kind: in.Kind, Audience: in.Audience, SpaceID: in.SpaceID, FileID: in.FileID, AuthorID: me, Version: 1}
	if resource.KindValidator(in.Kind) != nil {
		check.Refuse("kind", "There is no such sort of resource.")
	}
	if resource.AudienceValidator(in.Audience) != nil {
		check.Refuse("audience", "There is no such audience.")
	}
	if in.Audience == resource.AudienceSPACE && in.SpaceID == nil {
		check.Refuse("spaceId", "Say in which space it is kept.")
	}
	if in.Audience != resource.AudienceSPACE && in.SpaceID != nil {
		check.Refuse("spaceId", "Only a resource with the audience SPACE is kept in a space.")
	}
	describe(&check, r, Description{Title: &in.Title, Summary: &in.Summary, URL: &in.URL, Licence: &in.Licence})
	few(&check, in.FrameworkIDs)
	if err := check.Err(); err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		once := store.Once{Member: me, Operation: "createResource", Key: in.IdempotencyKey, Payload: in, At: s.Now()}
		id, err := once.Do(ctx, tx, func() (gid.ID, error) {
			r.ID = s.NewID(gid.Resource)
			return r.ID, s.add(ctx, tx, v, r, in.FrameworkIDs)
		})
		r.ID = id
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Resource(ctx, v, r.ID)
}

// add writes a new resource with its first version.
func (s *Service) add(ctx context.Context, tx *ent.Client, v viewer.Viewer, r *ent.Resource, frameworkIDs []gid.ID) error {
	actor, err := access.Load(ctx, tx, v)
	if err != nil {
		return err
	}
	var sp *ent.Space
	var rights access.SpaceRights
	if r.SpaceID != nil {
		sp, rights, err = access.Space(ctx, tx, v, *r.SpaceID)
		if fault.Is(err, fault.NotFound) {
			return fault.Missing().At("spaceId")
		}
		if err != nil {
			return err
		}
	}
	if err := actor.CanAddResource(sp, rights); err != nil {
		return err
	}
	tags, err := known(ctx, tx, frameworkIDs)
	if err != nil {
		return err
	}
	now := s.Now()
	if r.FileID != nil {
		if err := attach(ctx, tx, r.AuthorID, *r.FileID, now); err != nil {
			return err
		}
	}
	err = tx.Resource.Create().SetID(r.ID).SetKind(r.Kind).SetTitle(r.Title).SetSummary(r.Summary).SetURL(r.URL).SetLicence(r.Licence).
		SetAudience(r.Audience).SetNillableSpaceID(r.SpaceID).SetNillableFileID(r.FileID).SetAuthorID(r.AuthorID).SetVersion(r.Version).AddFrameworkIDs(tags...).
		SetCreatedAt(now).SetUpdatedAt(now).Exec(ctx)
	if err != nil {
		return fmt.Errorf("create resource: %w", err)
	}
	return s.keep(ctx, tx, r, r.AuthorID, "", now)
}

// Description is what a resource says of itself; nil fields are left as they are.
type Description struct{ Title, Summary, URL, Licence *string }

// ResourcePatch is a change of a resource; nil fields are left as they are.
type ResourcePatch struct {
	Description
	FrameworkIDs *[]gid.ID
	FileID       *gid.ID // an uploaded file of the viewer's own, or zero for none
	Note         string  // what was changed
}

// UpdateResource makes a new version of a resource. It returns STALE_VERSION unless expectedVersion is the newest, FORBIDDEN to those
// who may not change it, and ARCHIVED when nobody may.
func (s *Service) UpdateResource(ctx context.Context, v viewer.Viewer, id gid.ID, expectedVersion int, p ResourcePatch) (*ent.Resource, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	var changed ent.Resource
	describe(&check, &changed, p.Description)
	note := check.Text("note", p.Note, 0, maxNote)
	if p.FrameworkIDs != nil {
		few(&check, *p.FrameworkIDs)
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		r, refused, err := s.lock(ctx, tx, v, id)
		switch {
		case err != nil:
			return err
		case refused != nil:
			return refused
		case r.Version != expectedVersion:
			return fault.New(fault.StaleVersion, "This resource has version %d by now. Fetch it, merge, and send again.", r.Version).At("expectedVersion")
		}
		now := s.Now()
		r.Version++
		describe(new(input.Checker), r, p.Description)
		u := tx.Resource.UpdateOneID(id).SetTitle(r.Title).SetSummary(r.Summary).SetURL(r.URL).SetLicence(r.Licence).SetVersion(r.Version).SetUpdatedAt(now)
		if p.FrameworkIDs != nil {
			tags, err := known(ctx, tx, *p.FrameworkIDs)
			if err != nil {
				return err
			}
			u.ClearFrameworks().AddFrameworkIDs(tags...)
		}
		if p.FileID != nil && *p.FileID != fileOf(r) {
			r.FileID = nil
			u.ClearFileID()
			if !p.FileID.IsZero() {
				if err := attach(ctx, tx, me, *p.FileID, now); err != nil {
					return err
				}
				r.FileID = p.FileID
				u.SetFileID(*p.FileID)
			}
		}
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("update resource: %w", err)
		}
		return s.keep(ctx, tx, r, me, note, now)
	})
	if err != nil {
		return nil, err
	}
	return s.Resource(ctx, v, id)
}

// ArchiveResource retires a resource: it is in no list and is not found any more. Retiring it again changes nothing.
func (s *Service) ArchiveResource(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Resource, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		r, refused, err := s.lock(ctx, tx, v, id)
		if err != nil {
			return err
		}
		if r.ArchivedAt != nil && fault.Is(refused, fault.Archived) {
			return nil
		}
		if refused != nil {
			return refused
		}
		if err := tx.Resource.UpdateOneID(id).SetArchivedAt(s.Now()).Exec(ctx); err != nil {
			return fmt.Errorf("archive resource: %w", err)
		}
		return store.Unindex(ctx, tx, id)
	})
	if err != nil {
		return nil, err
	}
	return s.Resource(ctx, v, id)
}

// lock loads a resource that the viewer can see, holds its row, and says why the viewer may not change it, if so.
func (s *Service) lock(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) (r *ent.Resource, refused, err error) {
	r, err = tx.Resource.Query().Where(resource.ID(id), access.VisibleResources(v), store.LockRow).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil, fault.Missing().At("resourceId")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("lock resource: %w", err)
	}
	actor, err := access.Load(ctx, tx, v)
	if err != nil {
		return nil, nil, err
	}
	can, err := actor.CanUpdateResources(ctx, tx, r)
	return r, can[id], err
}

// attach takes an uploaded file of the author's for a resource.
func attach(ctx context.Context, tx *ent.Client, author, id gid.ID, at time.Time) error {
	err := files.Attach(ctx, tx, author, id, file.PurposeRESOURCE, at)
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.At("fileId")
	}
	return err
}

// fileOf is the id of the file that a resource holds; zero for none.
func fileOf(r *ent.Resource) gid.ID {
	if r.FileID == nil {
		return gid.ID{}
	}
	return *r.FileID
}

// keep writes down what a resource is in its newest version, and lets it be found by that.
func (s *Service) keep(ctx context.Context, tx *ent.Client, r *ent.Resource, by gid.ID, note string, at time.Time) error {
	err := tx.ResourceVersion.Create().SetID(s.NewID(gid.ResourceVersion)).SetResourceID(r.ID).SetAuthorID(by).SetNumber(r.Version).
		SetTitle(r.Title).SetSummary(r.Summary).SetURL(r.URL).SetNillableFileID(r.FileID).SetLicence(r.Licence).SetNote(note).SetCreatedAt(at).Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep the version: %w", err)
	}
	return store.Index(ctx, tx, store.Document{Kind: searchdocument.KindRESOURCE, Object: r.ID, Title: r.Title, Body: r.Summary})
}

// describe checks a description and writes it onto a resource.
func describe(check *input.Checker, r *ent.Resource, d Description) {
	if d.Title != nil {
		r.Title = check.Line("title", *d.Title, 1, maxTitle)
	}
	if d.Summary != nil {
		r.Summary = check.Text("summary", *d.Summary, 0, maxSummary)
	}
	if d.URL != nil {
		r.URL = check.URL("url", *d.URL)
	}
	if d.Licence != nil {
		r.Licence = check.Line("licence", *d.Licence, 0, maxLicence)
	}
}

func few(check *input.Checker, frameworkIDs []gid.ID) {
	if len(frameworkIDs) > maxFrameworks {
		check.Refuse("frameworkIds", "A resource belongs to at most %d frameworks.", maxFrameworks)
	}
}

// known returns each framework once, or NOT_FOUND for one that does not exist.
func known(ctx context.Context, tx *ent.Client, ids []gid.ID) ([]gid.ID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	there, err := tx.Framework.Query().Where(page.AnyOf(framework.FieldID, ids)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("load frameworks: %w", err)
	}
	for i, id := range ids {
		if !slices.Contains(there, id) {
			return nil, fault.Missing().At("frameworkIds." + strconv.Itoa(i))
		}
	}
	return there, nil
}

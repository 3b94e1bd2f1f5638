package admission

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/document"
	entfile "github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	maxURL     = 2000
	maxHistory = 200 // of what was added and replaced, the latest are shown
)

// The media types of letters and videos, as package file found them.
var (
	letterTypes = []string{"application/pdf"}
	videoTypes  = []string{"video/mp4", "video/webm"}
)

// NewDocument is a document to add: an uploaded file, or a link to a video.
type NewDocument struct {
	ApplicationID       gid.ID
	Requirement, Signer string
	FileID              *gid.ID
	URL                 string
	IdempotencyKey      *string `json:"-"`
}

func (in *NewDocument) check() error {
	var check input.Checker
	in.URL = check.URL("url", in.URL)
	switch {
	case (in.FileID == nil) == (in.URL == ""):
		check.Refuse("fileId", "Give either a file or a link.")
	case in.URL != "":
		if u, err := url.Parse(in.URL); err == nil && u.Scheme != "https" {
			check.Refuse("url", "This must be an https link.")
		}
	}
	return check.Err()
}

// AddDocument gives an application a document for a requirement, in the place of the one of before, which stays in the history. A request to sign
// that waits is not touched. For editors while they may change that part: FORBIDDEN and CALL_CLOSED else. A file that is not what the requirement takes is
// INVALID_INPUT, and stays the viewer's.
func (s *Service) AddDocument(ctx context.Context, v viewer.Viewer, in NewDocument) (*ent.Application, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	once := store.Once{Member: me, At: s.Now(), Operation: "addDocument", Key: in.IdempotencyKey, Payload: in}
	return s.once(ctx, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		a, err := s.hold(ctx, tx, v, in.ApplicationID)
		if err != nil {
			return gid.ID{}, err
		}
		if err := a.writable(in.Requirement, s.Now()); err != nil {
			return gid.ID{}, err
		}
		r, err := a.requirement(in.Requirement, in.Signer)
		if err != nil {
			return gid.ID{}, err
		}
		if err := s.take(ctx, tx, me, r, in); err != nil {
			return gid.ID{}, err
		}
		return a.ID, s.putDocument(ctx, tx, v, a, tx.Document.Create().SetRequirement(in.Requirement).SetSigner(in.Signer).SetNillableFileID(in.FileID).SetURL(in.URL).SetAddedByID(me))
	})
}

// take attaches a document's file, once it is what the requirement takes.
func (s *Service) take(ctx context.Context, tx *ent.Client, me gid.ID, r schema.Requirement, in NewDocument) error {
	if in.FileID == nil {
		if r.Kind != videoKind {
			return fault.Invalid("url", "Only a video can be elsewhere. Upload this one.")
		}
		return nil
	}
	var types []string
	switch r.Kind {
	case letterKind:
		types = letterTypes
	case videoKind:
		types = videoTypes
	}
	return s.attach(ctx, tx, me, *in.FileID, "fileId", types...)
}

// attach gives the viewer's file to the application, if it is of one of the media types; none are all.
func (s *Service) attach(ctx context.Context, tx *ent.Client, me, id gid.ID, path string, types ...string) error {
	f, err := tx.File.Query().Where(entfile.ID(id), access.OwnFiles(me)).Only(ctx)
	if err != nil {
		return missing(err, path)
	}
	if len(types) > 0 && !slices.Contains(types, f.MediaType) {
		return fault.Invalid(path, "This takes %s, and the file is %s.", strings.Join(types, " or "), f.MediaType)
	}
	for _, f := range fault.All(file.Attach(ctx, tx, me, id, entfile.PurposeAPPLICATION, s.Now())) {
		return f.At(path)
	}
	return nil
}

// putDocument makes a document of an application that the transaction has locked the current one of its part.
func (s *Service) putDocument(ctx context.Context, tx *ent.Client, v viewer.Viewer, a *held, create *ent.DocumentCreate) error {
	now, id := s.Now(), s.NewID(gid.Document)
	requirement, _ := create.Mutation().Requirement()
	signer, _ := create.Mutation().Signer()
	err := tx.Document.Update().Where(document.ApplicationID(a.ID), document.Requirement(requirement), document.Signer(signer), document.RemovedAtIsNil()).
		SetRemovedAt(now).Exec(ctx)
	if err != nil {
		return fmt.Errorf("replace a document: %w", err)
	}
	if err := create.SetID(id).SetCreatedAt(now).SetApplicationID(a.ID).Exec(ctx); err != nil {
		return store.RetryOnConflict(err)
	}
	return s.touch(ctx, tx, v, a.ID, event.DocumentAdded, id)
}

// touch notes that a part of an application has changed, and tells who follows it.
func (s *Service) touch(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID, kind string, object gid.ID) error {
	if err := tx.Application.UpdateOneID(id).SetUpdatedAt(s.Now()).AddVersion(1).Exec(ctx); err != nil {
		return fmt.Errorf("touch an application: %w", err)
	}
	return s.tell(ctx, tx, v, id, kind, object)
}

// RemoveDocument takes a document of an application away. For editors, like AddDocument. Again, it changes nothing.
func (s *Service) RemoveDocument(ctx context.Context, v viewer.Viewer, id, documentID gid.ID) (*ent.Application, error) {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		a, err := s.hold(ctx, tx, v, id)
		if err != nil {
			return err
		}
		d, err := tx.Document.Query().Where(document.ID(documentID), document.ApplicationID(id), access.VisibleDocuments(v)).Only(ctx)
		if err != nil {
			return missing(err, "documentId")
		}
		if err := a.writable(d.Requirement, s.Now()); err != nil || d.RemovedAt != nil {
			return err
		}
		if err := tx.Document.UpdateOne(d).SetRemovedAt(s.Now()).Exec(ctx); err != nil {
			return fmt.Errorf("remove a document: %w", err)
		}
		return s.touch(ctx, tx, v, id, event.DocumentRemoved, d.ID)
	})
	if err != nil {
		return nil, err
	}
	return s.reload(ctx, v, id)
}

// Documents are what applications hold as the viewer sees them, in the order of the requirements: who follows an application sees the current
// ones, and a reviewer those that were submitted. Three statements.
func (s *Service) Documents(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([][]*ent.Document, error) {
	calls, err := s.callsOf(ctx, of)
	if err != nil {
		return nil, err
	}
	c := s.Store.Client(ctx)
	rows, err := c.Document.Query().Where(page.AnyOf(document.FieldApplicationID, idsOf(of)), access.CurrentDocuments(v)).Order(document.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load documents: %w", err)
	}
	by := make(map[gid.ID]map[part]*ent.Document, len(of))
	for _, d := range rows {
		if by[d.ApplicationID] == nil {
			by[d.ApplicationID] = make(map[part]*ent.Document)
		}
		by[d.ApplicationID][part{d.Requirement, d.Signer}] = d
	}
	out := make([][]*ent.Document, len(of))
	for i, a := range of {
		out[i] = []*ent.Document{}
		for _, p := range allParts(calls[i].Requirements) {
			if d := by[a.ID][p]; d != nil {
				out[i] = append(out[i], d)
			}
		}
	}
	return out, nil
}

// allParts are what requirements can hold, the optional ones, too.
func allParts(requirements []schema.Requirement) []part {
	var all []part
	for _, r := range requirements {
		all = append(all, parts(schema.Requirement{Key: r.Key, Kind: r.Kind, Signers: r.Signers})...)
	}
	return all
}

// DocumentHistory is what applications that the viewer follows ever held, the latest first: one statement.
func (s *Service) DocumentHistory(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([][]*ent.Document, error) {
	rows, err := s.Store.Client(ctx).Document.Query().
		Where(page.AnyOf(document.FieldApplicationID, idsOf(of)), document.HasApplicationWith(access.FollowedApplications(v))).
		Order(document.ByID(sql.OrderDesc())).Limit(maxHistory * len(of)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the history of documents: %w", err)
	}
	return byApplication(of, rows, func(r *ent.Document) gid.ID { return r.ApplicationID }), nil
}

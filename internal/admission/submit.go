package admission

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/submission"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Submit freezes what an application says, and mails a receipt to its editors. For its owner: FORBIDDEN else. It returns ALREADY_EXISTS when it, or
// another one of its organization and team, was submitted, CALL_CLOSED from the closing instant on, and one INVALID_INPUT for each part that is missing. What staff have asked about is
// submitted again in the same way, before that is due: only the parts that were reopened can be missing then.
func (s *Service) Submit(ctx context.Context, v viewer.Viewer, id gid.ID, key *string) (*ent.Application, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	once := store.Once{Member: me, At: s.Now(), Operation: "submitApplication", Key: key, Payload: id}
	return s.once(ctx, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		a, err := s.hold(ctx, tx, v, id)
		if err != nil {
			return id, err
		}
		now := s.Now()
		state, again := stateAt(a.Call, a.ExtendedUntil, now), a.State == application.StateINFORMATION_REQUESTED
		switch {
		case !a.Owner:
			return id, fault.Denied("Only the owner can submit an application.")
		case a.State == application.StateWITHDRAWN:
			return id, fault.Denied("This application was withdrawn.")
		case a.State != application.StateDRAFT && !again:
			return id, fault.New(fault.AlreadyExists, "This application was submitted.").At("applicationId")
		case a.over(now) || !again && state == Upcoming:
			return id, closed().At("applicationId")
		}
		if !again {
			if err := s.sole(ctx, tx, a.Application); err != nil {
				return id, err
			}
		}
		contents, err := s.contents(ctx, tx, []*ent.Application{a.Application})
		if err != nil {
			return id, err
		}
		var lacks fault.List
		for _, m := range contents[0].Missing() {
			if again && !slices.Contains(a.Reopened, m.Key) {
				continue
			}
			lacks = append(lacks, m.fault())
		}
		if err := lacks.Err(); err != nil {
			return id, err
		}
		frozen, hash, err := contents[0].freeze(a.Application)
		if err != nil {
			return id, err
		}
		number := a.Submissions + 1
		frozenID := s.NewID(gid.Submission)
		err = tx.Submission.Create().SetID(frozenID).SetCreatedAt(now).SetApplicationID(id).SetNumber(number).
			SetFormVersion(contents[0].form).SetContent(frozen).SetHash(hash).SetSubmitterID(me).Exec(ctx)
		if err != nil {
			return id, store.RetryOnConflict(err)
		}
		if err := index(ctx, tx, a.Application, frozen); err != nil {
			return id, err
		}
		update := tx.Application.UpdateOneID(id).SetState(application.StateSUBMITTED).SetSubmissions(number).ClearReopened().SetInformationRequest("").
			ClearInformationDueAt().ClearNextReminderAt()
		if !again {
			update.SetSubmittedAt(now).SetLate(state == Late)
		}
		if err := update.Exec(ctx); err != nil {
			return id, fmt.Errorf("submit an application: %w", err)
		}
		if err := s.touch(ctx, tx, v, id, event.ApplicationSubmitted, frozenID); err != nil {
			return id, err
		}
		if err := s.Notify.ReadNotices(ctx, tx, now, notice.ApplicationID(id), waiting); err != nil {
			return id, err
		}
		if err := s.notify(ctx, tx, id, mailReceipt, frozenID); err != nil {
			return id, err
		}
		return id, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ApplicationSubmitted, Subject: id})
	})
}

// freeze is the content as it is kept and the SHA-256 of its JSON: fields in the order of the type, answers in the form's order,
// documents in the order of the requirements.
func (c *Content) freeze(a *ent.Application) (schema.SubmittedContent, []byte, error) {
	frozen := schema.SubmittedContent{
		OrganizationName: a.OrganizationName, OrganizationKind: string(a.OrganizationKind), TeamName: a.TeamName,
		Answers: []schema.SubmittedAnswer{}, Documents: []schema.SubmittedDocument{},
	}
	for _, answer := range c.Answers() {
		said := schema.SubmittedAnswer{Key: answer.Key, Value: answer.Value, Version: answer.Version}
		if answer.FileID != nil {
			said.FileID = answer.FileID.String()
		}
		frozen.Answers = append(frozen.Answers, said)
	}
	for _, r := range c.call.Requirements {
		for _, p := range parts(schema.Requirement{Key: r.Key, Kind: r.Kind, Signers: r.Signers}) { // optional ones, too
			if d := c.documents[p]; d != nil {
				frozen.Documents = append(frozen.Documents, schema.SubmittedDocument{ID: d.ID.String(), Requirement: d.Requirement, Signer: d.Signer})
			}
		}
	}
	text, err := json.Marshal(frozen)
	if err != nil {
		return frozen, nil, fmt.Errorf("write the submission: %w", err)
	}
	hash := sha256.Sum256(text)
	return frozen, hash[:], nil
}

// Hashes are those of the newest submissions of applications, in hexadecimal; nil before the first: one statement.
func (s *Service) Hashes(ctx context.Context, of []*ent.Application) ([]*string, error) {
	rows, err := s.Store.Client(ctx).Submission.Query().Where(page.AnyOf(submission.FieldApplicationID, idsOf(of))).
		Select(submission.FieldApplicationID, submission.FieldNumber, submission.FieldHash).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load submissions: %w", err)
	}
	newest := make(map[gid.ID]*ent.Submission, len(of))
	for _, r := range rows {
		if n := newest[r.ApplicationID]; n == nil || n.Number < r.Number {
			newest[r.ApplicationID] = r
		}
	}
	out := make([]*string, len(of))
	for i, a := range of {
		if r := newest[a.ID]; r != nil {
			text := hex.EncodeToString(r.Hash)
			out[i] = &text
		}
	}
	return out, nil
}

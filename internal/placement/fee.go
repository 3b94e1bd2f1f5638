package placement

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/sponsorship"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const maxAmount = 1_000_000_000 // in the currency's minor unit

var currency = regexp.MustCompile(`^[A-Z]{3}$`)

// Fee is what a team's place costs, who pays, and who recorded it.
type Fee struct {
	Amount, Waived int // in the currency's minor unit
	Currency       string
	Sponsorship    *ent.Sponsorship // that waives it; nil: none
	Note           string
	// Version counts how often it was recorded by hand: 0 for what the offering said when the team was admitted.
	Version    int
	RecordedAt *time.Time
	RecordedBy *ent.Member
}

// Due is what is left to pay.
func (f *Fee) Due() int { return f.Amount - f.Waived }

// FeeRecord is what to record of an enrollment.
type FeeRecord struct {
	EnrollmentID    gid.ID
	Amount, Waived  int
	Currency        string
	SponsorshipID   *gid.ID
	Note            string
	ExpectedVersion int
}

func (in *FeeRecord) check() error {
	var c input.Checker
	if in.Amount < 0 || in.Amount > maxAmount {
		c.Refuse("amount", "An amount is from 0 to %d.", maxAmount)
	}
	if in.Waived < 0 || in.Waived > in.Amount {
		c.Refuse("waivedAmount", "What is waived is from 0 to the amount.")
	}
	if !currency.MatchString(in.Currency) {
		c.Refuse("currency", "This must be three capital letters of ISO 4217: USD.")
	}
	in.Note = c.Text("note", in.Note, 0, maxNote)
	if in.Waived > 0 && in.SponsorshipID == nil && in.Note == "" {
		c.Refuse("note", "Say why it is waived, or name the sponsorship.")
	}
	return c.Err()
}

// RecordFee records what a team's place costs, what of it is waived, and why. For staff. It returns STALE_VERSION when somebody has recorded
// it since. Recording what stands there changes nothing.
func (s *Service) RecordFee(ctx context.Context, v viewer.Viewer, in FeeRecord) (*ent.Enrollment, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		e, err := tx.Enrollment.Query().Where(enrollment.ID(in.EnrollmentID), access.VisibleEnrollments(v), store.LockRow).Only(ctx)
		if err != nil {
			return missing(err, "enrollmentId")
		}
		if err := staffOnly(ctx, tx, v); err != nil {
			return err
		}
		if err := sponsors(ctx, tx, e, in); err != nil {
			return err
		}
		if recorded(e, in) {
			return nil
		}
		version, err := tx.AuditEntry.Query().Where(feesRecorded(e.ID)).Count(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("count what was recorded: %w", err)
		case version != in.ExpectedVersion:
			return fault.New(fault.StaleVersion, "Somebody has recorded the fee since.").At("expectedVersion")
		}
		u := tx.Enrollment.UpdateOne(e).SetFeeAmount(in.Amount).SetWaivedAmount(in.Waived).SetFeeCurrency(in.Currency).SetFeeNote(in.Note).ClearSponsorshipID()
		if in.SponsorshipID != nil {
			u.SetSponsorshipID(*in.SponsorshipID)
		}
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("record a fee: %w", err)
		}
		said := fmt.Sprintf("%d %s, of which %d are waived", in.Amount, in.Currency, in.Waived)
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.FeeRecorded, Subject: e.ID, Reason: said})
	})
	if err != nil {
		return nil, err
	}
	e, err := s.Store.Client(ctx).Enrollment.Query().Where(enrollment.ID(in.EnrollmentID), access.VisibleEnrollments(v)).Only(ctx)
	if err != nil {
		return nil, missing(err, "enrollmentId")
	}
	return e, nil
}

// sponsors says whether the sponsorship that is named is one of the offering, in the currency.
func sponsors(ctx context.Context, tx *ent.Client, e *ent.Enrollment, in FeeRecord) error {
	if in.SponsorshipID == nil {
		return nil
	}
	c, err := tx.Cohort.Query().Where(cohort.ID(e.CohortID)).Only(ctx)
	if err != nil {
		return fmt.Errorf("load the cohort: %w", err)
	}
	sp, err := tx.Sponsorship.Query().Where(sponsorship.ID(*in.SponsorshipID), sponsorship.OfferingID(c.OfferingID)).Only(ctx)
	switch {
	case err != nil:
		return missing(err, "sponsorshipId")
	case sp.Currency != in.Currency:
		return fault.Invalid("currency", "The sponsorship waives %s.", sp.Currency)
	}
	return nil
}

// recorded reports whether an enrollment says what is to be recorded.
func recorded(e *ent.Enrollment, in FeeRecord) bool {
	sponsored := e.SponsorshipID == nil && in.SponsorshipID == nil ||
		e.SponsorshipID != nil && in.SponsorshipID != nil && *e.SponsorshipID == *in.SponsorshipID
	return sponsored && e.FeeAmount != nil && *e.FeeAmount == in.Amount && e.WaivedAmount != nil && *e.WaivedAmount == in.Waived &&
		e.FeeCurrency == in.Currency && e.FeeNote == in.Note
}

func feesRecorded(ids ...gid.ID) predicate.AuditEntry {
	return auditentry.And(auditentry.Action(string(audit.FeeRecorded)), page.AnyOf(auditentry.FieldSubjectID, ids))
}

// Fees are what enrollments cost; nil where it is not for the viewer to see, and where nobody recorded it. It takes at most seven statements.
func (s *Service) Fees(ctx context.Context, v viewer.Viewer, enrollments []*ent.Enrollment) ([]*Fee, error) {
	c := s.Store.Client(ctx)
	out := make([]*Fee, len(enrollments))
	actor, err := access.Load(ctx, c, v)
	if err != nil {
		return nil, err
	}
	can, err := actor.CanSeeFees(ctx, c, enrollments)
	if err != nil {
		return nil, err
	}
	var ids, sponsored []gid.ID
	of := make(map[gid.ID]*Fee)
	for i, e := range enrollments {
		if !can[i] || e.FeeAmount == nil {
			continue
		}
		out[i] = &Fee{Amount: *e.FeeAmount, Currency: e.FeeCurrency, Note: e.FeeNote}
		if e.WaivedAmount != nil {
			out[i].Waived = *e.WaivedAmount
		}
		if e.SponsorshipID != nil {
			sponsored = append(sponsored, *e.SponsorshipID)
		}
		ids, of[e.ID] = append(ids, e.ID), out[i]
	}
	if len(ids) == 0 {
		return out, nil
	}
	entries, err := c.AuditEntry.Query().Where(feesRecorded(ids...)).Order(auditentry.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load who recorded fees: %w", err)
	}
	actors := make([]*gid.ID, len(entries))
	for i, entry := range entries {
		actors[i] = entry.ActorID
	}
	by, err := s.members(ctx, actors)
	if err != nil {
		return nil, err
	}
	for i, entry := range entries {
		f := of[*entry.SubjectID]
		f.Version, f.RecordedAt, f.RecordedBy = f.Version+1, &entry.CreatedAt, by[i]
	}
	rows, err := c.Sponsorship.Query().Where(page.AnyOf(sponsorship.FieldID, sponsored)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load sponsorships: %w", err)
	}
	sponsor := make(map[gid.ID]*ent.Sponsorship, len(rows))
	for _, sp := range rows {
		sponsor[sp.ID] = sp
	}
	for i, e := range enrollments {
		if out[i] != nil && e.SponsorshipID != nil {
			out[i].Sponsorship = sponsor[*e.SponsorshipID]
		}
	}
	return out, nil
}

package admission

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/document"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// MissingCode is why a part of an application is missing.
type MissingCode string

// Why parts are missing.
const (
	Unanswered    MissingCode = "UNANSWERED"
	InvalidAnswer MissingCode = "INVALID_ANSWER"
	NoDocument    MissingCode = "NO_DOCUMENT"
)

// MarshalGQL writes the SDL's MissingPartCode.
func (c MissingCode) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(c))) }

// UnmarshalGQL exists because an enum of the SDL must be readable; no input takes one.
func (c *MissingCode) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a code must be a string, not %T", v)
	}
	*c = MissingCode(text)
	return nil
}

// Missing is something that an application lacks to be submitted.
type Missing struct {
	Key, Signer string
	Code        MissingCode
	Reason      string
}

// formKind is the requirement that the form meets.
const formKind = "FORM"

// Contents are what applications hold, for who may know all of it: four statements for all, and one more where a form has several versions.
func (s *Service) Contents(ctx context.Context, of []*ent.Application) ([]*Content, error) {
	return s.contents(ctx, s.Store.Client(ctx), of)
}

func (s *Service) contents(ctx context.Context, c *ent.Client, of []*ent.Application) ([]*Content, error) {
	callIDs := make([]gid.ID, len(of))
	for i, a := range of {
		callIDs[i] = a.CallID
	}
	calls, err := c.Call.Query().Where(page.AnyOf(call.FieldID, callIDs)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load calls: %w", err)
	}
	forms, err := questionsOf(ctx, c, of, calls)
	if err != nil {
		return nil, err
	}
	answers, err := answersOf(ctx, c, idsOf(of))
	if err != nil {
		return nil, err
	}
	documents, err := documentsOf(ctx, c, idsOf(of))
	if err != nil {
		return nil, err
	}
	by := make(map[gid.ID]*ent.Call, len(calls))
	for _, row := range calls {
		by[row.ID] = row
	}
	out := make([]*Content, len(of))
	for i, a := range of {
		out[i] = &Content{by[a.CallID], forms[a.ID].version, forms[a.ID].questions, answers[a.ID], documents[a.ID]}
	}
	return out, nil
}

// documentsOf are the current documents of applications, by application and part.
func documentsOf(ctx context.Context, c *ent.Client, ids []gid.ID) (map[gid.ID]map[part]*ent.Document, error) {
	rows, err := c.Document.Query().Where(page.AnyOf(document.FieldApplicationID, ids), document.RemovedAtIsNil()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load documents: %w", err)
	}
	by := make(map[gid.ID]map[part]*ent.Document, len(ids))
	for _, d := range rows {
		if by[d.ApplicationID] == nil {
			by[d.ApplicationID] = make(map[part]*ent.Document)
		}
		by[d.ApplicationID][part{d.Requirement, d.Signer}] = d
	}
	return by, nil
}

// Missing is what the content lacks.
func (c *Content) Missing() []*Missing {
	out := []*Missing{}
	for _, q := range c.questions {
		if m := lacking(q, c.answers[q.Key]); m != nil {
			out = append(out, m)
		}
	}
	for _, r := range c.call.Requirements {
		for _, p := range parts(r) {
			if c.documents[p] == nil {
				out = append(out, &Missing{Key: r.Key, Signer: p.signer, Code: NoDocument, Reason: "This is not there: " + r.Label + "."})
			}
		}
	}
	return out
}

// lacking is what an answer, or nil, lacks.
func lacking(q schema.Question, a *ent.Answer) *Missing {
	value := ""
	if a != nil {
		value = a.Value
	}
	switch why := wrong(q, value); {
	case value == "" && q.Required:
		return &Missing{Key: q.Key, Code: Unanswered, Reason: "This is to be answered: " + q.Label}
	case why != "":
		return &Missing{Key: q.Key, Code: InvalidAnswer, Reason: why}
	case value != "" && q.Kind == kindText && utf8.RuneCountInString(value) < q.MinLength:
		return &Missing{Key: q.Key, Code: InvalidAnswer, Reason: fmt.Sprintf("This must have at least %d characters.", q.MinLength)}
	}
	return nil
}

// parts are what a requirement demands: a letter from each of its signers, one document otherwise, nothing when it is the form or optional.
func parts(r schema.Requirement) []part {
	switch {
	case r.Kind == formKind || r.Optional:
		return nil
	case len(r.Signers) == 0:
		return []part{{requirement: r.Key}}
	}
	out := make([]part, len(r.Signers))
	for i, signer := range r.Signers {
		out[i] = part{r.Key, signer}
	}
	return out
}

// fault is what submitting is refused with.
func (m *Missing) fault() *fault.Error {
	f := fault.Invalid("", "%s", m.Reason)
	switch {
	case m.Code != NoDocument:
		f.Path = []string{"answers", m.Key}
	case m.Signer == "":
		f.Path = []string{"requirements", m.Key}
	default:
		f.Path = []string{"requirements", m.Key, m.Signer}
	}
	return f
}

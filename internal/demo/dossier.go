package demo

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/gid"
)

// answer has the editors answer the form; a draft stops in the middle.
func (g *generator) answer(a *applying) {
	w := &g.world.Admission
	leader, at := a.signatory(g)+", "+chiefExecutive, a.CreatedAt
	until := later(earlier(a.SubmittedAt, g.today), a.CreatedAt.Add(time.Hour))
	for i, q := range a.form.Questions {
		if a.state == "DRAFT" && i > len(a.form.Questions)/2 {
			break
		}
		value := a.answer(q.Key, leader, a.call.DueAt)
		if value == "" {
			continue
		}
		at = a.within(at, at.Add(until.Sub(at)/4))
		said := Answer{
			ID: a.id(gid.Answer, at), ApplicationID: a.ID, Key: q.Key, Value: value, Version: 1, EditorID: a.editors[i%len(a.editors)].ID, CreatedAt: at, UpdatedAt: at,
		}
		if said.CreatedAt.Before(a.editors[i%len(a.editors)].CreatedAt.Add(time.Hour)) {
			said.EditorID = a.editors[0].ID
		}
		a.answers = append(a.answers, len(w.Answers))
		w.Answers = append(w.Answers, said)
		g.keep(a, said)
	}
	a.UpdatedAt = later(a.UpdatedAt, at)
}

// keep writes down what an answer says in its present version.
func (g *generator) keep(a *applying, said Answer) {
	g.world.Admission.AnswerVersions = append(g.world.Admission.AnswerVersions, AnswerVersion{
		ID: a.id(gid.AnswerVersion, said.UpdatedAt), AnswerID: said.ID, EditorID: said.EditorID, Version: said.Version, Value: said.Value, CreatedAt: said.UpdatedAt,
	})
}

// signatory is somebody who leads an organization and has no account.
func (a *applying) signatory(g *generator) string {
	group := pick(a.stream, g.people)
	return pick(a.stream, group.given) + " " + pick(a.stream, group.family)
}

// document gathers letters and a video.
func (g *generator) document(a *applying) {
	w := &g.world.Admission
	for _, r := range a.call.Requirements {
		for i, signer := range r.Signers {
			g.sign(a, r, signer, i)
		}
		if r.Kind == "VIDEO" && a.state != "DRAFT" {
			at := a.SubmittedAt.Add(-3 * time.Hour)
			a.documents = append(a.documents, len(w.Documents))
			w.Documents = append(w.Documents, Document{
				ID: a.id(gid.Document, at), ApplicationID: a.ID, AddedByID: a.editors[0].ID, Requirement: r.Key, URL: "https://videos." + a.domain + "/our-team", CreatedAt: at,
			})
		}
	}
}

// sign asks for a signature. Those of submitted applications came, and one of them had been asked of somebody else first.
func (g *generator) sign(a *applying, r schema.Requirement, signer string, nth int) {
	w := &g.world.Admission
	if a.letters == signedNone {
		return
	}
	hash := sha256.Sum256([]byte(r.Letter))
	asked := SignerRequest{
		ApplicationID: a.ID, RequesterID: a.editors[0].ID, Requirement: r.Key, Signer: signer, Name: a.signatory(g), Email: fmt.Sprintf("signer%d@%s", nth+1, a.domain),
		Letter: r.Letter, LetterHash: hash[:], CreatedAt: a.UpdatedAt.Add(time.Hour),
	}
	if a.state != "DRAFT" {
		asked.CreatedAt = a.SubmittedAt.Add(-time.Duration(a.between(30, 60)) * time.Hour)
	}
	put := func(state string, after time.Duration) {
		one := asked
		one.ID, one.State, one.ExpiresAt = a.id(gid.SignerRequest, one.CreatedAt), state, earlier(one.CreatedAt.AddDate(0, 0, 14), later(a.call.ClosesAt, a.ExtendedUntil))
		if state != signedPending {
			one.AnsweredAt = one.CreatedAt.Add(after)
		}
		switch state {
		case signedRefused:
			one.Refusal, one.Address = "I sign when the board has talked about it. It meets next month.", "192.0.2.17"
		case "SIGNED":
			one.SignedName, one.Address = one.Name, "192.0.2.18"
			a.documents = append(a.documents, len(w.Documents))
			w.Documents = append(w.Documents, Document{
				ID: a.id(gid.Document, one.AnsweredAt), ApplicationID: a.ID, SignerRequestID: one.ID, AddedByID: one.RequesterID, Requirement: r.Key, Signer: signer, CreatedAt: one.AnsweredAt,
			})
		}
		w.SignerRequests = append(w.SignerRequests, one)
	}
	switch {
	case a.state != "DRAFT" && nth == 0 && a.chance(8):
		put("CANCELLED", 4*time.Hour)
		asked.Name, asked.CreatedAt = a.signatory(g), asked.CreatedAt.Add(5*time.Hour)
		put("SIGNED", 9*time.Hour)
	case a.state != "DRAFT":
		put("SIGNED", time.Duration(a.between(60, 1500))*time.Minute)
	default:
		put(a.letters, 20*time.Hour)
	}
}

// submit freezes what an application says, as the service does: answers in the form's order, documents in the requirements'.
func (g *generator) submit(a *applying, at time.Time) {
	w := &g.world.Admission
	content := schema.SubmittedContent{
		OrganizationName: a.OrganizationName, OrganizationKind: a.OrganizationKind, TeamName: a.TeamName,
		Answers: []schema.SubmittedAnswer{}, Documents: []schema.SubmittedDocument{},
	}
	for _, i := range a.answers {
		content.Answers = append(content.Answers, schema.SubmittedAnswer{Key: w.Answers[i].Key, Value: w.Answers[i].Value, Version: w.Answers[i].Version})
	}
	for _, i := range a.documents {
		d := w.Documents[i]
		content.Documents = append(content.Documents, schema.SubmittedDocument{ID: d.ID.String(), Requirement: d.Requirement, Signer: d.Signer})
	}
	text, err := json.Marshal(content)
	if err != nil {
		panic(fmt.Sprintf("demo: what is submitted as JSON: %v", err)) // it is strings and numbers
	}
	hash := sha256.Sum256(text)
	a.Submissions++
	a.UpdatedAt = at
	w.Submissions = append(w.Submissions, Submission{
		ID: a.id(gid.Submission, at), ApplicationID: a.ID, SubmitterID: a.editors[0].ID, Number: a.Submissions, Content: content, Hash: hash[:], CreatedAt: at,
	})
}

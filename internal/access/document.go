package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/answer"
	"github.com/pursuing-equity/commons/ent/answerversion"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/document"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/submission"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// ofApplication is true for a row whose application a rule is true for: all such tables call it application_id.
func ofApplication(s *sql.Selector, rule func(a *sql.Selector) *sql.Predicate) *sql.Predicate {
	a := from(s, application.Table, application.FieldID)
	return sql.Exists(a.Where(sql.And(sql.ColumnsEQ(a.C(application.FieldID), s.C(document.FieldApplicationID)), rule(a))))
}

// submittedWhen is true for an application of whose newest submission a rule is true.
func submittedWhen(a *sql.Selector, rule func(newest *sql.Selector) *sql.Predicate) *sql.Predicate {
	newest := from(a, submission.Table, submission.FieldID)
	return sql.Exists(newest.Where(sql.And(
		sql.ColumnsEQ(newest.C(submission.FieldApplicationID), a.C(application.FieldID)), sql.ColumnsEQ(newest.C(submission.FieldNumber), a.C(application.FieldSubmissions)),
		rule(newest))))
}

// handedIn is true for a document that was part of the newest submission of an application that the member reviews: it was there then.
func handedIn(s *sql.Selector, m who) *sql.Predicate {
	return ofApplication(s, func(a *sql.Selector) *sql.Predicate {
		return sql.And(reviewed(a, m), submittedWhen(a, func(newest *sql.Selector) *sql.Predicate {
			at := newest.C(submission.FieldCreatedAt)
			return sql.And(sql.ColumnsLTE(s.C(document.FieldCreatedAt), at), sql.Or(sql.IsNull(s.C(document.FieldRemovedAt)), sql.ColumnsGT(s.C(document.FieldRemovedAt), at)))
		}))
	})
}

// followedDocument is true for a document of an application that the member follows.
func followedDocument(s *sql.Selector, m who) *sql.Predicate {
	return ofApplication(s, func(a *sql.Selector) *sql.Predicate { return followed(a, m) })
}

// documentShown is true for a document that the member can see.
func documentShown(s *sql.Selector, m who) *sql.Predicate {
	return sql.Or(followedDocument(s, m), handedIn(s, m))
}

// VisibleDocuments are those of applications that the viewer follows, whenever they were added or removed, and those that were submitted to
// them for review in a call that is not blind.
func VisibleDocuments(v viewer.Viewer) predicate.Document { return where(v, never, documentShown) }

// CurrentDocuments are those that count: for who follows the application, those that it has now, for reviewers those that were submitted.
func CurrentDocuments(v viewer.Viewer) predicate.Document {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		now := sql.And(sql.IsNull(s.C(document.FieldRemovedAt)), followedDocument(s, m))
		return sql.Or(now, sql.And(handedIn(s, m), sql.Not(followedDocument(s, m))))
	})
}

// VisibleSubmissions are all of an application that the viewer follows, and the newest of one that they review in a call that is not blind.
func VisibleSubmissions(v viewer.Viewer) predicate.Submission {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return ofApplication(s, func(a *sql.Selector) *sql.Predicate {
			return sql.Or(followed(a, m), sql.And(reviewed(a, m), sql.ColumnsEQ(s.C(submission.FieldNumber), a.C(application.FieldSubmissions))))
		})
	})
}

// applied is true for a file that a document or a version of an answer holds which is left by the rules of its kind.
func applied(s *sql.Selector, documents, versions func(*sql.Selector) *sql.Predicate) *sql.Predicate {
	d := from(s, document.Table, document.FieldID)
	d.Where(sql.And(sql.ColumnsEQ(d.C(document.FieldFileID), s.C(file.FieldID)), documents(d)))
	v := from(s, answerversion.Table, answerversion.FieldID)
	v.Where(sql.And(sql.ColumnsEQ(v.C(answerversion.FieldFileID), s.C(file.FieldID)), versions(v)))
	return sql.Or(sql.Exists(d), sql.Exists(v))
}

// NotOfApplications are the files that no application holds.
func NotOfApplications() predicate.File {
	return func(s *sql.Selector) {
		anything := func(s *sql.Selector) *sql.Predicate { return sql.NotNull(s.C(file.FieldID)) } // every table's is called id
		s.Where(sql.Not(applied(s, anything, anything)))
	}
}

// versionShown is true for a version of an answer that the member can see: any of an application that they follow, and the one that was
// submitted of one that they review in a call that is not blind.
func versionShown(s *sql.Selector, m who) *sql.Predicate {
	of := from(s, answer.Table, answer.FieldID)
	of.Where(sql.And(sql.ColumnsEQ(of.C(answer.FieldID), s.C(answerversion.FieldAnswerID)), ofApplication(of, func(a *sql.Selector) *sql.Predicate {
		return sql.Or(followed(a, m), sql.And(reviewed(a, m), submittedWhen(a, func(newest *sql.Selector) *sql.Predicate {
			at := newest.C(submission.FieldCreatedAt)
			later := sql.Dialect(s.Dialect()).Select().From(sql.Table(answerversion.Table).As("later_version"))
			later.Select(later.C(answerversion.FieldID)).Where(sql.And(
				sql.ColumnsEQ(later.C(answerversion.FieldAnswerID), s.C(answerversion.FieldAnswerID)), sql.ColumnsGT(later.C(answerversion.FieldVersion), s.C(answerversion.FieldVersion)),
				sql.ColumnsLTE(later.C(answerversion.FieldCreatedAt), at)))
			return sql.And(sql.ColumnsLTE(s.C(answerversion.FieldCreatedAt), at), sql.NotExists(later))
		})))
	})))
	return sql.Exists(of)
}

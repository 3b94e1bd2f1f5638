package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// PrivateMail is the template of mail that tells of hidden spaces only. To staff there is no such mail: that it was sent, and when, would
// tell them that something happened there.
const PrivateMail = "private-notifications"

// FailedMails are the mails that failed for good, for staff: but for PrivateMail.
func FailedMails(v viewer.Viewer) predicate.Mail {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.And(sql.NotNull(s.C(mail.FieldFailedAt)), openMail(s, m))
	})
}

// OpenMails are the mails that staff may know of, whether they failed or wait.
func OpenMails(v viewer.Viewer) predicate.Mail { return where(v, never, openMail) }

func openMail(s *sql.Selector, m who) *sql.Predicate {
	return sql.And(sql.NEQ(s.C(mail.FieldTemplate), PrivateMail), staff(s, m))
}

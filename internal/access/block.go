package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/block"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/gid"
)

// HearsFrom are the members who are told of what the author writes: all but those who block or mute the author.
func HearsFrom(authorID gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		deaf := from(s, block.Table, block.FieldMemberID)
		s.Where(sql.NotIn(s.C(member.FieldID), deaf.Where(sql.EQ(deaf.C(block.FieldBlockedID), authorID))))
	}
}

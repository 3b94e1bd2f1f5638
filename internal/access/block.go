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

// HeardBy are the members whom a member hears: all but those whom they block or mute.
func HeardBy(memberID gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		unheard := from(s, block.Table, block.FieldBlockedID)
		s.Where(sql.NotIn(s.C(member.FieldID), unheard.Where(sql.EQ(unheard.C(block.FieldMemberID), memberID))))
	}
}

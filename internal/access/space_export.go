package access

import (
	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/fault"
)

// CanExportSpace says whether a member may have an archive of what is said in a space that they can see: who manages it. What is said in a hidden
// space never leaves it.
func CanExportSpace(r SpaceRights, in *ent.Space) error {
	switch {
	case Hidden(in.Kind):
		return fault.Denied("What is said in this space never leaves it: it is not exported.")
	case !r.Manage:
		return fault.Denied("Only those who manage this space can do that.")
	}
	return nil
}

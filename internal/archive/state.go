package archive

import (
	"fmt"
	"io"
	"strconv"

	"github.com/pursuing-equity/commons/ent"
)

// State is where an archive stands.
type State string

// The states of an archive.
const (
	Pending State = "PENDING"
	Done    State = "DONE"
	Failed  State = "FAILED"
)

func stateOf(e *ent.SpaceExport) State {
	switch {
	case e.FinishedAt != nil:
		return Done
	case e.FailedAt != nil:
		return Failed
	default:
		return Pending
	}
}

// MarshalGQL writes the SDL's SpaceExportState.
func (s State) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(s))) }

// UnmarshalGQL reads the SDL's SpaceExportState.
func (s *State) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a state must be a string, not %T", v)
	}
	*s = State(text)
	return nil
}

package webhook

import (
	"fmt"
	"io"
	"strconv"
)

// MarshalGQL writes the SDL's WebhookEvent.
func (e Event) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(e.Name())) }

// UnmarshalGQL reads the SDL's WebhookEvent.
func (e *Event) UnmarshalGQL(v any) error {
	for _, known := range events() {
		if v == any(known.Name()) {
			*e = known
			return nil
		}
	}
	return fmt.Errorf("%v is no event that there is", v)
}

// State is where a delivery stands.
type State string

// The states of a delivery.
const (
	Pending   State = "PENDING"
	Delivered State = "DELIVERED"
	Failed    State = "FAILED"
)

// MarshalGQL writes the SDL's WebhookDeliveryState.
func (s State) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(s))) }

// UnmarshalGQL reads the SDL's WebhookDeliveryState.
func (s *State) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a state must be a string, not %T", v)
	}
	*s = State(text)
	return nil
}

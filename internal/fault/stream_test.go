package fault_test

import (
	"testing"

	"github.com/pursuing-equity/commons/internal/fault"
)

func TestEndWith(t *testing.T) {
	t.Run("the first error stays", func(t *testing.T) {
		ctx, stream := fault.WithStream(t.Context())
		if stream.Err() != nil {
			t.Error("an error before the end")
		}
		fault.EndWith(ctx, nil)
		fault.EndWith(ctx, fault.New(fault.ResetRequired, "Read again."))
		fault.EndWith(ctx, fault.Missing())
		if !fault.Is(stream.Err(), fault.ResetRequired) {
			t.Errorf("got %v", stream.Err())
		}
	})
	t.Run("outside a subscription nothing happens", func(t *testing.T) {
		fault.EndWith(t.Context(), fault.Missing())
	})
}

package graph

import (
	"github.com/pursuing-equity/commons/internal/fault"
)

// userErrors splits what a mutation returned: what the caller can correct goes into the payload, everything else to the top.
func userErrors(err error) ([]*fault.Error, error) {
	faults := fault.All(err)
	for _, f := range faults {
		if !f.Code.Payload() {
			return nil, err
		}
	}
	if len(faults) == 0 {
		return []*fault.Error{}, err
	}
	return faults, nil
}

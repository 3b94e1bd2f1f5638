package apitest_test

import (
	"testing"

	"github.com/pursuing-equity/commons/internal/apitest"
)

// Places that staff add are offered within the change itself, not when the worker comes round.
func TestMorePlacesAreOfferedAtOnce(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		a := newAdmissions(w, 1, 4)
		a.prepare("ACCEPT", "WAITLIST", "WAITLIST", "WAITLIST")
		a.staff.Must(release, input(vars{"callId": a.call}))
		const update = `mutation($input: UpdateCallInput!) { updateCall(input: $input) { call { version places { capacity offered free waiting } } errors { code message path } } }`
		version := a.staff.Must(lookCall, vars{"id": a.call}).Int("node.version")
		w.T.Run("two more places go to the first two who wait", func(t *testing.T) {
			r := a.staff.Must(update, input(vars{"callId": a.call, "expectedVersion": version, "capacity": 3}))
			if at := "updateCall.call.places."; r.Int(at+"offered") != 3 || r.Int(at+"free") != 0 || r.Int(at+"waiting") != 1 {
				t.Error(r)
			}
			if a.state(1) != "OFFERED" || a.state(2) != "OFFERED" || a.waiting() != "3" || a.mails(1, "OFFERED") != 1 || a.mails(2, "OFFERED") != 1 {
				t.Errorf("%s, %s, %s wait", a.state(1), a.state(2), a.waiting())
			}
		})
		w.T.Run("a change that was refused offers nothing", func(t *testing.T) {
			if r := a.staff.Do(update, input(vars{"callId": a.call, "expectedVersion": version, "capacity": 4})); r.Code() != "STALE_VERSION" || a.state(3) != "WAITLISTED" {
				t.Error(r, a.state(3))
			}
		})
		w.T.Run("the same number again offers nothing", func(t *testing.T) {
			a.staff.Must(update, input(vars{"callId": a.call, "expectedVersion": version + 1, "capacity": 3}))
			if a.state(3) != "WAITLISTED" || a.mails(1, "OFFERED") != 1 {
				t.Error(a.state(3))
			}
		})
	})
}

package apitest_test

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/bulkaction"
	"github.com/pursuing-equity/commons/internal/gid"
)

// caseworkRows are the lines of what staff work with while a call runs.
func caseworkRows() matrix {
	forStaff := codes("FORBIDDEN", "staff", "admin")
	return matrix{
		mutations: map[string]row{
			"createSavedView": {"savedView { id }", in(func(c *cast) vars {
				return vars{"callId": c.objects["call"], "name": c.name(), "filter": vars{}}
			}), forStaff},
			"updateSavedView": {"savedView { id }", in(func(c *cast) vars { return vars{"savedViewId": c.newView(true), "shared": true} }),
				codes("NOT_FOUND", "staff", "admin=FORBIDDEN")},
			"deleteSavedView":         {"deletedId", in(func(c *cast) vars { return vars{"savedViewId": c.newView(false)} }), codes("NOT_FOUND", "staff")},
			"createApplicationExport": {"expiresAt", in(func(c *cast) vars { return vars{"callId": c.objects["call"], "format": "CSV"} }), forStaff},
			"startBulkAction": {"bulkAction { id }", in(func(c *cast) vars {
				return vars{"callId": c.objects["call"], "kind": "REMIND", "filter": vars{}, "dryRun": true}
			}), forStaff},
			"cancelBulkAction": {"bulkAction { id }", in(func(c *cast) vars { return vars{"bulkActionId": c.objects["bulkAction"]} }), codes("NOT_FOUND", "staff", "admin")},
		},
		subscriptions: map[string]row{
			"bulkActionEvents": {`bulkActionEvents(bulkActionId: $id, after: "no cursor") { cursor }`, of("bulkAction"), cells("NOT_FOUND", "staff admin=INVALID_CURSOR")},
		},
		fields: map[string]row{
			"Call.savedViews":       {"", of("call"), cells("0", "staff admin=1")},
			"Call.statistics":       {"", of("call"), cells("null", "staff admin=there")},
			"Call.bulkActions":      {"", of("call"), cells("0", "staff admin=1")},
			"BulkAction.failures":   {"", of("bulkAction"), cells("NOT_FOUND", "staff admin=0")},
			"Space.entitlements":    {"", of("workgroup"), cells("NOT_FOUND", "reader member lead=0", "staff admin=1")},
			"Resource.entitlements": {"", of("resource"), cells("NOT_FOUND", "reader member lead staff admin=0")},
			"Member.entitlements":   {"", of("lead"), cells("0", "anonymous outsider=NOT_FOUND")},
		},
	}
}

// furnishCasework makes a view that staff share and a bulk action that is over.
func (c *cast) furnishCasework() {
	c.newView(true)
	id := c.NewID(gid.BulkAction)
	c.objects["bulkAction"] = id
	c.Tx(func(ctx context.Context, tx *ent.Client) error {
		now := c.App.Config.Now()
		return tx.BulkAction.Create().SetID(id).SetCreatedAt(now).SetCallID(c.objects["call"]).SetActorID(c.staff.ID).SetKind("REMIND").SetInput(map[string]any{}).
			SetTargets([]string{c.objects["application"].String()}).SetDone(1).SetState(bulkaction.StateDONE).SetFinishedAt(now).Exec(ctx)
	})
}

// newView is a view of the call that staff keeps.
func (c *cast) newView(shared bool) (id gid.ID) {
	id = c.NewID(gid.SavedView)
	c.Tx(func(ctx context.Context, tx *ent.Client) error {
		now := c.App.Config.Now()
		return tx.SavedView.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetCallID(c.objects["call"]).SetOwnerID(c.staff.ID).SetName(c.name()).
			SetFilter(map[string]any{}).SetShared(shared).Exec(ctx)
	})
	return id
}

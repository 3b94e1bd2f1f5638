package apitest_test

// schemaRows are the lines of what every object has.
func schemaRows() matrix {
	return matrix{
		queries: map[string]row{
			"node":        {"node(id: $id) { id }", func(c *cast) vars { return vars{"id": c.affinity} }, map[string]string{"": "NOT_FOUND", "insider": ok}},
			"nodes":       {"nodes(ids: [$id]) { id }", func(c *cast) vars { return vars{"id": c.threadBy(c.insider, c.affinity)} }, map[string]string{"": "NOT_FOUND", "insider": ok}},
			"viewer":      {"viewer { id }", none, cells(ok)},
			"eventCursor": {"eventCursor", none, cells(ok)},
			"rateLimit":   {"rateLimit { limit }", none, cells(ok)},
		},
	}
}

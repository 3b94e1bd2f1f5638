package demo

// place is a city where an organization works.
type place struct{ city, region, zone string }

func places() []place {
	const (
		eastern, central, mountain, pacific = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
	)
	return []place{
		{"Albuquerque", "NM", mountain}, {"Anchorage", "AK", "America/Anchorage"}, {"Atlanta", "GA", eastern}, {"Austin", "TX", central},
		{"Baltimore", "MD", eastern}, {"Birmingham", "AL", central}, {"Boise", "ID", "America/Boise"}, {"Boston", "MA", eastern},
		{"Buffalo", "NY", eastern}, {"Burlington", "VT", eastern}, {"Camden", "NJ", eastern}, {"Charleston", "SC", eastern},
		{"Chicago", "IL", central}, {"Cincinnati", "OH", eastern}, {"Cleveland", "OH", eastern}, {"Columbus", "OH", eastern},
		{"Denver", "CO", mountain}, {"Detroit", "MI", "America/Detroit"}, {"Durham", "NC", eastern}, {"El Paso", "TX", mountain},
		{"Fresno", "CA", pacific}, {"Hartford", "CT", eastern}, {"Honolulu", "HI", "Pacific/Honolulu"}, {"Houston", "TX", central},
		{"Indianapolis", "IN", "America/Indiana/Indianapolis"}, {"Jackson", "MS", central}, {"Kansas City", "MO", central},
		{"Little Rock", "AR", central}, {"Los Angeles", "CA", pacific}, {"Louisville", "KY", "America/Kentucky/Louisville"},
		{"Memphis", "TN", central}, {"Miami", "FL", eastern}, {"Milwaukee", "WI", central}, {"Minneapolis", "MN", central},
		{"New Orleans", "LA", central}, {"Newark", "NJ", eastern}, {"Oakland", "CA", pacific}, {"Oklahoma City", "OK", central},
		{"Omaha", "NE", central}, {"Philadelphia", "PA", eastern}, {"Phoenix", "AZ", "America/Phoenix"}, {"Pittsburgh", "PA", eastern},
		{"Portland", "ME", eastern}, {"Portland", "OR", pacific}, {"Providence", "RI", eastern}, {"Rapid City", "SD", mountain},
		{"Richmond", "VA", eastern}, {"Rochester", "NY", eastern}, {"Sacramento", "CA", pacific}, {"Salt Lake City", "UT", mountain},
		{"San Antonio", "TX", central}, {"San Juan", "PR", "America/Puerto_Rico"}, {"Seattle", "WA", pacific}, {"Spokane", "WA", pacific},
		{"St. Louis", "MO", central}, {"Tacoma", "WA", pacific}, {"Toledo", "OH", eastern}, {"Tucson", "AZ", "America/Phoenix"},
		{"Tulsa", "OK", central}, {"Washington", "DC", eastern}, {"Wichita", "KS", central}, {"Worcester", "MA", eastern},
	}
}

// coinedFirst and coinedLast make the organizations' names. They are put together to sound like places without being
// any, so that no real institution is meant.
func coinedFirst() []string {
	return []string{
		"Amberlo", "Bramble", "Calder", "Dovetarn", "Elmar", "Fenwillow", "Gladder", "Hazelmar", "Ivoryn", "Junipen", "Kestrelo", "Larkmoss",
		"Marrow", "Nettlen", "Osprela", "Pennywhist", "Quillow", "Rowanmar", "Sorrelan", "Tamarill", "Umberly", "Verbenn", "Wrenmoor", "Yarrowen",
		"Zephyrin", "Alderquin", "Bellwhist", "Cinderlo", "Dunnock", "Emberlyn", "Finchmoor", "Gorsely", "Heronwick", "Indigal", "Jaspermoor",
		"Kindlewick", "Lindenquay", "Mistlebar", "Nimbrel", "Oakenfell",
	}
}

func coinedLast() []string {
	return []string{
		"Bluffs", "Crossing", "Delta", "Falls", "Garden", "Grove", "Harbor", "Hollow", "Junction", "Lake", "Landing", "Meadow", "Mesa", "Plains",
		"Point", "Prairie", "Ridge", "River", "Springs", "Valley",
	}
}

package admission

import (
	"testing"
	"time"
)

func TestInstants(t *testing.T) {
	for _, c := range []struct {
		name, zone, local string
		want              []string
	}{
		{"on any day there is one", "America/New_York", "2022-11-01T17:00", []string{"2022-11-01T21:00:00Z"}},
		{"with seconds, too", "America/New_York", "2022-11-01T23:59:59", []string{"2022-11-02T03:59:59Z"}},
		{"in spring an hour is not there", "America/New_York", "2023-03-12T02:30", nil},
		{"the hour ends at its end", "America/New_York", "2023-03-12T03:00", []string{"2023-03-12T07:00:00Z"}},
		{"and begins at its beginning", "America/New_York", "2023-03-12T02:00", nil},
		{"in autumn an hour is there twice", "America/New_York", "2022-11-06T01:30", []string{"2022-11-06T05:30:00Z", "2022-11-06T06:30:00Z"}},
		{"half an hour, on Lord Howe", "Australia/Lord_Howe", "2023-04-02T01:45", []string{"2023-04-01T14:45:00Z", "2023-04-01T15:15:00Z"}},
		{"Samoa had no 30 December", "Pacific/Apia", "2011-12-30T12:00", nil},
		{"where clocks never change", "Asia/Kolkata", "2022-11-01T17:00", []string{"2022-11-01T11:30:00Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			at, ok := wall(c.local)
			if !ok {
				t.Fatal("it is no local time")
			}
			var got []string
			for _, i := range instants(at, zone) {
				got = append(got, i.Format(time.RFC3339))
			}
			if len(got) != len(c.want) {
				t.Fatalf("%v, want %v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("%v, want %v", got, c.want)
				}
			}
		})
	}
}

// Every instant of years of clocks that change is found again by what the clock shows then.
func TestInstantsFindBack(t *testing.T) {
	for _, name := range []string{"America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Kathmandu"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := time.Date(2022, 1, 1, 0, 7, 0, 0, time.UTC); at.Year() < 2024; at = at.Add(37 * time.Minute) {
			local, _ := wall(shown(at, name))
			found := false
			for _, i := range instants(local, zone) {
				found = found || i.Equal(at)
			}
			if !found {
				t.Fatalf("%s: %s is not found by %s", name, at, local)
			}
		}
	}
}

func TestWhatIsNoLocalTime(t *testing.T) {
	for _, text := range []string{"", "2022-11-01", "2022-11-01T17:00Z", "2022-11-01 17:00", "2022-02-30T10:00", "1999-12-31T23:59", "2022-11-01T24:00"} {
		if _, ok := wall(text); ok {
			t.Errorf("%q passes", text)
		}
	}
}

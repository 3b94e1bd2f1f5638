package roster_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/internal/roster"
)

const head = "organization_name,team_name,member_email,member_name,time_zone"

// file is a CSV with the required columns and then the rows.
func file(rows ...string) string { return head + "\n" + strings.Join(rows, "\n") + "\n" }

func problems(t *testing.T, text string) []string {
	t.Helper()
	_, err := roster.Parse(strings.NewReader(text))
	if err == nil {
		return nil
	}
	list, ok := errors.AsType[roster.Problems](err)
	if !ok {
		t.Fatal(err)
	}
	var out []string
	for _, p := range list {
		out = append(out, fmt.Sprintf("%d %s", p.Line, p.Column))
	}
	return out
}

func TestParseFindsEveryBadLine(t *testing.T) {
	t.Parallel()
	good := "Org,Team,a@x.example,Ann,America/Chicago"
	for name, c := range map[string]struct {
		text string
		want string // line and column of each problem
	}{
		"a good file":                        {file(good), "[]"},
		"a byte order mark":                  {"\ufeff" + file(good), "[]"},
		"CRLF":                               {strings.ReplaceAll(file(good), "\n", "\r\n"), "[]"},
		"no newline at the end":              {strings.TrimRight(file(good), "\n"), "[]"},
		"columns in another order and case":  {"Time Zone,MEMBER_NAME,member_email,Team_Name,organization_name\nAmerica/Chicago,Ann,a@x.example,T,O\n", "[]"},
		"empty rows":                         {file("", ",,,,", good, ",,,,"), "[]"},
		"an empty file":                      {"", "[0 ]"},
		"a header alone":                     {head + "\n", "[0 ]"},
		"UTF-16":                             {"\xff\xfeo\x00r\x00", "[0 ]"},
		"UTF-16 without a mark":              {"o\x00r\x00g\x00", "[0 ]"},
		"two lines in Latin-1":               {file(good, "Org,Team,b@x.example,Ren\xe9,America/Chicago", good, "Org\xff,T,c@x.example,C,UTC"), "[3  5 ]"},
		"an unknown column":                  {strings.Replace(file(good), "time_zone", "zone", 1), "[1  1 ]"},
		"a doubled column":                   {"organization_name,team_name,member_email,member_name,time_zone,member_name\n", "[1 ]"},
		"a column without a name":            {head + ",\n" + good + ",\n", "[1 ]"},
		"semicolons":                         {strings.ReplaceAll(file(good), ",", ";"), "[1 ]"},
		"CR alone":                           {strings.ReplaceAll(file(good), "\n", "\r"), "[1 ]"},
		"every required cell empty":          {file(`"",,,x,`), "[2 organization_name 2 team_name 2 member_email 2 time_zone]"},
		"bad values in two lines":            {file("O,T,nobody,A,Mars/Base", good, "O,T,b@x,B,Local"), "[2 member_email 2 time_zone 4 member_email 4 time_zone]"},
		"too few and too many cells":         {file("a,b,c", good, good+",more"), "[2  4 ]"},
		"a long name":                        {file("O,T,a@x.example," + strings.Repeat("é", 121) + ",UTC"), "[2 member_name]"},
		"an invisible character":             {file("O,T,a@x.example,A\u200bnn,UTC"), "[2 member_name]"},
		"a quote in the middle":              {file(`O,T "x",a@x.example,Ann,UTC`, "O,T,b,B,UTC"), "[2  3 member_email]"},
		"a line counts where its row starts": {file("O,T,a@x.example,\"Ann\n\nof two\nlines\",UTC", "O,T,b,B,UTC"), "[6 member_email]"},
		"a quote that is never closed":       {file(good, "O,\"T,a@x.example,Ann,UTC", good), "[3 ]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fmt.Sprint(problems(t, c.text)); got != c.want {
				_, err := roster.Parse(strings.NewReader(c.text))
				t.Errorf("problems %s, want %s\n%v", got, c.want, err)
			}
		})
	}
}

func TestParseFindsContradictions(t *testing.T) {
	t.Parallel()
	full := "organization_name,team_name,member_email,member_name,time_zone,cohort,title,team_role,starts_on,ends_on,organization_city,organization_kind\n"
	for name, c := range map[string]struct{ rows, want string }{
		"one address with two names":            {"O,T,a@x.example,Ann,UTC,,,,,,,\nO,U,A@X.example,Anna,UTC,,,,,,,\n", "[3 member_name]"},
		"one team in two cohorts":               {"O,T,a@x.example,Ann,UTC,C1,,,,,,\nO,T,b@x.example,Bob,UTC,,,,,,,\nO,T,c@x.example,Cy,UTC,C2,,,,,,\n", "[4 cohort]"},
		"one organization in two cities":        {"O,T,a@x.example,Ann,UTC,,,,,,Boston,\nO,U,a@x.example,Ann,UTC,,,,,,Austin,\n", "[3 organization_city]"},
		"an organization in two spellings":      {"Org,T,a@x.example,Ann,UTC,,,,,,,\nORG,T,b@x.example,B,UTC,,,,,,,\n", "[3 organization_name]"},
		"a team in two spellings":               {"O,Team,a@x.example,Ann,UTC,,,,,,,\nO,team,b@x.example,B,UTC,,,,,,,\n", "[3 team_name]"},
		"the same line twice":                   {"O,T,a@x.example,Ann,UTC,,,,,,,\nO,T,a@x.example,Ann,UTC,,,,,,,\n", "[3 ]"},
		"one place with two roles":              {"O,T,a@x.example,Ann,UTC,,,LEAD,,,,\nO,T,a@x.example,Ann,UTC,,,MEMBER,,,,\n", "[3 ]"},
		"a member who left and came back":       {"O,T,a@x.example,Ann,UTC,,,,2023-01-01,2023-03-31,,\nO,T,a@x.example,Ann,UTC,,,,2023-06-01,,,\n", "[]"},
		"a member who came back before leaving": {"O,T,a@x.example,Ann,UTC,,,,2023-01-01,2023-06-01,,\nO,T,a@x.example,Ann,UTC,,,,2023-06-01,,,\n", "[3 ]"},
		"the same team name elsewhere":          {"O,T,a@x.example,Ann,UTC,C1,,,,,,\nP,T,a@x.example,Ann,UTC,C2,,,,,,\n", "[]"},
		"bad words and days":                    {"O,T,a@x.example,Ann,UTC,,,boss,2023-02-30,31.1.2023,,castle\n", "[2 organization_kind 2 team_role 2 starts_on 2 ends_on]"},
		"an end before the start":               {"O,T,a@x.example,Ann,UTC,,,,2023-02-03,2023-02-02,,\n", "[2 ends_on]"},
		"words in other cases":                  {"O,T,a@x.example,Ann,UTC,,,senior leader,,,,health-system\n", "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fmt.Sprint(problems(t, full+c.rows)); got != c.want {
				t.Errorf("problems %s, want %s", got, c.want)
			}
		})
	}
}

func TestParseGathers(t *testing.T) {
	t.Parallel()
	text := head + ",title,cohort\n" +
		"\" Org,  with a comma \",Team,Ann@X.example,\"Ann\n Lee\",America/Chicago,,\n" +
		"\"Org, with a comma\",Team,b@x.example,\"Bob \"\"B\"\" Bay\",UTC,Nurse,C\n" +
		"Other,Team,ann@x.example,Ann Lee,America/Chicago,Doctor,\n"
	r, err := roster.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Organizations) != 2 || len(r.Teams) != 2 || len(r.Members) != 2 || len(r.Places) != 3 || r.Rows != 3 {
		t.Fatalf("%+v", r)
	}
	if ann := r.Members[0]; ann.Name != "Ann Lee" || ann.Email != "ann@x.example" || ann.Title != "Doctor" || len(ann.Organizations) != 2 {
		t.Errorf("%+v", ann)
	}
	if r.Members[1].Name != `Bob "B" Bay` || r.Organizations[0].Name != "Org, with a comma" || r.Teams[0].Cohort != "C" || r.Places[2].Line != 5 {
		t.Errorf("%+v", r)
	}
}

func BenchmarkParse(b *testing.B) {
	text := large(10_000)
	for b.Loop() {
		if _, err := roster.Parse(strings.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}

// large is a roster of many rows, ten to a team.
func large(rows int) string {
	var b strings.Builder
	b.WriteString(head + ",title,team_role,organization_kind,organization_city\n")
	for i := range rows {
		fmt.Fprintf(&b, "Organization %d,Team %d,member%d@x%d.example,Member %d,America/Chicago,\"Nurse, %d\",,CLINIC,Boston\r\n", i/20, i/10, i, i/20, i, i)
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(file("Org,Team,a@x.example,Ann,America/Chicago")))
	f.Add([]byte(large(3)))
	f.Add([]byte("\ufeff" + head + "\r\n\"O\nO\",\"T\"\"\",a@x.example,A,UTC\r\n"))
	f.Add([]byte(head + "\n\"a,b\nc"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := roster.Parse(strings.NewReader(string(text)))
		if err != nil {
			list, ok := errors.AsType[roster.Problems](err)
			if !ok || len(list) == 0 || list.Error() == "" {
				t.Fatalf("an error that names no line: %v", err)
			}
			lines := strings.Count(string(text), "\n") + 1
			for i, p := range list {
				if p.Line < 0 || p.Line > lines || i > 0 && p.Line < list[i-1].Line {
					t.Fatalf("problem %+v of a file of %d lines", p, lines)
				}
			}
			return
		}
		if r.Rows == 0 || len(r.Places) != r.Rows {
			t.Fatalf("%d places of %d rows", len(r.Places), r.Rows)
		}
		for _, p := range r.Places {
			if p.Team >= len(r.Teams) || p.Member >= len(r.Members) || r.Members[p.Member].Email == "" || r.Organizations[r.Teams[p.Team].Organization].Name == "" {
				t.Fatalf("%+v of %+v", p, r)
			}
		}
	})
}

package apitest_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/answer"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/casework"
	"github.com/pursuing-equity/commons/internal/gid"
)

const createTable = `mutation($input: CreateApplicationExportInput!) { createApplicationExport(input: $input) { url expiresAt errors { code path } } }`

// fetchTable gets what a link leads to.
func fetchTable(t *testing.T, url string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, body
}

// sheet are the cells of a workbook's first sheet.
func sheet(t *testing.T, body []byte) [][]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Rows []struct {
			Cells []struct {
				At    string `xml:"r,attr"`
				Type  string `xml:"t,attr"`
				Value string `xml:"v"`
				Text  string `xml:"is>t"`
			} `xml:"c"`
		} `xml:"sheetData>row"`
	}
	if err := xml.NewDecoder(f).Decode(&parsed); err != nil {
		t.Fatal(err)
	}
	rows := make([][]string, len(parsed.Rows))
	for i, r := range parsed.Rows {
		for _, c := range r.Cells {
			column := 0
			for _, letter := range strings.TrimRight(c.At, "0123456789") {
				column = column*26 + int(letter-'A') + 1
			}
			for len(rows[i]) < column {
				rows[i] = append(rows[i], "")
			}
			rows[i][column-1] = c.Value + c.Text
		}
	}
	return rows
}

func TestExportApplications(t *testing.T) {
	later(t, func(w *apitest.World, pass func(time.Duration)) {
		c := newIntake(w)
		c.grow(230)
		evil := []string{`=HYPERLINK("http://evil")`, "+1+1", "-2+3", "@SUM(A1)", "\tx", " =1", "fine, \"quoted\"\nand long"}
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			for i, text := range evil {
				if err := tx.Answer.Update().Where(answer.ApplicationID(c.applications[i].ID), answer.Key("why")).SetValue(text).Exec(ctx); err != nil {
					return err
				}
				if err := tx.Application.UpdateOneID(c.applications[i].ID).SetTeamName(text).Exec(ctx); err != nil {
					return err
				}
			}
			return tx.Answer.Update().Where(answer.ApplicationID(c.applications[0].ID), answer.Key("people")).SetValue("-7").Exec(ctx)
		})
		link := func(format string, filter vars) string {
			return c.staff.Must(createTable, input(vars{"callId": c.call, "format": format, "filter": filter})).String("createApplicationExport.url")
		}
		w.T.Run("CSV has a line for each and no formulas", func(t *testing.T) {
			status, body := fetchTable(t, link("CSV", nil))
			text, marked := strings.CutPrefix(string(body), "\ufeff")
			if status != http.StatusOK || !marked || !strings.Contains(text, "\r\n") {
				t.Fatal(status, len(body))
			}
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil || len(rows) != len(c.applications)+1 {
				t.Fatal(len(rows), err)
			}
			at := map[string]int{}
			for i, name := range rows[0] {
				at[name] = i
			}
			for i, a := range c.applications {
				row := rows[i+1]
				if row[at["Number"]] != fmt.Sprint(a.Number) || row[at["Id"]] != a.ID.String() || row[at["State"]] != string(a.State) {
					t.Errorf("line %d is %v", i, row)
				}
				for _, cell := range row {
					if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") && cell != "-7" {
						t.Errorf("a spreadsheet runs %q", cell)
					}
				}
				if i < len(evil)-1 && row[at["Team"]] != "'"+evil[i] {
					t.Errorf("%q became %q", evil[i], row[at["Team"]])
				}
			}
			if rows[1][at["How many?"]] != "-7" && rows[1][at["How many?"]] != "" {
				t.Error(rows[1])
			}
			started, err := time.Parse(time.RFC3339, rows[1][at["Started"]])
			if err != nil || !started.Equal(c.applications[0].CreatedAt.Truncate(time.Second)) || strings.HasSuffix(rows[1][at["Started"]], "Z") {
				t.Error(rows[1][at["Started"]], err)
			}
			for _, name := range []string{"Letter: CEO", "Letter: BOARD_CHAIR", "Video", "Why?"} {
				if _, there := at[name]; !there {
					t.Errorf("no column %q in %v", name, rows[0])
				}
			}
		})
		w.T.Run("the workbook has the same", func(t *testing.T) {
			_, text := fetchTable(t, link("CSV", vars{"states": []string{"SUBMITTED"}}))
			plain, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff"))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			_, body := fetchTable(t, link("XLSX", vars{"states": []string{"SUBMITTED"}}))
			rows := sheet(t, body)
			if len(rows) != len(plain) || len(rows) < 20 {
				t.Fatalf("%d rows, and %d lines", len(rows), len(plain))
			}
			for i := range rows {
				for j, cell := range rows[i] {
					if strings.TrimPrefix(plain[i][j], "'") != cell {
						t.Errorf("row %d, column %d: %q and %q", i, j, cell, plain[i][j])
					}
				}
			}
		})
		w.T.Run("a link is looked at again as it is fetched, and every fetch is written down", func(t *testing.T) {
			url := link("CSV", nil)
			if status, _ := fetchTable(t, url[:len(url)-8]+"AAAAAAAA"); status != http.StatusNotFound {
				t.Error(status)
			}
			fetchTable(t, url)
			n := w.App.Store.Client(w.System()).AuditEntry.Query().Where(auditentry.Action("APPLICATIONS_EXPORTED"), auditentry.ActorID(c.staff.ID)).CountX(w.System())
			if n != 4 {
				t.Errorf("%d entries", n)
			}
			pass(61 * time.Minute)
			if status, _ := fetchTable(t, url); status != http.StatusNotFound {
				t.Error(status)
			}
		})
		w.T.Run("who is not staff any more has no export", func(t *testing.T) {
			e := casework.Export{CallID: c.call, Format: casework.CSV}
			made, err := w.App.Casework.CreateExport(c.staff.Context(), c.staff.Viewer, e)
			if err != nil {
				t.Fatal(err)
			}
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				_, err := tx.RoleAssignment.Delete().Where(roleassignment.MemberID(c.staff.ID)).Exec(ctx)
				return err
			})
			if status, _ := fetchTable(t, made.URL); status != http.StatusNotFound {
				t.Error(status)
			}
		})
	})
}

// peak is how much more of the heap is in use at most while do runs.
type peak struct {
	io.Writer
	most   uint64
	writes int
}

func (p *peak) Write(b []byte) (int, error) {
	if p.writes++; p.writes%8 == 1 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.most = max(p.most, m.HeapAlloc)
	}
	return p.Writer.Write(b)
}

// What an export keeps in memory is the same whatever the number of applications, and so is the number of statements a hundred.
func TestExportsStream(t *testing.T) {
	exports := func(w *apitest.World) {
		c := newIntake(w)
		most := map[casework.Format][]uint64{}
		for _, n := range []int{200, manyApplications} {
			c.grow(n - c.made)
			c.applications, c.documents, c.assigned, c.decided, c.reviews = nil, map[gid.ID][]string{}, map[gid.ID]bool{}, map[gid.ID]bool{}, map[gid.ID]int{} // else they count
			for _, f := range []casework.Format{casework.CSV, casework.XLSX} {
				p := &peak{Writer: io.Discard}
				statements := w.Statements(func() {
					if err := w.App.Casework.WriteExport(context.Background(), &casework.Export{CallID: c.call, By: c.staff.ID, Format: f}, p); err != nil { //nolint:usetesting // it begins as a request does
						w.T.Fatal(err)
					}
				})
				most[f] = append(most[f], p.most)
				if limit := int64(8 + 14*(n/100+1)); statements > limit {
					w.T.Errorf("%s of %d: %d statements", f, n, statements)
				}
				w.T.Logf("%s of %d applications: %d statements, %d KB", f, n, statements, p.most>>10)
			}
		}
		for f, sizes := range most {
			if float64(sizes[1]) > 1.3*float64(sizes[0]) {
				w.T.Errorf("%s: %d bytes for 200 and %d for more", f, sizes[0], sizes[1])
			}
		}
	}
	for name, fresh := range map[string]func(testing.TB) string{"sqlite": database.SQLite, "postgres": database.Postgres} {
		t.Run(name, func(t *testing.T) { exports(apitest.Serve(t, fresh(t))) }) // alone in the process, whose memory is looked at
	}
}

package demo

import (
	"time"

	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/gid"
)

// The roles in which letters are signed.
const (
	chiefExecutive = "Chief Executive Officer"
	boardChair     = "Board Chair"
)

// reviewDue is when reviewers were done, and releasedAt when everybody was told.
var (
	reviewDue  = time.Date(2022, time.November, 28, 22, 0, 0, 0, time.UTC)
	releasedAt = time.Date(2022, time.December, 1, 15, 30, 0, 0, time.UTC)
)

// call is what is said of a call; the rest follows.
type call struct {
	offering, cohort int // cohort is negative while nobody has said where it leads
	title, summary   string
	opens, due       string // what the clock in callZone shows; late applications are taken for a week
	requirements     []schema.Requirement
	questions        []schema.Question
	capacity         int
	blind, decided   bool
}

// calls are the two of the program, and one that is open on the day on which somebody looks.
func (g *generator) calls() []call {
	day := func(days int) string { return g.today.AddDate(0, 0, days).Format(time.DateOnly) }
	ceo := letter("We, the leaders of our organization, support its team in Pursuing Equity. We give its members the time that they need, take part ourselves, and act on what they learn.", chiefExecutive)
	both := letter("Our organization commits itself to Pursuing Equity, from the board to the bedside. We give our team time and authority, look at our own decisions first, and tell the public what we achieve and where we fail.", chiefExecutive, boardChair)
	video := schema.Requirement{Key: "video", Kind: "VIDEO", Label: "Video from the team", Help: "Three minutes at most: who you are, and what you want to change. A telephone is good enough a camera."}
	return []call{
		{
			offering: 0, cohort: 0, title: "Pursuing Equity Learning Network 2023–2024", opens: "2022-09-06T09:00:00", due: "2022-11-01T23:59:59",
			summary: "About 40 teams learn with one another from January 2023 to June 2024. **Taking part is free** thanks to a grant from our founding supporter, " + sponsor +
				"; without it the fee would be $30,000.\n\nYou need an online form and a letter of commitment from your chief executive.",
			requirements: []schema.Requirement{form(), ceo}, questions: questions(), capacity: networkTeams, blind: true, decided: true,
		},
		{
			offering: 1, cohort: 1, title: "Pursuing Equity Action Community 2023–2024", opens: "2022-09-06T09:00:00", due: "2022-10-21T23:59:59",
			summary: "About 10 teams change how their organizations work: with coaching, learning sessions in person, affinity groups and a workgroup of leaders. **Taking part is free** thanks to a grant from our founding supporter, " +
				sponsor + "; without it the fee would be $30,000.\n\nYou need an online form, a letter signed by your chief executive and your board chair, and a video from the team.",
			requirements: []schema.Requirement{form(), both, video}, questions: append(questions(), projectQuestions()...), capacity: actionTeams + 1, decided: true,
		},
		{
			offering: 0, cohort: -1, title: "Pursuing Equity Learning Network: next run", opens: day(-14) + "T09:00:00", due: day(30) + "T23:59:59",
			summary: "The Learning Network goes on. Organizations that are new to it can apply now; **taking part is free** for those whom a sponsor’s grant covers.\n\n" +
				"You need an online form and a letter of commitment from your chief executive.",
			requirements: []schema.Requirement{form(), ceo}, questions: questions(), capacity: 20,
		},
	}
}

func form() schema.Requirement {
	return schema.Requirement{Key: "form", Kind: "FORM", Label: "Online application form"}
}

func letter(text string, signers ...string) schema.Requirement {
	return schema.Requirement{
		Key: "letter", Kind: "LETTER", Label: "Letter of commitment", Signers: signers, Letter: text,
		Help: "We send a link to those who sign. They need no account.",
	}
}

// questions are those of each form: every kind of them.
func questions() []schema.Question {
	one, many := 1.0, 50_000_000.0
	const organization, work, promise = "Your organization", "Your work on equity", "What we promise one another"
	return []schema.Question{
		{Key: "sponsor", Section: organization, Kind: "TEXT", Label: "Who among your leaders stands behind this team?", Help: "Name and title.", Required: true, MaxLength: 200, Identifying: true},
		{Key: "people", Section: organization, Kind: "NUMBER", Label: "How many people does your organization serve in a year?", Required: true, Min: &one, Max: &many},
		{Key: "setting", Section: organization, Kind: "CHOICE", Label: "Where do most of them live?", Required: true, Options: settings()},
		{Key: "focus", Section: work, Kind: "CHOICES", Label: "Which of these do you work on?", Required: true, Options: focuses()},
		{Key: "why", Section: work, Kind: "TEXT", Label: "Why now?", Help: "What has happened that makes your organization ready.", Required: true, MinLength: 60, MaxLength: 3000},
		{Key: "tried", Section: work, Kind: "TEXT", Label: "What have you tried, and what came of it?", Required: true, MinLength: 60, MaxLength: 3000},
		{Key: "measure", Section: work, Kind: "TEXT", Label: "Which measure do you look at by race, ethnicity and language, and what does it show?", Required: true, MaxLength: 2000},
		{Key: "chart", Section: work, Kind: "FILE", Label: "A chart or table that shows it", Help: "No patient’s data, please: counts and rates only."},
		{Key: "start", Section: promise, Kind: "DATE", Label: "From when can the team give this time every week?", Required: true},
		{Key: "share", Section: promise, Kind: "CONSENT", Label: "What we learn, also from what goes wrong, may be shared within the network.", Required: true},
	}
}

// projectQuestions are those that the Action Community asks beside.
func projectQuestions() []schema.Question {
	one, week := 1.0, 400.0
	const project = "Your project"
	return []schema.Question{
		{Key: "aim", Section: project, Kind: "TEXT", Label: "What do you want to improve: how much, by when, for whom?", Required: true, MinLength: 40, MaxLength: 2000},
		{Key: "hours", Section: project, Kind: "NUMBER", Label: "How many hours a week does the whole team have for it?", Required: true, Min: &one, Max: &week},
	}
}

func settings() []string { return []string{"A city", "Its suburbs", "The countryside", "All of these"} }

func focuses() []string {
	return []string{"Maternal health", "Chronic disease", "Behavioral health", "Language access", "Workforce and culture", "Data on race, ethnicity and language"}
}

// rubric is what each call's applications are judged by.
func rubric() []schema.Criterion {
	return []schema.Criterion{
		{Key: "commitment", Label: "Commitment of leaders", Description: "5: they give time and authority, and say what they will change themselves. 0: a signature.", Max: 5, Weight: 3},
		{Key: "readiness", Label: "Readiness of the team", Description: "5: the right people, time every week, something tried and learned. 0: names on a list.", Max: 5, Weight: 2},
		{Key: "community", Label: "Community as partner", Description: "5: people who live with the problem decide with the team. 0: they are not there.", Max: 5, Weight: 3, CommentRequired: true},
		{Key: "data", Label: "Data by race, ethnicity and language", Description: "5: looked at every month and acted on. 0: not collected.", Max: 5, Weight: 2},
	}
}

// call adds a call with its published form.
func (g *generator) call(s stream, c call) {
	w := &g.world
	opens, due := g.instant(c.opens), g.instant(c.due)
	closes := due.In(g.zone).AddDate(0, 0, 7)
	made := opens.Add(-20 * time.Hour)
	row := Call{
		ID: s.id(gid.Call, made), OfferingID: w.Offerings[c.offering].ID, Title: c.title, Summary: c.summary, TimeZone: callZone, OpensAt: opens, DueAt: due, ClosesAt: closes.UTC(),
		OpensLocal: c.opens, DueLocal: c.due, ClosesLocal: closes.Format("2006-01-02T15:04:05"), Requirements: c.requirements, Rubric: rubric(),
		Capacity: c.capacity, Blind: c.blind, CreatedAt: made,
	}
	if c.cohort >= 0 {
		row.CohortID = w.Cohorts[c.cohort].ID
	}
	if c.decided {
		row.ReleasedAt = releasedAt
	}
	w.Calls = append(w.Calls, row)
	w.Admission.Forms = append(w.Admission.Forms, FormVersion{ID: s.id(gid.FormVersion, made), CallID: row.ID, Questions: c.questions, CreatedAt: made})
}

// instant is when the clocks of the calls' zone show something.
func (g *generator) instant(local string) time.Time {
	at, err := time.ParseInLocation("2006-01-02T15:04:05", local, g.zone)
	if err != nil {
		panic("demo: " + err.Error()) // it is written above
	}
	return at.UTC()
}

// lapses is when an offer made at an instant lapses: at the end of the fourteenth day.
func (g *generator) lapses(at time.Time) time.Time {
	y, m, d := at.In(g.zone).Date()
	return time.Date(y, m, d+14, 23, 59, 0, 0, g.zone).UTC()
}

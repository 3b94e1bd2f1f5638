package demo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// answer is what an application says to the question with a key; nothing to what it leaves out.
func (s stream) answer(key, leader string, since time.Time) string {
	switch key {
	case "sponsor":
		return leader
	case "people":
		return strconv.Itoa(s.between(8, 900) * 1000)
	case "setting":
		return pick(s, settings())
	case "focus":
		return strings.Join(inOrder(focuses(), sample(s, focuses(), s.between(1, 3))), "\n")
	case "why":
		return strings.Join(sample(s, reasonsNow(), 2), " ")
	case "tried":
		return strings.Join(sample(s, trials(), 2), " ")
	case "measure":
		return pick(s, measures())
	case "start":
		return since.AddDate(0, 2, s.between(0, 20)).Format(time.DateOnly)
	case "share":
		return "yes"
	case "aim":
		return fmt.Sprintf(pick(s, aims()), s.between(15, 50))
	case "hours":
		return strconv.Itoa(s.between(8, 60))
	default: // a file: nobody had to
		return ""
	}
}

// inOrder are those of all that were chosen, in the order of all.
func inOrder(all, chosen []string) []string {
	var out []string
	for _, one := range all {
		for _, c := range chosen {
			if c == one {
				out = append(out, one)
			}
		}
	}
	return out
}

func reasonsNow() []string {
	return []string{
		"Our board asked for every quality measure by race last spring, and what it saw kept nobody quiet.",
		"Two mothers died here within one year. Both were Black, both had asked for help twice.",
		"Our staff wrote a letter with two hundred names on it. It asked for more than another training.",
		"We have a new chief executive who grew up across the street from our oldest clinic.",
		"Our community council told us that it would not come again before something changes.",
		"We finished a strategic plan that names racism on its first page, and now we need people to learn with.",
		"Three years of trainings have changed how we talk. We want to change what we do.",
		"The largest employer in town asked what we do about the gap in blood pressure, and we had no answer.",
	}
}

func trials() []string {
	return []string{
		"We asked every patient for race, ethnicity and language at the front desk; after six months nine of ten records were complete.",
		"We moved two clinics’ hours into the evening. No-shows fell by a third, most of all among people who are paid by the hour.",
		"We hired four community health workers and lost two of them, because we had not changed what a supervisor does.",
		"We called everyone who had left without being seen. Most had not been asked what they came for.",
		"Interpreters now join by video within five minutes; before, families waited for forty.",
		"We tried a checklist against bias in pain treatment. It was filled in, and changed nothing.",
		"A group of patients redesigned our letters. We print theirs now.",
		"We looked at who is promoted, and stopped asking for degrees that the work does not need.",
	}
}

func measures() []string {
	return []string{
		"Controlled blood pressure: 71 % among white patients, 58 % among Black patients. The gap has not moved in three years.",
		"Severe complications at birth: 1.4 in a hundred for white mothers, 3.1 for Black mothers.",
		"Visits with a qualified interpreter among those who want one: 64 %, from 88 % in Spanish down to 21 % in Haitian Creole.",
		"Left without being seen: 4 % of white and 9 % of Hispanic patients, most of them on Mondays.",
		"Hemoglobin A1c above nine: 14 % overall, 26 % in two zip codes.",
		"Follow-up within seven days after a stay in psychiatry: 52 %, and 33 % for patients under Medicaid.",
		"We do not look at any measure that way yet. That is why we apply.",
	}
}

func aims() []string {
	return []string{
		"We will close the gap in controlled blood pressure between Black and white patients by %d percent within eighteen months, at all our sites.",
		"We will cut the share of families who wait more than ten minutes for an interpreter by %d percent until June 2024.",
		"We will bring %d more percent of new mothers under Medicaid to a visit within three weeks after birth, by the end of the program.",
		"We will halve the gap in no-shows between our two poorest zip codes and all others, %d percent of it within the first year.",
	}
}

// remarks are what reviewers say of an application's partnership with its community: strong ones last.
func remarks() []string {
	return []string{
		"The community is spoken about. I do not hear it speak.", "One patient adviser, named once. Ask how decisions are made.",
		"Partners are listed; their say is not clear to me.", "A council with a budget, though small. A good start.",
		"People from the neighborhood sit in the team, and are paid.", "The community chose the aim. I have not read that often.",
	}
}

// verdicts are what reviewers say of the whole: strong ones last.
func verdicts() []string {
	return []string{
		"Too early. They should come back when somebody has time for it.", "I would like to see one small thing tried first.",
		"Honest about what failed, and thin on what comes next.", "A team that would give as much as it takes.",
		"Strong leaders, clear data, real partners.", "Take them. The others will learn from this team.",
	}
}

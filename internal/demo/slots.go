package demo

import (
	"strconv"
	"strings"
	"time"
)

// slots fill the braces of a sentence, so that one sentence is written in many ways: "{pct} % in {month}".
type slots struct {
	stream
	at      time.Time // when it is written; {month} is then or a little before
	first   string    // of the person who is answered
	mention string    // @handle
	city    string
	link    string
}

// fill writes the sentence with its slots filled. An unknown slot stays as it is; a test finds those.
func (f slots) fill(b *strings.Builder, sentence string) {
	for {
		open := strings.IndexByte(sentence, '{')
		if open < 0 {
			b.WriteString(sentence)
			return
		}
		end := strings.IndexByte(sentence[open:], '}')
		if end < 0 {
			b.WriteString(sentence)
			return
		}
		b.WriteString(sentence[:open])
		b.WriteString(f.slot(sentence[open+1 : open+end]))
		sentence = sentence[open+end+1:]
	}
}

// filled is fill for a sentence on its own.
func (f slots) filled(sentence string) string {
	var b strings.Builder
	f.fill(&b, sentence)
	return b.String()
}

func (f slots) slot(name string) string {
	switch name {
	case "pct":
		return strconv.Itoa(f.between(12, 94))
	case "few":
		return strconv.Itoa(f.between(2, 9))
	case "lo":
		return strconv.Itoa(f.between(12, 48))
	case "hi":
		return strconv.Itoa(f.between(55, 94))
	case "n":
		return strconv.Itoa(f.between(14, 240))
	case "small":
		return pick(f.stream, []string{"two", "three", "four", "five", "six", "seven"})
	case "weeks":
		return pick(f.stream, []string{"six", "eight", "ten", "twelve"})
	case "month":
		return f.at.AddDate(0, -f.IntN(4), 0).Month().String()
	case "weekday":
		return time.Weekday(1 + f.IntN(5)).String()
	case "lang":
		return pick(f.stream, []string{"Spanish", "Vietnamese", "Somali", "Haitian Creole", "Arabic", "Mandarin", "Cape Verdean Creole", "Hmong", "Tagalog", "Amharic", "Karen", "Portuguese", "Navajo", "Nepali", "K’iche’", "Marshallese"})
	case "unit":
		return pick(f.stream, []string{"the emergency department", "labor and delivery", "the family clinic", "the infusion center", "4 West", "pediatrics", "the call center", "the dialysis unit", "same-day surgery", "the women’s clinic", "the front desk"})
	case "measure":
		return pick(f.stream, []string{"blood pressure control", "time to first dose", "postpartum visits within three weeks", "A1c below nine", "interpreter use at discharge", "complete REaL data", "cancer screening", "readmissions within 30 days", "third next available appointment", "well-child visits"})
	case "partner":
		return pick(f.stream, []string{"the neighborhood association", "the food bank", "our doula collective", "the barbershop coalition", "the interfaith council", "the tenants’ union", "the parents’ network", "the Native community center", "the newcomers’ center", "the high school"})
	case "role":
		return pick(f.stream, []string{"nurse", "interpreter", "data analyst", "midwife", "registrar", "chaplain", "pharmacist", "community health worker", "social worker", "medical assistant"})
	case "city":
		return f.city
	case "first":
		return f.first
	case "mention":
		return f.mention
	case "link":
		return f.link
	default:
		return "{" + name + "}"
	}
}

// deck deals the lines of a part in a shuffled order, so that a thread repeats a sentence only after all others.
type deck struct {
	lines []string
	order []int
	next  int
}

func (d *deck) deal(s stream) string {
	if d.next == len(d.order) {
		d.order, d.next = s.Perm(len(d.lines)), 0
	}
	line := d.lines[d.order[d.next]]
	d.next++
	return line
}

// room makes sure that the next n lines differ.
func (d *deck) room(n int) {
	if len(d.order)-d.next < n {
		d.next = len(d.order)
	}
}

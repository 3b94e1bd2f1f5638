package demo

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/pursuing-equity/commons/internal/gid"
)

// people are given and family names that are common together somewhere. One group says nothing about a person but how
// their name sounds: no other choice in this package depends on it.
type people struct{ given, family []string }

func names() []people {
	split := strings.Fields
	return []people{
		{split("Amara Chidi Ngozi Emeka Adaeze Obinna Ifeoma Tunde Folake Segun Yetunde Kelechi Zainab Musa"), split("Okafor Adeyemi Balogun Eze Nwosu Ogunleye Abiola Onyekachi Danjuma Adebayo Ibe Okonjo")},
		{split("María José Lucía Diego Valentina Mateo Camila Andrés Ximena Rafael Inés Joaquín Pilar Esteban"), split("Hernández Ramírez Morales Castillo Ortega Fuentes Navarro Salazar Quiñones Rosario Vélez Zamora Peralta")},
		{split("Aaliyah Malik Imani Darnell Keisha Jamal Latoya Terrence Monique Andre Ebony Marcus Tamika Reggie"), split("Washington Booker Gaines Pettway Broadnax Merriweather Hairston Boykin Gadsden Toliver Beckwith Sturdivant")},
		{split("Mei Wei Jun Xiu Lin Hao Yan Ming Ying Cheng Fang Bo Qing Rui"), split("Chen Zhao Huang Lin Guo Xu Tang Shen Luo Deng Fong Kwan")},
		{split("Priya Arjun Ananya Rohan Kavita Sanjay Meera Vikram Lakshmi Nikhil Deepa Rahul Asha Kiran"), split("Iyer Chatterjee Deshmukh Nair Reddy Bhatt Menon Kulkarni Banerjee Rao Sethi Joshi")},
		{split("Siobhan Patrick Maeve Connor Fiona Declan Claire Thomas Nora Brendan Helen Walter Ruth George"), split("Gallagher Whitcomb Lindqvist Kowalczyk Abernathy Haugen Marchetti Vandermeer Prescott Dombrowski Ferris Novak Ashworth")},
		{split("Fatima Omar Layla Yusuf Noor Hassan Amina Karim Salma Tariq Rania Samir Hiba Idris"), split("Haddad Mansour Khoury Aziz Rahimi Nasser Qureshi Saleh Farah Bishara Abdi Darwish")},
		{split("Thuy Minh Linh Duc Huong Quang Mai Bao Lan Khanh Ngoc Tuan"), split("Nguyen Tran Pham Le Vo Dang Bui Huynh Duong Truong")},
		{split("Min-ji Ji-hoon Soo-ah Hyun Eun-ji Sung Yuna Dae Hana Joon"), split("Kim Park Choi Jung Kang Yoon Lim Shin Seo Bae")},
		{split("Kai Leilani Keola Malia Noelani Ikaika Sina Tavita Lani Koa"), split("Kahananui Akana Kealoha Tuiasosopo Faleolo Mahoe Kalani Leota Nakamura Pukui")},
		{split("Talia Nizhoni Dyani Wyatt Shandiin Cody Aiyana Chayton Winona Dakota"), split("Begay Yazzie Tsosie Redhorse Whitehorse Benally Nez Goodvoice Runningwolf Manygoats")},
		{split("Ayaan Hodan Abdirahman Ifrah Selam Dawit Tigist Bekele Hirut Yonas Saba Mulu"), split("Warsame Abebe Tesfaye Gebre Mohamud Haile Alemu Farole Kebede Jama Wolde")},
		{split("Ana João Beatriz Thiago Rosa Paulo Célia Duarte Ivone Nélson"), split("Medeiros Tavares Furtado Barros Teixeira Moniz Évora Lopes Andrade Pacheco")},
		{split("Marisol Jayson Analyn Rodel Cherry Arnel Ligaya Danilo Rowena Jericho"), split("Bautista Villanueva Dimaculangan Pangilinan Magsaysay Soriano Macaraeg Dela-Cruz Evangelista Manalo")},
		{split("Mirlande Jean-Baptiste Nadège Wilner Fabiola Ricardo Guerline Stanley Rose-Marie Evens"), split("Desrosiers Toussaint Pierre-Louis Charles Augustin Saint-Fleur Celestin Dorval Joseph Belizaire")},
		{split("Olena Dmytro Irina Pavel Svetlana Anton Tamar Levan Nino Aram Ani Davit"), split("Kovalenko Shevchuk Petrosyan Beridze Marchenko Sokolova Hakobyan Lysenko Gelashvili Bondar")},
	}
}

// pronouns are mostly those that go with the given name's common use; people differ, and some say none.
func (g *generator) pronouns(s stream, name string) string {
	given, _, _ := strings.Cut(name, " ")
	usual := "she/her"
	if g.mostlyHe[given] {
		usual = "he/him"
	}
	switch n := s.IntN(100); {
	case n < 82:
		return usual
	case n < 90:
		return ""
	case n < 95:
		return "they/them"
	default:
		return usual[:strings.IndexByte(usual, '/')] + "/they"
	}
}

// mostlyHe are the given names that are mostly men's.
func mostlyHe() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq("Chidi Emeka Obinna Tunde Segun Kelechi Musa José Diego Mateo Andrés Rafael Joaquín Esteban Malik Darnell Jamal Terrence Andre Marcus " +
		"Reggie Wei Jun Hao Cheng Bo Rui Ming Arjun Rohan Sanjay Vikram Nikhil Rahul Patrick Connor Declan Thomas Brendan Walter George Omar Yusuf Hassan " +
		"Karim Tariq Samir Idris Minh Duc Quang Bao Khanh Tuan Ji-hoon Hyun Sung Dae Joon Kai Keola Ikaika Tavita Koa Wyatt Cody Chayton Ayaan Abdirahman " +
		"Dawit Bekele Yonas João Thiago Paulo Duarte Nélson Jayson Rodel Arnel Danilo Jericho Jean-Baptiste Wilner Ricardo Stanley Evens Dmytro Pavel Anton Aram Davit") {
		names[name] = true
	}
	return names
}

// titles by role; the last list is for everybody else.
func titles(role string) []string {
	switch role {
	case "LEAD":
		return []string{"Director of Health Equity", "Director of Quality Improvement", "Program Manager, Equity", "Director of Community Health", "Nurse Manager, Quality"}
	case "SENIOR_LEADER":
		return []string{"Chief Executive Officer", "Chief Medical Officer", "Chief Nursing Officer", "Chief Equity Officer", "Chief Operating Officer", "Vice President, Quality and Safety"}
	case "DATA_LEAD":
		return []string{"Senior Data Analyst", "Quality Data Manager", "Clinical Informatics Lead", "Epidemiologist", "Biostatistician"}
	case "COMMUNITY_PARTNER":
		return []string{"Community Health Worker", "Patient and Family Adviser", "Community Organizer", "Doula", "Faith Community Liaison", "Community Health Promoter"}
	default:
		return []string{
			"Registered Nurse", "Family Physician", "Pediatrician", "Obstetrician", "Nurse Midwife", "Social Worker", "Pharmacist", "Medical Interpreter",
			"Patient Experience Manager", "Care Coordinator", "Quality Improvement Specialist", "Practice Manager", "Chaplain", "Human Resources Partner",
			"Communications Manager", "Respiratory Therapist", "Medical Assistant", "Patient Navigator", "Registrar Supervisor", "Emergency Physician",
		}
	}
}

func expertises() []string {
	return []string{
		"REaL data", "Run charts", "Coaching", "Language access", "Maternal health", "Patient and family partnership", "Facilitation", "Hypertension", "Diabetes",
		"Behavioral health", "Community organizing", "Policy", "Human-centered design", "Storytelling", "Anti-racism training", "Pediatrics", "Measurement", "Hiring and retention",
	}
}

// person is a name and the handle that goes with it.
func (g *generator) person(s stream) (name, handle string) {
	groups := g.people
	var family string
	for range 4 {
		group := pick(s, groups)
		given := pick(s, group.given)
		family = pick(s, group.family)
		switch n := s.IntN(100); {
		case n < 12: // families are mixed
			family = pick(s, pick(s, groups).family)
		case n < 17:
			family += "-" + pick(s, pick(s, groups).family)
		}
		name = given + " " + family
		if handle = handleOf(name); g.handles[handle] == 0 {
			break
		}
	}
	g.handles[handle]++
	if n := g.handles[handle]; n > 1 {
		handle = fmt.Sprintf("%s-%d", handle, n)
	}
	return name, handle
}

// handleOf is a name in small letters without marks, joined by hyphens, short enough to be numbered.
func handleOf(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z':
			b.WriteRune(r)
		case r == ' ' || r == '-':
			b.WriteByte('-')
		case unicode.Is(unicode.Mn, r): // the mark of a letter already written
		}
	}
	const most = 36 // of 40, the limit of a handle
	h := b.String()
	return strings.TrimRight(h[:min(most, len(h))], "-")
}

// member is a new person at an organization.
func (g *generator) member(s stream, org Organization, role string) Member {
	name, handle := g.person(s)
	from, to := time.Date(2022, time.December, 12, 14, 0, 0, 0, time.UTC), programStart
	if role == "LEAD" || role == "DATA_LEAD" { // who wrote the application
		from, to = org.CreatedAt, org.CreatedAt.AddDate(0, 0, 3)
	}
	created := s.within(from, to)
	m := Member{
		ID: s.id(gid.Member, created), Email: handle + "@" + org.domain, Handle: handle, Name: name, Pronouns: g.pronouns(s, name),
		Title: pick(s, titles(role)), TimeZone: org.zone, Status: "ACTIVE", CreatedAt: created,
		Expertise: sample(s, expertises(), s.between(0, 3)),
	}
	if s.chance(40) {
		m.About = fmt.Sprintf(pick(s, abouts()), org.City)
	}
	m.Interests = sample(newStream(g.options.Seed, "interests of "+handle, 0), expertises(), 2)
	return m
}

func abouts() []string {
	return []string{
		"I grew up in %s and never wanted to work anywhere else.", "Came to %s for one year; that was eleven years ago.",
		"Ask me about our walking group in %s.", "I work where %s’s bus lines end, and that tells you most of what you need to know.",
		"New to improvement work, not new to %s.", "I collect data by day and vinyl records from %s’s flea markets on weekends.",
		"Parent, gardener, bilingual, loud laugh. You will find me in %s.", "I answer messages in the morning, %s time.",
	}
}

package inbound

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What mail programs make of an answer, by name and language.
func TestStrip(t *testing.T) {
	for name, c := range map[string]struct{ mail, want string }{
		"nothing but the answer":         {"Yes, gladly.", "Yes, gladly."},
		"two paragraphs":                 {"One.\r\n\r\n\r\n\r\nTwo.\r\n", "One.\n\nTwo."},
		"Gmail":                          {"Yes.\n\nOn Tue, 12 Mar 2024 at 10:00, Ann Lee <ann@example.org> wrote:\n\n> Shall we?\n> \n> Ann\n", "Yes."},
		"Gmail, broken over two lines":   {"Yes.\n\nOn Tue, 12 Mar 2024 at 10:00, Ann Lee, of the very long name <\nann@example.org> wrote:\n> Shall we?", "Yes."},
		"Gmail, broken over three":       {"Yes.\n\nOn Tue, 12 Mar 2024 at 10:00,\nAnn Lee via Commons\n<ann@example.org> wrote:\n> Shall we?", "Yes."},
		"Gmail in German":                {"Ja.\n\nAm Di., 12. März 2024 um 10:00 Uhr schrieb Ann Lee <\nann@example.org>:\n\n> Wollen wir?", "Ja."},
		"Gmail in French":                {"Oui.\n\nLe mar. 12 mars 2024 à 10:00, Ann Lee <ann@example.org> a écrit :\n\n> On y va ?", "Oui."},
		"Gmail in Spanish":               {"Sí.\n\nEl mar, 12 mar 2024 a las 10:00, Ann Lee (<ann@example.org>) escribió:\n\n> ¿Vamos?", "Sí."},
		"Gmail in Italian":               {"Sì.\n\nIl giorno mar 12 mar 2024 alle ore 10:00 Ann Lee <ann@example.org> ha scritto:\n\n> Andiamo?", "Sì."},
		"Gmail in Portuguese":            {"Sim.\n\nAnn Lee <ann@example.org> escreveu (terça, 12/03/2024 à(s) 10:00):\n\n> Vamos?", "Sim."},
		"Gmail in Dutch":                 {"Ja.\n\nOp di 12 mrt 2024 om 10:00 schreef Ann Lee <ann@example.org>:\n\n> Zullen we?", "Ja."},
		"Gmail in Swedish":               {"Ja.\n\nDen tis 12 mars 2024 kl 10:00 skrev Ann Lee <ann@example.org>:\n\n> Ska vi?", "Ja."},
		"Gmail in Danish":                {"Ja.\n\nDen tir. 12. mar. 2024 kl. 10.00 skrev Ann Lee <ann@example.org>:\n\n> Skal vi?", "Ja."},
		"Gmail in Polish":                {"Tak.\n\nwt., 12 mar 2024 o 10:00 Ann Lee <ann@example.org> napisał(a):\n\n> Idziemy?", "Tak."},
		"Gmail in Finnish":               {"Kyllä.\n\nti 12. maalisk. 2024 klo 10.00 Ann Lee (ann@example.org) kirjoitti:\n\n> Mennäänkö?", "Kyllä."},
		"Gmail in Czech":                 {"Ano.\n\nút 12. 3. 2024 v 10:00 odesílatel Ann Lee <ann@example.org> napsal:\n\n> Jdeme?", "Ano."},
		"Apple Mail":                     {"Yes.\n\nBest,\nBen\n\n> On Mar 12, 2024, at 10:00 AM, Ann Lee <ann@example.org> wrote:\n> \n> Shall we?\n", "Yes.\n\nBest,\nBen"},
		"Apple Mail, unmarked":           {"Yes.\n\nOn 12 Mar 2024, at 10:00, Ann Lee <ann@example.org> wrote:\n\nShall we?\n", "Yes."},
		"Apple Mail in German":           {"Ja.\n\n> Am 12.03.2024 um 10:00 schrieb Ann Lee <ann@example.org>:\n>\n> Wollen wir?", "Ja."},
		"Thunderbird":                    {"Yes.\n\nOn 3/12/24 10:00, Ann Lee wrote:\n> Shall we?\n", "Yes."},
		"Thunderbird, answered below":    {"On 3/12/24 10:00, Ann Lee wrote:\n> Shall we?\n\nYes.\n\n-- \nBen", "Yes."},
		"Thunderbird in German":          {"Am 12.03.24 um 10:00 schrieb Ann Lee:\n> Wollen wir?\n> Ja?\nJa.\n", "Ja."},
		"an answer between quotes":       {"On 3/12/24 10:00, Ann Lee wrote:\n> One?\nYes.\n\n> Two?\n\nNo.\n> Three?\n", "Yes.\n\n> Two?\n\nNo."},
		"a quote with an answer below":   {"Hello,\n\nOn 3/12/24 10:00, Ann Lee wrote:\n> One?\n\nYes.", "Hello,\n\nOn 3/12/24 10:00, Ann Lee wrote:\n> One?\n\nYes."},
		"Outlook":                        {"Yes.\n\nFrom: Ann Lee <ann@example.org>\nSent: Tuesday, March 12, 2024 10:00 AM\nTo: Ben\nSubject: Re: Plans\n\nShall we?", "Yes."},
		"Outlook with a line":            {"Yes.\n\n________________________________\nFrom: Ann Lee <ann@example.org>\nSent: Tuesday\nTo: Ben\nSubject: Plans\n", "Yes."},
		"Outlook in bold":                {"Yes.\n\n*From:* Ann Lee <ann@example.org>\n*Sent:* Tuesday\n*To:* Ben\n*Subject:* Plans\n\nShall we?", "Yes."},
		"Outlook in German":              {"Ja.\n\nVon: Ann Lee <ann@example.org>\nGesendet: Dienstag, 12. März 2024 10:00\nAn: Ben\nBetreff: AW: Pläne\n\nWollen wir?", "Ja."},
		"Outlook in French":              {"Oui.\n\nDe : Ann Lee <ann@example.org>\nEnvoyé : mardi 12 mars 2024 10:00\nÀ : Ben\nObjet : RE: Plans\n", "Oui."},
		"Outlook in Spanish":             {"Sí.\n\nDe: Ann Lee <ann@example.org>\nEnviado: martes, 12 de marzo de 2024 10:00\nPara: Ben\nAsunto: RE: Planes\n", "Sí."},
		"Outlook in Dutch":               {"Ja.\n\nVan: Ann Lee <ann@example.org>\nVerzonden: dinsdag 12 maart 2024 10:00\nAan: Ben\nOnderwerp: RE: Plannen\n", "Ja."},
		"Outlook in Italian":             {"Sì.\n\nDa: Ann Lee <ann@example.org>\nInviato: martedì 12 marzo 2024 10:00\nA: Ben\nOggetto: R: Piani\n", "Sì."},
		"Outlook in Swedish":             {"Ja.\n\nFrån: Ann Lee <ann@example.org>\nSkickat: den 12 mars 2024 10:00\nTill: Ben\nÄmne: SV: Planer\n", "Ja."},
		"Outlook Express":                {"Yes.\n\n-----Original Message-----\nFrom: Ann Lee\nShall we?", "Yes."},
		"Outlook Express in German":      {"Ja.\n\n-----Ursprüngliche Nachricht-----\nVon: Ann Lee", "Ja."},
		"Outlook Express in French":      {"Oui.\n\n-----Message d'origine-----\nDe : Ann", "Oui."},
		"Yahoo":                          {"Yes.\n\n    On Tuesday, March 12, 2024 at 10:00:00 AM EST, Ann Lee <ann@example.org> wrote:  \n \n Shall we?", "Yes."},
		"Proton":                         {"Yes.\n\nSent with Proton Mail secure email.\n\nOn Tuesday, March 12th, 2024 at 10:00, Ann Lee <ann@example.org> wrote:\n\n> Shall we?", "Yes."},
		"a telephone":                    {"Yes.\n\nSent from my iPhone\n\n> On Mar 12, 2024, at 10:00, Ann Lee <ann@example.org> wrote:\n> Shall we?", "Yes."},
		"a telephone in German":          {"Ja.\n\nVon meinem iPhone gesendet\n", "Ja."},
		"a telephone in French":          {"Oui.\n\nEnvoyé de mon iPhone\n", "Oui."},
		"a telephone in Spanish":         {"Sí.\n\nEnviado desde mi iPhone\n", "Sí."},
		"a telephone in Italian":         {"Sì.\n\nInviato da iPhone\n", "Sì."},
		"a telephone in Dutch":           {"Ja.\n\nVerstuurd\n\nVerzonden vanaf mijn iPhone", "Ja.\n\nVerstuurd"},
		"Outlook on a telephone":         {"Yes.\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\nFrom: Ann\nSent: Tuesday\nTo: Ben\n", "Yes."},
		"a signature":                    {"Yes.\n\n-- \nBen Okafor\nNurse\n", "Yes."},
		"a signature without its space":  {"Yes.\n--\nBen", "Yes."},
		"a forwarded mail below":         {"See below.\n\n---------- Forwarded message ---------\nFrom: Ann", "See below."},
		"a list and code":                {"- one\n- two\n\n```\nx := 1\n```\n", "- one\n- two\n\n```\nx := 1\n```"},
		"words that look like a mark":    {"On Monday we wrote: it works.\nFrom: here to there.\nI wrote it:\n\n1. one", "On Monday we wrote: it works.\nFrom: here to there.\nI wrote it:\n\n1. one"},
		"a heading that is underlined":   {"Plan\n----\nText", "Plan\n----\nText"},
		"nothing but a quote":            {"> Shall we?\n", ""},
		"nothing but another's words":    {"On Tue, 12 Mar 2024 at 10:00, Ann Lee <ann@example.org> wrote:\n\nShall we?", ""},
		"nothing":                        {" \n\n", ""},
		"no-break spaces and old breaks": {"Yes.\u00a0\r\rOn 3/12/24 10:00,\u00a0Ann Lee wrote:\r> Shall we?", "Yes."},
	} {
		if got := strip(c.mail); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

func TestFromHTML(t *testing.T) {
	for name, c := range map[string]struct{ page, want string }{
		"Gmail":      {`<div dir="ltr">Yes,<br>gladly.</div><br><div class="gmail_quote"><div class="gmail_attr">On Tue Ann wrote:<br></div><blockquote>Shall we?</blockquote></div>`, "Yes,\ngladly."},
		"Outlook":    {`<html><head><style>p{a:b}</style></head><body><p class="MsoNormal">Yes.</p><p>Second.</p><div id="divRplyFwdMsg"><b>From:</b> Ann</div></body></html>`, "Yes.\n\nSecond."},
		"Apple":      {`<body>Yes.<br><blockquote type="cite">Shall we?</blockquote></body>`, "Yes."},
		"a list":     {`<ul><li>one</li><li>two <b>big</b></li></ul>`, "- one\n- two big"},
		"a link":     {`See <a href="https://example.org/a">this</a>, please. <a href="javascript:alert(1)">x</a>`, "See this <https://example.org/a>, please. x"},
		"a script":   {`<script>alert("x")</script>Yes.<title>no</title>`, "Yes."},
		"entities":   {`a &lt; b &amp; c`, "a < b & c"},
		"broken":     {`<div><p>Yes.<div`, "Yes."},
		"a cell":     {`<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>`, "a b\nc"},
		"only quote": {`<blockquote>Shall we?</blockquote>`, ""},
	} {
		if got := strip(fromHTML(c.page)); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

func TestUnfold(t *testing.T) {
	if got := unfold("One goes \non.\n>quoted \nTwo.\n  stuffed\n-- \nBen", false); got != "One goes on.\n>quoted \nTwo.\n stuffed\n-- \nBen\n" {
		t.Errorf("%q", got)
	}
}

// Mail that was made to cost much costs little.
func TestHostileMail(t *testing.T) {
	const head = "From: a@example.org\r\nMessage-ID: <a@b>\r\n"
	deep := func(n int) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return b.String() + "\r\nHello"
	}
	for name, c := range map[string]string{
		"a million fields":           head + strings.Repeat("A: b\r\n", 1_000_000) + "\r\nHello",
		"one endless field":          head + "A: " + strings.Repeat("b", 20<<20) + "\r\n\r\nHello",
		"a header that never ends":   head + strings.Repeat("A: b\r\n ", 100_000),
		"ten thousand levels":        deep(10_000),
		"a million parts":            head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\na\r\n", 1_000_000),
		"a part with endless fields": head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + strings.Repeat("A: b\r\n", 1_000_000) + "\r\nHello\r\n--b--",
		"no boundary":                head + "Content-Type: multipart/mixed\r\n\r\nHello",
		"a boundary of nothing":      head + "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\nHello",
		"base64 of nothing":          head + "Content-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("=*", 5<<20),
		"an encoding that is none":   head + "Content-Type: text/plain; charset=\"x-\xff\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=ZZ=\xff\x00" + strings.Repeat("=", 5<<20),
		"a page of open tags":        head + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<div><a href=x>", 500_000),
		"lines of quotes":            head + "\r\n" + strings.Repeat("On 1 a@b wrote:\r\n> a\r\nb\r\n", 200_000),
		"lines that seem to begin":   head + "\r\n" + strings.Repeat("On 1 Ann <\r\n", 500_000),
		"words that seem to say":     head + "\r\nOn 1 " + strings.Repeat("wrote ", 1_000_000),
		"encoded words":              "From: " + strings.Repeat("=?utf-8?q?a?= ", 15_000) + "<a@example.org>\r\nSubject: " + strings.Repeat("=?x?b?a?= ", 5_000) + "\r\n\r\nHello",
	} {
		began := time.Now()
		m, err := open(strings.NewReader(c))
		if err == nil {
			m.automatic()
			err = m.read(func(attachment) error { return nil })
		}
		if err == nil {
			m.answer()
		}
		if took := time.Since(began); took > raceFactor*3*time.Second {
			t.Errorf("%s took %s", name, took)
		} else {
			t.Logf("%s: %s, %v", name, took, err)
		}
	}
}

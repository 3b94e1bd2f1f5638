package admission

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"html/template"
	"net/http"

	"github.com/pursuing-equity/commons/internal/viewer"
)

const signStyle = `
body { margin: 0; background: #f5f5f2; color: #1f2933; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 720px; margin: 0 auto; padding: 24px; }
article { margin: 24px 0; padding: 16px 24px; border-radius: 8px; background: #fff; white-space: pre-wrap; overflow-wrap: anywhere; }
label { display: block; margin: 16px 0 4px; }
input[type=text], textarea { box-sizing: border-box; width: 100%; padding: 8px; font: inherit; }
button { padding: 12px 20px; font: inherit; font-weight: 600; }
fieldset { margin: 24px 0; border: 1px solid #9aa5b1; border-radius: 8px; }
small { color: #52606d; overflow-wrap: anywhere; }
[role=alert] { padding: 8px 16px; border-left: 4px solid #b42318; background: #fff; }
`

// The page of a letter works without scripts, and loads nothing from anywhere.
var signPage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Commons: {{.Title}}</title>
<link rel="icon" href="data:,">
<style>` + signStyle + `</style>
<main>
<h1>{{.Title}}</h1>
{{if .Open}}<p>{{.Organization}} applies to {{.Call}} and asks you, {{.Name}}, to sign this letter{{with .Role}} as {{.}}{{end}}.</p>
{{with .Wrong}}<p role="alert">{{.}}</p>{{end}}
<article>{{.Letter}}</article>
<p><small>SHA-256 of the letter: {{.Hash}}</small></p>
<form method="post"><fieldset><legend>Sign</legend>
<label for="name">Your name</label><input type="text" id="name" name="name" maxlength="200" autocomplete="name" required value="{{.Typed}}">
<label><input type="checkbox" name="agree" value="yes" required> I have read the letter and sign it by typing my name.</label>
<p><button name="decision" value="sign">Sign the letter</button></p></fieldset></form>
<form method="post"><fieldset><legend>Or do not sign</legend>
<label for="reason">Why not? (You need not say.)</label><textarea id="reason" name="reason" rows="3" maxlength="2000">{{.Reason}}</textarea>
<p><button name="decision" value="refuse">I do not sign</button></p></fieldset></form>
<p><small>When and from which network address you sign is kept with the letter.</small></p>
{{else}}<p>{{.Text}}</p>
{{end}}</main>
</html>
`))

// signTexts are what a link says that has no letter to sign any more.
var signTexts = map[SignatureState][2]string{
	signUnknown:  {"This link does not work", "It may be incomplete, or a newer mail with another link was sent to you. Please use the link of the latest mail."},
	signSigned:   {"The letter is signed", "Thank you. There is nothing more to do, and the link is used up."},
	signRefused:  {"The letter was not signed", "You said that you do not want to sign. If that was a mistake, please tell who asked you: they can ask again."},
	signCanceled: {"Your signature is not asked for any more", "Who asked you took the request back, or sent you a newer mail."},
	signExpired:  {"It is too late to sign", "The link has expired, or the application does not take this letter any more. Please tell who asked you."},
}

// maxForm is how many bytes the page's form may have.
const maxForm = 32 << 10

// Pages are the endpoints of links to letters. To open one changes nothing: scanners of mail do that, too. To answer is to post a form, which
// needs no cookie: the link says who may.
func (s *Service) Pages() map[string]func(http.ResponseWriter, *http.Request, viewer.Viewer) error {
	return map[string]func(http.ResponseWriter, *http.Request, viewer.Viewer) error{
		"GET " + SignPath + "{token}": func(w http.ResponseWriter, r *http.Request, _ viewer.Viewer) error {
			return s.showLetter(w, r, "", Signature{})
		},
		"POST " + SignPath + "{token}": func(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if err := r.ParseForm(); err != nil {
				return s.showLetter(w, r, "This was too much. Please try again.", Signature{})
			}
			in := Signature{Name: r.PostForm.Get("name"), Agreed: r.PostForm.Get("agree") == "yes", Reason: r.PostForm.Get("reason")}
			switch r.PostForm.Get("decision") {
			case "sign":
			case "refuse":
				in.Refused = true
			default:
				return s.showLetter(w, r, "Please choose whether you sign.", in)
			}
			if wrong := in.wrong(); wrong != "" {
				return s.showLetter(w, r, wrong, in)
			}
			state, _, err := s.Sign(r.Context(), v, r.PathValue("token"), in)
			if err != nil {
				return err
			}
			status := http.StatusOK
			if state == signUnknown || state == signCanceled || state == signExpired {
				status = http.StatusGone
			}
			return showSigned(w, state, status)
		},
	}
}

// showLetter shows the letter of a link, and what was wrong with an answer.
func (s *Service) showLetter(w http.ResponseWriter, r *http.Request, wrong string, in Signature) error {
	ctx := viewer.NewContext(r.Context(), viewer.System("show a letter"))
	l, err := s.open(ctx, s.Store.Client(ctx), r.PathValue("token"), false)
	if err != nil {
		return err
	}
	switch l.State {
	case signOpen:
	case signUnknown:
		return showSigned(w, l.State, http.StatusNotFound)
	case signSigned, signRefused:
		return showSigned(w, l.State, http.StatusOK)
	default:
		return showSigned(w, l.State, http.StatusGone)
	}
	status := http.StatusOK
	if wrong != "" {
		status = http.StatusUnprocessableEntity
	}
	pageHead(w, status)
	return signPage.Execute(w, map[string]any{
		"Title": "A letter to sign", "Open": true, "Organization": l.Held.OrganizationName, "Call": titleOf(l.Held.Call), "Name": l.Request.Name,
		"Role": l.Request.Signer, "Letter": l.Request.Letter, "Hash": hex.EncodeToString(l.Request.LetterHash), "Wrong": wrong, "Typed": in.Name, "Reason": in.Reason,
	})
}

func showSigned(w http.ResponseWriter, state SignatureState, status int) error {
	text := signTexts[state]
	pageHead(w, status)
	return signPage.Execute(w, map[string]any{"Title": text[0], "Text": text[1]})
}

func pageHead(w http.ResponseWriter, status int) {
	h, style := w.Header(), sha256.Sum256([]byte(signStyle))
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'sha256-"+base64.StdEncoding.EncodeToString(style[:])+"'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
}

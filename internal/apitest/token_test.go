package apitest_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestAccessTokens(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		b := w.SignedIn(ada)
		create := `mutation($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { accessToken { id name scope expiresAt } token errors { code message path } } }`
		in := func(scope string, lasts time.Duration, more ...any) vars {
			v := vars{"name": "Reports", "scope": scope, "expiresAt": time.Now().Add(lasts).UTC().Format(time.RFC3339)}
			if len(more) > 0 {
				v["idempotencyKey"] = more[0]
			}
			return input(v)
		}
		w.T.Run("a token is shown once, works, and can be revoked", func(t *testing.T) {
			keyed := in("READ", time.Hour, "k1")
			r := b.Must(create, keyed)
			secret, id := r.String("createAccessToken.token"), r.String("createAccessToken.accessToken.id")
			program := w.As(secret)
			if whoami(program) != "ada" {
				t.Fatal("it signs nobody in")
			}
			if code := program.Do(`mutation { updateProfile(input: { pronouns: "x" }) { errors { code } } }`, nil).Code(); code != "INSUFFICIENT_SCOPE" {
				t.Errorf("it may write: %s", code)
			}
			if again := b.Must(create, keyed); again.String("createAccessToken.accessToken.id") != id || again.At("createAccessToken.token") != nil {
				t.Errorf("again: %s", again.Body)
			}
			if got := b.Must(`{ account { accessTokens { id name lastUsedAt } } }`, nil); got.Len("account.accessTokens") < 1 {
				t.Errorf("%s", got.Body)
			}
			b.Must(`mutation($input: RevokeAccessTokenInput!) { revokeAccessToken(input: $input) { account { accessTokens { id } } errors { code message } } }`, input(vars{"accessTokenId": id}))
			if r := program.Do(`{ viewer { name } }`, nil); r.Code() != "UNAUTHENTICATED" {
				t.Errorf("revoked: %s", r.Body)
			}
		})
		w.T.Run("it ends within a year", func(t *testing.T) {
			for _, lasts := range []time.Duration{-time.Hour, 400 * 24 * time.Hour} {
				if code := b.Do(create, in("READ", lasts)).Code(); code != "INVALID_INPUT" {
					t.Errorf("%v: %s", lasts, code)
				}
			}
		})
		w.T.Run("a stolen token makes no other, and somebody else's is not there", func(t *testing.T) {
			if code := ada.Do(create, in("WRITE", time.Hour)).Code(); code != "FORBIDDEN" {
				t.Errorf("%s", code)
			}
			id := b.Must(create, in("READ", time.Hour)).String("createAccessToken.accessToken.id")
			revoke := `mutation($input: RevokeAccessTokenInput!) { revokeAccessToken(input: $input) { errors { code message path } } }`
			theirs := w.SignedIn(ben).Do(revoke, input(vars{"accessTokenId": id}))
			none := w.SignedIn(ben).Do(revoke, input(vars{"accessTokenId": w.NewID(gid.AccessToken)}))
			if theirs.Code() != "NOT_FOUND" || theirs.Body != none.Body {
				t.Errorf("%s, %s", theirs.Body, none.Body)
			}
		})
		w.T.Run("all of it is in the audit log", func(t *testing.T) {
			for _, action := range []audit.Action{audit.AccessTokenCreated, audit.AccessTokenRevoked, audit.SignedIn} {
				n, err := w.App.Store.Client(w.System()).AuditEntry.Query().Where(auditentry.Action(string(action)), auditentry.ActorID(ada.ID)).Count(w.System())
				if err != nil || n == 0 {
					t.Errorf("%s: %d, %v", action, n, err)
				}
			}
		})
	})
}

// locked is a buffer that several goroutines write to.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func TestNothingSecretIsLogged(t *testing.T) {
	logs := new(locked)
	w := apitest.Serve(t, database.SQLite(t), apitest.Log(logs))
	ada := w.Member("ada")
	setPassword(w, ada)
	b := w.Browser()
	signIn(b, email(ada), "wrong lanterns by the river")
	signIn(b, email(ada), secretPassword)
	secrets := []string{secretPassword, "lanterns", b.Cookie(), ada.Token()}
	w.Browser().Request(http.MethodPost, "/auth/sign-in", []byte(`{"email":"x","password":"`+secretPassword+`"`))
	w.As("").Request(http.MethodGet, "/auth/session", nil, "Authorization", "Bearer cmn_wrongtoken")
	link := token(w, askedLink(w, ada), account.MailSignIn)
	b.PostJSON("/auth/link/confirm", vars{"token": link})
	b.PostJSON("/auth/link/confirm", vars{"token": link})
	secrets = append(secrets, link, b.Cookie(), "cmn_wrongtoken", "cms_", "cml_")
	b.Subscribe(`subscription { notificationEvents { cursor } }`, nil).Close()
	b.PostJSON("/auth/password", vars{"present": secretPassword, "password": "eleven lanterns by the river"})
	if err := w.Stop(); err != nil {
		t.Fatal(err)
	}
	text := logs.b.String()
	if !strings.Contains(text, "/auth/sign-in") {
		t.Fatal("the log is empty")
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

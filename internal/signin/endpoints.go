package signin

import (
	"net/http"

	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// session says who asks, for front ends that start: {"member": null} when nobody signed in.
func (c Config) session(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	m, err := c.Accounts.Who(r.Context(), v)
	if err != nil {
		return err
	}
	if m == nil {
		return write(w, http.StatusOK, signedIn{})
	}
	with := "token"
	if v.InBrowser() {
		with = "session"
	}
	return write(w, http.StatusOK, signedIn{Member: &person{m.ID, m.Handle, m.Name}, With: with})
}

func (c Config) signIn(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	var in struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := c.read(w, r, &in); err != nil {
		return err
	}
	s, err := c.Accounts.SignInWithPassword(r.Context(), v, in.Email, in.Password, r.UserAgent())
	return c.started(w, s, err)
}

// signOut ends the session of the cookie. Who is signed out already gets the same answer.
func (c Config) signOut(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	if err := c.read(w, r, &struct{}{}); err != nil {
		return err
	}
	if err := c.Accounts.SignOut(r.Context(), v); err != nil {
		return err
	}
	c.ClearCookie(w)
	return done(w)
}

type emailInput struct {
	Email string `json:"email"`
}

func (c Config) link(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	var in emailInput
	if err := c.read(w, r, &in); err != nil {
		return err
	}
	if err := c.Accounts.RequestLink(r.Context(), v, in.Email); err != nil {
		return err
	}
	return accepted(w)
}

type tokenInput struct {
	Token string `json:"token"`
}

func (c Config) linkConfirm(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	var in tokenInput
	if err := c.read(w, r, &in); err != nil {
		return err
	}
	s, err := c.Accounts.SignInWithLink(r.Context(), v, in.Token, r.UserAgent())
	return c.started(w, s, err)
}

func (c Config) password(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	var in struct {
		Present  string `json:"present"`
		Password string `json:"password"`
	}
	if err := c.read(w, r, &in); err != nil {
		return err
	}
	if err := c.Accounts.ChangePassword(r.Context(), v, in.Present, in.Password); err != nil {
		return err
	}
	return done(w)
}

func (c Config) reset(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	var in emailInput
	if err := c.read(w, r, &in); err != nil {
		return err
	}
	if err := c.Accounts.RequestReset(r.Context(), v, in.Email); err != nil {
		return err
	}
	return accepted(w)
}

type tokenAndPassword struct {
	Token    string `json:"token"`
	Password string `json:"password"`
}

func (c Config) resetConfirm(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	var in tokenAndPassword
	if err := c.read(w, r, &in); err != nil {
		return err
	}
	s, err := c.Accounts.ResetPassword(r.Context(), v, in.Token, in.Password, r.UserAgent())
	return c.started(w, s, err)
}

func (c Config) email(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	var in struct {
		Email   string `json:"email"`
		Present string `json:"present"`
	}
	if err := c.read(w, r, &in); err != nil {
		return err
	}
	if err := c.Accounts.RequestEmail(r.Context(), v, in.Email, in.Present); err != nil {
		return err
	}
	return accepted(w)
}

func (c Config) emailConfirm(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	var in tokenInput
	if err := c.read(w, r, &in); err != nil {
		return err
	}
	if err := c.Accounts.ConfirmEmail(r.Context(), v, in.Token); err != nil {
		return err
	}
	return done(w)
}

func (c Config) invitationConfirm(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	var in tokenAndPassword
	if err := c.read(w, r, &in); err != nil {
		return err
	}
	s, err := c.Accounts.AcceptInvitation(r.Context(), v, in.Token, in.Password, r.UserAgent())
	return c.started(w, s, err)
}

// signUp has a link mailed that makes an account. The one answer does not say whether there is one.
func (c Config) signUp(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	var in struct {
		Email    string `json:"email"`
		Name     string `json:"name"`
		TimeZone string `json:"timeZone"`
		CallID   gid.ID `json:"callId"`
	}
	if err := c.read(w, r, &in); err != nil {
		return err
	}
	err := c.Accounts.RequestSignUp(r.Context(), v, account.SignUp{Name: in.Name, Email: in.Email, TimeZone: in.TimeZone, CallID: in.CallID})
	if err != nil {
		return err
	}
	return write(w, http.StatusAccepted, map[string]string{"message": "A mail is on its way to this address. It says how to go on."})
}

func (c Config) signUpConfirm(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	var in tokenAndPassword
	if err := c.read(w, r, &in); err != nil {
		return err
	}
	s, err := c.Accounts.ConfirmSignUp(r.Context(), v, in.Token, in.Password, r.UserAgent())
	return c.started(w, s, err)
}

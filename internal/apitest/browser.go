package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// jar keeps a browser's cookies, whatever their attributes.
type jar struct {
	mu      sync.Mutex
	cookies map[string]string
}

func (j *jar) header() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var parts []string
	for name, value := range j.cookies {
		parts = append(parts, name+"="+value)
	}
	return strings.Join(parts, "; ")
}

func (j *jar) take(set []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range set {
		if c.MaxAge < 0 {
			delete(j.cookies, c.Name)
		} else {
			j.cookies[c.Name] = c.Value
		}
	}
}

// Browser is a client that keeps cookies and is signed in nowhere.
func (w *World) Browser() *Client {
	c := w.As("")
	c.jar = &jar{cookies: map[string]string{}}
	return c
}

// SignedIn is a browser that a person is signed in with.
func (w *World) SignedIn(p *Person) *Client {
	w.T.Helper()
	started, err := w.App.Accounts.StartSession(w.System(), viewer.Anonymous(), p.ID, account.ByPassword, "")
	if err != nil {
		w.T.Fatal(err)
	}
	c := w.Browser()
	c.SetCookie(started.Secret)
	return c
}

// cookieName is that of plain http, which tests speak, and of https.
func (c *Client) cookieName() string {
	for _, name := range []string{"__Host-commons", "commons"} {
		if _, found := c.jar.cookies[name]; found {
			return name
		}
	}
	return "commons"
}

// Cookie is the secret that the browser holds; empty when it holds none.
func (c *Client) Cookie() string {
	c.jar.mu.Lock()
	defer c.jar.mu.Unlock()
	return c.jar.cookies[c.cookieName()]
}

// SetCookie plants a secret in the browser.
func (c *Client) SetCookie(secret string) {
	c.jar.mu.Lock()
	defer c.jar.mu.Unlock()
	c.jar.cookies[c.cookieName()] = secret
}

// At is the same client at another server.
func (c *Client) At(w *World) *Client {
	there := *c
	there.url, there.t = w.URL, w.T
	return &there
}

// Page is an answer, read to its end.
type Page struct {
	*http.Response
	Text string
}

// Code is the code of the first error; empty when there is none.
func (p *Page) Code() string {
	var body struct{ Errors []Error }
	if json.Unmarshal([]byte(p.Text), &body) != nil || len(body.Errors) == 0 {
		return ""
	}
	return body.Errors[0].Code()
}

// PostJSON posts an object to an endpoint.
func (c *Client) PostJSON(path string, object Vars, headers ...string) *Page {
	c.t.Helper()
	body, err := json.Marshal(object)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.Request(http.MethodPost, path, body, headers...)
}

// Request sends what a browser would, with further headers by name and value.
func (c *Client) Request(method, path string, body []byte, headers ...string) *Page {
	c.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, c.url+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.jar != nil {
		if cookies := c.jar.header(); cookies != "" {
			req.Header.Set("Cookie", cookies)
		}
	}
	for i := 0; i < len(headers); i += 2 {
		if req.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.jar != nil {
		c.jar.take(resp.Cookies())
	}
	return &Page{Response: resp, Text: string(text)}
}

// Stream opens an event stream with a subscription, as a browser's EventSource does, and returns a function that reads it to its end.
func (c *Client) Stream(query string, vars Vars) (rest func() string) {
	c.t.Helper()
	variables, err := json.Marshal(vars)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	c.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/graphql?"+url.Values{"query": {query}, "variables": {string(variables)}}.Encode(), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Cookie", c.jar.header())
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = resp.Body.Close() })
	return func() string {
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			c.t.Errorf("read the event stream: %v", err)
		}
		return string(text)
	}
}

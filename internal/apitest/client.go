package apitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Client sends GraphQL requests with a token, or with none.
type Client struct {
	t     *testing.T
	url   string
	token string
	jar   *jar // of a browser; nil for programs
	http  *http.Client
}

// As is a client with a token; empty for a visitor.
func (w *World) As(token string) *Client {
	return &Client{t: w.T, url: w.URL, token: token, http: w.http}
}

// Elsewhere is the same client of a server at another URL.
func (c *Client) Elsewhere(url string) *Client {
	return &Client{t: c.t, url: url, token: c.token, http: c.http}
}

// Token is what the client signs in with.
func (c *Client) Token() string { return c.token }

// Vars are variables of an operation.
type Vars map[string]any

// Error is one error of a response.
type Error struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

// Code is the error's code.
func (e Error) Code() string {
	code, _ := e.Extensions["code"].(string)
	return code
}

// Response is an answer.
type Response struct {
	Status int
	Body   string // as it came, without extensions, so that two answers can be compared byte for byte
	Whole  string // as it came
	Data   map[string]any
	Errors []Error
}

// Do sends an operation and returns whatever comes.
func (c *Client) Do(query string, vars Vars) *Response {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.Send(body)
}

// Send posts a body as it is.
func (c *Client) Send(body []byte) *Response {
	c.t.Helper()
	page := c.Request(http.MethodPost, "/graphql", body)
	var whole struct {
		Data   json.RawMessage `json:"data"`
		Errors json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal([]byte(page.Text), &whole); err != nil {
		c.t.Fatalf("status %d, and no JSON: %s", page.StatusCode, page.Text)
	}
	r := &Response{Status: page.StatusCode, Body: string(whole.Data) + string(whole.Errors), Whole: page.Text}
	_ = json.Unmarshal(whole.Data, &r.Data)
	_ = json.Unmarshal(whole.Errors, &r.Errors)
	return r
}

// Must sends an operation and fails the test if the answer has an error, in a payload or at the top.
func (c *Client) Must(query string, vars Vars) *Response {
	c.t.Helper()
	r := c.Do(query, vars)
	if len(r.Errors) > 0 {
		c.t.Fatalf("errors: %+v", r.Errors)
	}
	for field, v := range r.Data {
		if payload, ok := v.(map[string]any); ok {
			if errs, ok := payload["errors"].([]any); ok && len(errs) > 0 {
				c.t.Fatalf("%s: %v", field, errs)
			}
		}
	}
	return r
}

// Code is the one error code of the answer: of the top, or of the first payload with errors; empty when there is none.
func (r *Response) Code() string {
	if len(r.Errors) > 0 {
		return r.Errors[0].Code()
	}
	for _, v := range r.Data {
		if payload, ok := v.(map[string]any); ok {
			if errs, ok := payload["errors"].([]any); ok && len(errs) > 0 {
				code, _ := errs[0].(map[string]any)["code"].(string)
				return code
			}
		}
	}
	return ""
}

// At returns the value at a path of names and indexes: "thread.posts.edges.0.node.id". Nil when there is none.
func (r *Response) At(path string) any {
	var v any = r.Data
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			var i int
			if _, err := fmt.Sscanf(part, "%d", &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// String is At for a text.
func (r *Response) String(path string) string {
	s, _ := r.At(path).(string)
	return s
}

// Int is At for a number.
func (r *Response) Int(path string) int {
	n, _ := r.At(path).(float64)
	return int(n)
}

// Len is how many elements the list at a path has.
func (r *Response) Len(path string) int {
	l, _ := r.At(path).([]any)
	return len(l)
}

// Subscription is one operation on a websocket of its own.
type Subscription struct {
	t    *testing.T
	conn *websocket.Conn
}

// Subscribe opens a websocket and starts a subscription on it.
func (c *Client) Subscribe(query string, vars Vars) *Subscription {
	c.t.Helper()
	s, m := c.dial()
	if m.Type != "connection_ack" {
		c.t.Fatalf("no acknowledgement: %+v", m)
	}
	s.send(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": query, "variables": vars}})
	return s
}

// Ask sends a query on the same websocket, beside a subscription that has nothing to say, and returns the answer.
func (s *Subscription) Ask(query string, vars Vars) *Response {
	s.t.Helper()
	s.send(map[string]any{"id": "2", "type": "subscribe", "payload": map[string]any{"query": query, "variables": vars}})
	return s.Next()
}

// dial opens a websocket, signs in on it, and returns the first message.
func (c *Client) dial() (*Subscription, Message) {
	c.t.Helper()
	header := http.Header{}
	if c.jar != nil {
		header.Set("Origin", c.url)
		header.Set("Cookie", c.jar.header())
	}
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: 10 * time.Second}
	conn, resp, err := dialer.Dial("ws"+strings.TrimPrefix(c.url, "http")+"/graphql", header)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if c.jar != nil {
		c.jar.take(resp.Cookies())
	}
	s := &Subscription{t: c.t, conn: conn}
	c.t.Cleanup(s.Close)
	payload := map[string]any{}
	if c.token != "" {
		payload["authorization"] = "Bearer " + c.token
	}
	s.send(map[string]any{"type": "connection_init", "payload": payload})
	return s, s.Message()
}

// FirstOf is what a subscription that something comes of begins with: "ok" for an event, or the code of what ends it.
func (c *Client) FirstOf(query string, vars Vars) string {
	c.t.Helper()
	s, m := c.dial()
	defer s.Close()
	if m.Type == "close" && m.Close == 4403 { // what the protocol says to a sign-in that is refused
		return "UNAUTHENTICATED"
	}
	s.send(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": query, "variables": vars}})
	if code := s.Failure(); code != "" {
		return code
	}
	return "ok"
}

func (s *Subscription) send(v any) {
	s.t.Helper()
	if err := s.conn.WriteJSON(v); err != nil {
		s.t.Fatal(err)
	}
}

// Message is one message of the protocol.
type Message struct {
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
	Close   int             `json:"-"` // the code with which the socket was closed
}

// Message returns the next message other than pings; within ten seconds, or the test fails.
func (s *Subscription) Message() Message {
	s.t.Helper()
	for {
		_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		var m Message
		err := s.conn.ReadJSON(&m)
		if e, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // gorilla returns it bare
			return Message{Type: "close", Close: e.Code}
		}
		if err != nil {
			s.t.Fatalf("read from the websocket: %v", err)
		}
		if m.Type == "ping" {
			s.send(map[string]any{"type": "pong"})
			continue
		}
		return m
	}
}

// Next returns the data of the next event.
func (s *Subscription) Next() *Response {
	s.t.Helper()
	m := s.Message()
	if m.Type != "next" {
		s.t.Fatalf("no event but %s %s (%d)", m.Type, m.Payload, m.Close)
	}
	var r Response
	if err := json.Unmarshal(m.Payload, &r); err != nil {
		s.t.Fatal(err)
	}
	return &r
}

// Failure returns the code of the error that ends the subscription.
func (s *Subscription) Failure() string {
	s.t.Helper()
	m := s.Message()
	if m.Type == "next" { // a resolver's error comes as data with errors
		var r Response
		_ = json.Unmarshal(m.Payload, &r)
		return r.Code()
	}
	var errs []Error
	if m.Type != "error" || json.Unmarshal(m.Payload, &errs) != nil || len(errs) == 0 {
		s.t.Fatalf("no error but %s %s (%d)", m.Type, m.Payload, m.Close)
	}
	return errs[0].Code()
}

// Close closes the socket.
func (s *Subscription) Close() { _ = s.conn.Close() }

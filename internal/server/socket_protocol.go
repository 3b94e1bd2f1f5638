package server

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/pursuing-equity/commons/internal/fault"
)

// subprotocol is https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.
const subprotocol = "graphql-transport-ws"

// Close codes, and what the npm client graphql-ws (6.4) does on each. We never send 1000, on which it comes back at once and
// for ever.
const (
	closeTooBig         = 1009 // a message above the read limit; gorilla sends it. The client stops.
	closeRestart        = 1012 // drain. It comes back, with backoff.
	closeTryLater       = 1013 // too slow, or we cannot tell who it is. It comes back, with backoff.
	closeBadRequest     = 4400 // no message of the protocol. It stops.
	closeUnauthorized   = 4401 // subscribe before the ack; the session expired or was revoked. It stops: sign in first.
	closeForbidden      = 4403 // connection_init with a bad token. It tries a few times with backoff, perhaps a fresh token.
	closeSubprotocol    = 4406 // the subprotocol was not offered. It stops.
	closeInitTimeout    = 4408 // no connection_init in time. It comes back, with backoff.
	closeDuplicate      = 4409 // an operation with this id runs. It stops.
	closeTooManyInits   = 4429 // a second connection_init. It stops.
	maxCloseReasonBytes = 123  // RFC 6455, 5.5
)

// message is one from the client. Its payload is checked JSON, nil when absent.
type message struct {
	Type    string
	ID      string
	Payload jsontext.Value
}

var errMessage = errors.New("not a message of " + subprotocol)

func readMessage(data []byte) (message, error) {
	var m message
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	if dec.PeekKind() != '{' {
		return m, errMessage
	}
	err := readObject(dec, 1, func(name string) error {
		switch name {
		case "type", "id":
			token, err := dec.ReadToken()
			if err != nil {
				return err
			}
			if token.Kind() != '"' {
				return errMessage
			}
			if name == "id" {
				if m.ID = token.String(); m.ID == "" {
					return errMessage
				}
			} else {
				m.Type = token.String()
			}
			return nil
		case "payload":
			value, err := dec.ReadValue()
			m.Payload = value.Clone()
			return err
		default:
			return dec.SkipValue()
		}
	})
	if err != nil {
		return m, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return m, errMessage
	}
	return m, nil
}

// readInit returns the authorization that connection_init carries, as the header would: none, or one value.
func readInit(payload jsontext.Value) ([]string, error) {
	if payload == nil || payload.Kind() == 'n' {
		return nil, nil
	}
	if payload.Kind() != '{' {
		return nil, errMessage
	}
	object, err := readVariables("payload", string(payload))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"authorization", "Authorization"} {
		switch value := object[name].(type) {
		case nil:
		case string:
			return []string{value}, nil
		default:
			return nil, fault.New(fault.BadRequest, "authorization must be a string.")
		}
	}
	return nil, nil
}

func plainFrame(kind string) frame { return frame{head: []byte(`{"type":"` + kind + `"}`)} }

func completeFrame(id string) frame { return frame{head: envelope(id, "complete"), tail: closingBrace} }

// nextFrame puts a response, which may be shared, into the socket's envelope.
func nextFrame(id string, response []byte) frame {
	return frame{head: append(envelope(id, "next"), `,"payload":`...), body: response, tail: closingBrace}
}

func errorFrame(id string, errs gqlerror.List) frame {
	return frame{head: append(envelope(id, "error"), `,"payload":`...), body: appendErrors(nil, errs), tail: closingBrace}
}

func envelope(id, kind string) []byte {
	return append(appendJSON([]byte(`{"id":`), id), `,"type":"`+kind+`"`...)
}

package server

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pursuing-equity/commons/internal/fault"
)

// maxJSONDepth bounds the nesting of variables; no input of the API comes near it.
const maxJSONDepth = 64

// request is what a client asks, by whichever transport. Its document is Query, or the one that DocumentID or Hash names.
type request struct {
	Query         string
	DocumentID    string
	OperationName string
	Variables     map[string]any
	Extensions    map[string]any
	Hash          string // of Apollo's extensions.persistedQuery, in lower case
}

// readRequest reads a GraphQL request from strict JSON (RFC 8259 with unique names, as RFC 7493 asks). A parser that lets a
// later duplicate win, or replaces a broken character, lets two readers of one request see different things. U+0000 is
// refused in every string because PostgreSQL cannot store it. All errors are faults.
func readRequest(data []byte) (*request, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	switch dec.PeekKind() {
	case '{':
	case '[':
		return nil, fault.New(fault.BadRequest, "The body is a list. Send one operation in a request: batches are not supported.")
	default:
		if _, err := dec.ReadToken(); err != nil {
			return nil, jsonFault(err)
		}
		return nil, fault.New(fault.BadRequest, `The body must be a JSON object with a "query".`)
	}
	req := new(request)
	err := readObject(dec, 1, func(name string) error {
		value, err := readValue(dec, 1)
		if err != nil {
			return err
		}
		ok := true
		switch name {
		case "query":
			req.Query, ok = value.(string)
		case "documentId":
			req.DocumentID, ok = value.(string)
		case "operationName":
			req.OperationName, ok = value.(string)
		case "variables":
			req.Variables, ok = value.(map[string]any)
		case "extensions":
			req.Extensions, ok = value.(map[string]any)
		}
		// null stands for an absent member; an unknown member is left to future versions of the specification.
		if !ok && value != nil {
			return fault.New(fault.BadRequest, "%q has the wrong type: query, documentId and operationName are strings, variables and extensions are objects.", name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.BadRequest, "There is something after the end of the JSON object.")
	}
	return req, req.identify()
}

// identify checks that the request says which document it is about, and reads Apollo's way of saying so
// (https://www.apollographql.com/docs/kotlin/advanced/persisted-queries): extensions.persistedQuery.
func (r *request) identify() error {
	if p := r.Extensions["persistedQuery"]; p != nil {
		object, _ := p.(map[string]any)
		hash, _ := object["sha256Hash"].(string)
		if r.Hash = strings.ToLower(hash); object["version"] != int64(1) || !isHash(r.Hash) {
			return fault.New(fault.BadRequest, "extensions.persistedQuery needs the version 1 and a sha256Hash of 64 hexadecimal digits.")
		}
	}
	if strings.TrimSpace(r.Query) != "" {
		return nil
	}
	r.Query = ""
	if r.DocumentID == "" && r.Hash == "" {
		return fault.New(fault.BadRequest, `"query" is missing: it holds the GraphQL document.`)
	}
	return nil
}

// isHash reports whether the text is a SHA-256 in lower-case hexadecimal digits.
func isHash(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// readVariables reads the JSON object that a GET request carries in a parameter; the empty string and null give none.
func readVariables(name, text string) (map[string]any, error) {
	if text == "" {
		return nil, nil
	}
	dec := jsontext.NewDecoder(bytes.NewBufferString(text))
	value, err := readValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.BadRequest, "There is something after the end of %s.", name)
	}
	object, ok := value.(map[string]any)
	if !ok && value != nil {
		return nil, fault.New(fault.BadRequest, "%s must be a JSON object.", name)
	}
	return object, nil
}

func readObject(dec *jsontext.Decoder, depth int, member func(name string) error) error {
	if depth > maxJSONDepth {
		return fault.New(fault.BadRequest, "The JSON is nested deeper than %d levels.", maxJSONDepth)
	}
	if _, err := dec.ReadToken(); err != nil {
		return jsonFault(err)
	}
	for dec.PeekKind() != '}' {
		token, err := dec.ReadToken()
		if err != nil {
			return jsonFault(err)
		}
		name := token.String()
		if err := checkText(name); err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return jsonFault(err)
	}
	return nil
}

// readValue reads one value. Whole numbers become int64 and others float64: gqlgen would take json.Number, a string
// underneath, for a GraphQL String.
func readValue(dec *jsontext.Decoder, depth int) (any, error) {
	switch dec.PeekKind() {
	case '{':
		object := map[string]any{}
		err := readObject(dec, depth+1, func(name string) (err error) {
			object[name], err = readValue(dec, depth+1)
			return err
		})
		return object, err
	case '[':
		if depth >= maxJSONDepth {
			return nil, fault.New(fault.BadRequest, "The JSON is nested deeper than %d levels.", maxJSONDepth)
		}
		if _, err := dec.ReadToken(); err != nil {
			return nil, jsonFault(err)
		}
		list := []any{}
		for dec.PeekKind() != ']' {
			value, err := readValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		if _, err := dec.ReadToken(); err != nil {
			return nil, jsonFault(err)
		}
		return list, nil
	}
	token, err := dec.ReadToken()
	if err != nil {
		return nil, jsonFault(err)
	}
	switch token.Kind() {
	case '"':
		text := token.String()
		return text, checkText(text)
	case '0':
		return readNumber(token.String())
	case 't', 'f':
		return token.Bool(), nil
	default:
		return nil, nil
	}
}

func readNumber(text string) (any, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, fault.New(fault.BadRequest, "A number is too large.")
	}
	return f, nil
}

func checkText(s string) error {
	if strings.IndexByte(s, 0) >= 0 {
		return fault.New(fault.BadRequest, "A string holds U+0000, which cannot be stored.")
	}
	return nil
}

func jsonFault(err error) error {
	const rule = "It must be UTF-8 without lone surrogates, and no object may have a name twice."
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fault.New(fault.BadRequest, "The JSON is not valid at byte %d. %s", syntax.ByteOffset, rule).Because(err)
	}
	return fault.New(fault.BadRequest, "The JSON is not valid. %s", rule).Because(err)
}

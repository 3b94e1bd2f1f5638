package server

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/pursuing-equity/commons/internal/allowance"
)

// appendResponse writes a response. The data goes in as gqlgen left it: marshalling a graphql.Response would read and copy
// all of it a second time. It is copied before it returns, because gqlgen uses its buffer again.
func appendResponse(b []byte, resp *graphql.Response, show *extensions) []byte {
	room := len(resp.Data) + 16
	if show != nil {
		room += 160
	}
	b = append(slices.Grow(b, room), '{')
	if len(resp.Errors) > 0 {
		b = append(b, `"errors":`...)
		b = appendErrors(b, resp.Errors)
		b = append(b, ',')
	}
	b = append(b, `"data":`...)
	if len(resp.Data) == 0 {
		b = append(b, "null"...)
	} else {
		b = append(b, resp.Data...)
	}
	if show != nil {
		b = show.append(append(b, `,"extensions":`...))
	}
	return append(b, '}')
}

// extensions are the limits that a response shows: what its operation cost of what one may, and what is left of the caller's rate.
type extensions struct {
	cost, limit int64
	left        allowance.Allowance
}

func (x *extensions) append(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"cost":{"requested":`...), x.cost, 10)
	b = strconv.AppendInt(append(b, `,"limit":`...), x.limit, 10)
	b = strconv.AppendInt(append(b, `},"rateLimit":{"limit":`...), int64(x.left.Limit), 10)
	b = strconv.AppendInt(append(b, `,"remaining":`...), int64(x.left.Remaining), 10)
	b = x.left.ResetAt.AppendFormat(append(b, `,"resetAt":"`...), time.RFC3339Nano)
	return append(b, `"}}`...)
}

// refusalBody is a response without data, as the specification asks when nothing was executed.
func refusalBody(errs gqlerror.List) []byte {
	b := append([]byte(nil), `{"errors":`...)
	b = appendErrors(b, errs)
	return append(b, '}')
}

// appendErrors writes errors in the order of their paths: fields run at once, and the order in which they fail would tell
// two equal answers apart.
func appendErrors(b []byte, errs gqlerror.List) []byte {
	errs = slices.Clone(errs)
	slices.SortStableFunc(errs, func(x, y *gqlerror.Error) int {
		return slices.CompareFunc(x.Path, y.Path, comparePathElements)
	})
	return appendJSON(b, errs)
}

// comparePathElements orders indexes by number and names by letter; a list has no names beside its indexes.
func comparePathElements(x, y ast.PathElement) int {
	xi, xok := x.(ast.PathIndex)
	yi, yok := y.(ast.PathIndex)
	if xok && yok {
		return cmp.Compare(xi, yi)
	}
	return cmp.Compare(fmt.Sprint(x), fmt.Sprint(y))
}

func appendJSON(b []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...) // an extension that cannot be written must not spoil the data
	}
	return append(b, text...)
}

// eventCursor returns the cursor of a subscription's event: the string under "cursor" in the one root field. It is empty
// when there is none, or when it could not stand in a line of an event stream.
func eventCursor(data []byte) string {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	if !enter(dec) {
		return ""
	}
	if _, err := dec.ReadToken(); err != nil || !enter(dec) {
		return ""
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return ""
		}
		if name.String() != "cursor" {
			if dec.SkipValue() != nil {
				return ""
			}
			continue
		}
		value, err := dec.ReadToken()
		if err != nil || value.Kind() != '"' || strings.ContainsAny(value.String(), "\r\n\x00") {
			return ""
		}
		return value.String()
	}
	return ""
}

func enter(dec *jsontext.Decoder) bool {
	if dec.PeekKind() != '{' {
		return false
	}
	_, err := dec.ReadToken()
	return err == nil
}

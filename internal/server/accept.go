package server

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The media types of an answer.
const (
	mediaJSON     = "application/json"
	mediaResponse = "application/graphql-response+json"
	mediaEvents   = "text/event-stream"
)

// accepted is what a client can read: one JSON type, or none, and perhaps an event stream.
type accepted struct {
	json   string
	events bool
}

// negotiate reads the Accept header (RFC 9110, 12.5.1). Without one, and for any type, the answer is application/json, as
// the GraphQL-over-HTTP specification asks for clients that know no better. An event stream must be named: a client that
// takes anything does not expect an answer without an end.
func negotiate(r *http.Request) accepted {
	values := r.Header.Values("Accept")
	if len(values) == 0 {
		return accepted{json: mediaJSON}
	}
	var a accepted
	best := 0.0
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		if q <= 0 || params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8") {
			continue
		}
		switch media {
		case mediaEvents:
			a.events = true
			continue
		case mediaResponse:
		case mediaJSON, "application/*", "*/*":
			media = mediaJSON
		default:
			continue
		}
		if q > best {
			best, a.json = q, media
		}
	}
	return a
}

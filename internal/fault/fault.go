// Package fault is the one kind of error that a client may read: a stable code, a safe message, the place in the
// input, and a cause that only the log sees.
//
// A rule raises a fault where it is known. The edge (internal/server, package graph) turns it into a payload's
// UserError or a top-level error; every other error becomes INTERNAL there, with an id that the log bears.
package fault

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Code is machine-readable and never changes its meaning. The SDL describes each one under ErrorCode.
type Code string

// Codes that a mutation's payload can carry: the caller can correct these.
const (
	NotFound            Code = "NOT_FOUND"
	Forbidden           Code = "FORBIDDEN"
	InvalidInput        Code = "INVALID_INPUT"
	AlreadyExists       Code = "ALREADY_EXISTS"
	StaleVersion        Code = "STALE_VERSION"
	IdempotencyConflict Code = "IDEMPOTENCY_CONFLICT"
	ThreadLocked        Code = "THREAD_LOCKED"
	Archived            Code = "ARCHIVED"
	LimitReached        Code = "LIMIT_REACHED"
	CallClosed          Code = "CALL_CLOSED"
	CapacityReached     Code = "CAPACITY_REACHED"
	OfferExpired        Code = "OFFER_EXPIRED"
	CohortRequired      Code = "COHORT_REQUIRED"
)

// Codes that only a top-level error carries: the request as a whole is at fault, or the server is.
const (
	Unauthenticated   Code = "UNAUTHENTICATED"
	InsufficientScope Code = "INSUFFICIENT_SCOPE"
	InvalidID         Code = "INVALID_ID"
	InvalidCursor     Code = "INVALID_CURSOR"
	ResetRequired     Code = "RESET_REQUIRED"
	BadRequest        Code = "BAD_REQUEST"
	ParseFailed       Code = "GRAPHQL_PARSE_FAILED"
	ValidationFailed  Code = "GRAPHQL_VALIDATION_FAILED"
	BadVariables      Code = "BAD_VARIABLES"
	DocumentTooLarge  Code = "DOCUMENT_TOO_LARGE"
	DocumentTooDeep   Code = "DOCUMENT_TOO_DEEP"
	TooManyAliases    Code = "TOO_MANY_ALIASES"
	CostExceeded      Code = "COST_EXCEEDED"
	RateLimited       Code = "RATE_LIMITED"

	// These three say that the document may not run here, whatever it says.
	PersistedQueryNotFound Code = "PERSISTED_QUERY_NOT_FOUND"
	DocumentNotTrusted     Code = "DOCUMENT_NOT_TRUSTED"
	IntrospectionDisabled  Code = "INTROSPECTION_DISABLED"

	Timeout     Code = "TIMEOUT"
	Unavailable Code = "UNAVAILABLE"
	Internal    Code = "INTERNAL"

	// These four say that the HTTP request itself does not fit, before any GraphQL.
	MethodNotAllowed     Code = "METHOD_NOT_ALLOWED"
	UnsupportedMediaType Code = "UNSUPPORTED_MEDIA_TYPE"
	NotAcceptable        Code = "NOT_ACCEPTABLE"
	PayloadTooLarge      Code = "PAYLOAD_TOO_LARGE"

	// ContentRefused says that an upload holds what is not kept here, whatever its form.
	ContentRefused Code = "CONTENT_REFUSED"
)

// Error is a fault. Message is safe to show to anyone and says what to do; it never names what the caller may not see.
type Error struct {
	Code    Code
	Path    []string // into the mutation's input: ["title"], ["members", "2", "role"]; empty when it concerns all of it
	Message string
	Cause   error         // for the log only
	Wait    time.Duration // of RATE_LIMITED and UNAVAILABLE: until it may be tried again; zero when that is not known
}

// New makes a fault. The message is a sentence that says what to do.
func New(code Code, message string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(message, args...)}
}

// Invalid is an INVALID_INPUT at a path into the input, written with dots: "members.2.role".
func Invalid(path, message string, args ...any) *Error {
	return New(InvalidInput, message, args...).At(path)
}

// Missing is the one answer for what does not exist and for what the viewer may not see. It takes no argument on
// purpose: two such answers must be equal byte for byte.
func Missing() *Error {
	return New(NotFound, "There is nothing with this id that you can see.")
}

// Denied is for acts on an object that the viewer can see; for any other, use Missing.
func Denied(message string, args ...any) *Error {
	return New(Forbidden, message, args...)
}

// At returns a copy that points into the input.
func (e *Error) At(path string) *Error {
	c := *e
	if path != "" {
		c.Path = strings.Split(path, ".")
	}
	return &c
}

// After returns a copy that says how long to wait before the next try.
func (e *Error) After(wait time.Duration) *Error {
	c := *e
	c.Wait = wait
	return &c
}

// Because returns a copy with a cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

func (e *Error) Error() string {
	s := string(e.Code)
	if len(e.Path) > 0 {
		s += " at " + strings.Join(e.Path, ".")
	}
	s += ": " + e.Message
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }

// List is several faults of one input, so that a form can mark all of its fields at once.
type List []*Error

func (l List) Error() string {
	parts := make([]string, len(l))
	for i, e := range l {
		parts[i] = e.Error()
	}
	return strings.Join(parts, "; ")
}

// Err returns the list as an error, or nil when it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// All returns the faults in err: one, several, or none when err is no fault.
func All(err error) []*Error {
	if l, ok := errors.AsType[List](err); ok {
		return l
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return []*Error{e}
	}
	return nil
}

// Is reports whether err is or holds a fault with the code.
func Is(err error, code Code) bool {
	for _, e := range All(err) {
		if e.Code == code {
			return true
		}
	}
	return false
}

// Payload reports whether the code belongs in a mutation's payload and not at the top level.
func (c Code) Payload() bool {
	switch c {
	case NotFound, Forbidden, InvalidInput, AlreadyExists, StaleVersion, IdempotencyConflict, ThreadLocked, Archived, LimitReached, CallClosed,
		CapacityReached, OfferExpired, CohortRequired:
		return true
	default:
		return false
	}
}

// MarshalGQL writes the SDL's ErrorCode.
func (c Code) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(c))) }

// UnmarshalGQL exists because an enum of the SDL must be readable; no input takes one.
func (c *Code) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("an error code must be a string, not %T", v)
	}
	*c = Code(s)
	return nil
}

// Status is the HTTP status of a request that failed as a whole with this code.
func (c Code) Status() int {
	switch c {
	case Unauthenticated:
		return http.StatusUnauthorized
	case InsufficientScope, Forbidden:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case IdempotencyConflict:
		return http.StatusConflict
	case ContentRefused:
		return http.StatusUnprocessableEntity
	case MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case NotAcceptable:
		return http.StatusNotAcceptable
	case PayloadTooLarge:
		return http.StatusRequestEntityTooLarge
	case UnsupportedMediaType:
		return http.StatusUnsupportedMediaType
	case RateLimited:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	case Timeout:
		return http.StatusGatewayTimeout
	case Internal:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

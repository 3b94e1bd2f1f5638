// Package gid is the one type of id: a UUIDv7 whose last byte says what kind of object it names.
//
// In the database it is a native uuid (16 bytes on SQLite). In the API, logs and tests it is a prefix and 26
// characters of Crockford base32: thr_01jd2m5x7k8q9r3s4t5v6w7x8y. The kind inside lets node(id:) dispatch without a lookup and
// refuses an id of the wrong kind before any SQL. An id reveals when it was made: never use one as a secret.
package gid

import (
	"crypto/rand"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
)

// Kind is what an id names. The numbers are stored in every id: never change or reuse one.
type Kind byte

// The kinds of object.
const (
	Organization           Kind = 1
	Member                 Kind = 2
	Affiliation            Kind = 3
	Team                   Kind = 4
	TeamMembership         Kind = 5
	Program                Kind = 6
	Offering               Kind = 7
	Sponsorship            Kind = 8
	Cohort                 Kind = 9
	Enrollment             Kind = 10
	Call                   Kind = 11
	RoleAssignment         Kind = 12
	Space                  Kind = 20
	SpaceMembership        Kind = 21
	Thread                 Kind = 22
	Post                   Kind = 23
	PostRevision           Kind = 24
	Reaction               Kind = 25
	ReadState              Kind = 26
	ThreadTag              Kind = 27
	PostAttachment         Kind = 28
	PostLink               Kind = 29
	Notification           Kind = 30
	WatchSetting           Kind = 31
	NotificationJob        Kind = 32
	NotificationPreference Kind = 33
	Draft                  Kind = 34
	DraftVersion           Kind = 35
	Bookmark               Kind = 36
	Poll                   Kind = 37
	PollOption             Kind = 38
	PollVote               Kind = 39
	Resource               Kind = 40
	ResourceVersion        Kind = 41
	Framework              Kind = 42
	AccessToken            Kind = 50
	IdempotencyRecord      Kind = 51
	Password               Kind = 52
	OneTimeToken           Kind = 53
	Identity               Kind = 54
	Mail                   Kind = 55
	AuditEntry             Kind = 56
	BreakGlass             Kind = 57
	JoinRequest            Kind = 58
	File                   Kind = 59
	Flag                   Kind = 60
	ModerationAction       Kind = 61
	Block                  Kind = 62
	WebhookEndpoint        Kind = 63
	WebhookDelivery        Kind = 64
	SpaceExport            Kind = 65
	DraftAttachment        Kind = 66
	MemberTerm             Kind = 70
	FormVersion            Kind = 80
	Application            Kind = 81
	ApplicationEditor      Kind = 82
	Answer                 Kind = 83
	AnswerVersion          Kind = 84
	Submission             Kind = 85
	Document               Kind = 86
	SignerRequest          Kind = 87
	Extension              Kind = 88
	ReviewAssignment       Kind = 89
	Conflict               Kind = 90
	Review                 Kind = 91
	Decision               Kind = 92
	Entitlement            Kind = 93
	SavedView              Kind = 94
	BulkAction             Kind = 95
	BulkFailure            Kind = 96
	Notice                 Kind = 97
)

var prefixes = map[Kind]string{
	Organization: "org", Member: "mbr", Affiliation: "aff", Team: "tea", TeamMembership: "tmb", Program: "prg", Offering: "off",
	Sponsorship: "spo", Cohort: "coh", Enrollment: "enr", Call: "cal", RoleAssignment: "rol", Space: "spc", SpaceMembership: "smb",
	Thread: "thr", Post: "pst", PostRevision: "rev", Reaction: "rea", ReadState: "rds", Notification: "ntf", Resource: "res",
	ResourceVersion: "rsv", Framework: "frm", AccessToken: "tok", IdempotencyRecord: "idp",
	Password: "pwd", OneTimeToken: "ott", Identity: "idn", Mail: "mai", AuditEntry: "aud", BreakGlass: "brk", JoinRequest: "jrq", File: "fil",
	ThreadTag: "tag", PostAttachment: "att", PostLink: "lnk", WatchSetting: "wat", NotificationJob: "njb", NotificationPreference: "npf",
	Draft: "drf", DraftVersion: "drv", Bookmark: "bkm", Poll: "pol", PollOption: "pop", PollVote: "pvt", Flag: "flg",
	ModerationAction: "mod", Block: "blk", WebhookEndpoint: "whk", WebhookDelivery: "whd", SpaceExport: "sxp", DraftAttachment: "dat", MemberTerm: "mtm",
	FormVersion: "fmv", Application: "app", ApplicationEditor: "aed", Answer: "ans", AnswerVersion: "anv", Submission: "sbm", Document: "doc", SignerRequest: "sgr",
	Extension: "ext", ReviewAssignment: "rva", Conflict: "cfl", Review: "rvw", Decision: "dec", Entitlement: "ent", SavedView: "svw", BulkAction: "bka",
	BulkFailure: "bkf", Notice: "ntc",
}

// byKind is prefixes for those in a hurry.
var byKind = func() (all [256]string) {
	for k, p := range prefixes {
		all[k] = p
	}
	return all
}()

var kinds = func() map[string]Kind {
	m := make(map[string]Kind, len(prefixes))
	for k, p := range prefixes {
		m[p] = k
	}
	return m
}()

// String is the prefix of the kind's ids.
func (k Kind) String() string {
	if p := byKind[k]; p != "" {
		return p
	}
	return fmt.Sprintf("kind%d", byte(k))
}

// ID names one object. The zero ID names none.
type ID [16]byte

// New makes an id for now. Ids made later sort later, to the fraction of a millisecond.
func New(k Kind, now time.Time) ID {
	var id ID
	_, _ = rand.Read(id[8:]) // never fails: crypto/rand ends the process instead
	return Compose(k, now, binary.BigEndian.Uint64(id[8:]))
}

// Compose makes an id of a time and 54 bits of chosen entropy; demo data uses it to be the same each time.
func Compose(k Kind, at time.Time, entropy uint64) ID {
	var id ID
	micros := at.UnixMicro()
	ms, sub := micros/1000, uint16((micros%1000)*4096/1000) // RFC 9562, 6.2, method 3
	binary.BigEndian.PutUint64(id[:8], uint64(ms)<<16|7<<12|uint64(sub))
	binary.BigEndian.PutUint64(id[8:], entropy)
	id[8] = id[8]&0x3f | 0x80
	id[15] = byte(k)
	return id
}

// Kind is what the id names.
func (id ID) Kind() Kind { return Kind(id[15]) }

// IsZero reports whether the id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// Time is when the id was made, to the microsecond or so.
func (id ID) Time() time.Time {
	hi := binary.BigEndian.Uint64(id[:8])
	return time.UnixMicro(int64(hi>>16)*1000 + int64(hi&0xfff)*1000/4096).UTC()
}

const (
	alphabet = "0123456789abcdefghjkmnpqrstvwxyz" // Crockford's base32, lower case
	textLen  = 3 + 1 + 26
)

// String is the id as the API shows it.
func (id ID) String() string {
	var b [textLen]byte
	return string(id.Append(b[:0]))
}

// Append is String for who has a buffer.
func (id ID) Append(b []byte) []byte {
	if id.IsZero() {
		return b
	}
	b = append(b, "___"+"_00000000000000000000000000"...)
	text := b[len(b)-textLen:]
	copy(text[:3], id.Kind().String())
	hi, lo := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	for i := textLen - 1; i > 3; i-- {
		text[i] = alphabet[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return b
}

// Parse reads an id as the API shows it. It returns INVALID_ID for anything else, and for a prefix that does not match
// the kind inside.
func Parse(s string) (ID, error) {
	if len(s) != textLen || s[3] != '_' {
		return ID{}, malformed()
	}
	kind, ok := kinds[s[:3]]
	if !ok {
		return ID{}, malformed()
	}
	var hi, lo uint64
	for i := 4; i < textLen; i++ {
		v := strings.IndexByte(alphabet, s[i])
		if v < 0 || i == 4 && v > 7 {
			return ID{}, malformed()
		}
		hi = hi<<5 | lo>>59
		lo = lo<<5 | uint64(v)
	}
	var id ID
	binary.BigEndian.PutUint64(id[:8], hi)
	binary.BigEndian.PutUint64(id[8:], lo)
	if id.Kind() != kind {
		return ID{}, malformed()
	}
	return id, nil
}

func malformed() error {
	return fault.New(fault.InvalidID, "This is not an id. Ids look like thr_01jd2m5x7k8q9r3s4t5v6w7x8y and come from the API.")
}

// MarshalText and UnmarshalText make JSON of ids the API's form.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is Parse.
func (id *ID) UnmarshalText(b []byte) (err error) {
	*id, err = Parse(string(b))
	return err
}

// MarshalGQL writes the GraphQL ID.
func (id ID) MarshalGQL(w io.Writer) {
	_, _ = io.WriteString(w, `"`+id.String()+`"`)
}

// UnmarshalGQL reads a GraphQL ID; it fails with INVALID_ID.
func (id *ID) UnmarshalGQL(v any) (err error) {
	s, ok := v.(string)
	if !ok {
		return malformed()
	}
	*id, err = Parse(s)
	return err
}

// UUID is the id in the form that PostgreSQL prints.
func (id ID) UUID() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], id[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], id[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], id[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], id[10:16])
	return string(b[:])
}

// Value is the id for PostgreSQL's uuid. For SQLite, internal/store sends the 16 bytes instead.
func (id ID) Value() (driver.Value, error) {
	if id.IsZero() {
		return nil, nil
	}
	return id.UUID(), nil
}

// Scan reads what either database returns: 16 bytes, or 36 characters.
func (id *ID) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*id = ID{}
		return nil
	case []byte:
		return scan(id, v)
	case string:
		return scan(id, v)
	default:
		return fmt.Errorf("scan id: unexpected %T", src)
	}
}

func scan[T string | []byte](id *ID, v T) error {
	if len(v) == len(id) {
		copy(id[:], v)
		return nil
	}
	n := 0 // of bytes
	for i := 0; i < len(v); {
		if v[i] == '-' {
			i++
			continue
		}
		if i+1 == len(v) || n == len(id) || digits[v[i]]|digits[v[i+1]] > 0xf {
			return fmt.Errorf("scan id: %q is no uuid", string(v))
		}
		id[n] = digits[v[i]]<<4 | digits[v[i+1]]
		n, i = n+1, i+2
	}
	if n != len(id) {
		return fmt.Errorf("scan id: %q is no uuid", string(v))
	}
	return nil
}

// digits are the values of hexadecimal digits, and 0xff for what is none.
var digits = func() (d [256]byte) {
	for c := range d {
		d[c] = 0xff
	}
	for i, c := range "0123456789abcdef" {
		d[c] = byte(i)
	}
	for i, c := range "ABCDEF" {
		d[c] = byte(10 + i)
	}
	return d
}()

package apitest_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
)

// answering is a thread, and where members to whom it was addressed answer by mail.
type answering struct {
	*apitest.World

	c      *clock
	socket string
	of     map[*apitest.Person]string
}

func eachAnswering(t *testing.T, test func(a answering, ada, ben *apitest.Person)) {
	t.Helper()
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		a := answering{socket: filepath.Join(t.TempDir(), "lmtp"), c: new(clock), of: map[*apitest.Person]string{}}
		a.World = apitest.Serve(t, url, apitest.Rates(), apitest.Inbound("lmtp:unix:"+a.socket), apitest.Clock(a.c.now))
		host, ada, ben := a.Role(a.Member("host"), roleassignment.RoleSTAFF), a.Member("ada"), a.Member("ben")
		thread := a.Thread(host, a.Space(space.KindWORKGROUP, "Data", host, ada, ben), "Plans", "x")
		a.Post(host, thread, "Shall we, @"+ada.Handle+" and @"+ben.Handle+"?")
		for _, p := range []*apitest.Person{ada, ben} {
			id := a.App.Store.Client(a.System()).Notification.Query().Where(notification.RecipientID(p.ID)).OnlyX(a.System()).ID
			to, err := a.App.Inbound.ReplyAddress(a.System(), id)
			must0(t, err)
			a.of[p] = to
		}
		test(a, ada, ben)
	})
}

// taken sends mails until one is refused, most of them, and returns how many were answered so, and the code of the last.
func (a answering) taken(envelope, from, to string, most, while int) (n, code int) {
	for ; n < most; n++ {
		code = 0
		if e := deliver(a.T, a.socket, letter{envelope, from, to, fmt.Sprintf("<%s-%d@mail.example>", envelope, n), "", "Hello"}); e != nil {
			code = e.Code
		}
		if code != while {
			return n, code
		}
	}
	return n, code
}

// A member who answers by mail again and again, and an address that much is sent to, are asked to come again later.
func TestRatesOfMailIn(t *testing.T) {
	eachAnswering(t, func(a answering, ada, ben *apitest.Person) {
		a.Role(ben, roleassignment.RoleSTAFF) // staff are never new, so that no other limit comes first
		mine := ben.Handle + "@example.org"
		// Who does not hold an address writes nothing down, and uses up nothing of whom they say that they are.
		before := a.throttles()
		if n, code := a.taken(mine, mine, "reply+mfrggzdf@reply.example", 80, 550); n != 80 || a.throttles() != before {
			a.T.Errorf("%d mails to no address, then %d; %d counted", n, code, a.throttles()-before)
		}
		stands := a.c.now()
		if n, code := a.taken(mine, mine, a.of[ben], 40, 0); n < 20 || n > 20+int(a.c.now().Sub(stands)/(3*time.Minute)) || code != 450 {
			a.T.Errorf("%d answers were taken, then %d", n, code)
		}
		// To an address too many come to, what would be refused for good is not even looked at.
		stands = a.c.now()
		if n, code := a.taken("eve@example.org", "eve@example.org", a.of[ada], 80, 550); n < 60 || n > 60+int(a.c.now().Sub(stands)/time.Minute) || code != 450 {
			a.T.Errorf("%d mails of a stranger were looked at, then %d", n, code)
		}
	})
}

func (a answering) throttles() (n int) {
	rows, err := a.App.Store.Client(a.System()).QueryContext(a.System(), "SELECT count(*) FROM throttles")
	must0(a.T, err)
	defer func() { _ = rows.Close() }()
	rows.Next()
	must0(a.T, rows.Scan(&n))
	must0(a.T, rows.Err())
	return n
}

// What a new member writes by mail beyond their rate is late, and not refused for good; what has too much in it is.
func TestAnswersOfNewMembers(t *testing.T) {
	eachAnswering(t, func(a answering, _, ben *apitest.Person) {
		mine := ben.Handle + "@example.org"
		if n, code := a.taken(mine, mine, a.of[ben], 12, 0); n != 10 || code != 450 {
			a.T.Errorf("%d answers were taken, then %d", n, code)
		}
		links := letter{mine, mine, a.of[ben], "<links@mail.example>", "", "https://a.example https://b.example https://c.example https://d.example"}
		if e := deliver(a.T, a.socket, links); e == nil || e.Code != 550 {
			a.T.Errorf("four links: %v", e)
		}
	})
}

// A connection that brings too much mail is ended, whatever was said of it and however often the other server says hello.
func TestConnectionsEnd(t *testing.T) {
	eachAnswering(t, func(a answering, _, _ *apitest.Person) {
		conn, err := new(net.Dialer).DialContext(a.T.Context(), "unix", a.socket)
		must0(a.T, err)
		defer func() { _ = conn.Close() }()
		must0(a.T, conn.SetDeadline(time.Now().Add(time.Minute)))
		talk := textproto.NewConn(conn)
		say := func(line string, want int) string {
			a.T.Helper()
			if line != "" {
				must0(a.T, talk.PrintfLine("%s", line))
			}
			code, text, err := talk.ReadResponse(0)
			if err != nil || code != want {
				a.T.Fatalf("%q: %d %s (%v)", line, code, text, err)
			}
			return text
		}
		say("", 220)
		for range 2 {
			say("LHLO mail.example", 250)
			for range 50 {
				say("MAIL FROM:<eve@mail.example>", 250)
				say("RSET", 250)
			}
		}
		say("LHLO mail.example", 250)
		if text := say("MAIL FROM:<eve@mail.example>", 421); !strings.HasPrefix(text, "4.7.0 ") {
			a.T.Error(text)
		}
		if line, err := talk.ReadLine(); !errors.Is(err, io.EOF) {
			a.T.Errorf("the connection goes on: %q (%v)", line, err)
		}
		other, err := new(net.Dialer).DialContext(a.T.Context(), "unix", a.socket)
		must0(a.T, err)
		defer func() { _ = other.Close() }()
		talk = textproto.NewConn(other)
		say("", 220)
		say("LHLO mail.example", 250)
		say("MAIL FROM:<eve@mail.example>", 250)
	})
}

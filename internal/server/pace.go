package server

import (
	"io"
	"net/http"
	"time"
)

// slowest is how many bytes a second a page's body and its answer must move at, on the whole: 200 MiB take 15 hours at most.
const slowest = 4 << 10

// pace lets a body or an answer of any length take its time while it moves. It is cut when nothing moves for stall, and when it
// has been slower than slowest on the whole; for the first moments that is forgiven.
type pace struct {
	stall time.Duration
	began time.Time
	moved int64
}

func (s *Server) newPace() pace {
	return pace{stall: s.limits.WriteTimeout, began: time.Now()}
}

// due is until when something must have moved.
func (p *pace) due() time.Time {
	due := time.Now().Add(p.stall)
	if earned := p.began.Add(2*p.stall + time.Duration(p.moved)*time.Second/slowest); earned.Before(due) {
		return earned
	}
	return due
}

// pacedBody is a request's body at its pace.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	pace    pace
	answer  time.Duration // how long the answer may take that comes when the body has been cut
	ended   bool
}

// Read reads at the pace.
func (b *pacedBody) Read(to []byte) (int, error) {
	due := b.pace.due()
	_ = b.control.SetReadDeadline(due) // tests' recorders have no deadlines
	_ = b.control.SetWriteDeadline(due.Add(b.answer))
	n, err := b.ReadCloser.Read(to)
	b.pace.moved += int64(n)
	if err == io.EOF {
		b.ended = true
		_ = b.control.SetReadDeadline(time.Time{}) // from here on the connection is only watched for its end
	}
	return n, err
}

// leave bounds how long net/http reads of a body that the page did not want.
func (b *pacedBody) leave() {
	if !b.ended {
		_ = b.control.SetReadDeadline(b.pace.due())
	}
}

// pacedWriter is an answer at its pace.
type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	pace    pace
}

// Write writes at the pace.
func (w *pacedWriter) Write(b []byte) (int, error) {
	if w.pace.began.IsZero() {
		w.pace.began = time.Now()
	}
	_ = w.control.SetWriteDeadline(w.pace.due())
	n, err := w.ResponseWriter.Write(b)
	w.pace.moved += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach deadlines and Flush.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

package store

import (
	"database/sql/driver"
	"sync"
)

// Statement is one that was sent, with its arguments as the driver got them.
type Statement struct {
	Query string
	Args  []any
}

// Record returns the queries that the store sends while fn runs, whoever sends them. It is for tests that ask the database how it
// runs what is really sent.
func (s *Store) Record(fn func()) []Statement {
	r := new(recorder)
	s.recorder.Store(r)
	defer s.recorder.Store(nil)
	fn()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent
}

type recorder struct {
	mu   sync.Mutex
	sent []Statement
}

func (r *recorder) add(query string, args []driver.NamedValue) {
	s := Statement{Query: query, Args: make([]any, len(args))}
	for i, a := range args {
		s.Args[i] = a.Value
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, s)
}

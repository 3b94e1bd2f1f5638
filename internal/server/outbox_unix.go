//go:build unix

package server

import (
	"errors"
	"syscall"
)

// attempt is one write that does not wait. It keeps its function, so that a write allocates nothing.
type attempt struct {
	do  func(fd uintptr) bool
	b   []byte
	n   int
	err error
}

// write writes what the network takes now: 0 bytes when it takes none.
func (a *attempt) write(raw syscall.RawConn, b []byte) (int, error) {
	if a.do == nil {
		a.do = func(fd uintptr) bool {
			a.n, a.err = syscall.Write(int(fd), a.b)
			return true
		}
	}
	a.b, a.n, a.err = b, 0, nil
	err := raw.Write(a.do)
	a.b = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(a.err, syscall.EAGAIN), errors.Is(a.err, syscall.EINTR):
		return 0, nil
	case a.err != nil:
		return 0, a.err
	}
	return a.n, nil
}

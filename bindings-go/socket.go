package portalloc

// #include "bridge.h"
import "C"

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"unsafe"
)

// SocketOption is for the sockets of a lease.
type SocketOption interface {
	applySocket(*socketRequest) error
}

type socketRequest struct {
	pinner  runtime.Pinner
	options C.portalloc_socket_options
}

type socketOption func(*socketRequest) error

func (o socketOption) applySocket(r *socketRequest) error { return o(r) }

// WithHost binds to this IP address, to "localhost", or for "" to every IPv4 address ("::" is every one). Without it, it
// is 127.0.0.1.
func WithHost(host string) SocketOption {
	return socketOption(func(r *socketRequest) error {
		text, err := cText("host", host)
		if err == nil {
			r.pinner.Pin(text)
			r.options.host = text
		}
		return err
	})
}

// WithUDP is for a UDP socket from [Lease.Socket].
func WithUDP() SocketOption {
	return socketOption(func(r *socketRequest) error {
		r.options._type = C.PORTALLOC_SOCKET_TYPE_UDP
		return nil
	})
}

// WithoutListening is for a TCP socket from [Lease.Socket] that is bound and does not listen yet. Until it listens, a program
// that names the port and sets SO_REUSEADDR can listen on it first.
func WithoutListening() SocketOption {
	return socketOption(func(r *socketRequest) error {
		r.options.bound_only = true
		return nil
	})
}

// Socket is a socket bound to the port at this index, to hand to the server itself, such as in [os/exec.Cmd.ExtraFiles]. It
// is yours to close, and outlives the lease. Nobody can come in between: a TCP socket is bound over a guard of this lease.
// Without options it is TCP, and listens on 127.0.0.1. It fails with [ErrPortInUse] if a stranger was there first.
func (l *Lease) Socket(index int, options ...SocketOption) (*os.File, error) {
	if index < 0 {
		return nil, invalid(
			fmt.Sprintf("the lease has no port at index %d", index),
			fmt.Sprintf("use an index from 0 to %d", len(l.ports)-1))
	}
	var asked socketRequest
	defer asked.pinner.Unpin()
	asked.options.size = C.size_t(unsafe.Sizeof(asked.options))
	for _, option := range options {
		if err := option.applySocket(&asked); err != nil {
			return nil, err
		}
	}
	var fd C.int32_t
	err := l.with(func(handle *C.portalloc_lease) C.pgo_outcome {
		return C.pgo_lease_socket(handle, C.size_t(index), &asked.options, &fd)
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), fmt.Sprintf("socket on port %d", l.ports[index])), nil
}

// Listener listens on the port at this index, on 127.0.0.1 unless told otherwise by [WithHost]. It is yours to close, and
// outlives the lease. Of the options of [Lease.Socket], only that one is of use here.
func (l *Lease) Listener(index int, options ...SocketOption) (net.Listener, error) {
	socket, err := l.Socket(index, options...)
	if err != nil {
		return nil, err
	}
	defer socket.Close() // the listener has its own copy
	return net.FileListener(socket)
}

// PacketConn is a UDP socket on the port at this index, on 127.0.0.1 unless told otherwise by [WithHost]. It is yours to
// close, and outlives the lease.
func (l *Lease) PacketConn(index int, options ...SocketOption) (net.PacketConn, error) {
	socket, err := l.Socket(index, append([]SocketOption{WithUDP()}, options...)...)
	if err != nil {
		return nil, err
	}
	defer socket.Close() // the connection has its own copy
	return net.FilePacketConn(socket)
}

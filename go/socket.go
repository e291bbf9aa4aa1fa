package portalloc

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"unsafe"

	"github.com/portalloc/portalloc/go/internal/bridge"
)

// SocketOption is an option of the sockets of a lease.
type SocketOption interface {
	applySocket(*socketRequest) error
}

type socketRequest struct {
	pinner  runtime.Pinner
	options bridge.SocketOptions
}

type socketOption func(*socketRequest) error

func (o socketOption) applySocket(r *socketRequest) error { return o(r) }

// WithHost binds to this IP address, to "localhost", or for "" to every IPv4 address ("::" for every address), instead of
// 127.0.0.1.
func WithHost(host string) SocketOption {
	return socketOption(func(r *socketRequest) error {
		text, err := cText("host", host)
		if err == nil {
			r.pinner.Pin(text)
			r.options.Host = text
		}
		return err
	})
}

// WithUDP makes [Lease.Socket] bind a UDP socket.
func WithUDP() SocketOption {
	return socketOption(func(r *socketRequest) error {
		r.options.Type = bridge.SocketUDP
		return nil
	})
}

// WithoutListening makes [Lease.Socket] bind a TCP socket without listening on it. Until it listens, another program that sets
// SO_REUSEADDR can listen on the port first.
func WithoutListening() SocketOption {
	return socketOption(func(r *socketRequest) error {
		r.options.BoundOnly = true
		return nil
	})
}

// Socket binds the port at this index and returns the socket, to be passed to the server, as in [os/exec.Cmd.ExtraFiles]. You
// close it; it outlives the lease. A TCP socket is bound over the guard of this lease, so no other program can come in between.
// Without options it is TCP, and listens on 127.0.0.1. It fails with [ErrPortInUse] if a foreign process has bound the port.
func (l *Lease) Socket(index int, options ...SocketOption) (*os.File, error) {
	var asked socketRequest
	defer asked.pinner.Unpin()
	for _, option := range options {
		if err := option.applySocket(&asked); err != nil {
			return nil, err
		}
	}
	given := asked.options // by itself, because the rest of the request may not cross the border
	given.Size = unsafe.Sizeof(given)
	var fd int32
	err := l.with(func(handle *bridge.Lease) bridge.Outcome {
		return bridge.LeaseSocket(handle, int64(index), &given, &fd)
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), fmt.Sprintf("socket on port %d", l.ports[index])), nil
}

// Listener listens on the port at this index, on 127.0.0.1 unless [WithHost] says otherwise. You close it; it outlives the lease.
// Of the options of [Lease.Socket], only WithHost is useful here.
func (l *Lease) Listener(index int, options ...SocketOption) (net.Listener, error) {
	socket, err := l.Socket(index, options...)
	if err != nil {
		return nil, err
	}
	defer socket.Close() // the listener has a copy
	return net.FileListener(socket)
}

// PacketConn is a UDP socket on the port at this index, on 127.0.0.1 unless [WithHost] says otherwise. You close it; it outlives
// the lease.
func (l *Lease) PacketConn(index int, options ...SocketOption) (net.PacketConn, error) {
	socket, err := l.Socket(index, append([]SocketOption{WithUDP()}, options...)...)
	if err != nil {
		return nil, err
	}
	defer socket.Close() // the connection has a copy
	return net.FilePacketConn(socket)
}

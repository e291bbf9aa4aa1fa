package portalloc_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/cfloor"
)

// In turns, each compared with the one beside it, because the machine's speed drifts. Short ones, so that most are not
// interrupted, and an odd number, so that there is a middle.
const turns, calls = 1501, 20

func BenchmarkBesideC(b *testing.B) {
	for _, ports := range []int{1, 5} {
		b.Run(fmt.Sprintf("ports=%d", ports), func(b *testing.B) {
			runtime.LockOSThread() // as the loop in C, which cannot change threads
			defer runtime.UnlockOSThread()
			goes, c, differences := make([]float64, turns), make([]float64, turns), make([]float64, turns)
			for b.Loop() {
				for turn := range turns {
					start := time.Now()
					for range calls {
						lease, err := portalloc.Acquire(context.Background(), ports)
						if err != nil {
							b.Fatal(err)
						}
						lease.Close()
					}
					goes[turn] = float64(time.Since(start)) / calls
					c[turn] = float64(cfloor.LeaseAndRelease(ports, calls)) / calls
					differences[turn] = goes[turn] - c[turn]
				}
			}
			ofGo, ofC, more := median(goes), median(c), median(differences)
			b.ReportMetric(ofGo, "ns/lease")
			b.ReportMetric(ofC, "ns/lease-in-C")
			b.ReportMetric(more, "ns-more")
			b.ReportMetric(0, "ns/op") // of a whole run of turns: of no use
			verdict := "holds"
			if more > 2000 {
				verdict = "MISSED"
			}
			b.Logf("lease of %d and release: Go %.2f us, C %.2f us, more %.2f, at most 2.00: %s",
				ports, ofGo/1000, ofC/1000, more/1000, verdict)
		})
	}
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

func BenchmarkAcquireAndClose(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		lease, err := portalloc.Acquire(context.Background(), 1)
		if err != nil {
			b.Fatal(err)
		}
		lease.Close()
	}
}

func BenchmarkAcquireAndCloseInParallel(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			lease, err := portalloc.Acquire(context.Background(), 1)
			if err != nil {
				b.Error(err)
				return
			}
			lease.Close()
		}
	})
}

func BenchmarkAcquireWithWaitAndClose(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		lease, err := portalloc.Acquire(b.Context(), 1, portalloc.WithWait(portalloc.Forever))
		if err != nil {
			b.Fatal(err)
		}
		lease.Close()
	}
}

// What others do, which promises nothing about the time after Close.
func BenchmarkBindZeroAndClose(b *testing.B) {
	for b.Loop() {
		server, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		server.Close()
	}
}

// The contender in Go: see ../README.md.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"time"

	portalloc "github.com/portalloc/portalloc/bindings-go"
)

func number(text string) int {
	parsed, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return parsed
}

func main() {
	journal, err := os.OpenFile(os.Args[1], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		log.Fatal(err)
	}
	times, count := number(os.Args[2]), number(os.Args[3])
	note := func(what string, base int) {
		if _, err := fmt.Fprintf(journal, "%s %d %d %d\n", what, os.Getpid(), base, count); err != nil {
			log.Fatal(err)
		}
	}
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		log.Fatal(err)
	}
	for range times {
		lease, err := portalloc.Acquire(count, portalloc.WithTimeout(time.Minute))
		if err != nil {
			log.Fatal(err)
		}
		var servers []net.Listener
		for _, port := range lease.Ports() {
			server, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				log.Fatal(err)
			}
			servers = append(servers, server)
		}
		base := lease.Base()
		note("took", base)
		for _, server := range servers {
			server.Close()
		}
		note("gave", base)
		lease.Release()
	}
	fmt.Println(times)
}

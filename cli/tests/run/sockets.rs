//! The sockets of `--listen` in the hands of those who take them, and what `--guard` lets through.

#![expect(clippy::unwrap_used, reason = "a helper of tests: a failure is a failed test")]

use portalloc_testkit::{CommandLine, has, run};

use crate::PORTALLOC;

/// Asks both loopback addresses, or those given, for a page.
const CLIENT: &str = r#"
import http.client, os, sys
for host in sys.argv[1:] or ["127.0.0.1", "::1"]:
    connection = http.client.HTTPConnection(host, int(os.environ["WEB_PORT"]), timeout=20)
    connection.request("GET", "/")
    print(connection.getresponse().read().decode())
"#;

/// Serves with the sockets passed on, asks for a page, and expects the answer from each address.
fn answers(scratch: &CommandLine, file: &str, program: &str, server: &str) {
    std::fs::write(scratch.work().join(file), program).unwrap();
    std::fs::write(scratch.work().join("client.py"), CLIENT).unwrap();
    let script = format!(
        "{} exec portalloc run --names web --listen -- sh -c '{server} & python3 client.py; status=$?; kill $!; wait; exit $status'",
        if file.ends_with(".go") {
            "export GOFLAGS=-mod=mod GOCACHE=$TMPDIR/cache HOME=$TMPDIR; go build -o server server.go; rm -rf $TMPDIR/cache;"
        } else {
            ""
        }
    );
    assert_eq!(run(&mut scratch.sh(&script)).succeeded(), "hello\nhello\n", "{server}");
}

#[test]
fn node_takes_the_sockets() {
    let program = r#"
const http = require('http');
for (let fd = 3; fd < 3 + Number(process.env.LISTEN_FDS); fd++) http.createServer((_, answer) => answer.end('hello')).listen({ fd });
"#;
    if has("node") {
        answers(&CommandLine::new(PORTALLOC), "server.js", program, "node server.js");
    }
}

#[test]
fn python_takes_the_sockets() {
    let program = r#"
import asyncio, os, socket
async def answer(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    await writer.drain()
    writer.close()
async def main():
    servers = [await asyncio.start_server(answer, sock=socket.socket(fileno=fd)) for fd in range(3, 3 + int(os.environ["LISTEN_FDS"]))]
    await asyncio.gather(*(server.serve_forever() for server in servers))
asyncio.run(main())
"#;
    answers(&CommandLine::new(PORTALLOC), "server.py", program, "python3 server.py");
}

#[test]
fn go_takes_the_sockets() {
    let program = r#"package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
)

func main() {
	count, _ := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprint(answer, "hello") })
	for fd := 3; fd < 3+count; fd++ {
		listener, err := net.FileListener(os.NewFile(uintptr(fd), "socket"))
		if err != nil {
			panic(err)
		}
		go http.Serve(listener, nil)
	}
	select {}
}
"#;
    if has("go") {
        answers(&CommandLine::new(PORTALLOC), "server.go", program, "./server");
    }
}

#[test]
fn the_protocol_is_systemds() {
    let scratch = CommandLine::new(PORTALLOC);
    let check = r#"
import os, socket
count = int(os.environ["LISTEN_FDS"])
assert os.environ["LISTEN_PID"] == str(os.getpid())
ports = [int(os.environ[name + "_PORT"]) for name in "ABCDEFGHIJKL"]
names = os.environ["LISTEN_FDNAMES"].split(":")
sockets = [socket.socket(fileno=3 + index) for index in range(count)]
assert all(s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for s in sockets)
print([s.getsockname()[:2] for s in sockets] == [(host, port) for host in HOSTS for port in ports], names == list("abcdefghijkl") * len(HOSTS))
"#;
    for (option, hosts) in [("--listen", r#"["127.0.0.1", "::1"]"#), ("--listen=127.0.0.1", r#"["127.0.0.1"]"#)] {
        let script = format!("HOSTS = {hosts}\n{check}");
        let said = scratch
            .run(["run", "--names", "a,b,c,d,e,f,g,h,i,j,k,l", option, "--", "python3", "-c", &script])
            .succeeded();
        assert_eq!(said, "True True\n", "{option}");
    }
    let mut given = scratch.command(["run", "--listen", "--", "true"]);
    run(given.env("LISTEN_FDS", "1")).failed_with(2, "invalid_argument");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn a_guard_keeps_strangers_off_until_the_server_comes() {
    let scratch = CommandLine::new(PORTALLOC);
    let check = r#"
import os, socket
port = int(os.environ["WEB_PORT"])
def bind(reuse):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
    try:
        s.bind(("127.0.0.1", port))
        s.listen()
        return s
    except OSError:
        return None
def connects():
    return socket.socket().connect_ex(("127.0.0.1", port)) == 0
print(bind(0) is None, connects())
server = bind(1)
print(server is not None, connects())
"#;
    let said = |options: &[&str]| {
        scratch.run([&["run", "--names", "web"], options, &["--", "python3", "-c", check]].concat()).succeeded()
    };
    assert_eq!(said(&["--guard"]), "True False\nTrue True\n");
    assert!(said(&[]).starts_with("False"), "without a guard anybody gets in");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn a_sticky_port_comes_back_although_its_server_had_connections() {
    let scratch = CommandLine::new(PORTALLOC);
    // The server closes first, so the kernel keeps the connection in TIME_WAIT.
    let serve = r#"
import os, socket
port = int(os.environ["WEB_PORT"])
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", port))
server.listen()
client = socket.create_connection(("127.0.0.1", port))
accepted = server.accept()[0]
accepted.close()
assert client.recv(1) == b""
client.close()
print(port)
"#;
    let once = |guard: &[&str]| {
        scratch
            .run([&["run", "--sticky", "--names", "web"], guard, &["--", "python3", "-c", serve]].concat())
            .succeeded()
    };
    let first = once(&[]);
    assert_eq!(once(&[]), first);
    assert_eq!(once(&["--guard"]), first);
}

/// The server is started again while the connections of the one before linger, and nobody else got in.
#[test]
fn a_guarded_server_can_be_started_again() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 1);
    let script = r#"
import os, socket
port = int(os.environ["WEB_PORT"])
def bind(reuse):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
    try:
        s.bind(("127.0.0.1", port))
        s.listen()
        return s
    except OSError:
        s.close()
        return None
for _ in range(3):
    server = bind(1)
    client = socket.create_connection(("127.0.0.1", port))
    server.accept()[0].close()
    client.recv(1)
    client.close()
    server.close()
    print(bind(0) is None, socket.socket().connect_ex(("127.0.0.1", port)) != 0)
"#;
    let words = ["run", "--names", "web", "--guard", "--", "python3", "-c", script];
    assert_eq!(scratch.run(words).succeeded(), "True True\n".repeat(3));
}

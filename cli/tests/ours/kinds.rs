//! Kinds of servers that are unlike the plain one: several processes on one port, other protocols, odd answers.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portalloc_testkit::{Running, skip};

use crate::place::{Place, SERVER, is_alive};

/// Python code that answers each connection on the port in the first argument by the code that `%` stands for.
const ANSWERING: &str = "import socket, sys, threading, time
def answer(connection):
    %
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
print('ready', flush=True)
while True:
    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()";

fn python(place: &Place, script: &str) -> Running {
    let mut server = place.start(Command::new("python3").args(["-c", script, &place.port()]), &place.directory, None);
    server.line();
    server
}

#[test]
fn workers_that_share_a_port_are_all_ended() {
    let place = Place::new();
    let workers = "import os, signal, socket, sys
for _ in range(3):
    if not os.fork():
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind(('127.0.0.1', int(sys.argv[1])))
        s.listen()
        os.write(1, b'%d\\n' % os.getpid())
        signal.pause()
signal.pause()";
    let mut parent = place.start(Command::new("python3").args(["-c", workers, &place.port()]), &place.directory, None);
    let mut expected: Vec<u64> = (0..3).map(|_| parent.line().parse().unwrap()).collect();
    place.run(&["wait", "--mine", "web"]).succeeded();
    let (status, said) = place.stop(&[]);
    let processes = said["processes"].as_array().unwrap();
    let mut ended: Vec<u64> = processes.iter().map(|process| process["pid"].as_u64().unwrap()).collect();
    expected.sort_unstable();
    ended.sort_unstable();
    assert_eq!((status, ended), (0, expected.clone()), "{said}");
    assert!(expected.iter().all(|pid| !is_alive(&pid.to_string())));
}

#[test]
fn a_server_on_ipv6_alone_is_seen() {
    if TcpListener::bind("[::1]:0").is_err() {
        skip("there is no IPv6 here");
        return;
    }
    let place = Place::new();
    let six = SERVER.replace("socket.socket()", "socket.socket(socket.AF_INET6)").replace("127.0.0.1", "::1");
    let mut server = place.start(Command::new("python3").args(["-c", &six, &place.port()]), &place.directory, None);
    let pid = server.line();
    place.run(&["wait", "--mine", "web"]).succeeded();
    place.ends(&pid, "directory");
}

#[test]
fn no_time_to_end_is_a_time() {
    let place = Place::new();
    let mut server = place.server(&place.directory, None);
    let pid = server.line();
    let (status, said) = place.stop(&["--timeout", "0s"]);
    let outcome = said["processes"][0]["outcome"].as_str().unwrap();
    assert!(status == 0 && ["ended", "killed"].contains(&outcome), "{said}");
    assert!(!is_alive(&pid));
}

#[test]
fn the_headers_of_an_answer_are_enough() {
    let place = Place::new();
    let endless =
        "connection.recv(4096); connection.sendall(b'HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n')
    while True: connection.sendall(b'1\\r\\nx\\r\\n'); time.sleep(.01)";
    let _server = python(&place, &ANSWERING.replace('%', endless));
    place.run(&["wait", "web", "--mine", "--http", "/", "--timeout", "1h"]).succeeded();
}

#[test]
fn an_answer_that_does_not_come_or_is_none_is_told() {
    let drip = "connection.recv(4096); connection.sendall(b'HTTP/1.1 200 OK\\r\\nA: ')
    while True: connection.sendall(b'x'); time.sleep(.01)";
    let tls = "import ssl
    try: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_socket(connection, server_side=True)
    except ssl.SSLError: pass
    connection.close()";
    let redis = "connection.recv(4096); connection.sendall(b\"-ERR unknown command 'GET'\\r\\n\")";
    for (answer, told) in [
        (drip, "no answer"),
        ("connection.recv(4096); connection.close()", "it closed the connection without an answer"),
        (tls, "Connection reset by peer"),
        (redis, "its answer is not HTTP"),
    ] {
        let place = Place::new();
        let _server = python(&place, &ANSWERING.replace('%', answer));
        let failed = place.run(&["wait", "web", "--http", "/", "--timeout", "50ms"]).failed_with(3, "timeout");
        assert!(failed.contains(&format!("GET / failed on 127.0.0.1: {told}")), "{answer}: {failed}");
    }
}

#[test]
fn a_server_that_is_not_ready_is_not_flooded_with_requests() {
    let place = Place::new();
    let busy = "if not connection.recv(4096): return
    connection.sendall(b'HTTP/1.1 503 Busy\\r\\n\\r\\n'); connection.close()
    print('asked', flush=True)";
    let script = ANSWERING.replace('%', busy);
    let mut server = Command::new("python3");
    server.args(["-c", &script, &place.port()]).current_dir(&place.directory).env_remove("ISOLATION_ID");
    let mut server = server.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("ready"));
    let start = Instant::now();
    place.run(&["wait", "web", "--http", "/", "--timeout", "1s"]).failed_with(3, "timeout");
    let longest = start.elapsed();
    server.kill().unwrap();
    server.wait().unwrap();
    // One every 200 milliseconds, one at the beginning, and one at the end.
    let most = usize::try_from(longest.as_millis() / Duration::from_millis(200).as_millis()).unwrap() + 2;
    let asked = lines.count();
    assert!((2..=most).contains(&asked), "{asked} requests in {longest:?}");
}

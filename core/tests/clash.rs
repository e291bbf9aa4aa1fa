//! Messages about addresses in use, as the programs named print them, and which port each means. Nobody is asked here
//! whether anything is on those ports.

use portalloc::conflict::{Clash, ports_in};
use proptest::prelude::*;

/// Program, its words, and the ports in the lines that tell of the clash and around them.
const MESSAGES: &[(&str, &str, &[u16], &[u16])] = &[
    ("Python, bind", "OSError: [Errno 98] Address already in use", &[], &[]),
    (
        "Python, asyncio",
        "[Errno 98] error while attempting to bind on address ('127.0.0.1', 8080): address already in use",
        &[8080],
        &[],
    ),
    (
        "Python, asyncio, IPv6",
        "[Errno 98] error while attempting to bind on address ('::1', 8080, 0, 0): address already in use",
        &[8080],
        &[],
    ),
    (
        "Python, create_server",
        "[Errno 98] Address already in use (while attempting to bind on address ('127.0.0.1', 8080))",
        &[8080],
        &[],
    ),
    ("Python, a port of its own words", "OSError: [Errno 98] Address already in use: (\"\", 8080)", &[8080], &[]),
    (
        "Python, a traceback of pytest",
        ">       server.bind(address)\nE       OSError: [Errno 98] Address already in use\n\ntest_it.py:12: OSError",
        &[],
        &[],
    ),
    ("gunicorn", "[2026-01-31 14:32:27 +0000] [7] [ERROR] Connection in use: ('127.0.0.1', 8080)", &[8080], &[]),
    ("Flask", "Address already in use\nPort 8080 is in use by another program.", &[8080], &[]),
    ("Django", "Watching for file changes with StatReloader\nError: That port is already in use.", &[], &[]),
    (
        "Node",
        "node:net:1937
        throw er; // Unhandled 'error' event

Error: listen EADDRINUSE: address already in use 127.0.0.1:8080
    at Server.setupListenHandle [as _listen2] (node:net:1937:16)
    at Object.<anonymous> (/project/server.js:12:5)
  code: 'EADDRINUSE',
  errno: -98,
  syscall: 'listen',
  address: '127.0.0.1',
  port: 8081
",
        &[8080],
        &[8081],
    ),
    ("Node, every address", "Error: listen EADDRINUSE: address already in use :::8080", &[8080], &[]),
    ("Node, IPv6", "Error: listen EADDRINUSE: address already in use ::1:8080", &[8080], &[]),
    (
        "Node, an error shown in colours",
        "{ \u{1b}[32m'EADDRINUSE'\u{1b}[39m,\n  errno: \u{1b}[33m-98\u{1b}[39m,\n  port: \u{1b}[33m8080\u{1b}[39m }",
        &[],
        &[8080],
    ),
    ("Node, as JSON", r#"{"code":"EADDRINUSE","address":"127.0.0.1","port":8080}"#, &[8080], &[]),
    ("Vite", "Error: Port 8080 is already in use", &[8080], &[]),
    ("Next.js", " \u{26a0} Port 8080 is in use, trying 8081 instead.", &[8080], &[]),
    ("Go", "listen tcp 127.0.0.1:8080: bind: address already in use", &[8080], &[]),
    ("Go, every address", "2026/01/31 14:32:27 listen tcp :8080: bind: address already in use", &[8080], &[]),
    ("Go, IPv6", "listen tcp [::1]:8080: bind: address already in use", &[8080], &[]),
    ("Go, a test", "    main_test.go:12: listen tcp 127.0.0.1:8080: bind: address already in use", &[8080], &[]),
    (
        "Rust",
        "thread 'main' panicked at src/main.rs:10:5:\n127.0.0.1:8080: Os { code: 98, kind: AddrInUse, message: \"Address \
         already in use\" }",
        &[8080],
        &[],
    ),
    (
        "Java",
        "java.net.BindException: Address already in use\n\tat java.base/sun.nio.ch.Net.bind(Net.java:555)\n",
        &[],
        &[],
    ),
    ("Netty", "java.net.BindException: Address already in use: bind [/127.0.0.1:8080]", &[8080], &[]),
    ("Spring", "Description:\n\nWeb server failed to start. Port 8080 was already in use.\n\nAction:", &[8080], &[]),
    (
        ".NET",
        "System.IO.IOException: Failed to bind to address http://127.0.0.1:8080: address already in use.",
        &[8080],
        &[],
    ),
    ("Puma", "Address already in use - bind(2) for \"127.0.0.1\" port 8080 (Errno::EADDRINUSE)", &[8080], &[]),
    ("PHP", "Failed to listen on localhost:8080 (reason: Address already in use)", &[8080], &[]),
    (
        "nginx",
        "2026/01/31 14:32:27 [emerg] 7#7: bind() to 0.0.0.0:8080 failed (98: Address already in use)",
        &[8080],
        &[],
    ),
    ("nginx, IPv6", "nginx: [emerg] bind() to [::]:8080 failed (98: Address already in use)", &[8080], &[]),
    ("Apache", "(98)Address already in use: AH00072: make_sock: could not bind to address [::]:8080", &[8080], &[]),
    (
        "Redis",
        "7:M 31 Jan 2026 14:32:27.236 # Warning: Could not create server TCP listening socket *:8080: bind: Address \
         already in use",
        &[8080],
        &[],
    ),
    (
        "PostgreSQL",
        "2026-01-31 14:32:27.236 UTC [7] LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use\n\
         2026-01-31 14:32:27.236 UTC [7] HINT:  Is another postmaster already running on port 8080? If not, wait a few \
         seconds and retry.",
        &[],
        &[8080],
    ),
    (
        "Docker",
        "Error response from daemon: driver failed programming external connectivity: Bind for 0.0.0.0:8080 failed: port \
         is already allocated.",
        &[8080],
        &[],
    ),
    ("portalloc", "error[port_in_use]: port 8080 is held by PID 7 (python)", &[8080], &[]),
    ("the end of a sentence", "Address already in use: 127.0.0.1:8080.", &[8080], &[]),
    ("several", "address already in use: 127.0.0.1:8080, [::1]:8081 and *:8080", &[8080, 8081], &[]),
    ("a number too great for a port", "address already in use 127.0.0.1:80801", &[], &[]),
    ("a number still greater", "address already in use 127.0.0.1:65536, port 65536", &[], &[]),
    ("port 0", "address already in use 127.0.0.1:0", &[], &[]),
];

#[test]
fn the_port_that_is_meant() {
    for (program, message, told, around) in MESSAGES {
        let found = Clash::in_text(message).unwrap_or_else(|| panic!("{program}: no clash"));
        assert_eq!((found.told.as_slice(), found.around.as_slice()), (*told, *around), "{program}");
    }
}

#[test]
fn what_tells_of_no_clash() {
    for message in [
        "",
        "connect ECONNREFUSED 127.0.0.1:8080",
        "server started on port 8080",
        "database \"template1\" is being accessed by other users",
        "the name web is already in use",
        "the transport is in use",
        "port 8080 is not in use",
        "a port of 8080 kinds, one in use",
    ] {
        assert_eq!(Clash::in_text(message), None, "{message}");
    }
}

#[test]
fn ports_as_they_are_written() {
    for text in [
        "127.0.0.1:8080",
        "http://localhost:8080/path",
        "[::]:8080",
        "[fe80::12:34]:8080",
        "[fe80::1%eth0]:8080",
        "[0.0.0.0:8080]",
        ":8080",
        "*:8080",
        "host 10:8080",
        "port 8080",
        "PORT=8080",
        "HTTP_PORT=8080",
        "httpPort: 8080",
        "http://node:8080",
        "\"port\" : 8080",
        "port [8080]",
        "( 'localhost' , 8080 )",
        "caf\u{e9}:8080",
    ] {
        assert_eq!(ports_in(text), [8080], "{text}");
    }
}

#[test]
fn numbers_that_are_no_ports() {
    for text in [
        "8080",
        "14:32:27.236",
        "2026-01-31T14:32:27Z",
        "at 14:32",
        "[14:32]",
        "file.test.js:12:5",
        "file.test.js:12",
        "at node:net:1937:16",
        "node:internal/modules/cjs/loader:1080",
        "src/main.rs:10:5:",
        "test_it.py:12: OSError",
        "main.go:12",
        "[::1]",
        "[fe80::12:34]",
        "report 12",
        "port 8080th",
        "('a', 'b'), 12",
        "x('a' 12",
        "errno: 98",
        "127.0.0.1",
    ] {
        assert_eq!(ports_in(text), [0_u16; 0], "{text}");
    }
}

#[test]
fn far_away_lines_are_not_read() {
    let quiet = ["quiet"; 20].join("\n");
    let text = format!("listening on port 7001\n{quiet}\nbind: Address already in use\n{quiet}\nport 7002");
    assert_eq!(Clash::in_text(&text), Some(Clash::default()));
    let text = format!("port 7001\n\n\nEADDRINUSE\n{}port 7002", "\n".repeat(6));
    assert_eq!(Clash::in_text(&text).map(|clash| clash.around), Some(vec![7001, 7002]));
}

#[test]
fn of_a_long_text_the_end_is_read() {
    let noise = "a quiet line, 127.0.0.1:7001\n".repeat(100_000);
    let clash = "listen tcp :8080: bind: address already in use";
    assert_eq!(Clash::in_text(&format!("{noise}{clash}")).map(|clash| clash.told), Some(vec![8080]));
    assert_eq!(Clash::in_text(&format!("{clash}{noise}")), None);
}

proptest! {
    /// Whatever a program prints, it is read without harm, and an address in it is found whatever stands around.
    #[test]
    fn any_text_can_be_read(noise in ".{0,60}", port in 1..=u16::MAX, hidden in "[0-9a-f:.\\[\\]('\",portPORT \u{1b}m;é]{0,60}") {
        let _ = (ports_in(&noise), ports_in(&hidden), Clash::in_text(&hidden));
        let clash = Clash::in_text(&format!("{noise}\nbind 127.0.0.1:{port}: address already in use\n{hidden}")).unwrap();
        prop_assert!(clash.told.contains(&port));
    }
}

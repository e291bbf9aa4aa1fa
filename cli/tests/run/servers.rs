//! Real servers, as their users start them.

#![expect(clippy::print_stderr, reason = "a skipped test must be seen")]
#![expect(clippy::unwrap_used, reason = "a helper of tests: a failure is a failed test")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use portalloc_testkit::{CommandLine, Running, has, is_installed, skip, until};
use rustix::process::Signal;

use crate::PORTALLOC;

/// What a server answers to a plain HTTP request, if anybody does.
fn page(host: &str, port: u16) -> Option<String> {
    let mut stream = TcpStream::connect((host, port)).ok()?;
    write!(stream, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

/// Starts a server on a pool's only port, asks it for a page, and ends it by a signal to `run`.
fn serves(scratch: &CommandLine, options: &[&str], server: &[&str], hosts: &[&str]) {
    let words = [&["run", "--names", "web"], options, &["--"], server].concat();
    let mut run = Running::start(&mut scratch.command(words));
    let port = *scratch.ports().first().unwrap();
    for host in hosts {
        let mut answer = String::new();
        until("it serves", || {
            answer = page(host, port).unwrap_or_default();
            !answer.is_empty()
        });
        assert!(answer.starts_with("HTTP/1.") && answer.contains(" 200 ") && answer.contains("hello"), "{answer}");
    }
    run.signal(Signal::TERM);
    run.wait();
    // Its connections may linger, so that the port rests for a minute.
    until("nobody serves", || page("127.0.0.1", port).is_none());
    scratch.assert_no_environment_left();
}

#[test]
fn gunicorn_takes_the_sockets_by_the_protocol() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 1);
    let venv = scratch.path().join("venv");
    let pip = venv.join("bin/pip");
    let made =
        scratch.program("python3").args(["-m", "venv"]).arg(&venv).output().is_ok_and(|made| made.status.success());
    let installed = made
        && scratch
            .program(&pip)
            .args(["install", "--quiet", "--disable-pip-version-check", "gunicorn"])
            .output()
            .is_ok_and(|done| done.status.success());
    if !installed {
        return skip("pip cannot install gunicorn");
    }
    let application = "def app(environ, start):\n    start('200 OK', [])\n    return [b'hello']\n";
    fs::write(scratch.work().join("application.py"), application).unwrap();
    let gunicorn = venv.join("bin/gunicorn");
    // It believes LISTEN_FDS only if LISTEN_PID is its own, and else serves on port 8000.
    // It writes into the user's home, too.
    let home = format!("HOME={}", scratch.path().display());
    let server = ["env", &home, gunicorn.to_str().unwrap(), "--log-level", "warning", "application:app"];
    serves(&scratch, &["--listen"], &server, &["127.0.0.1", "::1"]);
}

#[test]
fn python_serves_over_a_guard() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 1);
    fs::write(scratch.work().join("index.html"), "hello").unwrap();
    let server = ["python3", "-m", "http.server", "{web}", "--bind", "127.0.0.1"];
    serves(&scratch, &["--guard"], &server, &["127.0.0.1"]);
}

#[test]
fn node_serves_over_a_guard() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 1);
    if !has("node") {
        return;
    }
    let program = "require('http').createServer((_, answer) => answer.end('hello')).listen(process.env.WEB_PORT)";
    serves(&scratch, &["--guard"], &["node", "-e", program], &["127.0.0.1", "::1"]);
}

/// Installed or not, it is nobody's duty.
#[test]
fn nginx_serves_over_a_guard() {
    if !is_installed("nginx") {
        eprintln!("SKIPPED: there is no nginx");
        return;
    }
    let scratch = CommandLine::with_pool_of(PORTALLOC, 1);
    let work = scratch.work();
    let path = |name: &str| work.join(name).display().to_string();
    let port = scratch.ports().first().unwrap();
    let configuration = format!(
        "daemon off; pid {}; error_log stderr; events {{}} http {{ access_log off; client_body_temp_path {}; \
         proxy_temp_path {}; fastcgi_temp_path {}; uwsgi_temp_path {}; scgi_temp_path {}; \
         server {{ listen 127.0.0.1:{port}; return 200 hello; }} }}",
        path("pid"),
        path("a"),
        path("b"),
        path("c"),
        path("d"),
        path("e")
    );
    fs::write(work.join("nginx.conf"), configuration).unwrap();
    assert!(Path::new(&path("nginx.conf")).exists());
    serves(&scratch, &["--guard"], &["nginx", "-c", &path("nginx.conf")], &["127.0.0.1"]);
}

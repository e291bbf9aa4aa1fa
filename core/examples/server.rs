//! A server on a leased port: no other process is given the port until the lease is dropped or the process ends.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lease = portalloc::lease(1)?;
    let server = TcpListener::bind(("127.0.0.1", lease.base_port()))?;
    println!("listening on port {}", lease.base_port());
    let answer = thread::spawn(move || -> std::io::Result<()> {
        let (mut client, _) = server.accept()?;
        client.write_all(b"hello\n")
    });
    let mut text = String::new();
    TcpStream::connect(("127.0.0.1", lease.base_port()))?.read_to_string(&mut text)?;
    answer.join().map_err(|_| "the server panicked")??;
    print!("the server said: {text}");
    // Close the sockets before you release the port: another process may be given it from here on.
    lease.release();
    Ok(())
}

//! Waits for a server to accept connections, and then for its port to be free again.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use portalloc::Allocator;

const LIMIT: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let allocator = Allocator::open()?;
    let lease = allocator.lease(1)?;
    let port = lease.base_port();
    let server = thread::spawn(move || TcpListener::bind(("127.0.0.1", port)));
    allocator.wait_until_open(&[port], LIMIT)?;
    println!("a server listens on port {port}");
    drop(server.join().map_err(|_| "the server panicked")??);
    lease.release();
    allocator.wait_until_free(&[port], LIMIT)?;
    println!("nothing is bound to port {port} any more");
    Ok(())
}

//! Who is on a port, on a machine with 1000 sockets. Without a socket on the port there is no search for processes,
//! which costs what the machine's processes and descriptors cost; how much that is here is shown too.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use crate::Scratch;
use crate::measure::{Times, absolute, time};

const SOCKETS: usize = 1000;
const BOUND_US: f64 = 1000.0;

pub(crate) fn run() {
    // As small as they come: the limit on descriptors may be 1024.
    crate::full_pool::raise_descriptor_limit();
    let scratch = Scratch::new();
    let allocator = scratch.settings().open().unwrap();
    let sockets: Vec<TcpListener> = (0..SOCKETS).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let times = |port: u16, sockets: usize| {
        let who = || allocator.who([port]).unwrap().iter().map(|report| report.sockets.len()).sum::<usize>();
        assert_eq!(who(), sockets, "a foreign process is in the way");
        Times::new((0..500).map(|_| time(|| allocator.who([port]).unwrap())).collect())
    };
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    absolute(&format!("who is on a port, {SOCKETS} sockets open"), &times(free, 0), BOUND_US);
    let port = sockets.first().and_then(|socket| socket.local_addr().ok()).map_or(0, |local: SocketAddr| local.port());
    let found = times(port, 1);
    println!(
        "{:44} {:9.1} ({:9.1})   for information",
        "the same, with the process of a server",
        found.median(),
        found.p99()
    );
}

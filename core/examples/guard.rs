//! A guard also keeps programs that do not use portalloc off the port, and the server gets the bound socket itself: no
//! other program can bind the port at any moment.

use std::net::{TcpListener, TcpStream};

use portalloc::{LeaseRequest, SocketOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lease = portalloc::lease(LeaseRequest::run(1).guard(true))?;
    let port = lease.base_port();
    if let Err(error) = TcpListener::bind(("127.0.0.1", port)) {
        println!("guarded ({}), so another program's bind fails: {error}", lease.guard_state().as_str());
    } else {
        return Err("a guarded port was bound".into());
    }
    let server = TcpListener::from(lease.socket(0, &SocketOptions::tcp())?);
    TcpStream::connect(("127.0.0.1", port))?;
    server.accept()?;
    println!("the server that got the socket accepts connections on port {port}");
    Ok(())
}

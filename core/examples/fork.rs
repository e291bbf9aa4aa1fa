//! A forked child has a copy of the lease: it can use the ports but not release them, and the lease lives until the
//! parent releases it or both have ended.

use fork::{Fork, fork, waitpid};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lease = portalloc::lease(1)?;
    let child = match fork()? {
        Fork::Parent(child) => child,
        Fork::Child => {
            assert!(!lease.is_ours(), "the parent took it");
            lease.release(); // does nothing in the child
            println!("child: port {} stays leased", lease.base_port());
            return Ok(());
        }
    };
    waitpid(child)?;
    assert!(lease.is_ours() && lease.is_held(), "nothing that the child did ended the lease");
    println!("parent: still held after the child has ended");
    Ok(())
}

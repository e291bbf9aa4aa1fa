//! The only room that knows the operating system: locks, processes, namespaces, the kernel's port ranges, files
//! that must appear at once, waiting for a file to be closed. Knows no pool, no lease, no environment.
//!
//! To add a platform, write a folder beside `linux` with the same functions and choose it here.

#[cfg(target_os = "linux")]
mod linux;
#[expect(unsafe_code, reason = "a value that threads and forks share without a lock is a pointer")]
mod per_process;
#[cfg(target_os = "linux")]
mod unix;
#[cfg(target_os = "linux")]
pub use linux::ProcessStamp;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;
pub(crate) use per_process::PerProcess;

#[cfg(not(target_os = "linux"))]
compile_error!("portalloc holds ports with Linux's open-file-description locks; no other platform is supported yet");

//! The only room that knows the operating system: locks, processes, namespaces, the kernel's port ranges, files
//! that must appear at once, waiting for a file to be closed. Knows no pool, no lease, no environment.
//!
//! To add a platform, write a folder beside `linux` with the same functions and choose it here.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::ProcessStamp;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;

#[cfg(not(target_os = "linux"))]
compile_error!("portalloc holds ports with Linux's open-file-description locks; no other platform is supported yet");

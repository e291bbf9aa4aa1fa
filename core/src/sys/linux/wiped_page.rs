//! Memory that the kernel wipes in a forked child.

use std::ptr;
use std::sync::atomic::AtomicU64;

/// A zeroed page that is zeroed again in a forked child; `None` if the kernel does not support that.
pub(crate) fn wiped_page() -> Option<*mut AtomicU64> {
    const LENGTH: usize = size_of::<AtomicU64>();
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: it asks for new memory at an address of the kernel's choice, and replaces none.
    let page = unsafe { libc::mmap(ptr::null_mut(), LENGTH, protection, flags, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the page was mapped above and nobody else knows it.
    let wiped = unsafe { libc::madvise(page, LENGTH, libc::MADV_WIPEONFORK) } == 0;
    if !wiped {
        // SAFETY: as above; nothing points into it.
        unsafe { libc::munmap(page, LENGTH) };
        return None;
    }
    Some(page.cast())
}

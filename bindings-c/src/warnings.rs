//! Warnings, delivered to the handler that the program has set.

use std::ffi::c_void;

use crate::handler::WarningHandler;
use crate::results::call;

/// Sets the handler for warnings: problems that made no call fail, such as a pool of which only a part can be used. It receives
/// each warning once per process, those from before at once. It replaces the previous handler; with NULL, warnings wait for the
/// next one. Without a handler, the library prints nothing.
///
/// A thread that calls the library calls the handler at the end of that call, so several threads may call it at once. It may
/// call the library, but not with handles that the call around it frees, and it does not change
/// portalloc_last_error_message(). Just after a change, another thread may still call the previous handler, so function and data
/// must stay valid as long as the process lives. A forked child keeps the handler, and may repeat its parent's warnings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_set_warning_handler(handler: WarningHandler, data: *mut c_void) {
    let _ = call(|| {
        crate::handler::set(handler, data);
        Ok(())
    });
}

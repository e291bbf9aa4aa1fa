//! Pointers as C gives and takes them: the only file that follows one. Every function here trusts its caller, an exported
//! function, whose own documentation says what C has to keep to.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char};

use portalloc_core::{Error, Result, ffi};

use crate::results::c_text;

/// A handle on its way to C, which gives it back to [`free`].
///
/// # Safety
/// `out` is NULL or may be written to.
pub(crate) unsafe fn give<T>(out: *mut *mut T, value: T) -> Result<()> {
    // SAFETY: it is NULL or may be written to, as the caller promises.
    match unsafe { out.as_mut() } {
        Some(out) => {
            *out = Box::into_raw(Box::new(value));
            Ok(())
        }
        None => Err(null("out")),
    }
}

/// A value on its way to C.
///
/// # Safety
/// `out` is NULL or may be written to.
pub(crate) unsafe fn write<T>(out: *mut T, value: T) -> Result<()> {
    if out.is_null() {
        return Err(null("out"));
    }
    // SAFETY: it is not NULL, so it may be written to, as the caller promises. What is there may be uninitialized.
    unsafe { out.write(value) };
    Ok(())
}

/// A handle that comes back for good. NULL is nothing.
///
/// # Safety
/// `handle` is NULL or was given by [`give`] and not freed before.
pub(crate) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: it was given by `give` and not freed before, as the caller promises.
        drop(unsafe { Box::from_raw(handle) });
    }
}

/// A text on its way to C, which gives it back to [`free_text`].
///
/// # Safety
/// `out` is NULL or may be written to.
pub(crate) unsafe fn give_text(out: *mut *mut c_char, text: &str) -> Result<()> {
    if out.is_null() {
        return Err(null("out"));
    }
    // SAFETY: it is not NULL, so it may be written to, as the caller promises.
    unsafe { out.write(c_text(text).into_raw()) };
    Ok(())
}

/// A text that comes back for good. NULL is nothing.
///
/// # Safety
/// `text` is NULL or was given by [`give_text`] and not freed before.
pub(crate) unsafe fn free_text(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: it was given by `give_text` and not freed before, as the caller promises.
        drop(unsafe { CString::from_raw(text) });
    }
}

/// A handle that is looked at.
///
/// # Safety
/// `handle` is NULL or was given by [`give`], and is not freed during `'a`.
pub(crate) unsafe fn borrow<'a, T>(handle: *const T, what: &str) -> Result<&'a T> {
    // SAFETY: it is NULL or points to what `give` has made, as the caller promises.
    unsafe { handle.as_ref() }.ok_or_else(|| null(what))
}

/// A text; NULL is none.
///
/// # Safety
/// `text` is NULL or ends with a zero byte, and stays as it is during `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, what: &str) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: it is not NULL, so it ends with a zero byte, as the caller promises.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(Some).map_err(|_| ffi::no_text(what, text.to_string_lossy()))
}

/// A text that is only shown to people, so that any bytes will do; NULL is an empty one.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn shown<'a>(text: *const c_char) -> Cow<'a, str> {
    if text.is_null() {
        return Cow::Borrowed("");
    }
    // SAFETY: it is not NULL, so it ends with a zero byte, as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_string_lossy()
}

/// An array; NULL is none. One without elements was given all the same: who lists no ports did not mean any port.
///
/// # Safety
/// `array` is NULL or has `count` elements, which stay as they are during `'a`.
pub(crate) unsafe fn array<'a, T>(array: *const T, count: usize) -> Option<&'a [T]> {
    if array.is_null() {
        return None;
    }
    if count == 0 {
        // What an empty container calls its start need not be aligned, or lead anywhere.
        return Some(&[]);
    }
    // SAFETY: it is not NULL, so it has so many elements, as the caller promises.
    Some(unsafe { std::slice::from_raw_parts(array, count) })
}

/// An array that must be there, unless it has no elements.
///
/// # Safety
/// As for [`array`].
pub(crate) unsafe fn elements<'a, T>(elements: *const T, count: usize, what: &str) -> Result<&'a [T]> {
    // SAFETY: as this function's caller promises.
    match unsafe { array(elements, count) } {
        Some(elements) => Ok(elements),
        None if count == 0 => Ok(&[]),
        None => Err(null(what)),
    }
}

/// Fills an array of C's with as many elements as it has room for.
///
/// # Safety
/// `out` is NULL or has room for `capacity` elements.
pub(crate) unsafe fn fill<T: Copy>(out: *mut T, capacity: usize, values: &[T]) {
    if !out.is_null() {
        // SAFETY: there is room for `capacity` elements, as the caller promises, and `values` is Rust's own.
        unsafe { out.copy_from_nonoverlapping(values.as_ptr(), capacity.min(values.len())) };
    }
}

/// A struct whose first member is its size, as its maker knows it: what the maker did not know of is zero. What the maker
/// knows and this library does not must be zero, too: a wish is refused rather than passed over.
///
/// # Safety
/// `given` is NULL or points to a struct that begins with its size in bytes; all bytes zero must be a `T`.
pub(crate) unsafe fn sized<T: Sized>(given: *const T) -> Result<Option<T>> {
    if given.is_null() {
        return Ok(None);
    }
    // SAFETY: it is not NULL, so it begins with its size, as the caller promises.
    let size = unsafe { given.cast::<usize>().read() };
    if size < size_of::<usize>() || size > 4096 {
        return Err(ffi::no_struct_size(size));
    }
    let mut whole = std::mem::MaybeUninit::<T>::zeroed();
    let known = size.min(size_of::<T>());
    for offset in known..size {
        // SAFETY: `size` bytes may be read, as the caller promises, and this is one of them.
        let unknown = unsafe { given.cast::<u8>().add(offset) };
        // SAFETY: the same.
        if unsafe { unknown.read() } != 0 {
            return Err(ffi::no_struct_size(size));
        }
    }
    // SAFETY: `size` bytes may be read, as the caller promises, and `whole` has room for all of a `T`.
    unsafe { whole.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(given.cast(), known) };
    // SAFETY: every byte is set, and zeros are a `T`, as the caller promises; so is what C's own struct says.
    Ok(Some(unsafe { whole.assume_init() }))
}

pub(crate) fn null(what: &str) -> Error {
    ffi::no_pointer(what)
}

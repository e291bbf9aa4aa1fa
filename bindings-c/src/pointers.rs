//! Pointers as C passes them: the only file that follows one. Every function here trusts its caller, an exported function,
//! whose own caller keeps to the conventions that the header begins with.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char};

use portalloc_core::{Result, ffi};

use crate::results::c_text;

/// Makes a value and writes it for C; nothing is made if there is nowhere to write it.
///
/// # Safety
/// `out` is NULL or may be written to.
pub(crate) unsafe fn write<T>(out: *mut T, make: impl FnOnce() -> Result<T>) -> Result<()> {
    if out.is_null() {
        return Err(ffi::no_pointer("out"));
    }
    let value = make()?;
    // SAFETY: it is not NULL, so it may be written to, as the caller promises. What is there may be uninitialized.
    unsafe { out.write(value) };
    Ok(())
}

/// Writes a value that C need not ask for.
///
/// # Safety
/// `out` is NULL or may be written to.
pub(crate) unsafe fn write_if_asked<T>(out: *mut T, make: impl FnOnce() -> Result<T>) -> Result<()> {
    if out.is_null() {
        return Ok(());
    }
    // SAFETY: as this function's caller promises.
    unsafe { write(out, make) }
}

/// A handle for C, which [`free`] takes back.
pub(crate) fn handle<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Ends a handle. NULL is nothing.
///
/// # Safety
/// `handle` is NULL or was made by [`handle`] and not freed before.
pub(crate) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: it was made by `handle` and not freed before, as the caller promises.
        drop(unsafe { Box::from_raw(handle) });
    }
}

/// A string for C, which [`free_string`] takes back.
pub(crate) fn string(text: &str) -> *mut c_char {
    c_text(text).into_raw()
}

/// Ends a string. NULL is nothing.
///
/// # Safety
/// `string` is NULL or was made by [`string`] and not freed before.
pub(crate) unsafe fn free_string(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: it was made by `string` and not freed before, as the caller promises.
        drop(unsafe { CString::from_raw(string) });
    }
}

/// What a handle stands for.
///
/// # Safety
/// `handle` is NULL or was made by [`handle`], and is not freed during `'a`.
pub(crate) unsafe fn borrow<'a, T>(handle: *const T, what: &str) -> Result<&'a T> {
    // SAFETY: it is NULL or points to what `handle` has made, as the caller promises.
    unsafe { handle.as_ref() }.ok_or_else(|| ffi::no_pointer(what))
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

/// A text of its own; NULL is none.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn owned(given: *const c_char, what: &str) -> Result<Option<String>> {
    // SAFETY: as this function's caller promises.
    Ok(unsafe { text(given, what) }?.map(ToOwned::to_owned))
}

/// A text that must be there.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn needed<'a>(given: *const c_char, what: &str) -> Result<&'a str> {
    // SAFETY: as this function's caller promises.
    unsafe { text(given, what) }?.ok_or_else(|| ffi::no_pointer(what))
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
        None => Err(ffi::no_pointer(what)),
    }
}

/// An array of texts, none of them NULL.
///
/// # Safety
/// As for [`array`], and each element as for [`text`].
pub(crate) unsafe fn texts(given: *const *const c_char, count: usize, what: &str) -> Result<Vec<String>> {
    // SAFETY: as this function's caller promises.
    let given = unsafe { elements(given, count, what) }?;
    // SAFETY: as this function's caller promises.
    given.iter().map(|one| unsafe { needed(*one, what) }.map(ToOwned::to_owned)).collect()
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

/// A struct whose first member is its size as its maker knows it: members that the maker did not know are zero. Members that
/// the maker knows and this library does not must be zero, too: a wish is refused rather than ignored. NULL is all zeros.
///
/// # Safety
/// `given` is NULL or points to a struct that begins with its size in bytes; all bytes zero must be a `T`.
pub(crate) unsafe fn sized<T: Sized>(given: *const T) -> Result<T> {
    let mut whole = std::mem::MaybeUninit::<T>::zeroed();
    if !given.is_null() {
        // SAFETY: it is not NULL, so it begins with its size, as the caller promises.
        let size = unsafe { given.cast::<usize>().read() };
        if size < size_of::<usize>() || size > 4096 {
            return Err(ffi::no_struct_size(size));
        }
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
    }
    // SAFETY: every byte is set, and zeros are a `T`, as the caller promises; so is what C's own struct says.
    Ok(unsafe { whole.assume_init() })
}

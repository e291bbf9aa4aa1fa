//! Arguments as Python gives them, and what type checkers are told of them. A wrong type is Python's own `TypeError`; a
//! number out of range is the core's error. `True` is a number to Python, and nobody who passes it for a port means 1.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use portalloc::environment::EnvFile;
use portalloc::ffi;
use portalloc::ffi::PortChoice;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyString};

use crate::errors::raised;

/// A type of arguments: how it is made of an object, and how it is written.
macro_rules! argument {
    ($(#[$doc:meta])* $name:ident($inner:ty) as $hint:expr, $extract:expr) => {
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) $inner);

        impl FromPyObject<'_, '_> for $name {
            type Error = PyErr;

            #[cfg(feature = "stubs")]
            const INPUT_TYPE: pyo3::inspect::PyStaticExpr = $hint;

            fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
                let extract: fn(Borrowed<'_, '_, PyAny>) -> PyResult<$inner> = $extract;
                extract(value).map(Self)
            }
        }

        impl From<$name> for $inner {
            fn from(argument: $name) -> Self {
                argument.0
            }
        }
    };
}

/// How types are written.
#[cfg(feature = "stubs")]
mod hint {
    use pyo3::inspect::PyStaticExpr;
    use pyo3::{type_hint_identifier as named, type_hint_subscript as of, type_hint_union};

    pub(super) const INT: PyStaticExpr = named!("builtins", "int");
    pub(super) const STR: PyStaticExpr = named!("builtins", "str");
    pub(super) const INTS: PyStaticExpr = of!(named!("collections.abc", "Iterable"), INT);
    pub(super) const GROUPS: PyStaticExpr = of!(named!("collections.abc", "Iterable"), INTS);
    pub(super) const STRS: PyStaticExpr = of!(named!("collections.abc", "Iterable"), STR);
    pub(super) const PAIRS: PyStaticExpr =
        of!(named!("collections.abc", "Iterable"), of!(named!("builtins", "tuple"), STR, STR));
    pub(super) const INT_OR_INTS: PyStaticExpr = type_hint_union!(INT, INTS);
    pub(super) const INT_OR_STR: PyStaticExpr = type_hint_union!(INT, STR);
    pub(super) const PORTS_OR_NAMES: PyStaticExpr =
        type_hint_union!(INT, STR, of!(named!("collections.abc", "Iterable"), INT_OR_STR));
    pub(super) const TIME: PyStaticExpr =
        type_hint_union!(named!("builtins", "float"), named!("datetime", "timedelta"));
    pub(super) const BOOL_OR_PATH: PyStaticExpr =
        type_hint_union!(named!("builtins", "bool"), STR, of!(named!("os", "PathLike"), STR));
}

argument! {
    /// How many ports.
    Count(usize) as hint::INT, |value| whole(value, ffi::no_count)
}

argument! {
    /// A port. Zero gets as far as the core, which refuses it.
    Port(u16) as hint::INT, |value| whole(value, ffi::no_port)
}

argument! {
    /// A process.
    ProcessId(u32) as hint::INT, |value| whole(value, ffi::no_process)
}

argument! {
    /// Ports.
    Ports(Vec<u16>) as hint::INTS, |value| each(value, |item| item.extract().map(|Port(port)| port))
}

argument! {
    /// Groups of ports.
    Groups(Vec<Vec<u16>>) as hint::GROUPS, |value| each(value, |item| item.extract().map(|Ports(ports)| ports))
}

argument! {
    /// One port, or several.
    OneOrMore(Vec<u16>) as hint::INT_OR_INTS, |value| {
        if value.hasattr("__index__")? { Ok(vec![value.extract::<Port>()?.0]) } else { Ok(value.extract::<Ports>()?.0) }
    }
}

argument! {
    /// Distances from the first port.
    Offsets(Vec<u16>) as hint::INTS, |value| each(value, |item| whole(item, ffi::no_offset))
}

argument! {
    /// Names.
    Names(Vec<String>) as hint::STRS, |value| each(value, |item| item.extract())
}

argument! {
    /// Texts of any origin. Lossy: what a program prints is decoded in ways that leave halves of characters.
    Texts(Vec<String>) as hint::STRS, |value| each(value, |item| Ok(item.cast::<PyString>()?.to_string_lossy().into_owned()))
}

argument! {
    /// A port by its name or its index.
    PortName(String) as hint::INT_OR_STR, |value| match value.cast::<PyString>() {
        Ok(name) => Ok(name.to_string()),
        Err(_) if value.is_instance_of::<PyBool>() => Err(no_bool()),
        Err(_) => Ok(value.extract::<i64>()?.to_string()),
    }
}

/// A port by its number, or by its name.
pub(crate) enum NumberOrName {
    Number(u16),
    Name(String),
}

argument! {
    /// Ports by number or by name: one, or several.
    PortsOrNames(Vec<NumberOrName>) as hint::PORTS_OR_NAMES, |value| {
        if value.is_instance_of::<PyString>() || value.hasattr("__index__")? {
            return Ok(vec![number_or_name(value)?]);
        }
        each(value, number_or_name)
    }
}

argument! {
    /// The status of an HTTP answer.
    Status(i64) as hint::INT, |value| whole(value, ffi::no_status)
}

argument! {
    /// The words of a command line.
    Words(Vec<OsString>) as hint::STRS, |value| each(value, |item| item.extract())
}

argument! {
    /// Names and values.
    Pairs(Vec<(String, String)>) as hint::PAIRS, |value| each(value, |item| item.extract())
}

argument! {
    /// A time in seconds, or a `datetime.timedelta`.
    Seconds(Duration) as hint::TIME, |value| {
        if value.is_instance_of::<PyBool>() {
            return Err(PyTypeError::new_err("a number of seconds is needed, not a bool"));
        }
        let number: f64 = match value.getattr_opt("total_seconds")? {
            Some(seconds) => seconds.call0()?.extract()?,
            None => value.extract()?,
        };
        ffi::seconds(number).map_err(|error| raised(value.py(), error))
    }
}

impl Seconds {
    /// Fails at once.
    pub(crate) const NONE: Self = Self(Duration::ZERO);
    /// Longer than a server takes to start or to end, unless something is wrong.
    pub(crate) const USUAL: Self = Self(Duration::from_secs(30));
}

argument! {
    /// `True` for the usual place in the worktree, `False` for none, or a path.
    EnvFilePlace(EnvFile) as hint::BOOL_OR_PATH, |value| match value.cast::<PyBool>() {
        Ok(wanted) if wanted.is_true() => Ok(EnvFile::Worktree),
        Ok(_) => Ok(EnvFile::None),
        Err(_) => Ok(EnvFile::At(value.extract::<PathBuf>()?)),
    }
}

fn number_or_name(value: Borrowed<'_, '_, PyAny>) -> PyResult<NumberOrName> {
    match value.cast::<PyString>() {
        Ok(name) => Ok(NumberOrName::Name(name.to_string())),
        Err(_) => Ok(NumberOrName::Number(value.extract::<Port>()?.0)),
    }
}

fn no_bool() -> PyErr {
    PyTypeError::new_err("a whole number is needed, not a bool")
}

/// A whole number, whatever its size: the one that fits, or what the core says of one that does not.
fn whole<T: TryFrom<i64>>(
    value: Borrowed<'_, '_, PyAny>,
    refuse: impl FnOnce(String) -> portalloc::Error,
) -> PyResult<T> {
    if value.is_instance_of::<PyBool>() {
        return Err(no_bool());
    }
    let number: i64 = match value.extract() {
        Ok(number) => number,
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => {
            return Err(raised(value.py(), refuse(value.str()?.to_string())));
        }
        Err(error) => return Err(error),
    };
    T::try_from(number).map_err(|_| raised(value.py(), refuse(number.to_string())))
}

/// The items of a list or the like. Not of a text or of bytes, whose parts nobody means one by one.
fn each<T>(
    value: Borrowed<'_, '_, PyAny>,
    extract: impl Fn(Borrowed<'_, '_, PyAny>) -> PyResult<T>,
) -> PyResult<Vec<T>> {
    if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyByteArray>()
    {
        return Err(PyTypeError::new_err(format!("a list is needed, not {}", value.repr()?)));
    }
    value.try_iter()?.map(|item| extract(item?.as_borrowed())).collect()
}

/// Which ports are asked for.
pub(crate) fn choice(
    count: Option<Count>,
    exact: Option<Ports>,
    offsets: Option<Offsets>,
    scattered: bool,
) -> PortChoice {
    PortChoice {
        count: count.map(Into::into),
        exact: exact.map(Into::into),
        offsets: offsets.map(Into::into),
        scattered,
    }
}

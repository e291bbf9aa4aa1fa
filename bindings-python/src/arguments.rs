//! Arguments as Python gives them. A wrong type is Python's own `TypeError`; a number out of range is the core's error.
//! `True` is a number to Python, and nobody who passes it for a port means 1.

use std::time::Duration;

use portalloc::{Wanted, given};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};

use crate::errors::raised;

/// A whole number, whatever its size: the one that fits, or what the core says of one that does not.
fn whole<T: TryFrom<i64>>(
    value: Borrowed<'_, '_, PyAny>,
    refuse: impl FnOnce(String) -> portalloc::Error,
) -> PyResult<T> {
    if value.is_instance_of::<PyBool>() {
        return Err(PyTypeError::new_err("a whole number is needed, not a bool"));
    }
    let number: i64 = match value.extract() {
        Ok(number) => number,
        Err(error) if error.is_instance_of::<PyTypeError>(value.py()) => return Err(error),
        Err(_) => return Err(raised(value.py(), refuse(value.str()?.to_string()))),
    };
    T::try_from(number).map_err(|_| raised(value.py(), refuse(number.to_string())))
}

/// How many ports.
pub(crate) struct Count(pub(crate) usize);

/// A port. Zero gets as far as the core, which refuses it.
pub(crate) struct Port(pub(crate) u16);

/// A process.
pub(crate) struct ProcessId(pub(crate) u32);

struct Offset(u16);

/// Ports, or the one port that stands for itself.
pub(crate) struct Ports(pub(crate) Vec<u16>);

pub(crate) struct Offsets(Vec<u16>);

/// Names; not a text, whose letters would be names.
pub(crate) struct Names(pub(crate) Vec<String>);

/// A time in seconds.
pub(crate) struct Seconds(pub(crate) Duration);

impl Seconds {
    /// As long as servers take at most, if nothing is wrong.
    pub(crate) const USUAL: Self = Self(Duration::from_secs(30));
}

impl FromPyObject<'_, '_> for Count {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        whole(value, given::no_count).map(Self)
    }
}

impl FromPyObject<'_, '_> for Port {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        whole(value, given::no_port).map(Self)
    }
}

impl FromPyObject<'_, '_> for ProcessId {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        whole(value, given::no_process).map(Self)
    }
}

impl FromPyObject<'_, '_> for Offset {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        whole(value, given::no_offset).map(Self)
    }
}

impl FromPyObject<'_, '_> for Ports {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        Ok(Self(each(value)?.into_iter().map(|Port(port)| port).collect()))
    }
}

impl FromPyObject<'_, '_> for Offsets {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        Ok(Self(each(value)?.into_iter().map(|Offset(offset)| offset).collect()))
    }
}

impl FromPyObject<'_, '_> for Names {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err(format!("names is a list of names, not the text {}", value.repr()?)));
        }
        each(value).map(Self)
    }
}

impl FromPyObject<'_, '_> for Seconds {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyBool>() {
            return Err(PyTypeError::new_err("a number of seconds is needed, not a bool"));
        }
        // A `datetime.timedelta` says its own seconds.
        let number: f64 = match value.getattr_opt("total_seconds")? {
            Some(seconds) => seconds.call0()?.extract()?,
            None => value.extract()?,
        };
        given::seconds(number).map(Self).map_err(|error| raised(value.py(), error))
    }
}

fn each<T: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr>>(value: Borrowed<'_, '_, PyAny>) -> PyResult<Vec<T>> {
    value.try_iter()?.map(|item| item?.extract()).collect()
}

fn each_or_one(value: Borrowed<'_, '_, PyAny>) -> PyResult<Vec<u16>> {
    if value.hasattr("__index__")? {
        return value.extract().map(|Port(port)| vec![port]);
    }
    value.extract().map(|Ports(ports)| ports)
}

/// One port, or several.
pub(crate) struct OneOrMore(pub(crate) Vec<u16>);

impl FromPyObject<'_, '_> for OneOrMore {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        each_or_one(value).map(Self)
    }
}

/// The ways to say which ports are wanted.
pub(crate) fn wanted(count: Option<Count>, ports: Option<Ports>, offsets: Option<Offsets>, scattered: bool) -> Wanted {
    Wanted {
        count: count.map(|Count(count)| count),
        ports: ports.map(|Ports(ports)| ports),
        offsets: offsets.map(|Offsets(offsets)| offsets),
        scattered,
    }
}

//! Arguments as JavaScript gives them, on their way to the core's. `js/arguments.js` has checked their types; the core refuses
//! a number that it cannot use, and nothing here rounds or cuts one.

use std::path::PathBuf;
use std::time::Duration;

use napi::Env;
use napi_derive::napi;
use portalloc::ffi::{self, PortChoice};
use portalloc::{Error, Result, Settings};

use crate::errors::thrown;

/// The largest integer that JavaScript can tell from its neighbours.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// The registry and the pool of a call that does not use those of the process's variables.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct Where {
    pub directory: Option<String>,
    pub pool: Option<String>,
    pub exclude: Option<String>,
}

/// Which ports are wanted.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct Ports {
    pub count: Option<f64>,
    pub exact: Option<Vec<f64>>,
    pub offsets: Option<Vec<f64>>,
    pub scattered: Option<bool>,
}

impl TryFrom<Ports> for PortChoice {
    type Error = Error;

    fn try_from(given: Ports) -> Result<Self> {
        Ok(Self {
            count: given.count.map(count).transpose()?,
            exact: given.exact.map(ports).transpose()?,
            offsets: given.offsets.map(|given| each(given, ffi::no_offset)).transpose()?,
            scattered: given.scattered.unwrap_or_default(),
        })
    }
}

/// The settings of a call.
pub(crate) fn settings(place: Option<Where>) -> Settings {
    let Where { directory, pool, exclude } = place.unwrap_or_default();
    Settings::given(directory.map(PathBuf::from), pool, exclude)
}

/// A number of ports.
pub(crate) fn count(number: f64) -> Result<usize> {
    whole(number, ffi::no_count)
}

/// A port. The core refuses 0.
pub(crate) fn port(number: f64) -> Result<u16> {
    whole(number, ffi::no_port)
}

/// Several ports.
pub(crate) fn ports(numbers: Vec<f64>) -> Result<Vec<u16>> {
    each(numbers, ffi::no_port)
}

/// A process ID.
pub(crate) fn process_id(number: f64) -> Result<u32> {
    whole(number, ffi::no_process)
}

/// The status of an HTTP answer.
pub(crate) fn status(number: f64) -> Result<i64> {
    whole(number, ffi::no_status)
}

/// An index into the ports of a lease that has `count`.
pub(crate) fn index(number: f64, count: usize) -> Result<usize> {
    whole(number, |shown| ffi::no_index(shown, count))
}

/// A time in milliseconds.
pub(crate) fn milliseconds(number: Option<f64>) -> Result<Option<Duration>> {
    number.map(ffi::milliseconds).transpose()
}

/// The value, or the error as an exception.
pub(crate) fn checked<T>(env: &Env, converted: Result<T>) -> napi::Result<T> {
    converted.map_err(|error| thrown(env, &error))
}

fn each(numbers: Vec<f64>, refuse: impl Fn(String) -> Error) -> Result<Vec<u16>> {
    numbers.into_iter().map(|number| whole(number, &refuse)).collect()
}

fn whole<T: TryFrom<i64>>(number: f64, refuse: impl FnOnce(String) -> Error) -> Result<T> {
    let whole = (number.fract() == 0.0 && number.abs() <= MAX_SAFE).then(|| T::try_from(number as i64).ok()).flatten();
    whole.ok_or_else(|| refuse(shown(number)))
}

/// As JavaScript writes it.
fn shown(number: f64) -> String {
    match number {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ => number.to_string(),
    }
}

//! Arguments as JavaScript gives them. Types were checked in `js/arguments.js`; a number that is none of those that can be
//! meant is the core's error, never another number.

use std::time::Duration;

use napi::Env;
use napi_derive::napi;
use portalloc::ffi::Wanted;
use portalloc::{Error, Result, ffi};

use crate::errors::thrown;

/// The largest whole number that JavaScript can tell from its neighbours.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// The registry and the pool of a call, where it does not go by the process's variables.
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
    pub ports: Option<Vec<f64>>,
    pub offsets: Option<Vec<f64>>,
    pub scattered: Option<bool>,
}

impl TryFrom<Ports> for Wanted {
    type Error = Error;

    fn try_from(given: Ports) -> Result<Self> {
        Ok(Self {
            count: given.count.map(count).transpose()?,
            ports: given.ports.map(ports).transpose()?,
            offsets: given.offsets.map(|given| each(given, ffi::no_offset)).transpose()?,
            scattered: given.scattered.unwrap_or_default(),
        })
    }
}

/// How many ports.
pub(crate) fn count(number: f64) -> Result<usize> {
    whole(number, ffi::no_count)
}

/// A port. Zero gets as far as the core, which refuses it.
pub(crate) fn port(number: f64) -> Result<u16> {
    whole(number, ffi::no_port)
}

/// Several.
pub(crate) fn ports(numbers: Vec<f64>) -> Result<Vec<u16>> {
    each(numbers, ffi::no_port)
}

/// A process.
pub(crate) fn process_id(number: f64) -> Result<u32> {
    whole(number, ffi::no_process)
}

/// An index of a port of a lease that has so many.
pub(crate) fn index(number: f64, count: usize) -> Result<usize> {
    whole(number, |shown| ffi::no_index(shown, count))
}

/// A time in milliseconds.
pub(crate) fn milliseconds(number: Option<f64>) -> Result<Option<Duration>> {
    number.map(ffi::milliseconds).transpose()
}

/// What `converted` says, or its error thrown.
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

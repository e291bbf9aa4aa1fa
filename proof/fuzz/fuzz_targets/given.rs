//! What the borders of other languages pass on: numbers, addresses, several ways to name ports.

#![no_main]

use std::net::IpAddr;
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::ffi::{PortChoice, address, milliseconds, seconds, syntax};
use portalloc::{EnvironmentRequest, ErrorCode, LeaseRequest};
use portalloc_fuzz::refused;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    number: f64,
    whole: i64,
    text: &'a str,
    count: Option<usize>,
    ports: Option<Vec<u16>>,
    offsets: Option<Vec<u16>>,
    scattered: bool,
}

fn check_time(number: f64, unit: f64, read: portalloc::Result<Duration>) {
    match read {
        Ok(time) => {
            assert!(number >= 0.0, "{number} is no time, but was taken for {time:?}");
            let error = (time.as_secs_f64() - number / unit).abs();
            assert!(time == Duration::MAX || error <= 1e-9 + time.as_secs_f64() * 1e-12, "{number} became {time:?}");
            assert!(time != Duration::MAX || number / unit > 1e19, "{number} became infinite");
        }
        Err(error) => {
            assert!(number.is_nan() || number < 0.0, "{number}: {error}");
            refused(&error, ErrorCode::InvalidArgument);
        }
    }
}

fuzz_target!(|input: Input<'_>| {
    for number in [input.number, input.whole as f64, 1.0 / input.whole as f64] {
        check_time(number, 1.0, seconds(number));
        check_time(number, 1000.0, milliseconds(number));
    }
    match address(input.text) {
        Ok(found) => assert!(
            matches!(input.text, "" | "localhost") || input.text.parse::<IpAddr>().ok() == Some(found),
            "{:?} became {found}",
            input.text
        ),
        Err(error) => refused(&error, ErrorCode::InvalidArgument),
    }
    if let Err(error) = syntax(input.text) {
        refused(&error, ErrorCode::InvalidArgument);
    }

    let Input { count, ports, offsets, scattered, .. } = input;
    let wanted = PortChoice { count, exact: ports.clone(), offsets: offsets.clone(), scattered };
    let ways = usize::from(ports.is_some()) + usize::from(offsets.is_some()) + usize::from(scattered);
    let named = ports.as_ref().or(offsets.as_ref()).map(Vec::len);
    let is_fine = ways <= 1 && (count.is_none() || named.is_none() || count == named);
    let of_environment = wanted.clone().of_environment(EnvironmentRequest::new()).map(drop);
    match wanted.request() {
        Ok(request) => {
            assert!(is_fine && of_environment.is_ok());
            assert_eq!(request.count(), named.or(count).unwrap_or(1));
            assert_eq!(
                request,
                match (ports, offsets) {
                    (Some(ports), _) => LeaseRequest::exact(ports),
                    (_, Some(offsets)) => LeaseRequest::offsets(offsets),
                    _ if scattered => LeaseRequest::scattered(count.unwrap_or(1)),
                    _ => LeaseRequest::run(count.unwrap_or(1)),
                }
            );
        }
        Err(error) => {
            assert!(!is_fine, "{error}");
            refused(&error, ErrorCode::InvalidArgument);
            assert_eq!(of_environment.unwrap_err().message(), error.message());
        }
    }
});

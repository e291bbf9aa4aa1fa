//! Single values as callers in other languages pass them: numbers of any size and sign, and texts that name something.
//! Pure.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::names::check_name;
use crate::template::index_in;
use crate::variables::Syntax;

/// Parses an IP address, or `localhost`, which is 127.0.0.1. Empty text is every address.
///
/// # Errors
/// `invalid_argument` for any other text: host names are not resolved.
pub fn address(text: &str) -> Result<IpAddr> {
    match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        "" => Ok(Ipv4Addr::UNSPECIFIED.into()),
        _ => text.parse().map_err(|_| {
            Error::invalid_argument(
                format!("{text:?} is not an IP address"),
                "use one such as 127.0.0.1, ::1, 0.0.0.0 or ::, without a zone",
            )
        }),
    }
}

/// Checks a word that names a port of an environment before the environment is looked up: a name, or an index in digits.
///
/// # Errors
/// `invalid_argument` for text that no port can have as its name.
pub fn check_port_name(text: &str) -> Result<()> {
    match index_in(text) {
        Some(_) => Ok(()),
        None => check_name(text),
    }
}

/// Parses the name of a syntax: `shell`, `fish`, `powershell`, `dotenv`, `github`.
///
/// # Errors
/// `invalid_argument` for any other name.
pub fn syntax(name: &str) -> Result<Syntax> {
    Ok(match name {
        "shell" => Syntax::Shell,
        "fish" => Syntax::Fish,
        "powershell" => Syntax::PowerShell,
        "dotenv" => Syntax::Dotenv,
        "github" => Syntax::Github,
        _ => {
            return Err(Error::invalid_argument(
                format!("{name:?} is not a known syntax for variables"),
                "use shell, fish, powershell, dotenv or github",
            ));
        }
    })
}

/// Converts seconds. Infinity means no limit.
///
/// # Errors
/// `invalid_argument` for a negative number and for NaN.
pub fn seconds(number: f64) -> Result<Duration> {
    time(number, 1.0).ok_or_else(|| no_time(number, "use 0 or more seconds"))
}

/// Converts milliseconds. Infinity means no limit.
///
/// # Errors
/// `invalid_argument` for a negative number and for NaN.
pub fn milliseconds(number: f64) -> Result<Duration> {
    time(number, 1000.0).ok_or_else(|| no_time(number, "use 0 or more milliseconds"))
}

/// Checks the sign before the conversion, which would round a tiny negative number to zero.
fn time(number: f64, in_a_second: f64) -> Option<Duration> {
    // A number that is too large for a `Duration` means no limit.
    (number >= 0.0).then(|| Duration::try_from_secs_f64(number / in_a_second).unwrap_or(Duration::MAX))
}

fn no_time(number: f64, remedy: &str) -> Error {
    Error::invalid_argument(format!("{number} is not a valid time"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn times_of_any_size() {
        assert_eq!(seconds(1.5).unwrap(), Duration::from_millis(1500));
        assert_eq!(milliseconds(1500.0).unwrap(), Duration::from_millis(1500));
        assert_eq!(seconds(0.0).unwrap(), Duration::ZERO);
        assert_eq!(seconds(1e300).unwrap(), Duration::MAX);
        assert_eq!(seconds(f64::INFINITY).unwrap(), Duration::MAX);
        assert_eq!(seconds(-0.0).unwrap(), Duration::ZERO);
        for bad in [-1.0, -1e-12, -f64::from_bits(1), f64::NAN, f64::NEG_INFINITY] {
            let error = seconds(bad).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            assert!(error.message().starts_with(&bad.to_string()), "{error}");
            assert!(milliseconds(bad).unwrap_err().message().starts_with(&bad.to_string()));
        }
    }

    #[test]
    fn a_word_that_no_port_can_have_as_its_name() {
        for good in ["web", "my-db", "_1", "0", "12"] {
            assert!(check_port_name(good).is_ok(), "{good}");
        }
        for bad in ["", "1x", "-1", "a b", "a\u{1b}[2J", "99999999999999999999999"] {
            assert_eq!(check_port_name(bad).unwrap_err().code(), ErrorCode::InvalidArgument, "{bad:?}");
        }
    }

    #[test]
    fn addresses_are_not_looked_up() {
        assert_eq!(address("localhost").unwrap().to_string(), "127.0.0.1");
        assert_eq!(address("").unwrap().to_string(), "0.0.0.0");
        assert_eq!(address("::1").unwrap().to_string(), "::1");
        for bad in ["example.org", "127.0.0.1:80", "fe80::1%eth0", "1.2.3"] {
            assert!(address(bad).unwrap_err().message().contains(bad));
        }
    }
}

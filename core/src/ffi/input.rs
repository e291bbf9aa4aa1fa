//! What callers of other languages give, before it is a request: numbers of any size and sign, and several ways to name
//! ports of which only one can be meant. Pure. Here, so that every language refuses the same with the same words.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::environment::EnvironmentRequest;
use crate::error::{Error, Result};
use crate::lease::LeaseRequest;
use crate::variables::Syntax;

/// Which ports, as keyword arguments name them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// How many.
    pub count: Option<usize>,
    /// Exactly these.
    pub ports: Option<Vec<u16>>,
    /// A base and the ports at these distances.
    pub offsets: Option<Vec<u16>>,
    /// Ports that need not be consecutive.
    pub scattered: bool,
}

impl Wanted {
    /// The request for a lease; one port, if nothing is said.
    ///
    /// # Errors
    /// `invalid_argument` if more than one way is used, or the number is not that of the ports named.
    pub fn request(self) -> Result<LeaseRequest> {
        self.check()?;
        let Self { count, ports, offsets, scattered } = self;
        Ok(match (ports, offsets) {
            (Some(ports), _) => LeaseRequest::exact(ports),
            (None, Some(offsets)) => LeaseRequest::offsets(offsets),
            (None, None) if scattered => LeaseRequest::scattered(count.unwrap_or(1)),
            (None, None) => LeaseRequest::run(count.unwrap_or(1)),
        })
    }

    /// The same for an environment, which knows how many ports it has if nothing is said.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn of_environment(self, mut request: EnvironmentRequest) -> Result<EnvironmentRequest> {
        self.check()?;
        if let Some(count) = self.count {
            request = request.ports(count);
        }
        Ok(match (self.ports, self.offsets) {
            (Some(ports), _) => request.exact(ports),
            (None, Some(offsets)) => request.offsets(offsets),
            (None, None) if self.scattered => request.scattered(),
            (None, None) => request,
        })
    }

    fn check(&self) -> Result<()> {
        let ways = [self.ports.is_some(), self.offsets.is_some(), self.scattered];
        if ways.into_iter().filter(|used| *used).count() > 1 {
            return Err(Error::invalid_argument(
                "several of ports, offsets and scattered were given",
                "say in one way only which ports are wanted",
            ));
        }
        let named = self.ports.as_ref().or(self.offsets.as_ref()).map(Vec::len);
        match (self.count, named) {
            (Some(count), Some(named)) if count != named => Err(Error::invalid_argument(
                format!("{count} ports asked for, but {named} named"),
                "leave the number out: the ports or offsets set it",
            )),
            _ => Ok(()),
        }
    }
}

/// An address of this machine, or `localhost`, which is 127.0.0.1; the empty text is every address.
///
/// # Errors
/// `invalid_argument` for any other text: names are not looked up.
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

/// The syntax of this name: `shell`, `fish`, `powershell`, `dotenv`, `github`.
///
/// # Errors
/// `invalid_argument` for any other.
pub fn syntax(name: &str) -> Result<Syntax> {
    Ok(match name {
        "shell" => Syntax::Shell,
        "fish" => Syntax::Fish,
        "powershell" => Syntax::PowerShell,
        "dotenv" => Syntax::Dotenv,
        "github" => Syntax::Github,
        _ => {
            return Err(Error::invalid_argument(
                format!("{name:?} is no syntax that variables can be written in"),
                "use shell, fish, powershell, dotenv or github",
            ));
        }
    })
}

/// Seconds as a time. Infinity is as long as it takes.
///
/// # Errors
/// `invalid_argument` for a negative number and for none at all.
pub fn seconds(number: f64) -> Result<Duration> {
    time(number, 1.0).ok_or_else(|| no_time(number, "name seconds from 0 on"))
}

/// Milliseconds as a time. Infinity is as long as it takes.
///
/// # Errors
/// `invalid_argument` for a negative number and for none at all.
pub fn milliseconds(number: f64) -> Result<Duration> {
    time(number, 1000.0).ok_or_else(|| no_time(number, "name milliseconds from 0 on"))
}

/// Judged as it was given: what is a little less than nothing would be rounded to nothing.
fn time(number: f64, in_a_second: f64) -> Option<Duration> {
    // What is too long to be counted is as long as it takes.
    (number >= 0.0).then(|| Duration::try_from_secs_f64(number / in_a_second).unwrap_or(Duration::MAX))
}

fn no_time(number: f64, remedy: &str) -> Error {
    Error::invalid_argument(format!("{number} is no time to wait"), remedy)
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
    fn addresses_are_not_looked_up() {
        assert_eq!(address("localhost").unwrap().to_string(), "127.0.0.1");
        assert_eq!(address("").unwrap().to_string(), "0.0.0.0");
        assert_eq!(address("::1").unwrap().to_string(), "::1");
        for bad in ["example.org", "127.0.0.1:80", "fe80::1%eth0", "1.2.3"] {
            assert!(address(bad).unwrap_err().message().contains(bad));
        }
    }

    #[test]
    fn one_way_to_name_ports() {
        let refused = |wanted: Wanted| {
            let of_environment = wanted.clone().of_environment(EnvironmentRequest::new()).unwrap_err();
            let error = wanted.request().unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            assert_eq!(error.message(), of_environment.message());
            error.message().to_owned()
        };
        let (ports, offsets) = (Some(vec![1, 2]), Some(vec![0, 1]));
        let several = "several of ports, offsets and scattered were given";
        assert_eq!(refused(Wanted { ports: ports.clone(), offsets: offsets.clone(), ..Wanted::default() }), several);
        assert_eq!(refused(Wanted { ports: ports.clone(), scattered: true, ..Wanted::default() }), several);
        assert_eq!(refused(Wanted { offsets: offsets.clone(), scattered: true, ..Wanted::default() }), several);
        let mismatch = Wanted { count: Some(3), ports: ports.clone(), ..Wanted::default() };
        assert_eq!(refused(mismatch), "3 ports asked for, but 2 named");
        let request = |wanted: Wanted| wanted.request().unwrap();
        assert_eq!(request(Wanted::default()), LeaseRequest::run(1));
        assert_eq!(
            request(Wanted { count: Some(4), scattered: true, ..Wanted::default() }),
            LeaseRequest::scattered(4)
        );
        assert_eq!(request(Wanted { count: Some(2), offsets, ..Wanted::default() }), LeaseRequest::offsets([0, 1]));
        assert_eq!(request(Wanted { ports, ..Wanted::default() }), LeaseRequest::exact([1, 2]));
    }
}

//! Options as callers in other languages pass them, to be turned into requests. `None` means not given. Pure. In one
//! place, so that every language interprets and rejects the same.

use std::path::PathBuf;
use std::time::Duration;

use crate::environment::{EnvFile, EnvironmentRequest};
use crate::error::{Error, Result};
use crate::lease::LeaseRequest;

/// Which ports, as keyword arguments give them.
///
/// ```
/// use portalloc::ffi::PortChoice;
///
/// let request = PortChoice { count: Some(3), ..PortChoice::default() }.request()?;
/// assert_eq!(request.count(), 3);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortChoice {
    /// The number of ports.
    pub count: Option<usize>,
    /// Exactly these ports.
    pub exact: Option<Vec<u16>>,
    /// A base port and the ports at these distances from it.
    pub offsets: Option<Vec<u16>>,
    /// Ports that need not be consecutive.
    pub scattered: bool,
}

impl PortChoice {
    /// The request for a lease; one port by default.
    ///
    /// # Errors
    /// `invalid_argument` if more than one of the ways is used, or if the number differs from that of the ports given.
    pub fn request(self) -> Result<LeaseRequest> {
        self.check()?;
        let Self { count, exact, offsets, scattered } = self;
        Ok(match (exact, offsets) {
            (Some(ports), _) => LeaseRequest::exact(ports),
            (None, Some(offsets)) => LeaseRequest::offsets(offsets),
            (None, None) if scattered => LeaseRequest::scattered(count.unwrap_or(1)),
            (None, None) => LeaseRequest::run(count.unwrap_or(1)),
        })
    }

    /// The same for an environment, which has its own default for the number of ports.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn of_environment(self, mut request: EnvironmentRequest) -> Result<EnvironmentRequest> {
        self.check()?;
        if let Some(count) = self.count {
            request = request.ports(count);
        }
        Ok(match (self.exact, self.offsets) {
            (Some(ports), _) => request.exact(ports),
            (None, Some(offsets)) => request.offsets(offsets),
            (None, None) if self.scattered => request.scattered(),
            (None, None) => request,
        })
    }

    fn check(&self) -> Result<()> {
        let ways = [self.exact.is_some(), self.offsets.is_some(), self.scattered];
        if ways.into_iter().filter(|used| *used).count() > 1 {
            return Err(Error::invalid_argument(
                "more than one of exact, offsets and scattered was given",
                "use only one of them",
            ));
        }
        let named = self.exact.as_ref().or(self.offsets.as_ref()).map(Vec::len);
        match (self.count, named) {
            (Some(count), Some(named)) if count != named => Err(Error::invalid_argument(
                format!("{count} ports asked for, but {named} named"),
                "leave the number out: the ports or offsets set it",
            )),
            _ => Ok(()),
        }
    }
}

/// The options of a lease.
///
/// ```
/// use portalloc::ffi::LeaseOptions;
///
/// let request = LeaseOptions { guard: true, ..LeaseOptions::default() }.request()?;
/// assert_eq!(request.count(), 1);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaseOptions {
    /// Which ports; one by default.
    pub ports: PortChoice,
    /// How long to wait for ports to become free.
    pub wait: Option<Duration>,
    /// Whether the ports are guarded against foreign processes until the server starts.
    pub guard: bool,
    /// Prefers the ports that this key was given before on this machine.
    pub sticky_key: Option<String>,
    /// Base ports to try before all others.
    pub prefer: Vec<u16>,
    /// Where in the program the lease is taken, if the language tells.
    pub place: Option<String>,
}

impl LeaseOptions {
    /// The request.
    ///
    /// # Errors
    /// As [`PortChoice::request`].
    pub fn request(self) -> Result<LeaseRequest> {
        let mut request = self.ports.request()?.guard(self.guard).place(self.place.unwrap_or_default());
        if let Some(wait) = self.wait {
            request = request.wait(wait);
        }
        if let Some(key) = self.sticky_key {
            request = request.sticky(key);
        }
        Ok(request.prefer(self.prefer))
    }
}

/// The options of an environment: see the methods of [`EnvironmentRequest`] with the same names.
///
/// ```
/// use portalloc::ffi::EnvironmentOptions;
///
/// let options = EnvironmentOptions { names: Some(vec!["web".to_owned()]), ..EnvironmentOptions::default() };
/// let request = options.request()?;
/// # drop(request);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the argument of the request's method of its name")]
pub struct EnvironmentOptions {
    /// Which ports; by default as many as there are names, else five.
    pub ports: PortChoice,
    pub names: Option<Vec<String>>,
    pub instance_id: Option<String>,
    pub worktree: Option<PathBuf>,
    pub env_file: Option<EnvFile>,
    pub kept: bool,
    pub ttl: Option<Duration>,
    pub owner_pid: Option<u32>,
    pub guard: Option<bool>,
    pub sticky: Option<bool>,
    pub prefer: Option<Vec<u16>>,
    pub wait: Option<Duration>,
    /// Where in the program it is created, if the language tells.
    pub place: Option<String>,
}

impl EnvironmentOptions {
    /// The request.
    ///
    /// # Errors
    /// As [`PortChoice::of_environment`].
    pub fn request(self) -> Result<EnvironmentRequest> {
        /// Calls one setter, if its value was given.
        fn set<T>(
            request: EnvironmentRequest,
            value: Option<T>,
            setter: impl FnOnce(EnvironmentRequest, T) -> EnvironmentRequest,
        ) -> EnvironmentRequest {
            match value {
                Some(value) => setter(request, value),
                None => request,
            }
        }
        let mut request = EnvironmentRequest::new().place(self.place.unwrap_or_default());
        request = set(request, self.names, EnvironmentRequest::names);
        request = set(request, self.instance_id, EnvironmentRequest::instance_id);
        request = set(request, self.worktree, EnvironmentRequest::worktree);
        request = set(request, self.env_file, EnvironmentRequest::env_file);
        request = set(request, self.kept.then_some(()), |request, ()| request.kept());
        request = set(request, self.ttl, EnvironmentRequest::ttl);
        request = set(request, self.owner_pid, EnvironmentRequest::owner_pid);
        request = set(request, self.guard, EnvironmentRequest::guard);
        request = set(request, self.sticky, EnvironmentRequest::sticky);
        request = set(request, self.prefer, EnvironmentRequest::prefer);
        request = set(request, self.wait, EnvironmentRequest::wait);
        self.ports.of_environment(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn one_way_to_name_ports() {
        let refused = |wanted: PortChoice| {
            let of_environment = wanted.clone().of_environment(EnvironmentRequest::new()).unwrap_err();
            let error = wanted.request().unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            assert_eq!(error.message(), of_environment.message());
            error.message().to_owned()
        };
        let (ports, offsets) = (Some(vec![1, 2]), Some(vec![0, 1]));
        let several = "more than one of exact, offsets and scattered was given";
        assert_eq!(
            refused(PortChoice { exact: ports.clone(), offsets: offsets.clone(), ..PortChoice::default() }),
            several
        );
        assert_eq!(refused(PortChoice { exact: ports.clone(), scattered: true, ..PortChoice::default() }), several);
        assert_eq!(refused(PortChoice { offsets: offsets.clone(), scattered: true, ..PortChoice::default() }), several);
        let mismatch = PortChoice { count: Some(3), exact: ports.clone(), ..PortChoice::default() };
        assert_eq!(refused(mismatch), "3 ports asked for, but 2 named");
        let request = |wanted: PortChoice| wanted.request().unwrap();
        assert_eq!(request(PortChoice::default()), LeaseRequest::run(1));
        assert_eq!(
            request(PortChoice { count: Some(4), scattered: true, ..PortChoice::default() }),
            LeaseRequest::scattered(4)
        );
        assert_eq!(
            request(PortChoice { count: Some(2), offsets, ..PortChoice::default() }),
            LeaseRequest::offsets([0, 1])
        );
        assert_eq!(request(PortChoice { exact: ports, ..PortChoice::default() }), LeaseRequest::exact([1, 2]));
    }
}

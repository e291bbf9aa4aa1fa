//! Which ports may be leased, and in which order to try them. Pure: the caller passes in what the kernel says and the
//! random numbers; knows neither sockets nor the registry.

mod census;
mod grid;
mod known;
mod map;
mod order;

pub use crate::port_set::{KernelPorts, PortRange, PortSet};
pub use census::Census;
pub(crate) use grid::Grid;
pub use map::{PoolMap, PortClass};
pub(crate) use order::{Cursor, random_bases, rotated};

use crate::error::{Error, Result};

/// The pool when neither an argument nor `PORTALLOC_POOL` names one.
pub const DEFAULT_POOL: &str = "20000-29999";

/// The ports that may be leased, and the reasons why others were left out.
///
/// ```
/// use portalloc::pool::{KernelPorts, Pool};
///
/// let pool = Pool::new(Some("21000-21009"), Some("21005"), &KernelPorts::default())?;
/// assert_eq!(pool.ports().to_string(), "21000-21004,21006-21009");
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pool {
    asked: String,
    ports: PortSet,
    excluded: PortSet,
    warnings: Vec<String>,
}

impl Pool {
    /// Builds the pool from its notation and the ports to exclude.
    ///
    /// `asked` is `None` for the default. A pool that was asked for and lies entirely inside the ephemeral range is
    /// used as it is, with a warning; otherwise the part inside that range is left out.
    ///
    /// # Errors
    /// `invalid_argument` if a notation is malformed or no port is left.
    pub fn new(asked: Option<&str>, exclude: Option<&str>, kernel: &KernelPorts) -> Result<Self> {
        let text = asked.unwrap_or(DEFAULT_POOL);
        let whole = PortSet::parse(text).map_err(|error| error.recast(crate::ErrorCode::InvalidArgument, "pool: "))?;
        if whole.is_empty() {
            return Err(Error::invalid_argument("the pool is empty", format!("name ports, such as {DEFAULT_POOL}")));
        }
        // The parsed form, because the text may have control characters around its items.
        let text = whole.to_string();
        let exclude = PortSet::parse(exclude.unwrap_or_default())
            .map_err(|error| error.recast(crate::ErrorCode::InvalidArgument, "exclusions: "))?;

        let mut warnings = Vec::new();
        let ephemeral: PortSet = kernel.ephemeral.into_iter().collect();
        let outside = whole.without(&ephemeral);
        let mut ports = outside.clone();
        if outside.is_empty() && asked.is_some() {
            warnings.push(format!(
                "the pool {text} lies inside the ephemeral range {ephemeral}: an outgoing connection or a bind(0) of any \
                 program may take a leased port before your server binds it; choose a pool outside of {ephemeral}"
            ));
            ports = whole.clone();
        } else if outside != whole && asked.is_some() {
            let lost = whole.intersection(&ephemeral);
            warnings.push(format!(
                "{lost} of the pool {text} is left out: it lies in the ephemeral range {ephemeral}, which the kernel gives out itself"
            ));
        }

        let known = known::known_ports();
        let ports = ports.without(&kernel.reserved).without(&known).without(&exclude);
        if ports.is_empty() {
            return Err(Error::invalid_argument(
                format!("the pool {text} has no port left{}", reasons(&whole, &ephemeral, kernel, &known, &exclude)),
                "name a wider pool or fewer exclusions",
            ));
        }
        Ok(Self { asked: text, ports, excluded: exclude, warnings })
    }

    /// The pool that was asked for, such as `20000-29999`.
    #[must_use]
    pub fn asked(&self) -> &str {
        &self.asked
    }

    /// The ports that may be leased.
    #[must_use]
    pub fn ports(&self) -> &PortSet {
        &self.ports
    }

    /// Whether the user excluded `port`.
    pub(crate) fn excludes(&self, port: u16) -> bool {
        self.excluded.contains(port)
    }

    /// Warnings about this pool for the user, one sentence each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Why no port was left, naming the services whose ports were asked for.
fn reasons(whole: &PortSet, ephemeral: &PortSet, kernel: &KernelPorts, known: &PortSet, exclude: &PortSet) -> String {
    let mut parts = Vec::new();
    let mut part = |cut: &PortSet, why: &str| {
        let cut = whole.intersection(cut);
        if !cut.is_empty() {
            parts.push(format!("{cut} {why}"));
        }
    };
    part(exclude, "excluded");
    part(&kernel.reserved, "in ip_local_reserved_ports");
    if !whole.without(ephemeral).is_empty() {
        part(ephemeral, "in the ephemeral range");
    }
    let services: Vec<_> =
        known::KNOWN_PORTS.iter().filter(|known| whole.contains(known.port)).map(|known| known.service).collect();
    part(known, &format!("used by default by {}", services.join(", ")));
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel() -> KernelPorts {
        KernelPorts { ephemeral: PortRange::new(32768, 60999), reserved: PortSet::parse("21000-21009").unwrap() }
    }

    #[test]
    fn the_default_leaves_out_reserved_and_known_ports() {
        let pool = Pool::new(None, Some("20001"), &kernel()).unwrap();
        for out in [20000, 20001, 21000, 21009, 26379, 27017, 30000] {
            assert!(!pool.ports().contains(out), "{out}");
        }
        assert!(pool.ports().contains(20002) && pool.ports().contains(29999));
        assert!(pool.warnings().is_empty());
    }

    #[test]
    fn white_space_in_the_notation_is_not_shown() {
        let asked = Some("\u{b}27100 ,\r\n27101\t");
        let pool = Pool::new(asked, None, &kernel()).unwrap();
        assert_eq!(pool.asked(), "27100-27101");
        let error = Pool::new(asked, Some("27100-27101"), &kernel()).unwrap_err();
        assert_eq!(error.message(), "the pool 27100-27101 has no port left: 27100-27101 excluded");
    }

    #[test]
    fn the_default_gives_way_to_an_ephemeral_range_without_a_warning() {
        let kernel = KernelPorts { ephemeral: PortRange::new(25000, 60999), ..KernelPorts::default() };
        let pool = Pool::new(None, None, &kernel).unwrap();
        assert_eq!(pool.ports().span(), PortRange::new(20001, 24999));
        assert!(pool.warnings().is_empty());
    }

    #[test]
    fn a_pool_partly_in_the_ephemeral_range_is_cut_and_says_so() {
        let pool = Pool::new(Some("32000-33000"), None, &kernel()).unwrap();
        assert_eq!(pool.ports().to_string(), "32000-32767");
        assert!(pool.warnings()[0].contains("32768-33000"));
    }

    #[test]
    fn a_pool_inside_the_ephemeral_range_is_taken_with_a_warning() {
        let pool = Pool::new(Some("40000-40099"), None, &kernel()).unwrap();
        assert_eq!(pool.ports().to_string(), "40000-40099");
        assert!(pool.warnings()[0].contains("bind(0)"));
    }

    #[test]
    fn an_empty_pool_says_why() {
        let error = Pool::new(Some("27017"), None, &kernel()).unwrap_err();
        assert!(error.message().contains("MongoDB"), "{error}");
        let error = Pool::new(Some("100-110"), Some("100-110"), &kernel()).unwrap_err();
        assert!(error.message().contains("100-110 excluded"), "{error}");
        assert!(Pool::new(Some(" "), None, &kernel()).is_err());
    }
}

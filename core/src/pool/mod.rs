//! Which ports may be leased, and in which order to try them. Pure: the caller passes in what the kernel says and the
//! random numbers; knows neither sockets nor the registry.

mod bases;
mod browsers;
mod census;
mod default;
mod grid;
mod known;
mod left_out;
mod map;
mod order;

pub use crate::port_set::{KernelPorts, PortRange, PortSet, parse_ports};
pub use census::Census;
pub use default::DEFAULT_POOL;
pub(crate) use grid::Grid;
pub use left_out::{LeftOut, LeftOutReason};
pub use map::{PoolMap, PortClass};
pub(crate) use order::{Cursor, random_bases, rotated};

use crate::error::{Error, Result};

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
    kernel: KernelPorts,
    left_out: Vec<LeftOut>,
    warnings: Vec<String>,
}

impl Pool {
    /// Builds the pool from its notation and the ports to exclude.
    ///
    /// `asked` is `None` for the default: 20000-29999 without the ephemeral range, or, if that leaves fewer than 2,000
    /// ports, the largest window of at least 1,000 beside that range, in 10000-32767 or else in 1024-9999. A pool that
    /// lies entirely inside the ephemeral range, because it was asked for or because there is no such window, is used as
    /// it is, with a warning.
    ///
    /// # Errors
    /// `invalid_argument` if a notation is malformed or no port is left.
    pub fn new(asked: Option<&str>, exclude: Option<&str>, kernel: &KernelPorts) -> Result<Self> {
        let exclude = PortSet::parse(exclude.unwrap_or_default())
            .map_err(|error| error.recast(crate::ErrorCode::InvalidArgument, "exclusions: "))?;
        let ephemeral: PortSet = kernel.ephemeral.into_iter().collect();
        let (whole, warning) = match asked {
            Some(text) => asked_for(text, &ephemeral)?,
            None => default::choose(kernel),
        };
        // A pool that only the ephemeral range has is used all the same.
        let avoided = if whole.without(&ephemeral).is_empty() { PortSet::default() } else { ephemeral };
        let left_out: Vec<LeftOut> = [
            (LeftOutReason::Ephemeral, &avoided),
            (LeftOutReason::Reserved, &kernel.reserved),
            (LeftOutReason::Excluded, &exclude),
            (LeftOutReason::Known, &known::known_ports()),
            (LeftOutReason::Refused, &browsers::refused_ports()),
        ]
        .map(|(reason, cut)| LeftOut { ports: whole.intersection(cut), reason })
        .into_iter()
        .filter(|left_out| !left_out.ports.is_empty())
        .collect();
        let ports = left_out.iter().fold(whole.clone(), |ports, cut| ports.without(&cut.ports));
        // The parsed form, because the text may have control characters around its items.
        let asked = whole.to_string();
        if ports.is_empty() {
            return Err(nothing_left(&asked, &left_out, kernel));
        }
        let warnings = warning.into_iter().collect();
        Ok(Self { asked, ports, excluded: exclude, kernel: kernel.clone(), left_out, warnings })
    }

    /// The pool that was asked for, or the default on this machine, such as `20000-29999`.
    #[must_use]
    pub fn asked(&self) -> &str {
        &self.asked
    }

    /// The ports that may be leased.
    #[must_use]
    pub fn ports(&self) -> &PortSet {
        &self.ports
    }

    /// The ports of the pool that are not leased, by reason.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Warnings about this pool for the user, one sentence each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The pool that a user names, and the warning that it deserves.
fn asked_for(text: &str, ephemeral: &PortSet) -> Result<(PortSet, Option<String>)> {
    let whole = PortSet::parse(text).map_err(|error| error.recast(crate::ErrorCode::InvalidArgument, "pool: "))?;
    if whole.is_empty() {
        return Err(Error::invalid_argument("the pool is empty", format!("name ports, such as {DEFAULT_POOL}")));
    }
    let lost = whole.intersection(ephemeral);
    let warning = if lost.is_empty() {
        None
    } else if lost == whole {
        Some(format!(
            "the pool {whole} lies inside the ephemeral range {ephemeral}: an outgoing connection or a bind(0) of any \
             program may take a leased port before your server binds it; choose a pool outside of {ephemeral}"
        ))
    } else {
        Some(format!(
            "{lost} of the pool {whole} is left out: it lies in the ephemeral range {ephemeral}, which the kernel gives out itself"
        ))
    };
    Ok((whole, warning))
}

fn nothing_left(asked: &str, left_out: &[LeftOut], kernel: &KernelPorts) -> Error {
    let reasons: Vec<_> = left_out.iter().map(ToString::to_string).collect();
    let has = |reason| left_out.iter().any(|left_out| left_out.reason == reason);
    let remedy = match kernel.ephemeral {
        Some(ephemeral) if has(LeftOutReason::Ephemeral) => format!("name a wider pool, outside of {ephemeral}"),
        _ if has(LeftOutReason::Excluded) => "name a wider pool or fewer exclusions".to_owned(),
        _ => "name a wider pool".to_owned(),
    };
    Error::invalid_argument(format!("the pool {asked} has no port left: {}", reasons.join("; ")), remedy)
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
    fn a_default_that_the_ephemeral_range_covers_is_another_window() {
        let kernel = KernelPorts { ephemeral: PortRange::new(15000, 65000), ..KernelPorts::default() };
        let pool = Pool::new(None, None, &kernel).unwrap();
        assert_eq!(pool.asked(), "10000-14999");
        assert!(!pool.ports().contains(10080), "browsers refuse it");
        assert!(pool.warnings().is_empty());
    }

    #[test]
    fn a_default_without_any_window_is_used_with_one_warning() {
        let kernel = KernelPorts { ephemeral: PortRange::new(1024, 65535), ..KernelPorts::default() };
        let pool = Pool::new(None, None, &kernel).unwrap();
        assert_eq!(pool.ports().span(), PortRange::new(20001, 29999));
        let [warning] = pool.warnings() else { panic!("{:?}", pool.warnings()) };
        assert!(warning.contains("1024-65535") && warning.contains("bind(0)"), "{warning}");
    }

    #[test]
    fn no_pool_has_a_port_that_browsers_refuse() {
        let pool = Pool::new(Some("1-7000"), None, &KernelPorts::default()).unwrap();
        for port in [22, 2049, 6000, 6667, 6697] {
            assert!(!pool.ports().contains(port), "{port}");
        }
        let error = Pool::new(Some("6665-6669"), None, &KernelPorts::default()).unwrap_err();
        assert!(error.message().ends_with("6665-6669 refused by browsers"), "{error}");
    }

    #[test]
    fn the_kernel_is_not_mistaken_for_an_exclusion() {
        let error = Pool::new(Some("27017,40000"), None, &kernel()).unwrap_err();
        assert!(error.message().contains("40000 in the ephemeral range; 27017 used by"), "{error}");
        assert!(!error.to_string().contains("exclu"), "{error}");
    }

    #[test]
    fn a_pool_partly_in_the_ephemeral_range_is_cut_and_says_so() {
        let pool = Pool::new(Some("32500-33000"), None, &kernel()).unwrap();
        assert_eq!(pool.ports().to_string(), "32500-32767");
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

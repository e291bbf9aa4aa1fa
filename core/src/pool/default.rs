//! The pool when nobody names one: 20000-29999, or the window that a machine with a wide ephemeral range leaves. Pure.

use crate::port_set::{KernelPorts, PortRange, PortSet};

/// The pool when neither an argument, `PORTALLOC_POOL` nor a project file names one, unless the ephemeral range leaves too
/// little of it.
pub const DEFAULT_POOL: &str = "20000-29999";

const USUAL: (u16, u16) = (20000, 29999);

/// Fewer ports than these are not enough for a machine on which several suites run at once: another window is chosen.
const ENOUGH: usize = 2000;

/// A window of fewer ports is not worth moving to.
const SMALLEST_WINDOW: usize = 1000;

/// Where other windows are looked for, in this order: first above the well-known services, then among them.
const ELSEWHERE: [(u16, u16); 2] = [(10000, 32767), (1024, 9999)];

/// Chooses the pool by the ephemeral range, which is one range, so that it leaves at most two windows anywhere. With a
/// warning, where there is no window.
pub(super) fn choose(kernel: &KernelPorts) -> (PortSet, Option<String>) {
    let ephemeral: PortSet = kernel.ephemeral.into_iter().collect();
    let usual = range(USUAL);
    let outside = |window: PortRange| PortSet::from_iter([window]).without(&ephemeral);
    if outside(usual).count() >= ENOUGH {
        return (PortSet::from_iter([usual]), None);
    }
    let largest = |window| outside(range(window)).ranges().iter().copied().max_by_key(|left| left.count());
    let window = ELSEWHERE.into_iter().filter_map(largest).find(|left| left.count() >= SMALLEST_WINDOW);
    let warning = window.is_none().then(|| {
        format!(
            "the ephemeral range {ephemeral} leaves no {SMALLEST_WINDOW} ports beside it, so {usual} is the pool: an outgoing \
             connection or a bind(0) of any program may take a leased port before your server binds it; narrow \
             net.ipv4.ip_local_port_range"
        )
    });
    (PortSet::from_iter([window.unwrap_or(usual)]), warning)
}

fn range((first, last): (u16, u16)) -> PortRange {
    PortRange::of(first, usize::from(last - first) + 1).unwrap_or(PortRange::ALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(first: u16, last: u16) -> (String, bool) {
        let (pool, warning) = choose(&KernelPorts { ephemeral: PortRange::new(first, last), ..KernelPorts::default() });
        (pool.to_string(), warning.is_some())
    }

    #[test]
    fn the_usual_pool_stays_while_it_keeps_two_thousand_ports() {
        assert_eq!(DEFAULT_POOL, range(USUAL).to_string());
        for (first, last) in [(32768, 60999), (49152, 65535), (22000, 65535), (1024, 27999)] {
            assert_eq!(chosen(first, last), (DEFAULT_POOL.to_owned(), false), "{first}-{last}");
        }
    }

    #[test]
    fn a_wide_ephemeral_range_moves_the_pool_to_the_largest_window_beside_it() {
        assert_eq!(chosen(21999, 65535).0, "10000-21998");
        assert_eq!(chosen(16000, 65535).0, "10000-15999", "gVisor's range");
        assert_eq!(chosen(15000, 65000).0, "10000-14999");
        assert_eq!(chosen(11000, 65535).0, "10000-10999", "just 1,000 ports");
        assert_eq!(chosen(1024, 28000).0, "28001-32767");
        assert_eq!(chosen(12000, 28000).0, "28001-32767", "larger than the window below");
    }

    #[test]
    fn the_ports_of_well_known_services_are_the_last_resort() {
        assert_eq!(chosen(10999, 65535).0, "1024-9999");
        assert_eq!(chosen(5000, 65535).0, "1024-4999");
        assert_eq!(chosen(2024, 65535).0, "1024-2023", "just 1,000 ports");
    }

    #[test]
    fn a_range_that_leaves_no_window_is_used_all_the_same() {
        for (first, last) in [(1024, 65535), (2023, 65535), (1, 32000)] {
            assert_eq!(chosen(first, last), (DEFAULT_POOL.to_owned(), true), "{first}-{last}");
        }
    }
}

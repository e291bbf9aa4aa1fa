//! Ranges and sets of ports in their one notation, `20000-29999,31000`, and the ports that the kernel reserves. Pure.

use std::fmt;
use std::ops::RangeInclusive;

use crate::error::{Error, Result};

/// Consecutive ports, both ends included. Never empty, never contains 0.
///
/// ```
/// use portalloc::pool::PortRange;
///
/// let range = PortRange::new(20000, 20009).unwrap();
/// assert_eq!(range.count(), 10);
/// assert!(range.contains(20009) && PortRange::new(0, 5).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// Every valid port.
    pub(crate) const ALL: Self = Self { first: 1, last: u16::MAX };

    /// The range from `first` to `last`, or `None` if it would be reversed or contain 0.
    #[must_use]
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first == 0 || first > last { None } else { Some(Self { first, last }) }
    }

    /// The range of one port. Port 0 is not valid and counts as 1.
    pub(crate) fn one(port: u16) -> Self {
        let port = port.max(1);
        Self { first: port, last: port }
    }

    /// The run of `count` ports that starts at `first`; `None` if it is empty or exceeds 65535.
    pub(crate) fn of(first: u16, count: usize) -> Option<Self> {
        let last = usize::from(first).checked_add(count)?.checked_sub(1)?;
        Self::new(first, u16::try_from(last).ok()?)
    }

    /// The lowest port.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The highest port.
    #[must_use]
    pub const fn last(self) -> u16 {
        self.last
    }

    /// The number of ports: 1 to 65535.
    #[must_use]
    pub const fn count(self) -> usize {
        (self.last - self.first) as usize + 1
    }

    /// Whether the range contains `port`.
    #[must_use]
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// The ports in ascending order.
    #[must_use]
    pub const fn ports(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }

    /// The range in parts of `size` ports, the last one shorter.
    pub(crate) fn parts(self, size: u16) -> impl Iterator<Item = Self> {
        let firsts = (self.first..=self.last).step_by(usize::from(size.max(1)));
        firsts.map(move |first| Self { first, last: first.saturating_add(size.max(1) - 1).min(self.last) })
    }

    /// The ports in both ranges; `None` if there are none.
    pub(crate) fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }

    /// The runs that cover exactly `ports`, which must be distinct.
    pub(crate) fn covering(ports: &[u16]) -> Vec<Self> {
        if !ports.is_sorted() {
            let mut ports = ports.to_vec();
            ports.sort_unstable();
            return Self::covering(&ports);
        }
        let mut ranges: Vec<Self> = Vec::new();
        for port in ports.iter().copied() {
            match ranges.last_mut() {
                Some(range) if range.last.checked_add(1) == Some(port) => range.last = port,
                _ => ranges.extend(Self::new(port, port)),
            }
        }
        ranges
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

/// A set of ports, stored as ascending ranges that neither overlap nor touch.
///
/// ```
/// use portalloc::pool::PortSet;
///
/// let ports = PortSet::parse("20000-20009,31000")?;
/// assert_eq!(ports.count(), 11);
/// assert!(ports.contains(31000));
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSet(Vec<PortRange>);

impl PortSet {
    /// Parses ports and ranges separated by commas, such as `27017,28000-28010`. Whitespace around them is ignored.
    /// Empty text is the empty set.
    ///
    /// # Errors
    /// `invalid_argument` for anything that is not a number from 1 to 65535, for a reversed range, and for an empty
    /// item.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(|item| parse_range(item, text)).collect()
    }

    /// The ranges in ascending order.
    #[must_use]
    pub fn ranges(&self) -> &[PortRange] {
        &self.0
    }

    /// Every port, in ascending order.
    pub fn ports(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().flat_map(|range| range.ports())
    }

    /// The number of ports.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.iter().map(|range| range.count()).sum()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the set contains `port`.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        let after = self.0.partition_point(|range| range.first <= port);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|range| range.contains(port))
    }

    /// The range from the lowest to the highest port, including gaps.
    pub(crate) fn span(&self) -> Option<PortRange> {
        PortRange::new(self.0.first()?.first, self.0.last()?.last)
    }

    /// The ports of this set that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for &range in &self.0 {
            let mut next = u32::from(range.first);
            for cut in other.0.iter().filter_map(|&cut| range.intersection(cut)) {
                left.extend(narrow(next, u32::from(cut.first) - 1));
                next = u32::from(cut.last) + 1;
            }
            left.extend(narrow(next, u32::from(range.last)));
        }
        Self(left)
    }

    /// The ports that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.0.iter().flat_map(|&a| other.0.iter().filter_map(move |&b| a.intersection(b))).collect()
    }
}

/// A range from wide numbers; `None` if it is empty.
fn narrow(first: u32, last: u32) -> Option<PortRange> {
    PortRange::new(u16::try_from(first).ok()?, u16::try_from(last).ok()?)
}

impl FromIterator<PortRange> for PortSet {
    fn from_iter<I: IntoIterator<Item = PortRange>>(ranges: I) -> Self {
        let mut ranges: Vec<PortRange> = ranges.into_iter().collect();
        ranges.sort_unstable();
        let mut merged: Vec<PortRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if u32::from(range.first) <= u32::from(last.last) + 1 => {
                    last.last = last.last.max(range.last);
                }
                _ => merged.push(range),
            }
        }
        Self(merged)
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{range}")?;
        }
        Ok(())
    }
}

/// Parses ports in the notation of [`PortSet::parse`], and keeps their order, as names of ports need it.
///
/// ```
/// use portalloc::pool::parse_ports;
///
/// assert_eq!(parse_ports("8080,9000-9002")?, [8080, 9000, 9001, 9002]);
/// # Ok::<(), portalloc::Error>(())
/// ```
///
/// # Errors
/// As [`PortSet::parse`], and `invalid_argument` for empty text.
pub fn parse_ports(text: &str) -> Result<Vec<u16>> {
    let ranges: Vec<PortRange> = text.split(',').map(|item| parse_range(item, text)).collect::<Result<_>>()?;
    Ok(ranges.into_iter().flat_map(PortRange::ports).collect())
}

fn parse_range(item: &str, whole: &str) -> Result<PortRange> {
    let item = item.trim();
    let (first, last) = match item.split_once('-') {
        Some((first, last)) => (parse_port(first, item, whole)?, parse_port(last, item, whole)?),
        None => parse_port(item, item, whole).map(|port| (port, port))?,
    };
    PortRange::new(first, last).ok_or_else(|| {
        Error::invalid_argument(
            format!("{item:?} in {whole:?} is reversed"),
            format!("write the lower port first: {last}-{first}"),
        )
    })
}

fn parse_port(text: &str, item: &str, whole: &str) -> Result<u16> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(Error::invalid_argument(
            format!("{item:?} in {whole:?} is not a port or a range of ports"),
            "use numbers from 1 to 65535, such as 20000-29999 or 27017,28000-28010",
        )),
    }
}

/// The ports that the kernel reserves, read when an [`Allocator`](crate::Allocator) opens.
///
/// [`Pool`](crate::pool::Pool) has an example.
#[derive(Clone, Debug, Default)]
pub struct KernelPorts {
    /// `net.ipv4.ip_local_port_range`: the range from which outgoing connections and bind(0) get their ports.
    pub ephemeral: Option<PortRange>,
    /// `net.ipv4.ip_local_reserved_ports`: ports that the administrator has reserved.
    pub reserved: PortSet,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> PortSet {
        PortSet::parse(text).unwrap()
    }

    #[test]
    fn notation_is_merged_and_sorted() {
        assert_eq!(set("30, 10-20 ,21,5").to_string(), "5,10-21,30");
        assert_eq!(set("").to_string(), "");
        assert_eq!(set("65535,1").ports().collect::<Vec<_>>(), [1, 65535]);
    }

    #[test]
    fn the_parts_of_a_range_are_the_range() {
        for (first, last) in [(1, 1), (1, 65535), (65530, 65535), (20, 29)] {
            let range = PortRange::new(first, last).unwrap();
            for size in [1, 3, 10, 256, u16::MAX] {
                let parts: Vec<PortRange> = range.parts(size).collect();
                assert!(parts.iter().all(|part| part.count() <= usize::from(size)), "{range} by {size}");
                assert!(parts.iter().flat_map(|part| part.ports()).eq(range.ports()), "{range} by {size}");
            }
        }
    }

    #[test]
    fn a_list_keeps_its_order() {
        assert_eq!(parse_ports("9002, 8080,9000-9001").unwrap(), [9002, 8080, 9000, 9001]);
        assert_eq!(parse_ports("8080,8080").unwrap(), [8080, 8080], "the request refuses that");
        assert!(parse_ports("").is_err() && parse_ports("5,,6").is_err() && parse_ports("9-5").is_err());
    }

    #[test]
    fn bad_notation_names_the_item() {
        for bad in ["0", "0-5", "65536", "1-65536", "abc", "5-", "-5", "5,,6", "+5", "1-2-3", "9-5", "５", "1 2"] {
            let error = PortSet::parse(bad).unwrap_err();
            assert_eq!(error.code().as_str(), "invalid_argument", "{bad}");
        }
        assert!(PortSet::parse("1,9-5").unwrap_err().message().contains("\"9-5\""));
    }

    proptest! {
        #[test]
        fn sets_behave_as_sets(a in ranges(), b in ranges()) {
            let (left, right): (PortSet, PortSet) = (a.iter().copied().collect(), b.iter().copied().collect());
            let (l, r) = (model(&a), model(&b));
            prop_assert_eq!(left.ports().collect::<BTreeSet<_>>(), l.clone());
            prop_assert_eq!(left.count(), l.len());
            prop_assert_eq!(left.without(&right).ports().collect::<BTreeSet<_>>(), &l - &r);
            prop_assert_eq!(left.intersection(&right).ports().collect::<BTreeSet<_>>(), &l & &r);
            prop_assert_eq!(PortSet::parse(&left.to_string()).unwrap(), left.clone());
            for port in [1, 2, 40, 65534, 65535] {
                prop_assert_eq!(left.contains(port), l.contains(&port));
            }
            prop_assert_eq!(PortRange::covering(&l.iter().copied().collect::<Vec<_>>()), left.ranges().to_vec());
        }
    }

    fn ranges() -> impl Strategy<Value = Vec<PortRange>> {
        let port = prop_oneof![1u16..60, 65500u16..=65535];
        prop::collection::vec(
            (port.clone(), port)
                .prop_map(|(a, b)| PortRange::new(a.min(b), a.max(b).min(a.min(b).saturating_add(50))).unwrap()),
            0..6,
        )
    }

    fn model(ranges: &[PortRange]) -> BTreeSet<u16> {
        ranges.iter().flat_map(|range| range.first()..=range.last()).collect()
    }
}

//! Points in time for records, labels and messages: milliseconds since 1970, written as RFC 3339 in UTC.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, to the millisecond. Displayed and serialized as RFC 3339, such as `2026-01-31T10:02:00.000Z`.
///
/// ```
/// use portalloc::registry::Timestamp;
///
/// assert_eq!(Timestamp::from_unix_ms(1_769_853_720_123).to_string(), "2026-01-31T10:02:00.123Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The current time of the system's wall clock.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// The time this many milliseconds after 1970.
    #[must_use]
    pub const fn from_unix_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn unix_ms(self) -> u64 {
        self.0
    }

    /// The time this much later, or `None` beyond the year 9999.
    #[must_use]
    pub fn after(self, duration: Duration) -> Option<Self> {
        let ms = self.0.checked_add(u64::try_from(duration.as_millis()).ok()?)?;
        (ms <= LAST_MS).then_some(Self(ms))
    }

    /// The time elapsed since then; zero if it is in the future.
    #[must_use]
    pub fn age(self) -> Duration {
        Duration::from_millis(Self::now().0.saturating_sub(self.0))
    }
}

/// 9999-12-31T23:59:59.999Z, the last time that RFC 3339 can express.
const LAST_MS: u64 = 253_402_300_799_999;

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = UNIX_EPOCH + Duration::from_millis(self.0.min(LAST_MS));
        write!(f, "{}", humantime::format_rfc3339_millis(time))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = humantime::parse_rfc3339(&text).map_err(serde::de::Error::custom)?;
        let since = time.duration_since(UNIX_EPOCH).map_err(serde::de::Error::custom)?;
        Ok(Self(u64::try_from(since.as_millis()).map_err(serde::de::Error::custom)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_as_rfc_3339_and_read_back() {
        let time = Timestamp::from_unix_ms(1_769_853_720_123);
        assert_eq!(serde_json::to_string(&time).unwrap(), "\"2026-01-31T10:02:00.123Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>("\"2026-01-31T10:02:00.123Z\"").unwrap(), time);
        assert_eq!(Timestamp::from_unix_ms(u64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn no_time_lies_beyond_the_year_9999() {
        assert!(Timestamp::now().after(Duration::from_secs(3600)).is_some());
        assert!(Timestamp::now().after(Duration::MAX).is_none());
    }
}

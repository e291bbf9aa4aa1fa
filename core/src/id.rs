//! The isolation ID: its format, and how a new one is generated.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, ErrorCode, Result};
use crate::hash::sha256;
use crate::sys;

/// Identifies one environment: 12 lower-case hex digits.
///
/// ```
/// use portalloc::IsolationId;
///
/// let id: IsolationId = "52c48279ec80".parse()?;
/// assert_eq!(id.to_string(), "52c48279ec80");
/// assert!("not an ID".parse::<IsolationId>().is_err());
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsolationId([u8; Self::BYTES]);

impl IsolationId {
    pub(crate) const BYTES: usize = 6;

    /// Generates a new ID: the first 12 hex digits of the SHA-256 of worktree, instance ID, time in nanoseconds, a
    /// cryptographic random number, host name and process ID.
    ///
    /// # Errors
    /// `io` if the operating system provides no random bytes.
    pub fn generate(worktree: &Path, instance_id: &str) -> Result<Self> {
        let random = sys::random_number().map_err(|error| Error::os("cannot read random bytes", error))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let digest = sha256(&[
            worktree.as_os_str().as_encoded_bytes(),
            instance_id.as_bytes(),
            &now.to_le_bytes(),
            &random.to_le_bytes(),
            sys::host_name().as_bytes(),
            &std::process::id().to_le_bytes(),
        ]);
        Ok(Self(digest.first_chunk().copied().unwrap_or_default()))
    }

    /// Its digits between two texts: for the names that every environment needs, at a fraction of what `format!` costs.
    pub(crate) fn between(self, before: &str, after: &str) -> String {
        let mut text = String::with_capacity(before.len() + 2 * Self::BYTES + after.len());
        text.extend([before, std::str::from_utf8(&self.digits()).unwrap_or_default(), after]);
        text
    }

    /// Its digits, in ASCII.
    pub(crate) fn digits(self) -> [u8; 2 * Self::BYTES] {
        let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
        let mut digits = [0; 2 * Self::BYTES];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        digits
    }

    pub(crate) const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(self) -> [u8; Self::BYTES] {
        self.0
    }
}

impl FromStr for IsolationId {
    type Err = Error;

    /// Accepts exactly 12 lower-case hex digits, so that an ID can never name a path.
    fn from_str(text: &str) -> Result<Self> {
        let invalid = || {
            let shown: String = text.chars().take(40).collect();
            let dots = if text.chars().count() > 40 { "..." } else { "" };
            Error::new(
                ErrorCode::InvalidId,
                format!("{:?} is not an isolation ID", shown + dots),
                "an ID is 12 lower-case hex digits, as `portalloc list` shows them",
            )
        };
        let digits = text.as_bytes();
        if digits.len() != 2 * Self::BYTES {
            return Err(invalid());
        }
        let mut id = [0; Self::BYTES];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let value = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return Err(invalid()),
                };
                *byte = (*byte << 4) | value;
            }
        }
        Ok(Self(id))
    }
}

impl fmt::Display for IsolationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl fmt::Debug for IsolationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IsolationId({self})")
    }
}

impl serde::Serialize for IsolationId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for IsolationId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let id: IsolationId = "0123456789ab".parse().unwrap();
        assert_eq!(id.to_string(), "0123456789ab");
        assert_eq!(id.bytes(), [0x01, 0x23, 0x45, 0x67, 0x89, 0xab]);
    }

    #[test]
    fn nothing_else_is_an_id() {
        let long = "a".repeat(200);
        for bad in [
            "",
            "../../x",
            "x/../victim",
            "0123456789AB",
            "0123456789a",
            "0123456789abc",
            "01234\u{0}6789ab",
            "0123456789a\n",
            "é23456789ab",
            &long,
        ] {
            let error = bad.parse::<IsolationId>().unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidId, "{bad:?}");
            assert!(error.message().len() < 120, "{error}");
        }
    }

    #[test]
    fn ids_do_not_repeat() {
        let ids: HashSet<_> = (0..1000).map(|_| IsolationId::generate(Path::new("/same"), "same").unwrap()).collect();
        assert_eq!(ids.len(), 1000);
    }
}

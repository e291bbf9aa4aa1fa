//! The header in slot 0 of the `ports` file, which belongs to no port: the file's type, its format, and which versions
//! may use it. Pure. `docs/registry.md` specifies the format.

use super::checksum::checksum;

/// Size of a slot in bytes. It divides the page size, so an interrupted write never tears a slot.
pub(crate) const SLOT: usize = 64;

/// The format that this version writes.
const FORMAT: u16 = 1;

const MAGIC: [u8; 10] = *b"portalloc\n";

/// The fields of the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) format: u16,
    /// The lowest format that a version must support to use the file.
    pub(crate) minimum_reader: u16,
    /// The portalloc version that supports it, so that people know what to install.
    pub(crate) version: String,
    /// The kernel's number for the network namespace of these ports; 0 if it was unknown.
    pub(crate) namespace: u64,
}

/// Why this version cannot use a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It has no header, or a damaged one.
    NoHeader,
    /// Only this version of portalloc, or a newer one, can use it.
    Newer(String),
}

impl Header {
    /// The header of a file that this version creates.
    pub(crate) fn new(namespace: Option<u64>) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, minimum_reader: 1, version, namespace: namespace.unwrap_or(0) }
    }

    pub(crate) fn encode(&self) -> [u8; SLOT] {
        let mut bytes = [0; SLOT];
        let mut version = [0; 24];
        version.iter_mut().zip(self.version.bytes()).for_each(|(to, from)| *to = from);
        let parts: [&[u8]; 5] = [
            &MAGIC,
            &self.format.to_le_bytes(),
            &self.minimum_reader.to_le_bytes(),
            &version,
            &self.namespace.to_le_bytes(),
        ];
        bytes.iter_mut().zip(parts.into_iter().flatten()).for_each(|(to, from)| *to = *from);
        let checksum = checksum(&bytes);
        if let Some(end) = bytes.last_chunk_mut::<4>() {
            *end = checksum.to_le_bytes();
        }
        bytes
    }

    /// Decodes the header of a file that this version may use.
    pub(crate) fn decode(bytes: &[u8; SLOT]) -> Result<Self, Unusable> {
        let header = Self::read(bytes).ok_or(Unusable::NoHeader)?;
        if header.minimum_reader > FORMAT { Err(Unusable::Newer(header.version)) } else { Ok(header) }
    }

    fn read(bytes: &[u8; SLOT]) -> Option<Self> {
        let mut checked = *bytes;
        checked.last_chunk_mut::<4>()?.fill(0);
        if bytes.last_chunk::<4>()? != &checksum(&checked).to_le_bytes() {
            return None;
        }
        let (magic, rest) = bytes.split_first_chunk::<10>()?;
        let (format, rest) = rest.split_first_chunk::<2>()?;
        let (minimum_reader, rest) = rest.split_first_chunk::<2>()?;
        let (version, rest) = rest.split_first_chunk::<24>()?;
        let (namespace, _) = rest.split_first_chunk::<8>()?;
        let end = version.iter().position(|byte| *byte == 0).unwrap_or(version.len());
        let version = String::from_utf8_lossy(version.get(..end)?).into_owned();
        (magic == &MAGIC).then(|| Self {
            format: u16::from_le_bytes(*format),
            minimum_reader: u16::from_le_bytes(*minimum_reader),
            // The text is printed, and any user may have written it.
            version: version.chars().filter(|c| c.is_ascii_alphanumeric() || ".-+".contains(*c)).collect(),
            namespace: u64::from_le_bytes(*namespace),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header = Header::new(Some(7));
        assert_eq!(Header::decode(&header.encode()), Ok(header));
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let bytes = Header::new(None).encode();
        for at in 0..SLOT {
            let mut changed = bytes;
            changed[at] ^= 1;
            assert_eq!(Header::decode(&changed), Err(Unusable::NoHeader), "byte {at}");
        }
        assert_eq!(Header::decode(&[0; SLOT]), Err(Unusable::NoHeader));
    }

    #[test]
    fn a_newer_file_names_the_version_to_install() {
        let later = Header { format: 3, version: "0.4.0".to_owned(), ..Header::new(None) };
        assert_eq!(Header::decode(&later.encode()), Ok(later.clone()), "newer, and still to be used by this version");
        let newer = Header { minimum_reader: 2, ..later };
        assert_eq!(Header::decode(&newer.encode()), Err(Unusable::Newer("0.4.0".to_owned())));
    }
}

//! What the fuzz targets share: a place to work in, what every error must be like, records as they are written, and the
//! checksum of slots.
//! Knows no target.

mod checksum;
mod errors;
mod place;
mod records;

pub use checksum::{checksum, put_right};
pub use errors::{fair, refused};
pub use place::{POOL, Place, allocator, open, scratch};
pub use records::{FUTURE, PAST, id, record};

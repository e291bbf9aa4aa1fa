//! What the fuzz targets share: a place to work in, what every error must be like, and records as they are written.
//! Knows no target.

mod errors;
mod place;
mod records;

pub use errors::{fair, refused};
pub use place::{POOL, Place, allocator, scratch};
pub use records::{FUTURE, PAST, id, record};

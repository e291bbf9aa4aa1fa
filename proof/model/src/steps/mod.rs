//! What each step does, in the order of the programs that they belong to.

mod cleanup;
mod env_file;
mod environment;
mod judge;
pub(crate) mod lease;
mod reconcile;
mod records;
mod registry;
mod setup;
pub(crate) mod standing;

//! Keys of every spec: made, imported, parsed for each usage, used, and refused what they do not do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod acvp;
mod made;
mod material;
mod published;
mod signatures;
#[cfg(feature = "sm2")]
mod sm2;
mod usages;
mod vectors;
mod wrapping;

//! The trail: the journal's records in CloudTrail's log files, and digest files that prove them.
//!
//! The layout, the members and the signature are CloudTrail's, so that `aws cloudtrail validate-logs` validates a trail.
//! Sources: AWS CloudTrail user guide, "CloudTrail log file examples", "CloudTrail digest file structure" and "Custom
//! implementations of CloudTrail log file integrity validation"; the AWS CLI, `customizations/cloudtrail/validation.py`.
//!
//! What is to be written is planned first and the plan kept ([`state`]): whoever goes on after a crash writes the same files
//! again, under the same names and with the same bytes. So each record is delivered exactly once by digest.

mod deliverer;
mod destination;
mod digest;
mod error;
pub(crate) mod files;
mod layout;
mod log_files;
mod state;
mod verify;

pub use deliverer::{Deliverer, DeliveryStatus};
pub use destination::{Destination, Folder, METADATA_SUFFIX, Object};
pub use digest::{DigestKey, fingerprint};
pub use error::TrailError;
pub use layout::{Chain, Trail};
pub use state::StateSeal;
pub use verify::{Problem, PublicKey, Verified, verify};

//! ReplicateKey, UpdatePrimaryRegion.

mod primary;
mod replicate;

use wire::enums::MultiRegionKeyType;

pub(crate) use self::primary::UpdatePrimaryRegion;
pub(crate) use self::replicate::ReplicateKey;
use crate::error::ServiceError;
use crate::snapshot::KeySnapshot;

/// Both operations are asked of the primary key alone.
fn check_primary(key: &KeySnapshot) -> Result<(), ServiceError> {
    match key.multi_region_key_type() {
        Some(MultiRegionKeyType::Primary) => Ok(()),
        Some(MultiRegionKeyType::Replica) | None => Err(ServiceError::not_primary(key.arn_text())),
    }
}

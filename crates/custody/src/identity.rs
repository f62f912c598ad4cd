//! Which deployment and which key material: what a wrapped secret is bound to.

use std::fmt;
use std::hash::{Hash, Hasher};

use crypto::fields::Fields;
use crypto::{Rng, RngError, rng};
use wire::enums::{KeySpec, KeyUsage, OriginType};
use wire::names::{AccountId, KeyId, KeyMaterialId, Partition, Region};

/// The id of a deployment: 128 random bits, drawn once at its first start.
///
/// It is bound into everything wrapped, so that rows of one deployment are worth nothing in
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeploymentId([u8; 16]);

impl DeploymentId {
    /// Draws the id of a new deployment.
    ///
    /// # Errors
    /// [`RngError`] when the source of randomness fails.
    pub fn generate(rng: &dyn Rng) -> Result<DeploymentId, RngError> {
        rng::array(rng).map(DeploymentId)
    }

    /// The id made of these bytes, as stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> DeploymentId {
        DeploymentId(bytes)
    }

    /// The bytes of the id, to be stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for DeploymentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Everything that key material is bound to while it is stored.
///
/// Two rows differ in at least one member, so wrapped material that is moved, copied or relabelled
/// does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaterialIdentity {
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// The partition of the key's ARN.
    pub partition: Partition,
    /// The account that owns the key.
    pub account: AccountId,
    /// The Region of the key; each replica of a multi-Region key is wrapped for its own.
    pub region: Region,
    /// The KMS key.
    pub key_id: KeyId,
    /// The version of its material.
    pub key_material_id: KeyMaterialId,
    /// What kind of key it is.
    pub key_spec: KeySpec,
    /// What it may be used for.
    pub key_usage: KeyUsage,
    /// Where its material came from.
    pub origin: OriginType,
}

impl MaterialIdentity {
    /// `AAD = encode(label, deployment, partition, account, Region, key id, key material id, spec,
    /// usage, origin, domain key version)`, with `encode` of [`crypto::fields`].
    ///
    /// The domain key is the one that wraps; its version is bound so that a row cannot name another
    /// one.
    #[must_use]
    pub fn aad(&self, domain_key_version: u32) -> Vec<u8> {
        let MaterialIdentity {
            deployment_id,
            partition,
            account,
            region,
            key_id,
            key_material_id,
            key_spec,
            key_usage,
            origin,
        } = self;
        Fields::new("keystead key material 1")
            .bytes(deployment_id.as_bytes())
            .text(partition.as_str())
            .text(account.as_str())
            .text(region.as_str())
            .text(key_id.as_str())
            .bytes(key_material_id.as_bytes())
            .text(key_spec.as_str())
            .text(key_usage.as_str())
            .text(origin.as_str())
            .number(domain_key_version.into())
            .finish()
    }
}

/// Hashes the material id alone: it is 256 random bits, so nothing else spreads better, and the
/// cache asks on every request. Equality compares every member.
impl Hash for MaterialIdentity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key_material_id.hash(state);
    }
}

//! Wrapped material opens for its own identity only (threats B-1 and B-2).

mod common;

use common::{Deployment, call, identity};
use custody::{Custodian, CustodyError, DeploymentId, MaterialIdentity, WrappedMaterial};
use wire::enums::{KeySpec, KeyUsage, OriginType};
use wire::names::{KeyId, KeyMaterialId, Partition};

const PLAINTEXT: &[u8] = b"a data key would be here";

/// Encrypts under a row; what it answers tells whether the row was believed.
fn encrypt(
    custodian: &dyn Custodian,
    identity: &MaterialIdentity,
    wrapped: &WrappedMaterial,
) -> Result<Vec<u8>, CustodyError> {
    call(custodian.encrypt(identity, wrapped, &[], PLAINTEXT))
}

/// Whether a row is refused as not the identity's own.
fn is_refused(
    custodian: &dyn Custodian,
    identity: &MaterialIdentity,
    wrapped: &WrappedMaterial,
) -> bool {
    matches!(encrypt(custodian, identity, wrapped), Err(CustodyError::MaterialRefused { .. }))
}

#[test]
fn material_swapped_between_any_two_of_50_keys_is_refused() {
    let custodian = Deployment::new().custodian(1 << 16);
    let rows: Vec<_> = (0..50)
        .map(|number| {
            let identity = identity(number);
            let wrapped = call(custodian.generate(&identity)).unwrap();
            (identity, wrapped)
        })
        .collect();
    let mut pairs = 0;
    for (one, (identity, own)) in rows.iter().enumerate() {
        for (other_identity, other) in &rows[one + 1..] {
            // Both ways, while the cache holds the right material of each.
            assert!(is_refused(&custodian, identity, other));
            assert!(is_refused(&custodian, other_identity, own));
            pairs += 1;
        }
    }
    assert_eq!(pairs, 1_225);
    for (identity, own) in &rows {
        assert!(encrypt(&custodian, identity, own).is_ok(), "the right row still serves");
    }
    // And with nothing cached.
    rows.iter().for_each(|(identity, _)| custodian.forget(identity));
    assert!(is_refused(&custodian, &rows[0].0, &rows[1].1));
}

#[test]
fn every_member_of_the_identity_is_bound() {
    let custodian = Deployment::new().custodian(1 << 16);
    let own = identity(1);
    let wrapped = call(custodian.generate(&own)).unwrap();
    let altered = [
        MaterialIdentity { deployment_id: DeploymentId::from_bytes([9; 16]), ..own },
        MaterialIdentity { partition: Partition::AwsCn, ..own },
        MaterialIdentity { account: "999988887777".parse().unwrap(), ..own },
        MaterialIdentity { region: "eu-central-2".parse().unwrap(), ..own },
        MaterialIdentity { key_id: KeyId::from_uuid_bytes([9; 16]), ..own },
        MaterialIdentity { key_id: KeyId::multi_region_from_bytes(own.key_id.uuid_bytes()), ..own },
        MaterialIdentity { key_material_id: KeyMaterialId::from_bytes([9; 32]), ..own },
        MaterialIdentity { key_spec: KeySpec::Hmac256, ..own },
        MaterialIdentity { key_usage: KeyUsage::GenerateVerifyMac, ..own },
        MaterialIdentity { origin: OriginType::External, ..own },
    ];
    for other in &altered {
        assert!(is_refused(&custodian, other, &wrapped), "{other:?}");
        assert_ne!(other.aad(1), own.aad(1), "{other:?}");
    }
    assert_ne!(own.aad(1), own.aad(2));
    assert!(encrypt(&custodian, &own, &wrapped).is_ok());
}

#[test]
fn every_altered_bit_of_the_row_is_refused() {
    let custodian = Deployment::new().custodian(1 << 16);
    let own = identity(1);
    let wrapped = call(custodian.generate(&own)).unwrap();
    for bit in 0..wrapped.bytes.len() * 8 {
        let mut altered = wrapped.clone();
        altered.bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(is_refused(&custodian, &own, &altered), "bit {bit}");
    }
    for length in 0..wrapped.bytes.len() {
        let bytes = wrapped.bytes[..length].to_vec();
        assert!(is_refused(&custodian, &own, &WrappedMaterial { bytes, ..wrapped.clone() }));
    }
    let elsewhere = WrappedMaterial { domain_key_version: 2, ..wrapped.clone() };
    assert!(matches!(
        encrypt(&custodian, &own, &elsewhere),
        Err(CustodyError::UnknownDomainKey { version: 2, .. })
    ));
    assert!(encrypt(&custodian, &own, &wrapped).is_ok());
}

#[test]
fn another_deployment_has_no_use_for_the_row() {
    let wrapped = call(Deployment::new().custodian(1 << 16).generate(&identity(1))).unwrap();
    let elsewhere = Deployment::new().custodian(1 << 16);
    assert!(is_refused(&elsewhere, &identity(1), &wrapped));
}

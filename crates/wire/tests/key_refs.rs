//! Key references: what parses is shown again, and no key has two spellings.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use proptest::prelude::*;
use wire::names::{AccountId, AliasName, KeyArn, KeyId, KeyRef, Region};

fn key_id() -> impl Strategy<Value = KeyId> {
    (any::<[u8; 16]>(), any::<bool>()).prop_map(|(bytes, multi_region)| {
        if multi_region {
            KeyId::multi_region_from_bytes(bytes)
        } else {
            KeyId::from_uuid_bytes(bytes)
        }
    })
}

fn region() -> impl Strategy<Value = Region> {
    "([a-z]{1,6}-){2,3}[0-9]{1,2}".prop_map(|name| name.parse().unwrap())
}

fn account() -> impl Strategy<Value = AccountId> {
    "[0-9]{12}".prop_map(|digits| digits.parse().unwrap())
}

fn alias() -> impl Strategy<Value = AliasName> {
    "alias/[a-zA-Z0-9:/_-]{1,250}".prop_map(|name| name.parse().unwrap())
}

fn key_ref() -> impl Strategy<Value = KeyRef> {
    let key_arn = (region(), account(), key_id()).prop_map(|(region, account, key_id)| KeyArn {
        region,
        account,
        key_id,
    });
    let alias_arn = (region(), account(), alias())
        .prop_map(|(region, account, alias)| wire::names::AliasArn { region, account, alias });
    prop_oneof![
        key_id().prop_map(KeyRef::KeyId),
        key_arn.prop_map(KeyRef::KeyArn),
        alias().prop_map(KeyRef::AliasName),
        alias_arn.prop_map(KeyRef::AliasArn),
    ]
}

proptest! {
    #[test]
    fn what_is_shown_parses_to_the_same(reference in key_ref()) {
        prop_assert_eq!(KeyRef::parse(&reference.to_string()), Ok(reference));
    }

    #[test]
    fn what_parses_is_shown_as_it_was_given(text in "(arn:aws:kms:eu-west-1:111122223333:)?(key/|alias/)?[a-f0-9-]{0,40}") {
        if let Ok(reference) = KeyRef::parse(&text) {
            prop_assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        if let Ok(reference) = KeyRef::parse(&text) {
            prop_assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn one_character_changed_is_not_the_same_key(
        reference in key_ref(),
        place in any::<prop::sample::Index>(),
        replacement in any::<char>(),
    ) {
        let mut characters: Vec<char> = reference.to_string().chars().collect();
        let place = place.index(characters.len());
        prop_assume!(characters[place] != replacement);
        characters[place] = replacement;
        let changed: String = characters.into_iter().collect();
        prop_assert_ne!(KeyRef::parse(&changed), Ok(reference));
    }

    #[test]
    fn upper_case_never_parses_as_a_key(id in key_id()) {
        let upper = id.to_string().to_uppercase();
        prop_assume!(upper != id.to_string());
        prop_assert!(KeyRef::parse(&upper).is_err());
        let arn = format!("arn:aws:kms:eu-west-1:111122223333:key/{upper}");
        prop_assert!(KeyRef::parse(&arn).is_err());
    }

    #[test]
    fn ids_give_their_bytes_back(bytes in any::<[u8; 16]>()) {
        prop_assert_eq!(KeyId::from_uuid_bytes(bytes).uuid_bytes(), bytes);
        prop_assert_eq!(KeyId::multi_region_from_bytes(bytes).uuid_bytes(), bytes);
    }
}

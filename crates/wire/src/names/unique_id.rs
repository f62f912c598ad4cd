//! Unique ids of users, groups, roles and managed policies.

use std::str::FromStr;

use super::{InvalidName, ascii, show_as_str};

/// The digits of base32 (RFC 4648, section 6), five bits each.
const DIGITS: [u8; 32] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const PREFIX_BYTES: usize = 4;
const ID_BYTES: usize = 21;
/// Random bytes of an id: 17 digits of five bits take 85 bits of these 88.
const RANDOM_BYTES: usize = 11;

/// What a unique id belongs to.
///
/// IAM User Guide, "IAM identifiers", section "Understanding unique ID prefixes".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UniqueIdKind {
    /// `AIDA`
    User,
    /// `AGPA`
    Group,
    /// `AROA`
    Role,
    /// `ANPA`
    ManagedPolicy,
}

impl UniqueIdKind {
    const ALL: [UniqueIdKind; 4] =
        [UniqueIdKind::User, UniqueIdKind::Group, UniqueIdKind::Role, UniqueIdKind::ManagedPolicy];

    /// The first four characters of such an id.
    pub const fn prefix(self) -> &'static str {
        match self {
            UniqueIdKind::User => "AIDA",
            UniqueIdKind::Group => "AGPA",
            UniqueIdKind::Role => "AROA",
            UniqueIdKind::ManagedPolicy => "ANPA",
        }
    }
}

/// A unique id, such as `AIDACKCEVSQ6C2EXAMPLE`: it never comes again, not even for a namesake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UniqueId {
    kind: UniqueIdKind,
    text: [u8; ID_BYTES],
}

impl UniqueId {
    /// The id made of random bytes, of which the last three bits are not used.
    pub fn from_random_bytes(kind: UniqueIdKind, bytes: [u8; RANDOM_BYTES]) -> UniqueId {
        let mut bits = bytes.into_iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(byte));
        bits >>= 3;
        let mut text = [b'A'; ID_BYTES];
        for (place, character) in text.iter_mut().zip(kind.prefix().bytes()) {
            *place = character;
        }
        for place in text.iter_mut().skip(PREFIX_BYTES).rev() {
            let digit = usize::try_from(bits & 31).ok().and_then(|digit| DIGITS.get(digit));
            *place = *digit.expect("five bits are below 32");
            bits >>= 5;
        }
        UniqueId { kind, text }
    }

    /// What the id belongs to.
    pub fn kind(self) -> UniqueIdKind {
        self.kind
    }

    /// The id as it is shown.
    pub fn as_str(&self) -> &str {
        ascii(&self.text)
    }
}

impl FromStr for UniqueId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<UniqueId, InvalidName> {
        let invalid = InvalidName::expected("a unique id such as AIDACKCEVSQ6C2EXAMPLE");
        let kind = UniqueIdKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()));
        let kind = kind.ok_or(invalid)?;
        let text = <[u8; ID_BYTES]>::try_from(text.as_bytes()).map_err(|_| invalid)?;
        let is_id = text.iter().skip(PREFIX_BYTES).all(|digit| DIGITS.contains(digit));
        if is_id { Ok(UniqueId { kind, text }) } else { Err(invalid) }
    }
}

show_as_str!(UniqueId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_but_three_counts() {
        let id = |bytes| UniqueId::from_random_bytes(UniqueIdKind::Role, bytes).to_string();
        assert_eq!(id([0; 11]), "AROAAAAAAAAAAAAAAAAAA");
        assert_eq!(id([0xff; 11]), "AROA77777777777777777");
        // 0b00000_00001_00010 and so on, as in RFC 4648.
        assert_eq!(
            id([0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf, 0x84]),
            "AROAABCDEFGHIJKLMNOPQ"
        );
        for bit in 3..88 {
            let flipped = (1_u128 << bit).to_be_bytes();
            let bytes = <[u8; 11]>::try_from(&flipped[5..]).unwrap();
            assert_ne!(id(bytes), id([0; 11]), "bit {bit}");
        }
    }

    #[test]
    fn ids_are_shown_as_they_were_given() {
        for kind in UniqueIdKind::ALL {
            let id = UniqueId::from_random_bytes(kind, *b"hello world");
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(id.kind(), kind);
        }
        for wrong in [
            "",
            "AIDA",
            "AKIACKCEVSQ6C2EXAMPLE",
            "AIDACKCEVSQ6C2EXAMPL",
            "AIDACKCEVSQ6C2EXAMPLEE",
            "AIDAckcevsq6c2example",
            "AIDACKCEVSQ0C2EXAMPLE",
            "AIDACKCEVSQ6C2EXAMPé",
        ] {
            assert!(wrong.parse::<UniqueId>().is_err(), "{wrong}");
        }
    }
}

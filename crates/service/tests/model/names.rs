//! The names that sequences use for things whose real ids only the server knows.

use std::fmt::{self, Display};

/// A Region of the tests.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Region {
    UsEast1,
    EuWest1,
    ApSoutheast2,
}

impl Region {
    pub(crate) const ALL: [Region; 3] = [Region::UsEast1, Region::EuWest1, Region::ApSoutheast2];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Region::UsEast1 => "us-east-1",
            Region::EuWest1 => "eu-west-1",
            Region::ApSoutheast2 => "ap-southeast-2",
        }
    }
}

/// An account, whose root user calls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Account {
    First,
    Second,
}

impl Account {
    pub(crate) const ALL: [Account; 2] = [Account::First, Account::Second];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Account::First => "111122223333",
            Account::Second => "444455556666",
        }
    }
}

/// A KMS key. Related multi-Region keys have one name, as they have one key ID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyName(pub(crate) u8);

/// The name of an alias, without account and Region.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AliasName {
    /// One that customers may choose.
    Customer(u8),
    /// One that belongs to an AWS service.
    Reserved,
}

/// A version of a key's material.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Material {
    /// Made by KMS: the how-manieth of the sequence.
    Made(u16),
    /// Imported: which bytes.
    Imported(u8),
}

/// What a key once made: a ciphertext, a MAC or a signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Product(pub(crate) u8);

impl Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "key-{}", self.0)
    }
}

impl Display for AliasName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AliasName::Customer(number) => write!(formatter, "alias/{number}"),
            AliasName::Reserved => formatter.write_str("alias/aws/s3"),
        }
    }
}

impl Display for Material {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Material::Made(number) => write!(formatter, "made-{number}"),
            Material::Imported(bytes) => write!(formatter, "imported-{bytes}"),
        }
    }
}

impl Display for Product {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "product-{}", self.0)
    }
}

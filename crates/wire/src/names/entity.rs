//! Names, paths and ARNs of users, groups, roles, managed policies and instance profiles.

use std::{fmt, str::FromStr};

use super::{AccountId, InvalidName, Partition, serialize_as_shown, show_as_str};
use crate::{
    limits::{IAM_NAME_CHARS_MAX, PATH_CHARS_MAX},
    shape::pattern::{is_name, is_path},
};

/// The name of an entity of IAM, `[\w+=,.@-]+`.
///
/// Users and roles have a lower limit, which only their requests know.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityName(Box<str>);

impl EntityName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without the difference of case.
    ///
    /// IAM keeps the case of a name but lets no two entities of a kind differ in it alone.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for EntityName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<EntityName, InvalidName> {
        if fits(text, IAM_NAME_CHARS_MAX) && is_name(text) {
            Ok(EntityName(text.into()))
        } else {
            Err(InvalidName::expected("a name of IAM"))
        }
    }
}

show_as_str!(EntityName);

/// The path of an entity of IAM, with a slash at both ends: `/`, `/division/team/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityPath(Box<str>);

impl EntityPath {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The path of entities that are given none: `/`.
impl Default for EntityPath {
    fn default() -> EntityPath {
        EntityPath("/".into())
    }
}

impl FromStr for EntityPath {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<EntityPath, InvalidName> {
        if fits(text, PATH_CHARS_MAX) && is_path(text) {
            Ok(EntityPath(text.into()))
        } else {
            Err(InvalidName::expected("a path of IAM such as /division/"))
        }
    }
}

show_as_str!(EntityPath);

fn fits(text: &str, chars_max: u64) -> bool {
    u64::try_from(text.len()).is_ok_and(|length| length <= chars_max)
}

/// A kind of entity, as it stands in ARNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntityKind {
    /// `user`
    User,
    /// `group`
    Group,
    /// `role`
    Role,
    /// `policy`
    Policy,
    /// `instance-profile`
    InstanceProfile,
}

impl EntityKind {
    const ALL: [EntityKind; 5] = [
        EntityKind::User,
        EntityKind::Group,
        EntityKind::Role,
        EntityKind::Policy,
        EntityKind::InstanceProfile,
    ];

    /// The kind as it stands in an ARN.
    pub const fn as_str(self) -> &'static str {
        match self {
            EntityKind::User => "user",
            EntityKind::Group => "group",
            EntityKind::Role => "role",
            EntityKind::Policy => "policy",
            EntityKind::InstanceProfile => "instance-profile",
        }
    }
}

/// Whose an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntityOwner {
    /// An account.
    Account(AccountId),
    /// AWS itself, for managed policies that it ships; `aws` in ARNs.
    Aws,
}

impl EntityOwner {
    /// The owner as it stands in an ARN.
    pub fn as_str(&self) -> &str {
        match self {
            EntityOwner::Account(account) => account.as_str(),
            EntityOwner::Aws => "aws",
        }
    }
}

/// The ARN of an entity: `arn:PARTITION:iam::OWNER:KIND/PATH/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityArn {
    /// The partition, which IAM is global in.
    pub partition: Partition,
    /// Whose it is.
    pub owner: EntityOwner,
    /// What it is.
    pub kind: EntityKind,
    /// Its path.
    pub path: EntityPath,
    /// Its name.
    pub name: EntityName,
}

impl FromStr for EntityArn {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<EntityArn, InvalidName> {
        let invalid = InvalidName::expected("an ARN of IAM");
        let rest = text.strip_prefix("arn:").ok_or(invalid)?;
        let (partition, rest) = rest.split_once(':').ok_or(invalid)?;
        let rest = rest.strip_prefix("iam::").ok_or(invalid)?;
        let (owner, resource) = rest.split_once(':').ok_or(invalid)?;
        let kind = EntityKind::ALL.into_iter().find_map(|kind| {
            let rest = resource.strip_prefix(kind.as_str())?;
            rest.starts_with('/').then_some((kind, rest))
        });
        let (kind, path_and_name) = kind.ok_or(invalid)?;
        // Names have no slashes, so the last one ends the path.
        let place = path_and_name.rfind('/').ok_or(invalid)? + 1;
        let (path, name) = path_and_name.split_at_checked(place).ok_or(invalid)?;
        let owner = match owner {
            "aws" if kind == EntityKind::Policy => EntityOwner::Aws,
            account => EntityOwner::Account(account.parse()?),
        };
        Ok(EntityArn {
            partition: partition.parse()?,
            owner,
            kind,
            path: path.parse()?,
            name: name.parse()?,
        })
    }
}

impl fmt::Display for EntityArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EntityArn { partition, owner, kind, path, name } = self;
        let (owner, kind) = (owner.as_str(), kind.as_str());
        write!(formatter, "arn:{}:iam::{owner}:{kind}{path}{name}", partition.as_str())
    }
}

serialize_as_shown!(EntityArn);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_case_and_forget_it() {
        let name: EntityName = "Alice+=,.@-_0".parse().unwrap();
        assert_eq!(name.to_string(), "Alice+=,.@-_0");
        assert_eq!(name.folded(), "alice+=,.@-_0");
        let longest = "a".repeat(128);
        assert!(longest.parse::<EntityName>().is_ok());
        for wrong in ["", "a b", "a/b", "a:b", "ä", &format!("{longest}a")] {
            assert!(wrong.parse::<EntityName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_have_slashes_at_both_ends() {
        assert_eq!(EntityPath::default().to_string(), "/");
        let longest = format!("/{}/", "a".repeat(510));
        for right in ["/", "/division/", "/a/b/", &longest] {
            assert_eq!(right.parse::<EntityPath>().unwrap().as_str(), right);
        }
        for wrong in ["", "a", "/a", "a/", "/a b/", "//", &format!("/{}/", "a".repeat(511))] {
            assert!(wrong.parse::<EntityPath>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn arns_are_shown_as_they_were_given() {
        for text in [
            "arn:aws:iam::111122223333:user/alice",
            "arn:aws-cn:iam::111122223333:group/division/team/readers",
            "arn:aws:iam::111122223333:role/aws-service-role/kms.amazonaws.com/a",
            "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser",
            "arn:aws:iam::111122223333:instance-profile/a",
            "arn:aws:iam::111122223333:user/a:b/c",
        ] {
            assert_eq!(text.parse::<EntityArn>().unwrap().to_string(), text);
        }
        let arn: EntityArn = "arn:aws:iam::111122223333:user/a/b/alice".parse().unwrap();
        assert_eq!((arn.path.as_str(), arn.name.as_str()), ("/a/b/", "alice"));
    }

    #[test]
    fn foreign_arns_are_refused() {
        for wrong in [
            "",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:users/alice",
            "arn:aws:iam::111122223333:user/a//",
            "arn:aws:iam::111122223333:user//alice",
            "arn:aws:iam::aws:user/alice",
            "arn:aws:iam::1:user/alice",
            "arn:aws:iam:us-east-1:111122223333:user/alice",
            "arn:aws:sts::111122223333:assumed-role/r/s",
            "arn:elsewhere:iam::111122223333:user/alice",
            "ARN:aws:iam::111122223333:user/alice",
        ] {
            assert!(wrong.parse::<EntityArn>().is_err(), "{wrong}");
        }
    }
}

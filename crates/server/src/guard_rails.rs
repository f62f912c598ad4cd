//! The operator's guard rails: a TOML file that names policy files, read at the start and again when one of them changes.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;
use service::{
    AttachedPolicy, GuardRails, GuardRailsError, Organization, OrganizationTarget, PolicyText,
    Service,
};
use wire::names::AccountId;

use crate::{follow::Followed, limits::CONFIGURATION_BYTES_MAX};

/// The name of AWS's own service control policy, where a file could be named.
const FULL_AWS_ACCESS: &str = "FullAWSAccess";

/// Why a file of guard rails was refused.
#[derive(Debug, thiserror::Error)]
pub enum GuardRailsFileError {
    /// A file cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// The file is not TOML, or says something that is no guard rail.
    #[error(
        "{}:{line}: {problem}; expected organization_id, management_account, endpoint_policy or a \
         [[target]] with id, parent, service_control_policies and resource_control_policies, for \
         example: organization_id = \"o-a1b2c3d4e5\"",
        path.display()
    )]
    NotGuardRails {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// Targets of no organization.
    #[error(
        "{}: targets without an organization; expected its id, for example: \
         organization_id = \"o-a1b2c3d4e5\"",
        path.display()
    )]
    NoOrganization {
        /// The file.
        path: PathBuf,
    },
    /// What the file says cannot be put in force.
    #[error("{}: {cause}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: GuardRailsError,
    },
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    organization_id: Option<String>,
    #[serde(default, with = "account")]
    management_account: Option<AccountId>,
    endpoint_policy: Option<String>,
    #[serde(default)]
    target: Vec<WrittenTarget>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTarget {
    id: String,
    parent: Option<String>,
    /// AWS attaches its own policy, which allows everything, until it is replaced.
    #[serde(default = "full_aws_access")]
    service_control_policies: Vec<String>,
    #[serde(default)]
    resource_control_policies: Vec<String>,
}

fn full_aws_access() -> Vec<String> {
    vec![FULL_AWS_ACCESS.to_owned()]
}

mod account {
    use serde::{Deserialize, Deserializer, de::Error};
    use wire::names::AccountId;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<AccountId>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let account = text.parse();
        account.map(Some).map_err(|_| Error::custom("an account has 12 digits"))
    }
}

/// Guard rails as they were read, and the files that they were read from.
pub(crate) struct GuardRailsRead {
    path: PathBuf,
    policy_files: Vec<PathBuf>,
    guard_rails: GuardRails,
}

/// Reads a file of guard rails and every policy that it names.
pub(crate) fn read(path: &Path) -> Result<GuardRailsRead, GuardRailsFileError> {
    let text = read_text(path)?;
    let written: Written =
        toml::from_str(&text).map_err(|error| GuardRailsFileError::NotGuardRails {
            path: path.to_owned(),
            line: line_of(&text, error.span().unwrap_or_default().start),
            problem: error.message().replace('\n', ", "),
        })?;
    let mut policies =
        PolicyFiles { folder: path.parent().unwrap_or(Path::new("")), files: Vec::new() };
    let endpoint_policy = written.endpoint_policy.as_deref();
    let endpoint_policy = endpoint_policy.map(|name| policies.read(name)).transpose()?;
    let targets = written.target.iter().map(|target| policies.of_target(target));
    let targets = targets.collect::<Result<Vec<_>, _>>()?;
    let organization = match written.organization_id {
        Some(id) => {
            Some(Organization { id, management_account: written.management_account, targets })
        }
        None if targets.is_empty() => None,
        None => return Err(GuardRailsFileError::NoOrganization { path: path.to_owned() }),
    };
    let guard_rails = GuardRails::new(organization.as_ref(), endpoint_policy.as_ref())
        .map_err(|cause| GuardRailsFileError::Refused { path: path.to_owned(), cause })?;
    Ok(GuardRailsRead { path: path.to_owned(), policy_files: policies.files, guard_rails })
}

/// Reads policies, whose paths are told from the folder of the file that names them.
struct PolicyFiles<'p> {
    folder: &'p Path,
    files: Vec<PathBuf>,
}

impl PolicyFiles<'_> {
    fn read(&mut self, name: &str) -> Result<PolicyText, GuardRailsFileError> {
        let path = self.folder.join(name);
        let text = read_text(&path)?;
        let name = path.display().to_string();
        self.files.push(path);
        Ok(PolicyText { name, text })
    }

    fn of_target(
        &mut self,
        target: &WrittenTarget,
    ) -> Result<OrganizationTarget, GuardRailsFileError> {
        let service_control = target.service_control_policies.iter().map(|name| {
            if name == FULL_AWS_ACCESS {
                return Ok(AttachedPolicy::FullAwsAccess);
            }
            self.read(name).map(AttachedPolicy::Document)
        });
        let service_control_policies = service_control.collect::<Result<_, _>>()?;
        let resource_control = target.resource_control_policies.iter();
        let resource_control = resource_control.map(|name| self.read(name));
        Ok(OrganizationTarget {
            id: target.id.clone(),
            parent: target.parent.clone(),
            service_control_policies,
            resource_control_policies: resource_control.collect::<Result<_, _>>()?,
        })
    }
}

fn read_text(path: &Path) -> Result<String, GuardRailsFileError> {
    let unreadable = |cause| GuardRailsFileError::Unreadable { path: path.to_owned(), cause };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(CONFIGURATION_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(unreadable)?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes > CONFIGURATION_BYTES_MAX) {
        return Err(unreadable(io::Error::other("longer than 1 MiB")));
    }
    Ok(text)
}

fn line_of(text: &str, position: usize) -> usize {
    1 + text.bytes().take(position).filter(|byte| *byte == b'\n').count()
}

/// The file of the guard rails in force.
pub(crate) struct GuardRailsFile {
    path: PathBuf,
    policy_files: Mutex<Vec<PathBuf>>,
    service: Service,
}

impl GuardRailsFile {
    /// Puts what was read in force.
    pub(crate) fn apply(read: GuardRailsRead, service: Service) -> GuardRailsFile {
        service.set_guard_rails(read.guard_rails);
        GuardRailsFile { path: read.path, policy_files: Mutex::new(read.policy_files), service }
    }
}

impl Followed for GuardRailsFile {
    fn name(&self) -> &'static str {
        "guard_rails"
    }

    fn files(&self) -> Vec<PathBuf> {
        let policy_files = self.policy_files.lock().unwrap_or_else(PoisonError::into_inner);
        [&self.path].into_iter().chain(&*policy_files).cloned().collect()
    }

    fn reload_and_tell(&self) -> bool {
        match read(&self.path) {
            Ok(read) => {
                self.service.set_guard_rails(read.guard_rails);
                *self.policy_files.lock().unwrap_or_else(PoisonError::into_inner) =
                    read.policy_files;
                tracing::info!(guard_rails = %self.path.display(), "new guard rails in force");
                true
            }
            Err(error) => {
                tracing::error!(%error, "new guard rails refused: the old ones stay");
                false
            }
        }
    }
}

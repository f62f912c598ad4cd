//! Service-linked roles: which services have one, and what it is made of.
//!
//! Such a role belongs to an account and is its service's: what it may, who assumes it and how it is called are none of the
//! account's business (IAM User Guide, "Create a service-linked role"). It is told from others by its path, under which
//! an account can make nothing. The policies of an organization do not limit it.

use crypto::Rng;
use jiff::Timestamp;
use policy::{Principal, PrincipalKind};
use store::{AttachmentRow, IdentityKind, IdentityRecord, IdentityRow, Transaction};
use uuid::Uuid;
use wire::limits::ROLE_NAME_CHARS_MAX;
use wire::names::{AccountId, Region};

use crate::context::Context;
use crate::error::ServiceError;
use crate::events;
use crate::host::Host;
use crate::iam::users::whole_second;
use crate::identities::{Changes, fresh_record};
use crate::services::RegisteredService;

/// The path below which all of them lie.
pub(crate) const PATH_PREFIX: &str = "/aws-service-role/";
/// What their names begin with.
const NAME_PREFIX: &str = "AWSServiceRoleFor";

/// A service of AWS KMS itself that has a role.
struct OwnService {
    principal: &'static str,
    role_name: &'static str,
    description: &'static str,
    policy_arn: &'static str,
}

/// What AWS KMS keeps related multi-Region keys alike with (KMS Developer Guide, "Authorizing AWS KMS to synchronize
/// multi-Region keys").
const MULTI_REGION_KEYS: OwnService = OwnService {
    principal: "mrk.kms.amazonaws.com",
    role_name: "AWSServiceRoleForKeyManagementServiceMultiRegionKeys",
    description: "Enables access to AWS services and resources required for AWS KMS Multi-Region Keys",
    policy_arn: "arn:aws:iam::aws:policy/aws-service-role/AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy",
};

/// What AWS KMS reaches the clusters of custom key stores with (KMS Developer Guide, "Authorizing AWS KMS to manage AWS
/// CloudHSM and Amazon EC2 resources").
const CUSTOM_KEY_STORES: OwnService = OwnService {
    principal: "cks.kms.amazonaws.com",
    role_name: "AWSServiceRoleForKeyManagementServiceCustomKeyStores",
    description: "Enables access to AWS services and resources required for AWS KMS custom key stores",
    policy_arn: "arn:aws:iam::aws:policy/aws-service-role/AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy",
};

/// What the role of a service is to be.
pub(crate) struct LinkedRole {
    principal: String,
    /// What it is called.
    pub(crate) name: String,
    description: Option<&'static str>,
    /// Of a registered service none: key policies and grants say what its role may.
    policy_arn: Option<&'static str>,
}

impl LinkedRole {
    /// The role that a service has in an account; none if no such service has one there.
    pub(crate) fn of(host: &Host, account: AccountId, principal: &str) -> Option<LinkedRole> {
        let own = [MULTI_REGION_KEYS, CUSTOM_KEY_STORES];
        if let Some(own) = own.into_iter().find(|own| own.principal == principal) {
            return Some(LinkedRole::of_own(&own));
        }
        let services = host.services.all();
        let service = services.iter().find(|service| service.principal == principal)?;
        let name = name_of(service);
        let fits = u64::try_from(name.len()).is_ok_and(|count| count <= ROLE_NAME_CHARS_MAX);
        (fits && service.serves_account(account)).then(|| LinkedRole {
            principal: principal.to_owned(),
            name,
            description: None,
            policy_arn: None,
        })
    }

    fn of_own(own: &OwnService) -> LinkedRole {
        LinkedRole {
            principal: own.principal.to_owned(),
            name: own.role_name.to_owned(),
            description: Some(own.description),
            policy_arn: Some(own.policy_arn),
        }
    }

    /// Its rows.
    pub(crate) fn record(
        &self,
        rng: &dyn Rng,
        account: AccountId,
        description: Option<&str>,
        now: Timestamp,
    ) -> Result<IdentityRecord, ServiceError> {
        let path = format!("{PATH_PREFIX}{}/", self.principal);
        let (kind, now) = (IdentityKind::Role, whole_second(now));
        let mut record = fresh_record(rng, account, kind, (&path, &self.name), now)?;
        record.identity.description = description.or(self.description).map(str::to_owned);
        record.identity.assume_role_policy = Some(trust_policy(&self.principal));
        let attachment = |arn: &str| AttachmentRow { policy_arn: arn.to_owned() };
        record.attachments = self.policy_arn.into_iter().map(attachment).collect();
        Ok(record)
    }
}

/// The role of multi-Region keys, which the first one of an account brings with it.
pub(crate) struct MultiRegionRole {
    changes: Changes,
    record: IdentityRecord,
    event_id: Uuid,
    region: Region,
}

impl MultiRegionRole {
    /// What the account of a call lacks, unless it has it.
    pub(crate) fn of(context: &Context<'_>) -> Result<MultiRegionRole, ServiceError> {
        let (host, call) = (context.host(), context.call());
        let role = LinkedRole::of_own(&MULTI_REGION_KEYS);
        Ok(MultiRegionRole {
            changes: Changes::new(host),
            record: role.record(&*host.rng, call.account(), None, context.now())?,
            event_id: host.uuid()?,
            region: call.region,
        })
    }

    /// Makes the role and tells of it, unless there is one of its name.
    pub(crate) fn make_if_absent(
        self,
        transaction: &mut Transaction<'_>,
        events: &mut Vec<Vec<u8>>,
    ) -> Result<(), ServiceError> {
        let row = &self.record.identity;
        if transaction.identity_named(row.account, row.kind, &row.name)?.is_some() {
            return Ok(());
        }
        let role = self.changes.save(transaction, self.record)?;
        events.push(events::linked_role_created(&role, self.region, self.event_id));
        Ok(())
    }
}

/// Whether an identity is a service-linked role.
pub(crate) fn is_linked(row: &IdentityRow) -> bool {
    row.kind == IdentityKind::Role && row.path.starts_with(PATH_PREFIX)
}

/// The principal of the service whose role this is; none if it is no service's.
pub(crate) fn principal_of(row: &IdentityRow) -> Option<&str> {
    let principal = row.path.strip_prefix(PATH_PREFIX).filter(|_| is_linked(row))?;
    Some(principal.trim_end_matches('/'))
}

/// Whether it is the role of multi-Region keys.
pub(crate) fn is_of_multi_region_keys(row: &IdentityRow) -> bool {
    principal_of(row) == Some(MULTI_REGION_KEYS.principal)
}

/// Whether the caller is a session of a service-linked role, which service and resource control policies do not limit (AWS
/// Organizations User Guide, "Service control policies", "Resource control policies").
pub(crate) fn is_session(principal: &Principal) -> bool {
    match &principal.kind {
        PrincipalKind::RoleSession { role_arn } => role_arn
            .splitn(6, ':')
            .nth(5)
            .and_then(|resource| resource.strip_prefix("role"))
            .is_some_and(|path| path.starts_with(PATH_PREFIX)),
        PrincipalKind::Root
        | PrincipalKind::User
        | PrincipalKind::FederatedUser { .. }
        | PrincipalKind::Service { .. }
        | PrincipalKind::WebIdentity { .. } => false,
    }
}

/// The name of a registered service's role, `AWSServiceRoleForObject-Store` for `object-store`: the hyphens stay, so that
/// no two services have the same one.
fn name_of(service: &RegisteredService) -> String {
    let words = service.name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    format!("{NAME_PREFIX}{}", words.collect::<Vec<_>>().join("-"))
}

/// Only the service itself assumes its role.
fn trust_policy(principal: &str) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": principal},
            "Action": "sts:AssumeRole",
        }],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use policy::{Document, DocumentKind};

    use super::*;
    use crate::identities::managed_policy;

    fn session(role_arn: &str) -> Principal {
        Principal {
            account: "111122223333".parse().unwrap(),
            arn: "arn:aws:sts::111122223333:assumed-role/name/session".into(),
            kind: PrincipalKind::RoleSession { role_arn: role_arn.into() },
        }
    }

    #[test]
    fn the_policies_of_our_own_services_are_there() {
        for own in [MULTI_REGION_KEYS, CUSTOM_KEY_STORES] {
            let policy = managed_policy(own.policy_arn).unwrap();
            assert_eq!(&*policy.path, PATH_PREFIX);
            let trust = trust_policy(own.principal);
            Document::parse_as(DocumentKind::RoleTrust, &trust).unwrap();
        }
    }

    #[test]
    fn services_of_different_names_have_roles_of_different_names() {
        let names = ["s3", "object-store", "objectstore", "a-b-", "-a-b", "a--b"];
        let mut roles: Vec<_> = names.map(RegisteredService::named).iter().map(name_of).collect();
        assert_eq!(roles.first().unwrap(), "AWSServiceRoleForS3");
        assert_eq!(roles.get(1).unwrap(), "AWSServiceRoleForObject-Store");
        roles.iter_mut().for_each(|name| name.make_ascii_lowercase());
        roles.sort_unstable();
        roles.dedup();
        assert_eq!(roles.len(), names.len());
    }

    #[test]
    fn only_sessions_of_roles_below_the_path_are_of_linked_roles() {
        for (role_arn, expected) in [
            (
                "arn:aws:iam::111122223333:role/aws-service-role/s3.amazonaws.com/AWSServiceRoleForS3",
                true,
            ),
            ("arn:aws-cn:iam::111122223333:role/aws-service-role/a/b", true),
            ("arn:aws:iam::111122223333:role/team/aws-service-role/a/b", false),
            ("arn:aws:iam::111122223333:role/aws-service-role", false),
            ("arn:aws:iam::111122223333:role/AWS-service-role/a/b", false),
        ] {
            assert_eq!(is_session(&session(role_arn)), expected, "{role_arn}");
        }
        let user = Principal { kind: PrincipalKind::User, ..session("") };
        assert!(!is_session(&user));
    }
}

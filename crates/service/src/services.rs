//! Services: programs that the operator registers, and what part one has in a call.
//!
//! A service calls as itself, for a resource of an account perhaps, or as the user whose forward access session it
//! shows (`forwarding`). Nobody else's headers feed a condition key (threat T-9).

use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwap;
use policy::{Principal, PrincipalKind};
use wire::error_codes::ErrorCode;
use wire::names::{AccountId, Partition, Region};

use crate::api::Incoming;
use crate::call::Caller;
use crate::error::ServiceError;
use crate::forwarding;
use crate::front::optional_header;
use crate::host::Host;
use crate::operation::{Api, Spec};

mod actions;
mod credentials;

pub use actions::ForwardedAction;
pub use credentials::{ServiceAccessKeyError, ServiceSummary};
pub(crate) use credentials::{create_access_key, delete_access_key, list};

/// The account that services are principals of. No tenant can be it.
pub static SYSTEM_ACCOUNT: LazyLock<AccountId> =
    LazyLock::new(|| "000000000000".parse().expect("twelve digits are an account id"));

/// The resource for which a service calls: `aws:SourceArn`.
const SOURCE_ARN_HEADER: &str = "x-amz-source-arn";
/// The account of that resource: `aws:SourceAccount`.
const SOURCE_ACCOUNT_HEADER: &str = "x-amz-source-account";
/// The forward access session of the user as whom a service calls.
const FORWARD_ACCESS_HEADER: &str = "x-amz-forward-access-token";

/// What services may call of STS as themselves: who they are, and a role whose trust policy names them.
const OF_STS: [&str; 2] = ["GetCallerIdentity", "AssumeRole"];

/// A service as the operator registered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredService {
    /// Its short name, such as `s3`.
    pub name: String,
    /// Its service principal, such as `s3.amazonaws.com`.
    pub principal: String,
    /// The service of the credential scope under which users sign their requests to it.
    pub signing_name: String,
    /// The Regions in which it may call; all when absent.
    pub regions: Option<Vec<Region>>,
    /// The accounts for whose keys and roles it may call; all when absent.
    pub accounts: Option<Vec<AccountId>>,
    /// The most that its forward access sessions may carry.
    pub actions: Vec<ForwardedAction>,
}

impl RegisteredService {
    /// A service of that name with what is usual of the rest.
    #[must_use]
    pub fn named(name: &str) -> RegisteredService {
        RegisteredService {
            name: name.to_owned(),
            principal: format!("{name}.amazonaws.com"),
            signing_name: name.to_owned(),
            regions: None,
            accounts: None,
            actions: ForwardedAction::all().collect(),
        }
    }

    /// `kms:ViaService`, such as `s3.us-east-1.amazonaws.com`.
    pub(crate) fn via(&self, region: Region) -> String {
        let suffix = match region.partition() {
            Partition::AwsCn => ".cn",
            Partition::Aws | Partition::AwsUsGov => "",
        };
        format!("{}.{}.amazonaws.com{suffix}", self.name, region.as_str())
    }

    /// Whether it may call for keys and roles of the account.
    pub(crate) fn serves_account(&self, account: AccountId) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.contains(&account))
    }

    /// Whether it may call in the Region.
    pub(crate) fn serves_region(&self, region: Region) -> bool {
        self.regions.as_ref().is_none_or(|regions| regions.contains(&region))
    }
}

/// The services of the deployment, as the operator's file registers them now.
pub(crate) struct Services(ArcSwap<Vec<Arc<RegisteredService>>>);

impl Services {
    pub(crate) fn new(services: Vec<RegisteredService>) -> Services {
        Services(ArcSwap::from_pointee(services.into_iter().map(Arc::new).collect()))
    }

    /// Puts others in their place for all calls that arrive from now on.
    pub(crate) fn set(&self, services: Vec<RegisteredService>) {
        self.0.store(Arc::new(services.into_iter().map(Arc::new).collect()));
    }

    /// The service of that name.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<RegisteredService>> {
        self.0.load().iter().find(|service| service.name == name).cloned()
    }

    /// All of them, in the operator's order.
    pub(crate) fn all(&self) -> Arc<Vec<Arc<RegisteredService>>> {
        self.0.load_full()
    }
}

/// The part that a service has in a call.
pub(crate) enum Part {
    /// It calls as itself.
    Itself(Itself),
    /// It calls as the user of a forward access session.
    Forwarding(Forwarding),
}

/// A service that calls as itself.
pub(crate) struct Itself {
    pub(crate) service: Arc<RegisteredService>,
    pub(crate) principal: Principal,
    pub(crate) source_arn: Option<Box<str>>,
    pub(crate) source_account: Option<Box<str>>,
}

/// A service that calls as a user.
pub(crate) struct Forwarding {
    pub(crate) service: Arc<RegisteredService>,
    /// The Region for which the session was made.
    pub(crate) region: Region,
    /// What the session is for.
    pub(crate) actions: Vec<ForwardedAction>,
}

/// What the credential of a service stands for: the service itself, or the user whose session it shows.
pub(crate) fn admit(
    host: &Host,
    incoming: &Incoming<'_>,
    caller: Caller,
    region: Region,
) -> Result<Caller, ServiceError> {
    let unknown = || ServiceError::from(sigv4::Refusal::UnknownAccessKey);
    // A key that outlived its registry entry is nobody's.
    let service = caller.identity().and_then(|identity| host.services.find(identity.name()));
    let service = service.ok_or_else(unknown)?;
    refuse_region(&service, region)?;
    let text = |name| {
        let value = optional_header(incoming, name).map(str::from_utf8).transpose();
        value.map_err(|_| ServiceError::from(sigv4::Refusal::UnknownAccessKey))
    };
    let (source_arn, source_account) = (text(SOURCE_ARN_HEADER)?, text(SOURCE_ACCOUNT_HEADER)?);
    if let Some(token) = text(FORWARD_ACCESS_HEADER)? {
        return forwarding::user_of(host, service, token);
    }
    let itself = Itself {
        principal: principal(&service),
        service,
        source_arn: source_arn.map(Box::from),
        source_account: source_account.map(Box::from),
    };
    Ok(caller.with_part(Part::Itself(itself)))
}

/// A service, as policies see it.
pub(crate) fn principal(service: &RegisteredService) -> Principal {
    Principal {
        account: *SYSTEM_ACCOUNT,
        arn: service.principal.as_str().into(),
        kind: PrincipalKind::Service { name: service.principal.as_str().into() },
    }
}

/// Refuses a service in a Region that it is not registered for.
pub(crate) fn refuse_region(
    service: &RegisteredService,
    region: Region,
) -> Result<(), ServiceError> {
    match service.serves_region(region) {
        true => Ok(()),
        false => Err(refused(service, "is not registered for this Region")),
    }
}

/// Refuses what services may not do, whatever policies say.
pub(crate) fn check(caller: &Caller, region: Region, spec: &Spec) -> Result<(), ServiceError> {
    match caller.part() {
        None => Ok(()),
        Some(Part::Itself(itself)) => match spec.api {
            Api::Kms | Api::ForwardAccess => Ok(()),
            Api::Sts if OF_STS.contains(&spec.name) => Ok(()),
            Api::Iam | Api::Sts => Err(refused(&itself.service, "may not call this operation")),
            Api::CloudTrail => Err(refused(&itself.service, "has no events")),
        },
        Some(Part::Forwarding(Forwarding { service, region: granted, actions })) => {
            let is_carried = |action: &&str| {
                ForwardedAction::from_action(action).is_some_and(|action| actions.contains(&action))
            };
            let is_allowed = spec.api == Api::Kms
                && *granted == region
                && !spec.actions.is_empty()
                && spec.actions.iter().all(is_carried);
            match is_allowed && service.serves_account(caller.account()) {
                true => Ok(()),
                false => Err(refused(service, "has no forward access session for this call")),
            }
        }
    }
}

pub(crate) fn refused(service: &RegisteredService, because: &str) -> ServiceError {
    let message = format!("Service: {} {because}", service.principal);
    ServiceError::new(ErrorCode::AccessDeniedException, message)
}

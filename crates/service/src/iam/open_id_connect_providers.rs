//! CreateOpenIDConnectProvider, GetOpenIDConnectProvider, ListOpenIDConnectProviders, DeleteOpenIDConnectProvider,
//! AddClientIDToOpenIDConnectProvider, RemoveClientIDFromOpenIDConnectProvider, UpdateOpenIDConnectProviderThumbprint.

use std::sync::Arc;

use store::{ClientIdRow, IdentityKind, IdentityRecord, ThumbprintRow};
use wire::error_codes::ErrorCode;
use wire::iam::open_id_connect_providers::{
    AddClientIDToOpenIDConnectProviderRequest, CreateOpenIDConnectProviderRequest,
    CreateOpenIDConnectProviderResponse, DeleteOpenIDConnectProviderRequest,
    GetOpenIDConnectProviderRequest, GetOpenIDConnectProviderResponse,
    ListOpenIDConnectProvidersRequest, ListOpenIDConnectProvidersResponse,
    OpenIDConnectProviderListEntry, RemoveClientIDFromOpenIDConnectProviderRequest,
    UpdateOpenIDConnectProviderThumbprintRequest,
};
use wire::shape::required;

use super::users::{create, delete, new_record};
use super::{
    CREATING, DEFAULT, READING, change, check_new_tags, put_tags, quotas, tagging, tags_of,
};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::identities::Identity;
use crate::operation::{Operation, Spec};
use crate::target::{ASKS_MAX, Ask, Lookup, NoTarget, Target};
use crate::trail::{Done, Resource};

/// What stands before the name of a provider in its URL.
const SCHEME: &str = "https://";

/// Makes an OIDC provider.
pub(crate) struct CreateOpenIDConnectProvider;

impl Operation for CreateOpenIDConnectProvider {
    type Request = CreateOpenIDConnectProviderRequest;
    type Target = OneProvider;
    type Response = CreateOpenIDConnectProviderResponse;
    const SPEC: Spec = Spec {
        name: "CreateOpenIDConnectProvider",
        actions: &["iam:CreateOpenIDConnectProvider"],
        tagging_action: Some("iam:TagOpenIDConnectProvider"),
        ..CREATING
    };

    fn check(request: &CreateOpenIDConnectProviderRequest) -> Result<(), ServiceError> {
        if request.context_provider.is_some() || request.identity_center_instance_arn.is_some() {
            return Err(ServiceError::new(
                ErrorCode::InvalidInput,
                "There is no IAM Identity Center to associate with the provider.",
            ));
        }
        check_thumbprints(request.thumbprint_list.as_deref().unwrap_or_default())?;
        check_new_tags(request.tags.as_deref())
    }

    fn names(
        request: &CreateOpenIDConnectProviderRequest,
    ) -> Result<<OneProvider as Target>::Names<'_>, ServiceError> {
        Ok(ProviderName::Url(required(&request.url)?))
    }

    fn facts(request: &CreateOpenIDConnectProviderRequest) -> Facts<'_> {
        tagging::facts(request.tags.as_deref())
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneProvider>,
        request: &CreateOpenIDConnectProviderRequest,
    ) -> Result<Done<CreateOpenIDConnectProviderResponse>, ServiceError> {
        if target.provider.is_some() {
            return Err(ServiceError::new(
                ErrorCode::EntityAlreadyExists,
                format!("Provider with url {} already exists.", required(&request.url)?),
            ));
        }
        let kind = IdentityKind::OidcProvider;
        let count = context.host().identities.count(context.call().account(), kind);
        quotas::check("OpenIdConnectProvidersPerAccount", count + 1, quotas::OIDC_PROVIDERS_MAX)?;
        let mut record = new_record(context, kind, &target.name, None)?;
        for client_id in request.client_id_list.iter().flatten() {
            add_client_id(&mut record, client_id)?;
        }
        record.thumbprints = thumbprint_rows(request.thumbprint_list.as_deref());
        put_tags(&mut record, request.tags.as_deref().unwrap_or_default())?;
        create(context, record, |provider, partition| CreateOpenIDConnectProviderResponse {
            open_id_connect_provider_arn: provider.arn(partition),
            tags: tags_of(provider.record()),
        })
        .await
    }
}

/// Tells of an OIDC provider.
pub(crate) struct GetOpenIDConnectProvider;

impl Operation for GetOpenIDConnectProvider {
    type Request = GetOpenIDConnectProviderRequest;
    type Target = OneProvider;
    type Response = GetOpenIDConnectProviderResponse;
    const SPEC: Spec = Spec {
        name: "GetOpenIDConnectProvider",
        actions: &["iam:GetOpenIDConnectProvider"],
        ..READING
    };

    fn names(
        request: &GetOpenIDConnectProviderRequest,
    ) -> Result<<OneProvider as Target>::Names<'_>, ServiceError> {
        Ok(ProviderName::Arn(required(&request.open_id_connect_provider_arn)?))
    }

    async fn handle(
        _context: &Context<'_>,
        target: Authorized<OneProvider>,
        _request: &GetOpenIDConnectProviderRequest,
    ) -> Result<Done<GetOpenIDConnectProviderResponse>, ServiceError> {
        let record = target.existing()?.record();
        let mut thumbprints: Vec<&ThumbprintRow> = record.thumbprints.iter().collect();
        thumbprints.sort_by_key(|row| row.position);
        Ok(Done::read(GetOpenIDConnectProviderResponse {
            url: record.identity.name.clone(),
            client_id_list: record.client_ids.iter().map(|row| row.client_id.clone()).collect(),
            thumbprint_list: thumbprints.into_iter().map(|row| row.thumbprint.clone()).collect(),
            create_date: record.identity.created,
            tags: tags_of(record),
            context_provider: None,
            identity_center_instance_arn: None,
            identity_store_arn: None,
        }))
    }
}

/// Lists the OIDC providers of the account.
pub(crate) struct ListOpenIDConnectProviders;

impl Operation for ListOpenIDConnectProviders {
    type Request = ListOpenIDConnectProvidersRequest;
    type Target = NoTarget;
    type Response = ListOpenIDConnectProvidersResponse;
    const SPEC: Spec = Spec {
        name: "ListOpenIDConnectProviders",
        actions: &["iam:ListOpenIDConnectProviders"],
        ..READING
    };

    fn names(_request: &ListOpenIDConnectProvidersRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        _request: &ListOpenIDConnectProvidersRequest,
    ) -> Result<Done<ListOpenIDConnectProvidersResponse>, ServiceError> {
        let call = context.call();
        let providers = context.host().identities.all(call.account(), IdentityKind::OidcProvider);
        let entry = |provider: &Arc<Identity>| OpenIDConnectProviderListEntry {
            arn: provider.arn(call.region.partition()),
            is_trusted_identity_propagation_enabled: false,
        };
        Ok(Done::read(ListOpenIDConnectProvidersResponse {
            open_id_connect_provider_list: providers.iter().map(entry).collect(),
        }))
    }
}

/// Deletes an OIDC provider. One that is not there is no error (IAM API Reference).
pub(crate) struct DeleteOpenIDConnectProvider;

impl Operation for DeleteOpenIDConnectProvider {
    type Request = DeleteOpenIDConnectProviderRequest;
    type Target = OneProvider;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "DeleteOpenIDConnectProvider",
        actions: &["iam:DeleteOpenIDConnectProvider"],
        ..DEFAULT
    };

    fn names(
        request: &DeleteOpenIDConnectProviderRequest,
    ) -> Result<<OneProvider as Target>::Names<'_>, ServiceError> {
        Ok(ProviderName::Arn(required(&request.open_id_connect_provider_arn)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneProvider>,
        _request: &DeleteOpenIDConnectProviderRequest,
    ) -> Result<Done<()>, ServiceError> {
        match &target.provider {
            Some(provider) => delete(context, provider, |_| Ok(())).await,
            None => Ok(Done::read(())),
        }
    }
}

/// Adds a client id to those that an OIDC provider may vouch for. One that is there already is no error.
pub(crate) struct AddClientIDToOpenIDConnectProvider;

impl Operation for AddClientIDToOpenIDConnectProvider {
    type Request = AddClientIDToOpenIDConnectProviderRequest;
    type Target = OneProvider;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "AddClientIDToOpenIDConnectProvider",
        actions: &["iam:AddClientIDToOpenIDConnectProvider"],
        ..DEFAULT
    };

    fn names(
        request: &AddClientIDToOpenIDConnectProviderRequest,
    ) -> Result<<OneProvider as Target>::Names<'_>, ServiceError> {
        Ok(ProviderName::Arn(required(&request.open_id_connect_provider_arn)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneProvider>,
        request: &AddClientIDToOpenIDConnectProviderRequest,
    ) -> Result<Done<()>, ServiceError> {
        let client_id = required(&request.client_id)?.clone();
        change(context, target.existing()?, move |record, _| add_client_id(record, &client_id))
            .await
    }
}

/// Takes a client id from an OIDC provider. One that is not there is no error.
pub(crate) struct RemoveClientIDFromOpenIDConnectProvider;

impl Operation for RemoveClientIDFromOpenIDConnectProvider {
    type Request = RemoveClientIDFromOpenIDConnectProviderRequest;
    type Target = OneProvider;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "RemoveClientIDFromOpenIDConnectProvider",
        actions: &["iam:RemoveClientIDFromOpenIDConnectProvider"],
        ..DEFAULT
    };

    fn names(
        request: &RemoveClientIDFromOpenIDConnectProviderRequest,
    ) -> Result<<OneProvider as Target>::Names<'_>, ServiceError> {
        Ok(ProviderName::Arn(required(&request.open_id_connect_provider_arn)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneProvider>,
        request: &RemoveClientIDFromOpenIDConnectProviderRequest,
    ) -> Result<Done<()>, ServiceError> {
        let client_id = required(&request.client_id)?.clone();
        change(context, target.existing()?, move |record, _| {
            record.client_ids.retain(|row| row.client_id != client_id);
            Ok(())
        })
        .await
    }
}

/// Replaces the thumbprints of an OIDC provider.
pub(crate) struct UpdateOpenIDConnectProviderThumbprint;

impl Operation for UpdateOpenIDConnectProviderThumbprint {
    type Request = UpdateOpenIDConnectProviderThumbprintRequest;
    type Target = OneProvider;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "UpdateOpenIDConnectProviderThumbprint",
        actions: &["iam:UpdateOpenIDConnectProviderThumbprint"],
        ..DEFAULT
    };

    fn check(request: &UpdateOpenIDConnectProviderThumbprintRequest) -> Result<(), ServiceError> {
        check_thumbprints(required(&request.thumbprint_list)?)
    }

    fn names(
        request: &UpdateOpenIDConnectProviderThumbprintRequest,
    ) -> Result<<OneProvider as Target>::Names<'_>, ServiceError> {
        Ok(ProviderName::Arn(required(&request.open_id_connect_provider_arn)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneProvider>,
        request: &UpdateOpenIDConnectProviderThumbprintRequest,
    ) -> Result<Done<()>, ServiceError> {
        let rows = thumbprint_rows(request.thumbprint_list.as_deref());
        change(context, target.existing()?, move |record, _| {
            record.thumbprints = rows;
            Ok(())
        })
        .await
    }
}

/// An OIDC provider of the caller's account.
pub(crate) struct OneProvider {
    arn: String,
    name: String,
    provider: Option<Arc<Identity>>,
}

impl OneProvider {
    /// The provider, which must exist.
    pub(super) fn existing(&self) -> Result<&Arc<Identity>, ServiceError> {
        self.provider.as_ref().ok_or_else(|| {
            ServiceError::new(
                ErrorCode::NoSuchEntity,
                format!("OpenIDConnect Provider not found for arn {}", self.arn),
            )
        })
    }
}

/// How a request names an OIDC provider.
pub(crate) enum ProviderName<'r> {
    /// By the URL of one that is to be made.
    Url(&'r str),
    /// By the ARN of one that should exist.
    Arn(&'r str),
}

impl Target for OneProvider {
    type Names<'r> = ProviderName<'r>;

    async fn resolve(
        lookup: &Lookup<'_>,
        names: Self::Names<'_>,
    ) -> Result<OneProvider, ServiceError> {
        let (account, partition) = (lookup.call.account(), lookup.call.region.partition());
        let own = format!("arn:{}:iam::{account}:oidc-provider/", partition.as_str());
        let (arn, name) = match names {
            ProviderName::Url(url) => {
                let name = url.strip_prefix(SCHEME).filter(|name| is_name(name));
                let name = name.ok_or_else(|| {
                    ServiceError::validation("Invalid Open ID Connect Provider URL")
                })?;
                (format!("{own}{name}"), name)
            }
            ProviderName::Arn(arn) => {
                let is_provider = arn.starts_with("arn:") && arn.contains(":oidc-provider/");
                if !is_provider {
                    return Err(ServiceError::validation(format!("ARN {arn} is not valid.")));
                }
                // Of another account there is none to be found.
                (arn.to_owned(), arn.strip_prefix(&own).unwrap_or_default())
            }
        };
        let provider = lookup.host.identities.find(account, IdentityKind::OidcProvider, name);
        // A name that is to be made is taken whatever the case of its letters; one that should exist is exact.
        let is_new = matches!(names, ProviderName::Url(_));
        let provider = provider.filter(|provider| is_new || provider.name() == name);
        Ok(OneProvider { arn, name: name.to_owned(), provider })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        let identity = self.provider.as_deref();
        [Some(Ask::Identity { arn: &self.arn, identity }), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// Whether that can follow `https://`: a host, maybe a port, maybe a path, and no query (IAM API Reference,
/// CreateOpenIDConnectProvider).
fn is_name(name: &str) -> bool {
    let (authority, path) = match name.find('/') {
        Some(place) => name.split_at(place),
        None => (name, ""),
    };
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let is_host = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
    let is_path = |character: char| is_host(character) || "/~!$&'()*+,;=:@%".contains(character);
    host.starts_with(|character: char| character.is_ascii_alphanumeric())
        && host.chars().all(is_host)
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0)
        && path.chars().all(is_path)
}

fn add_client_id(record: &mut IdentityRecord, client_id: &str) -> Result<(), ServiceError> {
    if !record.client_ids.iter().any(|row| row.client_id == client_id) {
        record.client_ids.push(ClientIdRow { client_id: client_id.to_owned() });
    }
    quotas::check(
        "ClientIdsPerOpenIdConnectProvider",
        record.client_ids.len(),
        quotas::CLIENT_IDS_MAX,
    )
}

fn check_thumbprints(thumbprints: &[String]) -> Result<(), ServiceError> {
    if thumbprints.len() > quotas::THUMBPRINTS_MAX {
        return Err(ServiceError::new(
            ErrorCode::InvalidInput,
            "Thumbprint list must contain fewer than 5 entries.",
        ));
    }
    match thumbprints.iter().all(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        true => Ok(()),
        false => {
            Err(ServiceError::new(ErrorCode::InvalidInput, "Thumbprints must be hexadecimal."))
        }
    }
}

/// Thumbprints in their order, each once.
fn thumbprint_rows(thumbprints: Option<&[String]>) -> Vec<ThumbprintRow> {
    let mut rows: Vec<ThumbprintRow> = Vec::new();
    for (position, thumbprint) in (0..).zip(thumbprints.unwrap_or_default()) {
        if !rows.iter().any(|row| row.thumbprint == *thumbprint) {
            rows.push(ThumbprintRow { thumbprint: thumbprint.clone(), position });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hosts_with_paths_and_no_queries() {
        for name in [
            "token.example.com",
            "10.0.0.7:8443/realms/a_b",
            "example.auth0.com/",
            "oidc.eks.eu-central-1.example.com/id/EXAMPLED539D4633E53DE1B716D3041E",
        ] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            "/path",
            ":443",
            "-host",
            "host:",
            "host:0",
            "host:+1",
            "host:65536",
            "host:1:2",
            "user@host",
            "host?query",
            "host/path?query",
            "host/path#fragment",
            "host/\"",
            "host/a b",
            "hôst",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn thumbprints_keep_their_order() {
        let given = ["b", "a", "b", "c"].map(str::to_owned);
        let rows = thumbprint_rows(Some(&given));
        let kept: Vec<_> = rows.iter().map(|row| (row.thumbprint.as_str(), row.position)).collect();
        assert_eq!(kept, [("b", 0), ("a", 1), ("c", 3)]);
    }
}

//! The facts of a call as condition keys (reference 1.8). Every one is derived here or read from a verified request;
//! no header feeds a condition key (threat T-9).

use attestation::Attested;
use policy::{ConditionContext, ConditionValues, PrincipalKind};
use wire::enums::{
    DataKeyPairSpec, KeyAgreementAlgorithmSpec, MacAlgorithmSpec, MessageType, MultiRegionKeyType,
    SigningAlgorithmSpec,
};
use wire::kms::grants::GrantConstraints;
use wire::names::{AccountId, AliasName};
use wire::values::OneOf;

use crate::call::Call;
use crate::facts::{Cryptography, Facts, GrantFacts, NewKeyFacts};
use crate::identities::Identity;
use crate::recipient;
use crate::services::{Itself, RegisteredService};
use crate::snapshot::KeySnapshot;
use crate::target::{Ask, NamedBy, Target};

/// What policies may know of one question to authorization.
pub(crate) struct Conditions<'a> {
    call: &'a Call<'a>,
    key: Option<&'a KeySnapshot>,
    identity: Option<&'a Identity>,
    request_alias: Option<&'a AliasName>,
    facts: &'a Facts<'a>,
    position: usize,
    recipient: Option<&'a Attested>,
    reencrypts_on_same_key: Option<bool>,
}

/// What the keys of an attested recipient's measurements begin with.
const RECIPIENT_ATTESTATION: &str = "kms:recipientattestation:";

impl<'a> Conditions<'a> {
    /// The conditions of the question at `position` of the target; without a question, of the request alone.
    pub(crate) fn new(
        call: &'a Call<'a>,
        ask: Option<&'a Ask<'a>>,
        facts: &'a Facts<'a>,
        position: usize,
    ) -> Conditions<'a> {
        let (key, request_alias) = match ask {
            Some(Ask::Key(key, NamedBy::Alias(alias))) => (Some(*key), Some(alias)),
            Some(Ask::Key(key, NamedBy::Key | NamedBy::Ciphertext)) => (Some(*key), None),
            Some(Ask::Grant(key, _)) => (Some(*key), None),
            Some(Ask::Nothing | Ask::Alias(_) | Ask::Identity { .. } | Ask::Role { .. }) | None => {
                (None, None)
            }
        };
        let identity = match ask {
            Some(Ask::Identity { identity, .. } | Ask::Role { role: identity, .. }) => *identity,
            Some(Ask::Nothing | Ask::Alias(_) | Ask::Key(..) | Ask::Grant(..)) | None => None,
        };
        Conditions {
            call,
            key,
            identity,
            request_alias,
            facts,
            position,
            recipient: None,
            reencrypts_on_same_key: None,
        }
    }

    /// The same for a question about one part of a target.
    pub(crate) fn of_target(self, target: &impl Target) -> Conditions<'a> {
        Conditions { reencrypts_on_same_key: target.reencrypts_on_same_key(), ..self }
    }

    /// The same for a request with an attested recipient.
    pub(crate) fn attested(self, recipient: Option<&'a Attested>) -> Conditions<'a> {
        Conditions { recipient, ..self }
    }

    /// A measurement of the recipient, as lower-case hexadecimal digits.
    fn of_recipient(&self, key: &str) -> Option<ConditionValues<'_>> {
        let measurement = key.strip_prefix(RECIPIENT_ATTESTATION)?;
        let recipient = self.recipient?;
        let pcr =
            |digits: &str| digits.parse::<u8>().ok().filter(|number| number.to_string() == digits);
        let value = match measurement.strip_prefix("nitrotpmpcr") {
            Some(digits) => recipient.nitro_tpm_pcrs.get(&pcr(digits)?)?,
            // `ImageSha384` is another name of PCR0 (KMS developer guide, "kms:RecipientAttestation:ImageSha384").
            None if measurement == "imagesha384" => recipient.pcrs.get(&0)?,
            None => recipient.pcrs.get(&pcr(measurement.strip_prefix("pcr")?)?)?,
        };
        Some(recipient::hexadecimal(value).into())
    }

    /// The paths on which an account lies in its organization: the one.
    fn path_of(&self, account: AccountId) -> Option<ConditionValues<'_>> {
        self.call.guard_rails.path(account).map(|path| ConditionValues::many([path]))
    }

    fn of_request(&self, key: &str) -> Option<ConditionValues<'_>> {
        let facts = self.facts;
        match key {
            "kms:encryptionalgorithm" => {
                let algorithm = facts.encryption_algorithms.get(self.position).copied().flatten();
                algorithm.map(|algorithm| algorithm.as_str().into())
            }
            "kms:encryptioncontextkeys" => {
                let context = facts.encryption_contexts.get(self.position).copied().flatten()?;
                Some(ConditionValues::many(context.keys().map(String::as_str)))
            }
            "kms:reencryptonsamekey" => self.reencrypts_on_same_key.map(ConditionValues::from),
            "kms:bypasspolicylockoutsafetycheck" => {
                Some(facts.bypass_policy_lockout_safety_check.into())
            }
            "aws:tagkeys" => {
                let tags = facts.tags.iter().filter_map(|tag| tag.tag_key.as_deref());
                let tags = tags.chain(facts.iam.tags.iter().filter_map(|tag| tag.key.as_deref()));
                let of_token = self.token_tags().iter().filter_map(|tag| tag.key.as_deref());
                let tags = tags.chain(of_token);
                Some(ConditionValues::many(tags.chain(facts.tag_keys.iter().map(String::as_str))))
            }
            _ => self
                .of_cryptography(key)
                .or_else(|| self.of_lifecycle(key))
                .or_else(|| self.of_recipient(key))
                .or_else(|| self.of_grant(key))
                .or_else(|| self.of_request_member(key)),
        }
    }

    fn of_cryptography(&self, key: &str) -> Option<ConditionValues<'_>> {
        let Cryptography {
            signing_algorithm,
            message_type,
            mac_algorithm,
            key_agreement_algorithm,
            data_key_pair_spec,
        } = &self.facts.cryptography;
        let text = match key {
            "kms:signingalgorithm" => signing_algorithm.map(SigningAlgorithmSpec::as_str),
            "kms:messagetype" => message_type.map(MessageType::as_str),
            "kms:macalgorithm" => mac_algorithm.map(MacAlgorithmSpec::as_str),
            "kms:keyagreementalgorithm" => {
                key_agreement_algorithm.map(KeyAgreementAlgorithmSpec::as_str)
            }
            "kms:datakeypairspec" => data_key_pair_spec.map(DataKeyPairSpec::as_str),
            _ => None,
        };
        text.map(ConditionValues::from)
    }

    fn of_lifecycle(&self, key: &str) -> Option<ConditionValues<'_>> {
        let lifecycle = &self.facts.lifecycle;
        match key {
            "kms:schedulekeydeletionpendingwindowindays" => {
                lifecycle.pending_window_days.map(ConditionValues::from)
            }
            "kms:rotationperiodindays" => lifecycle.rotation_period_days.map(ConditionValues::from),
            "kms:validto" => lifecycle.valid_to.map(ConditionValues::from),
            "kms:expirationmodel" => lifecycle.expiration_model.map(|model| model.as_str().into()),
            "kms:wrappingalgorithm" => {
                lifecycle.wrapping_algorithm.map(|algorithm| algorithm.as_str().into())
            }
            "kms:wrappingkeyspec" => {
                lifecycle.wrapping_key_spec.map(|key_spec| key_spec.as_str().into())
            }
            "kms:replicaregion" => lifecycle.replica_region.map(ConditionValues::from),
            "kms:primaryregion" => lifecycle.primary_region.map(ConditionValues::from),
            _ => None,
        }
    }

    fn of_grant(&self, key: &str) -> Option<ConditionValues<'_>> {
        let GrantFacts { asked, is_for_aws_resource } = &self.facts.grant;
        if key == "kms:grantisforawsresource" {
            return is_for_aws_resource.map(ConditionValues::from);
        }
        let asked = (*asked)?;
        let constraints = asked.constraints.as_ref();
        let text = match key {
            "kms:granteeprincipal" => asked.grantee_principal.as_deref(),
            "kms:granteeserviceprincipal" => asked.grantee_service_principal.as_deref(),
            "kms:retiringprincipal" => asked.retiring_principal.as_deref(),
            "kms:retiringserviceprincipal" => asked.retiring_service_principal.as_deref(),
            "kms:grantconstraintsourcearn" => constraints?.source_arn.as_deref(),
            "kms:grantconstrainttype" => return of_constraint_type(constraints?),
            "kms:grantoperations" => {
                let operations = asked.operations.iter().flatten();
                return Some(ConditionValues::many(operations.map(OneOf::as_str)));
            }
            _ => None,
        };
        text.map(ConditionValues::from)
    }

    /// Keys whose last part the policy chooses.
    fn of_request_member(&self, key: &str) -> Option<ConditionValues<'_>> {
        if let Some(name) = key.strip_prefix("kms:encryptioncontext:") {
            let context = self.facts.encryption_contexts.get(self.position).copied().flatten()?;
            let value =
                context.iter().find(|(context_key, _)| context_key.eq_ignore_ascii_case(name));
            return value.map(|(_, value)| value.as_str().into());
        }
        let name = key.strip_prefix("aws:requesttag/")?;
        let of_identity =
            facts_tag(self.facts.iam.tags, name).or_else(|| facts_tag(self.token_tags(), name));
        if of_identity.is_some() {
            return of_identity;
        }
        let named = |tag: &&wire::kms::tags::Tag| {
            tag.tag_key.as_ref().is_some_and(|tag_key| tag_key.eq_ignore_ascii_case(name))
        };
        self.facts.tags.iter().find(named)?.tag_value.as_deref().map(ConditionValues::from)
    }

    /// What the key of CreateKey will be.
    fn of_new_key(&self, key: &str) -> Option<ConditionValues<'_>> {
        let NewKeyFacts { key_spec, key_usage, origin, multi_region } =
            self.facts.new_key.as_ref()?;
        match key {
            "kms:keyspec" | "kms:customermasterkeyspec" => Some(key_spec.as_str().into()),
            "kms:keyusage" | "kms:customermasterkeyusage" => Some(key_usage.as_str().into()),
            "kms:keyorigin" => Some(origin.as_str().into()),
            "kms:multiregion" => Some((*multi_region).into()),
            // CreateKey makes primary keys; ReplicateKey makes the others.
            "kms:multiregionkeytype" => {
                multi_region.then(|| MultiRegionKeyType::Primary.as_str().into())
            }
            _ => None,
        }
    }

    /// What is known of the key that the question is about.
    pub(crate) fn of_key(&self, key: &str) -> Option<ConditionValues<'_>> {
        let snapshot = self.key?;
        let row = snapshot.key();
        match key {
            "kms:keyspec" | "kms:customermasterkeyspec" => Some(row.key_spec.as_str().into()),
            "kms:keyusage" | "kms:customermasterkeyusage" => Some(row.key_usage.as_str().into()),
            "kms:keyorigin" => Some(row.origin.as_str().into()),
            "kms:multiregion" => Some(row.multi_region.into()),
            "kms:multiregionkeytype" => {
                snapshot.multi_region_key_type().map(|key_type| key_type.as_str().into())
            }
            "kms:requestalias" => self.request_alias.map(|alias| alias.as_str().into()),
            "kms:resourcealiases" => Some(ConditionValues::many(
                snapshot.record().aliases.iter().map(|row| row.alias.as_str()),
            )),
            "aws:resourceaccount" => Some(row.account.to_string().into()),
            "aws:resourceorgid" => {
                self.call.guard_rails.organization_id().map(ConditionValues::from)
            }
            "aws:resourceorgpaths" => self.path_of(row.account),
            _ => {
                let name = key.strip_prefix("aws:resourcetag/")?;
                let tag = snapshot
                    .record()
                    .tags
                    .iter()
                    .find(|tag| tag.tag_key.eq_ignore_ascii_case(name));
                tag.map(|tag| tag.tag_value.as_str().into())
            }
        }
    }
}

/// `kms:GrantConstraintType`: the names of the constraints on the encryption context.
fn of_constraint_type(constraints: &GrantConstraints) -> Option<ConditionValues<'static>> {
    let equals = constraints.encryption_context_equals.as_ref();
    let subset = constraints.encryption_context_subset.as_ref();
    let names =
        [equals.map(|_| "EncryptionContextEquals"), subset.map(|_| "EncryptionContextSubset")];
    let has_any = equals.or(subset).is_some();
    has_any.then(|| ConditionValues::many(names.into_iter().flatten()))
}

impl Conditions<'_> {
    /// The session tags that the caller's token asks for.
    fn token_tags(&self) -> &[wire::iam::tags::Tag] {
        self.call.caller.web_identity().map(|of_token| of_token.tags.as_slice()).unwrap_or_default()
    }

    /// What the caller's token says (IAM User Guide, "Available keys for AWS OIDC federation").
    fn of_token(&self, key: &str) -> Option<ConditionValues<'_>> {
        let of_token = self.call.caller.web_identity()?;
        let texts = |texts: &'_ [String]| !texts.is_empty();
        match key {
            "aws:federatedprovider" => return Some(of_token.provider_arn.as_str().into()),
            "sts:sourceidentity" => {
                return of_token.source_identity.as_deref().map(ConditionValues::from);
            }
            "sts:transitivetagkeys" => {
                let keys = &of_token.transitive_tag_keys;
                return texts(keys).then(|| ConditionValues::many(keys.iter().map(String::as_str)));
            }
            _ => {}
        }
        match key.strip_prefix(of_token.condition_prefix.as_str())? {
            "aud" => Some(of_token.audience.as_str().into()),
            "sub" => Some(of_token.subject.as_str().into()),
            "oaud" => {
                let audiences = &of_token.other_audiences;
                texts(audiences)
                    .then(|| ConditionValues::many(audiences.iter().map(String::as_str)))
            }
            "amr" => {
                let methods = &of_token.authentication_methods;
                texts(methods).then(|| ConditionValues::many(methods.iter().map(String::as_str)))
            }
            _ => None,
        }
    }

    /// A tag of the caller: `aws:PrincipalTag/KEY`.
    fn of_principal_tag(&self, key: &str) -> Option<ConditionValues<'_>> {
        let name = key.strip_prefix("aws:principaltag/")?;
        let caller = &self.call.caller;
        let of_session = caller.session().and_then(|session| {
            let tags = &session.claims().tags;
            tags.iter().find(|(tag_key, _)| tag_key.to_ascii_lowercase() == name)
        });
        if let Some((_, value)) = of_session {
            return Some(value.as_str().into());
        }
        tag_of(caller.identity()?, name)
    }

    /// What is known of the user, group, role or managed policy that the call is about.
    fn of_identity(&self, key: &str) -> Option<ConditionValues<'_>> {
        if let Some(name) =
            key.strip_prefix("aws:resourcetag/").or_else(|| key.strip_prefix("iam:resourcetag/"))
        {
            return tag_of(self.identity?, name);
        }
        match key {
            "sts:externalid" => self.facts.sts.external_id.map(ConditionValues::from),
            "sts:rolesessionname" => self.facts.sts.role_session_name.map(ConditionValues::from),
            "sts:sourceidentity" => {
                let session = self.call.caller.session();
                self.facts.sts.carried_source_identity(session).map(ConditionValues::from)
            }
            "sts:transitivetagkeys" => {
                let keys = self.facts.sts.transitive_tag_keys;
                (!keys.is_empty()).then(|| ConditionValues::many(keys.iter().map(String::as_str)))
            }
            "iam:policyarn" => self.facts.iam.policy_arn.map(ConditionValues::from),
            "iam:awsservicename" => self.facts.iam.aws_service_name.map(ConditionValues::from),
            "iam:permissionsboundary" => {
                let given = self.facts.iam.permissions_boundary;
                let stored = || self.identity?.row().permissions_boundary.as_deref();
                given.or_else(stored).map(ConditionValues::from)
            }
            _ => None,
        }
    }
}

/// A tag that the request gives to an identity, by its key in lower case.
fn facts_tag<'f>(tags: &'f [wire::iam::tags::Tag], name: &str) -> Option<ConditionValues<'f>> {
    let named = |tag: &&wire::iam::tags::Tag| {
        tag.key.as_ref().is_some_and(|key| key.to_ascii_lowercase() == name)
    };
    tags.iter().find(named)?.value.as_deref().map(ConditionValues::from)
}

/// A tag by its key in lower case.
pub(crate) fn tag_of<'i>(identity: &'i Identity, name: &str) -> Option<ConditionValues<'i>> {
    let tags = &identity.record().tags;
    let tag = tags.iter().find(|tag| tag.tag_key.to_ascii_lowercase() == name);
    tag.map(|tag| tag.tag_value.as_str().into())
}

/// What the caller's being a service has to say of a key; none where it says nothing.
fn of_service<'s>(itself: &'s Itself, key: &str) -> Option<Option<ConditionValues<'s>>> {
    let source = |text: &'s Option<Box<str>>| text.as_deref().map(ConditionValues::from);
    match key {
        // A service has no account, no user and no address of a user (IAM User Guide, "AWS global condition context
        // keys").
        "aws:userid"
        | "kms:calleraccount"
        | "aws:principalaccount"
        | "aws:principalarn"
        | "aws:principaltype"
        | "aws:username"
        | "aws:sourceip" => Some(None),
        "aws:principalisawsservice" => Some(Some(true.into())),
        "aws:principalservicename" => Some(Some(itself.service.principal.as_str().into())),
        "aws:principalservicenameslist" => {
            Some(Some(ConditionValues::many(std::iter::once(itself.service.principal.as_str()))))
        }
        "aws:sourcearn" => Some(source(&itself.source_arn)),
        "aws:sourceaccount" => Some(source(&itself.source_account)),
        _ => None,
    }
}

impl<'a> Conditions<'a> {
    /// What a service's calling as the user has to say of a key; none where it says nothing.
    fn of_via(
        &self,
        service: &'a RegisteredService,
        key: &str,
    ) -> Option<Option<ConditionValues<'a>>> {
        match key {
            "kms:viaservice" => Some(Some(service.via(self.call.region).into())),
            "aws:calledvia" => {
                Some(Some(ConditionValues::many(std::iter::once(service.principal.as_str()))))
            }
            "aws:calledviafirst" | "aws:calledvialast" => {
                Some(Some(service.principal.as_str().into()))
            }
            "aws:viaawsservice" => Some(Some(true.into())),
            "kms:grantisforawsresource" => {
                Some(self.facts.grant.is_for_aws_resource.map(|_| true.into()))
            }
            // The address is the service's own.
            "aws:sourceip" => Some(None),
            _ => None,
        }
    }
}

impl ConditionContext for Conditions<'_> {
    fn values(&self, key: &str) -> Option<ConditionValues<'_>> {
        let call = self.call;
        let of_service = call.caller.service().and_then(|itself| of_service(itself, key));
        let of_via = call.caller.via_service().and_then(|service| self.of_via(service, key));
        if let Some(values) = of_service.or(of_via) {
            return values;
        }
        let principal = call.principal();
        match key {
            "aws:userid" => Some(call.caller.user_id().into()),
            "kms:calleraccount" | "aws:principalaccount" => Some(call.caller.account_text().into()),
            // Of a session it is the role's (IAM User Guide, "AWS global condition context keys").
            "aws:principalarn" => Some(match &principal.kind {
                PrincipalKind::RoleSession { role_arn } => (&**role_arn).into(),
                PrincipalKind::Root
                | PrincipalKind::User
                | PrincipalKind::FederatedUser { .. }
                | PrincipalKind::Service { .. }
                | PrincipalKind::WebIdentity { .. } => (&*principal.arn).into(),
            }),
            "aws:tokenissuetime" => call.caller.session().map(|session| session.issued().into()),
            "aws:multifactorauthpresent" => call.caller.session().map(|_| false.into()),
            "aws:sourceidentity" => {
                let session = call.caller.session()?;
                session.claims().source_identity.as_deref().map(ConditionValues::from)
            }
            "aws:federatedprovider" if call.caller.session().is_some() => {
                let session = call.caller.session()?;
                session.claims().federated_provider.as_deref().map(ConditionValues::from)
            }
            "aws:principaltype" => Some(match principal.kind {
                PrincipalKind::Root => "Account".into(),
                PrincipalKind::User => "User".into(),
                PrincipalKind::RoleSession { .. } => "AssumedRole".into(),
                PrincipalKind::FederatedUser { .. } => "FederatedUser".into(),
                PrincipalKind::Service { .. } | PrincipalKind::WebIdentity { .. } => return None,
            }),
            "aws:username" => call.caller.user().map(|user| user.name().into()),
            "aws:principalisawsservice" | "aws:viaawsservice" => Some(false.into()),
            "aws:securetransport" => Some(call.peer.tls.is_some().into()),
            "aws:sourceip" => Some(call.peer.address.into()),
            "aws:currenttime" | "aws:epochtime" => Some(call.now.into()),
            "aws:requestedregion" => Some(call.region.as_str().into()),
            "aws:principalorgid" => call.guard_rails.organization_id().map(ConditionValues::from),
            "aws:principalorgpaths" => self.path_of(call.account()),
            _ => self
                .of_principal_tag(key)
                .or_else(|| self.of_token(key))
                .or_else(|| self.of_key(key))
                .or_else(|| self.of_new_key(key))
                .or_else(|| self.of_identity(key))
                .or_else(|| self.of_request(key)),
        }
    }
}

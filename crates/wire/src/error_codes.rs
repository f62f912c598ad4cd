//! The errors that a caller can meet, as rows of one table.
//!
//! Only their names and HTTP statuses live here. Their sentences are written by the service, and
//! which operation may answer with which of them stands in its specification there.
//!
//! Sources: the service models of KMS, IAM, STS and CloudTrail; "Common errors" of the KMS and STS API references.

/// Declares the table. A row is the name and the HTTP status in AWS JSON, then, where the AWS Query
/// protocol calls the same error otherwise, its code and status there. The errors that only IAM and
/// STS know have no form in AWS JSON: their rows are the name in the model, by which CloudTrail
/// records them, and the code and status of AWS Query.
macro_rules! error_codes {
    (
        modelled { $($modelled:ident $modelled_status:literal $(, query $modelled_query:literal $modelled_query_status:literal)?;)+ }
        identities { $($identity:ident $identity_name:literal, query $identity_query:literal $identity_status:literal;)+ }
        trails { $($trail:ident $trail_status:literal;)+ }
        common { $($common:ident $common_status:literal $(, query $query:literal $query_status:literal)?;)+ }
    ) => {
        /// An error of the API by its exact name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorCode {
            $(#[doc = concat!("`", stringify!($modelled), "`, modelled by KMS")] $modelled,)+
            $(#[doc = concat!("`", $identity_name, "`, modelled by IAM or STS")] $identity,)+
            $(#[doc = concat!("`", stringify!($trail), "`, modelled by CloudTrail")] $trail,)+
            $(#[doc = concat!("`", stringify!($common), "`, common to services")] $common,)+
        }

        impl ErrorCode {
            /// Every error.
            pub const ALL: &[ErrorCode] = &[
                $(ErrorCode::$modelled,)+
                $(ErrorCode::$identity,)+
                $(ErrorCode::$trail,)+
                $(ErrorCode::$common,)+
            ];

            /// The exact name, as in `__type`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(ErrorCode::$modelled => stringify!($modelled),)+
                    $(ErrorCode::$identity => $identity_name,)+
                    $(ErrorCode::$trail => stringify!($trail),)+
                    $(ErrorCode::$common => stringify!($common),)+
                }
            }

            /// The HTTP status in AWS JSON.
            pub const fn status(self) -> u16 {
                match self {
                    $(ErrorCode::$modelled => $modelled_status,)+
                    $(ErrorCode::$identity => $identity_status,)+
                    $(ErrorCode::$trail => $trail_status,)+
                    $(ErrorCode::$common => $common_status,)+
                }
            }

            /// Whether the KMS model names the error, rather than another model or none.
            pub const fn is_modelled(self) -> bool {
                match self {
                    $(ErrorCode::$modelled => true,)+
                    $(ErrorCode::$identity => false,)+
                    $(ErrorCode::$trail => false,)+
                    $(ErrorCode::$common => false,)+
                }
            }

            /// The code and HTTP status by which the AWS Query protocol (STS, IAM) knows the error.
            pub const fn in_query(self) -> (&'static str, u16) {
                match self {
                    $($(ErrorCode::$modelled => ($modelled_query, $modelled_query_status),)?)+
                    $(ErrorCode::$identity => ($identity_query, $identity_status),)+
                    $($(ErrorCode::$common => ($query, $query_status),)?)+
                    other => (other.name(), other.status()),
                }
            }
        }
    };
}

error_codes! {
    modelled {
        AlreadyExistsException 400;
        CloudHsmClusterInUseException 400;
        CloudHsmClusterInvalidConfigurationException 400;
        CloudHsmClusterNotActiveException 400;
        CloudHsmClusterNotFoundException 400;
        CloudHsmClusterNotRelatedException 400;
        ConflictException 400;
        CustomKeyStoreHasCMKsException 400;
        CustomKeyStoreInvalidStateException 400;
        CustomKeyStoreNameInUseException 400;
        CustomKeyStoreNotFoundException 400;
        DependencyTimeoutException 500;
        DisabledException 400;
        DryRunOperationException 400;
        ExpiredImportTokenException 400;
        IncorrectKeyException 400;
        IncorrectKeyMaterialException 400;
        IncorrectTrustAnchorException 400;
        InvalidAliasNameException 400;
        InvalidArnException 400;
        InvalidCiphertextException 400;
        InvalidGrantIdException 400;
        InvalidGrantTokenException 400;
        InvalidImportTokenException 400;
        InvalidKeyUsageException 400;
        InvalidMarkerException 400;
        KMSInternalException 500;
        KMSInvalidMacException 400;
        KMSInvalidSignatureException 400;
        KMSInvalidStateException 400;
        KeyUnavailableException 500;
        LimitExceededException 400, query "LimitExceeded" 409;
        MalformedPolicyDocumentException 400, query "MalformedPolicyDocument" 400;
        NotFoundException 400;
        TagException 400;
        UnsupportedOperationException 400;
        XksKeyAlreadyInUseException 400;
        XksKeyInvalidConfigurationException 400;
        XksKeyNotFoundException 400;
        XksProxyIncorrectAuthenticationCredentialException 400;
        XksProxyInvalidConfigurationException 400;
        XksProxyInvalidResponseException 400;
        XksProxyUriEndpointInUseException 400;
        XksProxyUriInUseException 400;
        XksProxyUriUnreachableException 400;
        XksProxyVpcEndpointServiceInUseException 400;
        XksProxyVpcEndpointServiceInvalidConfigurationException 400;
        XksProxyVpcEndpointServiceNotFoundException 400;
    }
    identities {
        ConcurrentModification "ConcurrentModificationException", query "ConcurrentModification" 409;
        DeleteConflict "DeleteConflictException", query "DeleteConflict" 409;
        EntityAlreadyExists "EntityAlreadyExistsException", query "EntityAlreadyExists" 409;
        EntityTemporarilyUnmodifiable "EntityTemporarilyUnmodifiableException", query "EntityTemporarilyUnmodifiable" 409;
        ExpiredWebIdentityToken "ExpiredTokenException", query "ExpiredTokenException" 400;
        IdpCommunicationError "IDPCommunicationErrorException", query "IDPCommunicationError" 400;
        IdpRejectedClaim "IDPRejectedClaimException", query "IDPRejectedClaim" 403;
        InvalidAuthorizationMessage "InvalidAuthorizationMessageException", query "InvalidAuthorizationMessageException" 400;
        InvalidContextAssertion "InvalidContextAssertionException", query "InvalidContextAssertion" 400;
        InvalidIdentityToken "InvalidIdentityTokenException", query "InvalidIdentityToken" 400;
        InvalidInput "InvalidInputException", query "InvalidInput" 400;
        NoSuchEntity "NoSuchEntityException", query "NoSuchEntity" 404;
        OpenIdIdpCommunicationError "OpenIdIdpCommunicationErrorException", query "OpenIdIdpCommunicationError" 400;
        PackedPolicyTooLarge "PackedPolicyTooLargeException", query "PackedPolicyTooLarge" 400;
        PolicyEvaluation "PolicyEvaluationException", query "PolicyEvaluation" 500;
        PolicyNotAttachable "PolicyNotAttachableException", query "PolicyNotAttachable" 400;
        RegionDisabled "RegionDisabledException", query "RegionDisabledException" 403;
        ServiceFailure "ServiceFailureException", query "ServiceFailure" 500;
        ServiceNotSupported "ServiceNotSupportedException", query "NotSupportedService" 404;
        UnmodifiableEntity "UnmodifiableEntityException", query "UnmodifiableEntity" 400;
    }
    trails {
        CloudTrailARNInvalidException 400;
        InvalidEventCategoryException 400;
        InvalidLookupAttributesException 400;
        InvalidMaxResultsException 400;
        InvalidNextTokenException 400;
        InvalidTimeRangeException 400;
        InvalidTokenException 400;
        InvalidTrailNameException 400;
        NoManagementAccountSLRExistsException 400;
        OperationNotPermittedException 400;
        TrailNotFoundException 400;
    }
    common {
        AccessDeniedException 400, query "AccessDenied" 403;
        ExpiredTokenException 400, query "ExpiredToken" 403;
        IncompleteSignatureException 400, query "IncompleteSignature" 400;
        InternalFailure 500;
        InvalidSignatureException 400, query "SignatureDoesNotMatch" 403;
        MissingAuthenticationTokenException 400, query "MissingAuthenticationToken" 403;
        NotAuthorizedException 400;
        OptInRequired 400, query "OptInRequired" 403;
        RequestExpired 400;
        SerializationException 400, query "MalformedInput" 400;
        ServiceUnavailable 503;
        ThrottlingException 400, query "Throttling" 400;
        UnknownOperationException 400, query "InvalidAction" 400;
        UnrecognizedClientException 400, query "InvalidClientTokenId" 403;
        ValidationException 400, query "ValidationError" 400;
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_errors_of_kms_are_400_and_faults_are_few() {
        let of_kms = ErrorCode::ALL.iter().filter(|code| code.is_modelled());
        assert!(of_kms.clone().all(|code| matches!(code.status(), 400 | 500)));
        assert_eq!(of_kms.filter(|code| code.status() == 500).count(), 3);
        let faults: Vec<_> = ErrorCode::ALL.iter().filter(|code| code.status() >= 500).collect();
        assert_eq!(
            faults,
            [
                &ErrorCode::DependencyTimeoutException,
                &ErrorCode::KMSInternalException,
                &ErrorCode::KeyUnavailableException,
                &ErrorCode::PolicyEvaluation,
                &ErrorCode::ServiceFailure,
                &ErrorCode::InternalFailure,
                &ErrorCode::ServiceUnavailable,
            ]
        );
    }

    #[test]
    fn the_query_protocol_has_its_own_names() {
        assert_eq!(
            ErrorCode::UnrecognizedClientException.in_query(),
            ("InvalidClientTokenId", 403)
        );
        assert_eq!(ErrorCode::ServiceUnavailable.in_query(), ("ServiceUnavailable", 503));
        assert_eq!(ErrorCode::NoSuchEntity.in_query(), ("NoSuchEntity", 404));
        assert_eq!(ErrorCode::NoSuchEntity.name(), "NoSuchEntityException");
        // One error of two models, with a status in each.
        let code = ErrorCode::LimitExceededException;
        assert_eq!((code.status(), code.in_query()), (400, ("LimitExceeded", 409)));
        // A caller's own session that ended, and the token of an identity provider that did.
        let session = ErrorCode::ExpiredTokenException;
        let token = ErrorCode::ExpiredWebIdentityToken;
        assert_eq!(session.in_query(), ("ExpiredToken", 403));
        assert_eq!(token.in_query(), ("ExpiredTokenException", 400));
    }
}

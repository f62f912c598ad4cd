//! Every number that bounds what is said, with its unit.
//!
//! The bounds of members are those of the service models of botocore 1.44.8; the model oracle tests
//! compare each one. Bounds of our own (the last group) say what they protect.

/// Longest key reference in any form: id, ARN, alias name, alias ARN.
pub const KEY_ID_CHARS_MAX: u64 = 2048;
/// Longest alias name, with its prefix `alias/`.
pub const ALIAS_NAME_CHARS_MAX: u64 = 256;
/// Longest key description.
pub const DESCRIPTION_CHARS_MAX: u64 = 8192;
/// Longest key policy text in the model. The service's own limit is lower and counted in bytes.
pub const POLICY_CHARS_MAX: u64 = 131_072;
/// Longest name of a key policy; the only name in use is `default`.
pub const POLICY_NAME_CHARS_MAX: u64 = 128;
/// Longest tag key.
pub const TAG_KEY_CHARS_MAX: u64 = 128;
/// Longest tag value.
pub const TAG_VALUE_CHARS_MAX: u64 = 256;
/// Longest custom key store id.
pub const CUSTOM_KEY_STORE_ID_CHARS_MAX: u64 = 64;
/// Longest key id in an external key store.
pub const XKS_KEY_ID_CHARS_MAX: u64 = 128;
/// Longest grant token.
pub const GRANT_TOKEN_CHARS_MAX: u64 = 8192;
/// Most grant tokens in a request.
pub const GRANT_TOKENS_MAX: u64 = 10;
/// Longest grant id; those made here have 64 digits.
pub const GRANT_ID_CHARS_MAX: u64 = 128;
/// Longest name of a grant.
pub const GRANT_NAME_CHARS_MAX: u64 = 256;
/// Longest ARN of a principal.
pub const PRINCIPAL_ID_CHARS_MAX: u64 = 256;
/// Longest name of a service principal.
pub const SERVICE_PRINCIPAL_CHARS_MAX: u64 = 128;
/// Shortest ARN in a grant's constraint.
pub const SOURCE_ARN_CHARS_MIN: u64 = 20;
/// Longest ARN in a grant's constraint.
pub const SOURCE_ARN_CHARS_MAX: u64 = 512;
/// Most kinds of resource owners in a ListKeys request.
pub const RESOURCE_OWNERS_MAX: u64 = 2;
/// Longest pagination marker.
pub const MARKER_CHARS_MAX: u64 = 1024;
/// Largest page that the model lets a caller ask for.
pub const LIMIT_ITEMS_MAX: u64 = 1000;
/// Length of a key material id: 32 bytes as hexadecimal digits.
pub const KEY_MATERIAL_ID_CHARS: u64 = 64;
/// Longest description of imported key material.
pub const KEY_MATERIAL_DESCRIPTION_CHARS_MAX: u64 = 256;
/// Longest Region name in a request; the same as [`REGION_BYTES_MAX`].
pub const REGION_CHARS_MAX: u64 = 32;

/// Largest plaintext of an Encrypt call, and largest message that is signed or authenticated.
pub const PLAINTEXT_BYTES_MAX: u64 = 4096;
/// Largest ciphertext, signature, MAC or import token of a call.
pub const CIPHERTEXT_BYTES_MAX: u64 = 6144;
/// Largest public key of a peer, in DER.
pub const PUBLIC_KEY_BYTES_MAX: u64 = 8192;
/// Most bytes of a data key or a random string.
pub const NUMBER_OF_BYTES_MAX: u64 = 1024;
/// Largest attestation document of a recipient.
pub const ATTESTATION_DOCUMENT_BYTES_MAX: u64 = 262_144;

/// Longest waiting period before deletion in the model. The service's own bounds are narrower.
pub const PENDING_WINDOW_DAYS_MAX: u64 = 365;
/// Shortest time between two automatic rotations.
pub const ROTATION_PERIOD_DAYS_MIN: u64 = 90;
/// Longest time between two automatic rotations.
pub const ROTATION_PERIOD_DAYS_MAX: u64 = 2560;

/// Longest name of a new user; the same as AWS's quota.
pub const USER_NAME_CHARS_MAX: u64 = 64;
/// Longest role name.
pub const ROLE_NAME_CHARS_MAX: u64 = 64;
/// Longest name of a group, of a policy, or of a user that exists already.
pub const IAM_NAME_CHARS_MAX: u64 = 128;
/// Longest suffix of a service-linked role's name.
pub const CUSTOM_SUFFIX_CHARS_MAX: u64 = 64;
/// Longest id of a deletion of a service-linked role.
pub const DELETION_TASK_ID_CHARS_MAX: u64 = 1000;
/// Longest path of a user, group, role or policy.
pub const PATH_CHARS_MAX: u64 = 512;
/// Shortest ARN in IAM and STS.
pub const ARN_CHARS_MIN: u64 = 20;
/// Longest ARN in IAM and STS.
pub const ARN_CHARS_MAX: u64 = 2048;
/// Most tags of a user, a role, a policy or a session.
pub const TAGS_MAX: u64 = 50;
/// Longest pagination marker of IAM.
pub const IAM_MARKER_CHARS_MAX: u64 = 320;
/// Largest page of IAM.
pub const MAX_ITEMS_MAX: u64 = 1000;
/// Shortest access key id.
pub const ACCESS_KEY_ID_CHARS_MIN: u64 = 16;
/// Longest access key id.
pub const ACCESS_KEY_ID_CHARS_MAX: u64 = 128;
/// Longest description of a role or a policy.
pub const IAM_DESCRIPTION_CHARS_MAX: u64 = 1000;
/// Shortest limit on the sessions of a role: one hour.
pub const MAX_SESSION_DURATION_SECONDS_MIN: u64 = 3600;
/// Longest session of a role: twelve hours.
pub const ROLE_SESSION_DURATION_SECONDS_MAX: u64 = 43_200;
/// Longest session of the console: ninety days.
pub const SIGNIN_SESSION_DURATION_SECONDS_MAX: u64 = 7_776_000;
/// Longest URL of an OIDC provider.
pub const PROVIDER_URL_CHARS_MAX: u64 = 255;
/// Longest audience of an OIDC provider.
pub const CLIENT_ID_CHARS_MAX: u64 = 255;
/// Length of a certificate's fingerprint: SHA-1 as hexadecimal digits.
pub const THUMBPRINT_CHARS: u64 = 40;
/// Longest ARN of an instance of IAM Identity Center.
pub const IDENTITY_CENTER_INSTANCE_ARN_CHARS_MAX: u64 = 1224;
/// Longest name of a claim that a context provider passes on.
pub const CONTEXT_PROVIDER_KEY_CHARS_MAX: u64 = 128;
/// Most claims that a context provider passes on.
pub const CONTEXT_PROVIDER_KEYS_MAX: u64 = 10;
/// Shortest account alias.
pub const ACCOUNT_ALIAS_CHARS_MIN: u64 = 3;
/// Longest account alias.
pub const ACCOUNT_ALIAS_CHARS_MAX: u64 = 63;
/// Shortest action name of a simulation.
pub const ACTION_NAME_CHARS_MIN: u64 = 3;
/// Longest action name of a simulation.
pub const ACTION_NAME_CHARS_MAX: u64 = 128;
/// Longest resource name of a simulation.
pub const RESOURCE_NAME_CHARS_MAX: u64 = 2048;
/// Longest scenario of a simulation.
pub const RESOURCE_HANDLING_OPTION_CHARS_MAX: u64 = 64;
/// Shortest condition key of a simulation.
pub const CONTEXT_KEY_NAME_CHARS_MIN: u64 = 5;
/// Longest condition key of a simulation.
pub const CONTEXT_KEY_NAME_CHARS_MAX: u64 = 256;
/// Most policies that a simulation leaves out.
pub const POLICY_EXCLUSIONS_MAX: u64 = 256;
/// Most levels of an organization in a simulation.
pub const ORGANIZATION_LEVELS_MAX: u64 = 7;

/// Longest name of a role's session.
pub const ROLE_SESSION_NAME_CHARS_MAX: u64 = 64;
/// Longest name of a federated user.
pub const FEDERATED_USER_NAME_CHARS_MAX: u64 = 32;
/// Longest source identity.
pub const SOURCE_IDENTITY_CHARS_MAX: u64 = 256;
/// Longest session policy in the model, where it has a limit.
pub const SESSION_POLICY_CHARS_MAX: u64 = 2048;
/// Shortest session: fifteen minutes.
pub const SESSION_DURATION_SECONDS_MIN: u64 = 900;
/// Longest session of a user: thirty-six hours.
pub const USER_SESSION_DURATION_SECONDS_MAX: u64 = 129_600;
/// Longest external id.
pub const EXTERNAL_ID_CHARS_MAX: u64 = 1224;
/// Shortest serial number or ARN of an MFA device.
pub const SERIAL_NUMBER_CHARS_MIN: u64 = 9;
/// Longest serial number or ARN of an MFA device.
pub const SERIAL_NUMBER_CHARS_MAX: u64 = 256;
/// Length of a one-time code.
pub const TOKEN_CODE_CHARS: u64 = 6;
/// Longest minimum that a caller may ask of a session token.
pub const MINIMUM_SESSION_TOKEN_SIZE_BYTES_MAX: u64 = 4096;
/// Most contexts that trusted providers vouch for.
pub const PROVIDED_CONTEXTS_MAX: u64 = 5;
/// Longest assertion of a context.
pub const CONTEXT_ASSERTION_CHARS_MAX: u64 = 3072;
/// Longest token of an identity provider.
pub const WEB_IDENTITY_TOKEN_CHARS_MAX: u64 = 20_000;
/// Longest host of an identity provider.
pub const PROVIDER_ID_CHARS_MAX: u64 = 2048;
/// Longest encoded authorization message.
pub const ENCODED_MESSAGE_CHARS_MAX: u64 = 10_240;

/// Longest Region name.
pub const REGION_BYTES_MAX: usize = 32;

/// Deepest nesting of JSON that is read at all, counting the outermost object.
///
/// No shape needs more than four; unknown members are skipped, but not to any depth.
pub const JSON_DEPTH_MAX: u8 = 16;
/// Most violations told in one ValidationException.
///
/// A list of 100,000 empty tags would otherwise be answered with a text many times its size.
pub const VIOLATIONS_MAX: usize = 50;
/// Most members of an AWS Query form.
///
/// Fifty tags take 100. A simulation takes most: four for each of 256 policies that it leaves out,
/// and some for each action, resource and condition key.
pub const FORM_MEMBERS_MAX: usize = 4096;
/// Most parts of a name in an AWS Query form. `Tags.member.1.Key` has four, and no shape needs more
/// than six.
pub const FORM_DEPTH_MAX: usize = 8;
/// Greatest number of an item of a list in an AWS Query form. Numbers may be left out.
pub const FORM_LIST_INDEX_MAX: u32 = 10_000;

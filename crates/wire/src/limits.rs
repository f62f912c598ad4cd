//! Every number that bounds what is said, with its unit.
//!
//! The bounds of members are those of the service model of botocore 1.44.8; the model oracle test
//! compares each one. Bounds of our own (the last group) say what they protect.

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
pub const FORM_MEMBERS_MAX: usize = 256;

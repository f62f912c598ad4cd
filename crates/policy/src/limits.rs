//! Bounds of a policy document, each with its unit.

/// The longest policy text in bytes (AWS KMS quota "key policy document size").
pub const DOCUMENT_BYTES_MAX: usize = 32_768;

/// The most statements in one document. AWS bounds only the bytes; the shortest statement has
/// about sixty, so no useful policy meets this bound first.
pub const STATEMENTS_MAX: usize = 512;

/// The most searches that the patterns of one document may need: one for each pattern with a `*`
/// before its end and one for each `?`. A search takes time in proportion to the text that the
/// caller sends, so this bounds the time of a decision. AWS has no such bound, but a document has
/// no room for as many patterns of a useful length.
pub const SEARCHES_MAX: usize = 512;

/// The most policy variables in one document. Each is looked up anew for each value that it is
/// compared with, so this bounds the time of a decision as well. AWS has no such bound.
pub const VARIABLES_MAX: usize = 64;

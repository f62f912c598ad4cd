//! All that is built here as plain data, to be compared with the model that AWS publishes.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    enums::ENUMERATIONS,
    error_codes::ErrorCode,
    kms,
    shape::{Shape, describe},
};

/// The request of an operation.
pub trait Request: Shape + DeserializeOwned + Default {
    /// The operation's name on the wire, such as `Encrypt`.
    const OPERATION: &'static str;
    /// What a successful call is answered with; `()` means an empty body.
    type Answer: Answer;
}

/// A structure of an answer, described beside itself.
pub trait Answer: Serialize {
    /// The names of its members on the wire, in the model's order; a test holds them to the struct.
    const MEMBERS: &'static [&'static str];
}

impl Answer for () {
    const MEMBERS: &'static [&'static str] = &[];
}

/// Describes one operation: the members of its request with their rules, the names of its answer's.
pub fn operation<R: Request>() -> (&'static str, Value) {
    let request = describe(&R::default());
    (R::OPERATION, json!({ "request": request, "answer": R::Answer::MEMBERS }))
}

/// Describes the given operations, and every nested structure, enumeration and error of KMS that is built here.
///
/// Which operations there are is not known here: their one list is the operation table.
pub fn description(operations: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let operations: serde_json::Map<String, Value> =
        operations.into_iter().map(|(name, description)| (name.to_owned(), description)).collect();
    let enumerations: serde_json::Map<String, Value> =
        ENUMERATIONS.iter().map(|(name, values)| ((*name).to_owned(), json!(values))).collect();
    let structures: serde_json::Map<String, Value> = kms::STRUCTURES
        .iter()
        .map(|(name, members)| ((*name).to_owned(), json!(members)))
        .collect();
    let errors: Vec<Value> = ErrorCode::ALL
        .iter()
        .map(|code| {
            json!({
                "name": code.name(),
                "status": code.status(),
                "modelled": code.is_modelled(),
            })
        })
        .collect();
    json!({
        "operations": operations,
        "structures": structures,
        "enumerations": enumerations,
        "errors": errors,
    })
}

/// States the members of an answer beside its struct.
macro_rules! answer {
    ($name:ty: $($member:literal),+ $(,)?) => {
        impl crate::model::Answer for $name {
            const MEMBERS: &'static [&'static str] = &[$($member),+];
        }
    };
}
pub(crate) use answer;

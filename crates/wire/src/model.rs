//! All that is built here as plain data, to be compared with the model that AWS publishes.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{
    cloudtrail,
    enums::ENUMERATIONS,
    error_codes::ErrorCode,
    iam, kms,
    shape::{Shape, describe},
    sts,
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

/// Describes the given operations of KMS, all shapes of IAM, STS and CloudTrail, and every nested structure,
/// enumeration and error that is built here.
///
/// Which operations of KMS there are is not known here: their one list is the operation table.
pub fn description(operations: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let errors: Vec<Value> = ErrorCode::ALL
        .iter()
        .map(|code| {
            json!({
                "name": code.name(),
                "status": code.status(),
                "modelled": code.is_modelled(),
                "query": code.in_query(),
            })
        })
        .collect();
    json!({
        "operations": object(operations),
        "structures": texts_by_name(kms::STRUCTURES),
        "enumerations": texts_by_name(ENUMERATIONS),
        "errors": errors,
        "iam": {
            "operations": object(iam::OPERATIONS.iter().map(|describe| describe())),
            "structures": texts_by_name(iam::STRUCTURES),
            "enumerations": texts_by_name(iam::enums::ENUMERATIONS),
        },
        "sts": {
            "operations": object(sts::OPERATIONS.iter().map(|describe| describe())),
            "structures": texts_by_name(sts::STRUCTURES),
            "enumerations": {},
        },
        "cloudtrail": {
            "operations": object(cloudtrail::OPERATIONS.iter().map(|describe| describe())),
            "structures": texts_by_name(cloudtrail::STRUCTURES),
            "enumerations": texts_by_name(cloudtrail::enums::ENUMERATIONS),
        },
    })
}

fn object(values: impl IntoIterator<Item = (&'static str, Value)>) -> Map<String, Value> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn texts_by_name(texts: &[(&'static str, &[&str])]) -> Map<String, Value> {
    object(texts.iter().map(|(name, texts)| (*name, json!(texts))))
}

/// States the members of an answer beside its struct.
macro_rules! answer {
    ($name:ty: $($member:literal),* $(,)?) => {
        impl crate::model::Answer for $name {
            const MEMBERS: &'static [&'static str] = &[$($member),*];
        }
    };
}
pub(crate) use answer;

/// Ties requests to their operations and their answers.
macro_rules! family {
    ($($request:ident = $operation:literal -> $answer:ty;)+) => {
        $(
            impl crate::model::Request for $request {
                const OPERATION: &'static str = $operation;
                type Answer = $answer;
            }
        )+
    };
}
pub(crate) use family;

//! A whole request of any operation, with every question that a call with it would ask.
//!
//! The request is read, its target found and its questions put in the pipeline's way and order
//! (`pipeline::walk`), so that a new operation is explained without a line here.

use policy::GrantPermissions;
use serde_json::{Map, Value};
use wire::shape;

use super::question::Asked;
use super::told::AnsweredQuestion;
use super::{ExplainError, Explained, SupposedCall, call, peer};
use crate::authorize::{actions_asked, grants_known, grants_may_answer};
use crate::call::Call;
use crate::conditions::Conditions;
use crate::error::ServiceError;
use crate::grantee_grants::permissions_asked;
use crate::host::Host;
use crate::operation::{Api, Erased, Operation, Spec};
use crate::target::{Ask, Lookup, Target};
use crate::{decode, recipient};

/// What came of the questions of a request.
pub(crate) struct Told {
    questions: Vec<AnsweredQuestion>,
    /// Why a part of the target could not be found.
    missing: Option<String>,
    /// Why a call with just this request would not get as far as its questions.
    refused_before: Option<String>,
}

/// Explains every question of a call.
pub(super) async fn answer(
    host: &Host,
    supposed: &SupposedCall,
    row: &'static dyn Erased,
) -> Result<Explained, ExplainError> {
    let spec = row.spec();
    let names = member_names(row);
    let members = members(supposed, spec, &names)?;
    let body = body(spec.api, &members)?;
    let peer = peer();
    let call = call(host, supposed, spec, &peer, &body)?;
    let told = row.explain(host, &call, &supposed.context).await.map_err(|error| {
        match error.is_missing_member() {
            true => missing(spec.name, &names),
            false => ExplainError::Service(error),
        }
    })?;
    let Told { questions, missing, refused_before } = told;
    if let Some(resource) = supposed.resource.as_ref().filter(|_| !questions.is_empty())
        && !questions.iter().any(|question| question.resource == **resource)
    {
        return Err(ExplainError::Resource { operation: spec.name, resource: resource.clone() });
    }
    let action = format!("{}:{}", spec.api.scope(), spec.name);
    let mut explained = Explained::of(call.principal().arn.to_string(), action, questions);
    explained.undeniable = spec.undeniable;
    explained.miss(missing);
    explained.refused_before = refused_before.filter(|_| supposed.request.is_some());
    Ok(explained)
}

/// Explains what policies and grants answer to the questions of the call, whose body is the request.
pub(crate) async fn explain<O: Operation>(
    host: &Host,
    call: &Call<'_>,
    context: &[(String, String)],
) -> Result<Told, ServiceError> {
    let mut request: O::Request = decode::request(&O::SPEC, call.body)?;
    O::complete(&mut request);
    // What policies are not about may be left out; the operator is told that a real call could not.
    let refused = shape::validate(&request).map_err(ServiceError::from);
    let refused = refused.and_then(|()| O::check(&request)).err();
    let refused_before = refused.map(|error| error.to_string());

    let lookup = Lookup { host, call, spec: &O::SPEC, position: 0 };
    let mut target = O::Target::resolve(&lookup, O::names(&request)?).await?;
    let recipient = match O::facts(&request).recipient {
        Some(recipient) => Some(Box::pin(recipient::attest(host, recipient, call.now)).await?),
        None => None,
    };
    let mut known = Vec::new();
    if grants_may_answer(&lookup, &target) {
        for ask in target.asks().into_iter().flatten() {
            if let Ask::Key(key, _) = ask {
                known.push(grants_known(&lookup, key).await?);
            }
        }
    }
    let facts = O::facts(&request);
    facts.check()?;
    let child: Option<GrantPermissions> = facts.grant.asked.map(permissions_asked);
    let mut questions = Vec::new();
    for (position, ask) in target.asks().iter().flatten().enumerate() {
        if O::SPEC.undeniable {
            break;
        }
        for action in actions_asked(&lookup, ask, &facts, position) {
            let asked = Asked {
                ask,
                action,
                position,
                facts: &facts,
                conditions: Conditions::new(call, Some(ask), &facts, position)
                    .of_target(&target)
                    .attested(recipient.as_deref()),
                grants: known.get(position).map(Vec::as_slice),
                child: child.as_ref(),
                context,
            };
            questions.push(asked.explain(&lookup)?.question);
        }
    }
    let missing = target.take_missing().map(|error| error.to_string());
    Ok(Told { questions, missing, refused_before })
}

/// What a request of the operation can say, by AWS's names.
fn member_names(row: &dyn Erased) -> Vec<String> {
    let (_, described) = row.describe();
    let members = described.get("request").and_then(Value::as_array);
    let names = members.into_iter().flatten().filter_map(|member| member.get("name")?.as_str());
    names.map(str::to_owned).collect()
}

/// The members of the request: as they are given, or as what it is about says them.
fn members(
    supposed: &SupposedCall,
    spec: &Spec,
    names: &[String],
) -> Result<Map<String, Value>, ExplainError> {
    let operation = spec.name;
    let refused = |reason: &str| Err(ExplainError::Request(reason.to_owned()));
    if !supposed.encryption_context.is_empty() {
        return refused("its encryption context is one of its members");
    }
    match (&supposed.request, &supposed.resource) {
        (None, None) => Ok(Map::new()),
        (Some(_), Some(_)) => refused("it says itself what it is about"),
        (Some(text), None) => {
            let members: Map<String, Value> = serde_json::from_str(text)
                .map_err(|error| ExplainError::Request(error.to_string()))?;
            match members.keys().find(|name| !names.contains(name)) {
                None => Ok(members),
                Some(unknown) => refused(&format!(
                    "{operation} has no member {unknown:?}; it has: {}",
                    names.join(", ")
                )),
            }
        }
        // Which of its keys or what of its grants it would be, only a request says.
        (None, Some(_)) if spec.api == Api::Kms => Err(missing(operation, names)),
        (None, Some(resource)) => by_arn(resource, names)
            .ok_or_else(|| ExplainError::Resource { operation, resource: resource.clone() }),
    }
}

fn missing(operation: &'static str, names: &[String]) -> ExplainError {
    ExplainError::Missing { operation, members: names.join(", ") }
}

/// The members that name what an ARN of IAM or STS names.
fn by_arn(arn: &str, names: &[String]) -> Option<Map<String, Value>> {
    let has = |name: &str| names.iter().any(|member| member == name);
    let resource = arn.splitn(6, ':').nth(5)?;
    let (kind, path_and_name) = resource.split_once('/')?;
    let (path, name) = match path_and_name.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name),
        None => ("/".to_owned(), path_and_name),
    };
    let (member, value) = match kind {
        "user" | "group" | "role" if has("PolicySourceArn") => ("PolicySourceArn", arn.to_owned()),
        "user" | "group" | "role" | "policy" if has("PathPrefix") => ("PathPrefix", path.clone()),
        "user" => ("UserName", name.to_owned()),
        "group" => ("GroupName", name.to_owned()),
        "role" if has("RoleArn") => ("RoleArn", arn.to_owned()),
        "role" => ("RoleName", name.to_owned()),
        "policy" if has("PolicyArn") => ("PolicyArn", arn.to_owned()),
        "policy" => ("PolicyName", name.to_owned()),
        "oidc-provider" if has("Url") => ("Url", format!("https://{path_and_name}")),
        "oidc-provider" => ("OpenIDConnectProviderArn", arn.to_owned()),
        "instance-profile" => ("InstanceProfileName", name.to_owned()),
        "federated-user" => ("Name", name.to_owned()),
        _ => return None,
    };
    let mut members = Map::from_iter([(member.to_owned(), Value::String(value))]);
    if has("Path") {
        members.insert("Path".to_owned(), Value::String(path));
    }
    has(member).then_some(members)
}

/// The request in the protocol of its API.
fn body(api: Api, members: &Map<String, Value>) -> Result<Vec<u8>, ExplainError> {
    match api {
        Api::Kms | Api::CloudTrail | Api::ForwardAccess => {
            serde_json::to_vec(members).map_err(|error| ExplainError::Request(error.to_string()))
        }
        Api::Iam | Api::Sts => {
            let mut rows = Vec::new();
            for (name, value) in members {
                flatten(name.clone(), value, &mut rows);
            }
            Ok(wire::query::form(&rows).into_bytes())
        }
    }
}

/// The rows of a form that stand for a member.
fn flatten(name: String, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Bool(value) => rows.push((name, value.to_string())),
        Value::Number(value) => rows.push((name, value.to_string())),
        Value::String(value) => rows.push((name, value.clone())),
        Value::Array(items) if items.is_empty() => rows.push((name, String::new())),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                flatten(format!("{name}.member.{}", place + 1), item, rows);
            }
        }
        Value::Object(members) => {
            for (member, value) in members {
                flatten(format!("{name}.{member}"), value, rows);
            }
        }
    }
}

/// The Region of the first ARN of AWS KMS among the members.
pub(super) fn region(text: &str) -> Option<String> {
    let members: Map<String, Value> = serde_json::from_str(text).ok()?;
    let mut texts = members.values().filter_map(Value::as_str);
    texts.find_map(|text| {
        let (region, _) = text.strip_prefix("arn:")?.split_once(":kms:")?.1.split_once(':')?;
        Some(region.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(members: &str) -> String {
        let members = serde_json::from_str(members).unwrap();
        String::from_utf8(body(Api::Iam, &members).unwrap()).unwrap()
    }

    #[test]
    fn members_become_a_form() {
        assert_eq!(
            form(r#"{"UserName":"ada","MaxItems":5,"OnlyAttached":true,"Marker":null}"#),
            "MaxItems=5&OnlyAttached=true&UserName=ada"
        );
        assert_eq!(
            form(r#"{"Tags":[{"Key":"a b","Value":"ü"}],"ActionNames":[]}"#),
            "ActionNames=&Tags.member.1.Key=a+b&Tags.member.1.Value=%C3%BC"
        );
    }

    #[test]
    fn arns_become_the_members_that_name_them() {
        let by = |arn: &str, names: &[&str]| {
            let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
            by_arn(arn, &names).map(|members| Value::Object(members).to_string())
        };
        let user = "arn:aws:iam::111122223333:user/a/b/ada";
        for (arn, names, expected) in [
            (user, &["UserName"][..], Some(r#"{"UserName":"ada"}"#)),
            (user, &["Path", "UserName"], Some(r#"{"Path":"/a/b/","UserName":"ada"}"#)),
            (user, &["PathPrefix"], Some(r#"{"PathPrefix":"/a/b/"}"#)),
            (user, &["RoleName"], None),
            (
                "arn:aws:iam::111122223333:policy/p",
                &["UserName", "PolicyArn"],
                Some(r#"{"PolicyArn":"arn:aws:iam::111122223333:policy/p"}"#),
            ),
            ("arn:aws:kms:us-east-1:111122223333:key/1", &["UserName"], None),
            ("user/ada", &["UserName"], None),
        ] {
            assert_eq!(by(arn, names).as_deref(), expected, "{arn} {names:?}");
        }
    }

    #[test]
    fn the_region_is_that_of_the_first_key() {
        let key = r#"{"a":1,"b":"alias/x","c":"arn:aws:kms:eu-west-1:111122223333:key/1"}"#;
        assert_eq!(region(key).as_deref(), Some("eu-west-1"));
        assert_eq!(region(r#"{"b":"arn:aws:iam::111122223333:user/ada"}"#), None);
    }
}

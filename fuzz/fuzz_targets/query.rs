//! Forms of AWS Query: what was read is validated, recorded as JSON and read again when it is said plainly.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::DeserializeOwned;
use wire::iam::{open_id_connect_providers, policies, roles, simulation, users};
use wire::query;
use wire::shape::{Member, Rule, Shape, Value, Visitor, record, validate};
use wire::sts::assume_role;

fuzz_target!(|input: &[u8]| {
    let Some((operation, body)) = input.split_first() else { return };
    match operation % 8 {
        0 => read::<users::CreateUserRequest>(body),
        1 => read::<users::UntagUserRequest>(body),
        2 => read::<roles::CreateRoleRequest>(body),
        3 => read::<policies::ListPoliciesRequest>(body),
        4 => read::<simulation::SimulatePrincipalPolicyRequest>(body),
        5 => read::<simulation::SimulateCustomPolicyRequest>(body),
        6 => read::<open_id_connect_providers::CreateOpenIDConnectProviderRequest>(body),
        _ => read::<assume_role::AssumeRoleWithWebIdentityRequest>(body),
    }
});

fn read<Request: DeserializeOwned + Shape>(body: &[u8]) {
    let Ok(request) = query::decode::<Request>(body) else { return };
    if let Err(violations) = validate(&request) {
        assert!(violations.to_string().contains("failed to satisfy constraint"));
    }
    let recorded = recorded(&request);
    let json: serde_json::Value =
        serde_json::from_slice(&recorded).expect("what is recorded is JSON");
    assert!(json.get("webIdentityToken").is_none(), "a secret was recorded");
    let mut plain = Plain { form: Vec::new(), path: String::new() };
    request.members(&mut plain);
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(plain.form).finish();
    let again: Request = query::decode(form.as_bytes()).expect("what is said plainly is read");
    assert_eq!(self::recorded(&again), recorded);
}

fn recorded(request: &dyn Shape) -> Vec<u8> {
    let mut recorded = Vec::new();
    record(request, &[], &mut recorded);
    recorded
}

/// Writes a request as SDKs do.
struct Plain {
    form: Vec<(String, String)>,
    /// The names around the members being looked at, as in `Tags.member.1`.
    path: String,
}

impl Visitor for Plain {
    fn member(&mut self, name: &'static str, member: &dyn Member, _: &'static Rule) {
        if let Some(value) = member.value() {
            self.below(name, value);
        }
    }
}

impl Plain {
    fn below(&mut self, name: &str, value: Value<'_>) {
        let outer = self.path.len();
        if outer > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        let said = self.form.len();
        match value {
            Value::Text(text) => self.say(text),
            Value::Integer(number) => self.say(&number.to_string()),
            Value::Boolean(flag) => self.say(if flag { "true" } else { "false" }),
            Value::Structure(shape) => shape.members(self),
            Value::List(list) => {
                let mut number = 0;
                list.each(&mut |item| {
                    number += 1;
                    self.below(&format!("member.{number}"), item);
                });
            }
            Value::Blob(_) | Value::Timestamp(_) | Value::Map(_) => panic!("no request has these"),
        }
        if self.form.len() == said {
            // An empty list or structure.
            self.say("");
        }
        self.path.truncate(outer);
    }

    fn say(&mut self, text: &str) {
        self.form.push((self.path.clone(), text.to_owned()));
    }
}

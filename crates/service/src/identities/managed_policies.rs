//! The managed policies that AWS ships and that are about KMS, as data.

use std::sync::{Arc, LazyLock};

use policy::Document;
use serde::Deserialize;

/// A managed policy of AWS's.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ManagedPolicy {
    pub(crate) policy_name: Box<str>,
    pub(crate) policy_id: Box<str>,
    pub(crate) path: Box<str>,
    pub(crate) default_version_id: Box<str>,
    pub(crate) create_date: jiff::Timestamp,
    pub(crate) update_date: jiff::Timestamp,
    pub(crate) description: Box<str>,
    #[serde(rename = "Document")]
    source: Box<serde_json::value::RawValue>,
    #[serde(skip)]
    compiled: Option<Arc<Document>>,
}

/// The data: AWS's own documents, from the AWS Managed Policy Reference Guide.
const DATA: &str = include_str!("managed_policies.json");

static MANAGED_POLICIES: LazyLock<Vec<ManagedPolicy>> = LazyLock::new(|| {
    let mut policies: Vec<ManagedPolicy> =
        serde_json::from_str(DATA).expect("constant data that a test reads");
    for policy in &mut policies {
        policy.compiled = Document::parse_identity(policy.text()).ok().map(Arc::new);
    }
    policies
});

impl ManagedPolicy {
    /// The ARN as rows keep it.
    pub(crate) fn stored_arn(&self) -> String {
        format!("arn:aws:iam::aws:policy{}{}", self.path, self.policy_name)
    }

    /// The document as AWS wrote it.
    pub(crate) fn text(&self) -> &str {
        self.source.get()
    }

    /// The document, compiled.
    pub(super) fn document(&self) -> Option<Arc<Document>> {
        self.compiled.clone()
    }
}

/// All of them, by name.
pub(crate) fn managed_policies() -> &'static [ManagedPolicy] {
    &MANAGED_POLICIES
}

/// The one with that ARN, as rows keep it.
pub(crate) fn managed_policy(arn: &str) -> Option<&'static ManagedPolicy> {
    let resource = arn.strip_prefix("arn:aws:iam::aws:policy")?;
    managed_policies().iter().find(|policy| {
        resource.strip_prefix(&*policy.path).is_some_and(|name| *name == *policy.policy_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_arn_and_is_a_policy() {
        let names: Vec<_> = managed_policies().iter().map(|policy| &policy.policy_name).collect();
        assert!(names.is_sorted() && names.len() >= 3, "{names:?}");
        for policy in managed_policies() {
            assert!(policy.document().is_some(), "{} cannot be read", policy.policy_name);
            let found = managed_policy(&policy.stored_arn()).unwrap();
            assert_eq!(found.policy_id, policy.policy_id);
        }
        assert!(managed_policy("arn:aws:iam::aws:policy/Nothing").is_none());
    }
}

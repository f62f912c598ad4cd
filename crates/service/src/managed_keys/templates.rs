//! What AWS managed keys look like, as data: names, key policies, and which services use them.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use wire::names::{AccountId, AliasName, Partition, Region};

/// One AWS managed key, as every account and Region has it once it is used.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Template {
    alias_name: Box<str>,
    policy_id: Box<str>,
    /// The services that use the key for callers, by the first part of `kms:ViaService`.
    services: Box<[Box<str>]>,
    /// Whether ListAliases shows the alias before there is a key.
    predefined: bool,
    /// What the key protects, in the words of its description.
    protects: Box<str>,
    statement: Box<[Statement]>,
}

/// A statement of a key policy, with `{account}`, `{region}`, `{partition}` and `{suffix}` where these differ.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    sid: Value,
    effect: Value,
    principal: Value,
    action: Value,
    resource: Value,
    condition: Option<Value>,
}

/// The data, by alias name: the policies that GetKeyPolicy of AWS answers for its managed keys.
const DATA: &str = include_str!("templates.json");

/// The same for a service that AWS does not have; `{service}` is its name.
const DATA_OF_SERVICE: &str = include_str!("template_of_service.json");

static TEMPLATES: LazyLock<Vec<Template>> =
    LazyLock::new(|| serde_json::from_str(DATA).expect("constant data that a test reads"));

impl Template {
    /// The template behind an alias.
    pub(crate) fn find(alias: &AliasName) -> Option<&'static Template> {
        TEMPLATES.iter().find(|template| *template.alias_name == *alias.as_str())
    }

    /// The aliases that ListAliases shows before there is a key, by name.
    pub(crate) fn predefined_aliases() -> impl Iterator<Item = AliasName> {
        let predefined = TEMPLATES.iter().filter(|template| template.predefined);
        predefined.filter_map(|template| template.alias_name.parse().ok())
    }

    /// Whether ListAliases shows the alias before there is a key.
    pub(crate) fn is_predefined(&self) -> bool {
        self.predefined
    }

    /// Whether a service uses the key for callers.
    pub(crate) fn is_used_by(&self, service: &str) -> bool {
        self.services.iter().any(|name| **name == *service)
    }

    /// The template of a service of the operator's own, in the manner of those that use their keys without grants.
    pub(crate) fn of_service(service: &str) -> serde_json::Result<Template> {
        serde_json::from_str(&DATA_OF_SERVICE.replace("{service}", service))
    }

    /// The description of the key, as AWS words it.
    pub(crate) fn description(&self) -> String {
        format!("Default key that protects my {} when no other key is defined", self.protects)
    }

    /// The key policy in an account and Region, laid out as AWS does it.
    pub(crate) fn policy(&self, account: AccountId, region: Region) -> String {
        let partition = region.partition();
        let suffix = match partition {
            Partition::Aws | Partition::AwsUsGov => "amazonaws.com",
            Partition::AwsCn => "amazonaws.com.cn",
        };
        let statements: Vec<String> = self.statement.iter().map(Statement::text).collect();
        let text = format!(
            "{{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"{}\",\n  \"Statement\" : [ {} ]\n}}",
            self.policy_id,
            statements.join(", ")
        );
        text.replace("{account}", account.as_str())
            .replace("{region}", region.as_str())
            .replace("{partition}", partition.as_str())
            .replace("{suffix}", suffix)
    }
}

impl Statement {
    fn text(&self) -> String {
        let members = [
            ("Sid", Some(&self.sid)),
            ("Effect", Some(&self.effect)),
            ("Principal", Some(&self.principal)),
            ("Action", Some(&self.action)),
            ("Resource", Some(&self.resource)),
            ("Condition", self.condition.as_ref()),
        ];
        object(members.into_iter().filter_map(|(name, value)| Some((name, value?))), 1)
    }
}

/// A value as AWS lays it out: members on lines of their own, lists on one line.
fn laid_out(value: &Value, depth: usize) -> String {
    match value {
        Value::Object(members) => {
            object(members.iter().map(|(name, value)| (name.as_str(), value)), depth)
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| laid_out(item, depth)).collect();
            format!("[ {} ]", items.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn object<'v>(members: impl Iterator<Item = (&'v str, &'v Value)>, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let members: Vec<String> = members
        .map(|(name, value)| format!("{indent}  \"{name}\" : {}", laid_out(value, depth + 1)))
        .collect();
    format!("{{\n{}\n{indent}}}", members.join(",\n"))
}

#[cfg(test)]
mod tests {
    use policy::Document;

    use super::*;

    fn account() -> AccountId {
        "111122223333".parse().unwrap()
    }

    fn policy_of(alias: &str, region: &str) -> String {
        let template = Template::find(&alias.parse().unwrap()).unwrap();
        template.policy(account(), region.parse().unwrap())
    }

    #[test]
    fn there_are_39_templates_in_order_and_14_are_predefined() {
        assert_eq!(TEMPLATES.len(), 39);
        assert!(TEMPLATES.iter().is_sorted_by_key(|template| &template.alias_name));
        let aliases: Vec<AliasName> = Template::predefined_aliases().collect();
        assert_eq!(aliases.len(), 14);
        assert!(aliases.is_sorted());
    }

    /// Every policy can be read in every partition, names nobody but its account and services, and gives nobody a
    /// permission to manage the key.
    #[test]
    fn every_policy_is_one() {
        for region in ["eu-central-1", "cn-north-1", "us-gov-west-1"] {
            for template in &*TEMPLATES {
                let text = template.policy(account(), region.parse().unwrap());
                let name = &template.alias_name;
                Document::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
                let value: Value = serde_json::from_str(&text).unwrap();
                for unfilled in ["{account}", "{region}", "{partition}", "{suffix}", "123412341234"]
                {
                    assert!(!text.contains(unfilled), "{name} has {unfilled}");
                }
                let managed =
                    ["kms:Put", "kms:Schedule", "kms:Disable", "kms:Tag", "kms:*", "\"*\","];
                let actions = value["Statement"].as_array().unwrap().iter().map(|statement| {
                    assert_eq!(statement["Resource"], "*");
                    statement["Action"].to_string()
                });
                for action in actions {
                    assert!(managed.iter().all(|verb| !action.contains(verb)), "{name}: {action}");
                }
            }
        }
    }

    #[test]
    fn a_template_knows_its_services() {
        let mq = Template::find(&"alias/aws/mq".parse().unwrap()).unwrap();
        let used_by = ["mq", "elasticfilesystem", "s3"].map(|service| mq.is_used_by(service));
        assert_eq!(used_by, [true, true, false]);
        assert!(Template::find(&"alias/aws/nothing".parse().unwrap()).is_none());
    }

    #[test]
    fn a_service_of_the_operator_has_a_template() {
        let template = Template::of_service("myapp").unwrap();
        assert!(template.is_used_by("myapp") && !template.is_predefined());
        let text = template.policy(account(), "eu-west-1".parse().unwrap());
        Document::parse(&text).unwrap();
        let s3 = policy_of("alias/aws/s3", "eu-west-1");
        assert_eq!(text, s3.replace("S3", "myapp").replace("s3-2", "s3-1").replace("s3", "myapp"));
    }

    #[test]
    fn a_policy_is_laid_out_as_aws_does_it() {
        let expected = r#"{
  "Version" : "2012-10-17",
  "Id" : "auto-ebs-2",
  "Statement" : [ {
    "Sid" : "Allow access through EBS for all principals in the account that are authorized to use EBS",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "111122223333",
        "kms:ViaService" : "ec2.cn-north-1.amazonaws.com.cn"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws-cn:iam::111122223333:root"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  } ]
}"#;
        assert_eq!(policy_of("alias/aws/ebs", "cn-north-1"), expected);
    }
}

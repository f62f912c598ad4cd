//! What is a policy document and what is not, with the reason that is given.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::key_policy;
use policy::{
    DOCUMENT_BYTES_MAX, Document, DocumentError, DocumentKind, PrincipalPattern, SEARCHES_MAX,
    STATEMENTS_MAX, VARIABLES_MAX, root_arn,
};
use wire::names::Partition;

const STATEMENT: &str = r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}"#;

/// The refusal of a key policy with one statement of these elements.
fn refusal(elements: &str) -> DocumentError {
    Document::parse(&key_policy(&[&format!("{{{elements}}}")])).expect_err(elements)
}

fn is_syntax(refusal: &DocumentError) -> bool {
    refusal.to_string() == "Syntax errors in policy." && refusal.cause().is_some()
}

#[test]
fn accepted_forms() {
    let texts = [
        format!(r#"{{"Statement":{STATEMENT}}}"#),
        format!(r#"{{"Version":"2008-10-17","Id":"","Statement":[{STATEMENT}]}}"#),
        format!(" \n{{\"Statement\" : [ {STATEMENT} , {STATEMENT} ] }}\t"),
        key_policy(&[r#"{"Sid":"Allow use, it's ok","Effect":"Deny","NotPrincipal":{"AWS":["*"]},
            "NotAction":["*"],"NotResource":["*"],"Condition":{}}"#]),
        key_policy(&[r#"{"Effect":"Allow","Principal":"*","Action":"*"}"#]),
        key_policy(&[r#"{"Effect":"Allow","Principal":{"CanonicalUser":
            "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be",
            "Federated":"arn:aws:iam::111122223333:saml-provider/x","AWS":"AROAEXAMPLEEXAMPLE12"},
            "Action":"*","Resource":"*"}"#]),
    ];
    for text in texts {
        let document = Document::parse(&text).expect(&text);
        assert_eq!(document.kind(), DocumentKind::KeyPolicy);
        assert!(document.weight_bytes() >= text.len());
    }
}

#[test]
fn what_is_no_document() {
    let texts = [
        String::new(),
        "null".to_owned(),
        "not a real policy statement".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned(),
        r#"{"Version":"2012-10-17","Statement":{}}"#.to_owned(),
        format!(r#"{{"Statement":{STATEMENT}}} x"#),
        format!("\u{feff}{{\"Statement\":{STATEMENT}}}"),
        format!(r#"{{"Statement":{STATEMENT},"Statement":{STATEMENT}}}"#),
        format!(r#"{{"statement":{STATEMENT}}}"#),
        format!(r#"{{"Statement":{STATEMENT},"Comment":"x"}}"#),
        format!(r#"{{"Id":null,"Statement":{STATEMENT}}}"#),
        format!(r#"{{"Id":7,"Statement":{STATEMENT}}}"#),
        // A positional reading of lists would take this for a statement.
        r#"{"Statement":[["Sid","Allow","*",null,"*",null,"*"]]}"#.to_owned(),
        format!(r#"["2012-10-17","id",{STATEMENT}]"#),
        format!(r#"{{"Statement":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000)),
    ];
    for text in texts {
        let refusal = Document::parse(&text).expect_err(&text);
        assert!(is_syntax(&refusal), "{text}: {refusal:?}");
    }
    let version = format!(r#"{{"Version":"2012-10-18","Statement":{STATEMENT}}}"#);
    assert_eq!(Document::parse(&version).err(), Some(DocumentError::Version));
}

#[test]
fn what_is_no_statement() {
    let syntax = [
        r#""Principal":"*","Action":"*","Resource":"*""#,
        r#""Effect":"allow","Principal":"*","Action":"*","Resource":"*""#,
        r#""Effect":"Allow","Effect":"Deny","Principal":"*","Action":"*","Resource":"*""#,
        r#""Effect":"Allow","Principal":"*","Action":"*","NotAction":"*","Resource":"*""#,
        r#""Effect":"Allow","Principal":"*","NotPrincipal":"*","Action":"*","Resource":"*""#,
        r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"*","NotResource":"*""#,
        r#""Effect":"Allow","Principal":"*","Action":[],"Resource":"*""#,
        r#""Effect":"Allow","Principal":"*","Action":[["*"]],"Resource":"*""#,
        r#""Effect":"Allow","Principal":"*","Action":7,"Resource":"*""#,
        r#""Effect":"Allow","Principal":"*","Action":"*","Resource":null"#,
        r#""Effect":"Allow","Principal":["*"],"Action":"*","Resource":"*""#,
        r#""Effect":"Allow","Principal":{"Aws":"*"},"Action":"*","Resource":"*""#,
        r#""Effect":"Allow","Principal":{"AWS":"*","AWS":"*"},"Action":"*","Resource":"*""#,
        r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":[{}]"#,
        r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":"x"}"#,
        r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:${x""#,
    ];
    for elements in syntax {
        let refusal = refusal(elements);
        assert!(is_syntax(&refusal), "{elements}: {refusal:?}");
    }
    let principal = r#""Effect":"Allow","Action":"*","Resource":"*""#;
    assert_eq!(refusal(principal), DocumentError::MissingPrincipal);
    let action = r#""Effect":"Allow","Principal":"*","Resource":"*""#;
    assert_eq!(refusal(action), DocumentError::MissingAction);
}

#[test]
fn principals_that_are_none() {
    let invalid = [
        r#""""#,
        r#""111122223333""#,
        "7",
        "{}",
        r#"{"AWS":""}"#,
        r#"{"AWS":"1111"}"#,
        r#"{"AWS":"ann"}"#,
        r#"{"AWS":"aida"}"#,
        r#"{"AWS":"AIDASHORT"}"#,
        r#"{"AWS":"AIDAexampleexample12"}"#,
        r#"{"AWS":"AGPAEXAMPLEEXAMPLE12"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:*"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:user/"}"#,
        r#"{"AWS":"arn:aws:iam::*:root"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:group/admins"}"#,
        r#"{"AWS":"arn:aws:iam:eu-west-1:111122223333:root"}"#,
        r#"{"AWS":"arn:mars:iam::111122223333:root"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:role/team/"}"#,
        r#"{"AWS":"arn:aws:sts::111122223333:root"}"#,
        r#"{"AWS":"arn:aws:sts::111122223333:federated-user/"}"#,
        r#"{"AWS":"arn:aws:sts::111122223333:federated-user/a:b"}"#,
        r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/app"}"#,
        r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/app/"}"#,
        r#"{"AWS":"arn:aws:sts::111122223333:assumed-role//a"}"#,
        r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/app/a/b"}"#,
        r#"{"AWS":"arn:aws:kms:eu-west-1:111122223333:key/x"}"#,
        r#"{"AWS":["111122223333","arn:aws:iam::111122223333:user/a b"]}"#,
        r#"{"Service":"*"}"#,
        r#"{"Service":"S3"}"#,
        r#"{"Service":""}"#,
        r#"{"Federated":"*"}"#,
        r#"{"Federated":""}"#,
        r#"{"CanonicalUser":"abc"}"#,
        r#"{"CanonicalUser":
            "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2bz"}"#,
    ];
    for principals in invalid {
        let elements =
            format!(r#""Effect":"Allow","Principal":{principals},"Action":"*","Resource":"*""#);
        let refusal = refusal(&elements);
        let text = "Policy contains a statement with one or more invalid principals.";
        assert_eq!(refusal.to_string(), text, "{principals}");
    }
}

#[test]
fn named_principals_can_be_looked_up() {
    let text = key_policy(&[
        r#"{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com","AWS":["111122223333",
            "arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:role/team/app"]},
            "Action":"*","Resource":"*"}"#,
        r#"{"Effect":"Deny","NotPrincipal":"*","Action":"*","Resource":"*"}"#,
    ]);
    let document = Document::parse(&text).unwrap();
    let owner = "111122223333".parse().unwrap();
    let other = "444455556666".parse().unwrap();
    let expected = [
        PrincipalPattern::Account { account: owner, partition: None },
        PrincipalPattern::Account { account: owner, partition: Some(Partition::Aws) },
        PrincipalPattern::Arn {
            arn: "arn:aws:iam::444455556666:role/team/app".into(),
            account: other,
        },
        PrincipalPattern::Service("s3.amazonaws.com".into()),
        PrincipalPattern::Everyone,
    ];
    assert_eq!(document.principals().cloned().collect::<Vec<_>>(), expected);
    let accounts: Vec<_> = document.principals().map(PrincipalPattern::account).collect();
    assert_eq!(accounts, [Some(owner), Some(owner), Some(other), None, None]);
    assert_eq!(root_arn(owner, Partition::AwsUsGov), "arn:aws-us-gov:iam::111122223333:root");
}

#[test]
fn actions_and_keys_without_a_service() {
    for action in ["Encrypt", "kms:", ":Encrypt", "k*:Encrypt", "kms:a:b", "kms:${x}", "", "**"] {
        let elements =
            format!(r#""Effect":"Allow","Principal":"*","Action":"{action}","Resource":"*""#);
        assert_eq!(refusal(&elements), DocumentError::MissingVendor { name: action.into() });
    }
    for key in ["CallerAccount", "kms:", ":x", ""] {
        let elements = format!(
            r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
            "Condition":{{"StringEquals":{{"{key}":"x"}}}}"#
        );
        assert_eq!(refusal(&elements), DocumentError::MissingVendor { name: key.into() });
    }
    let resource = r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"key/1""#;
    assert_eq!(refusal(resource).to_string(), r#"Resource key/1 must be in ARN format or "*"."#);
}

#[test]
fn conditions_that_are_none() {
    let unknown = [
        "StringEqual",
        "stringequals",
        "StringEqualsIfExistsIfExists",
        "ForSomeValues:StringEquals",
        "ForAllValues:ForAnyValue:StringEquals",
        "NullIfExists",
        "ForAllValues:Null",
        "BinaryNotEquals",
        "",
    ];
    for operator in unknown {
        let elements = format!(
            r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
            "Condition":{{"{operator}":{{"kms:X":"x"}}}}"#
        );
        assert_eq!(
            refusal(&elements),
            DocumentError::UnknownOperator { operator: operator.into() }
        );
    }
    let wrong = [
        ("NumericEquals", r#""seven""#),
        ("NumericEquals", r#""${kms:X}""#),
        ("NumericEquals", "1e400"),
        ("DateLessThan", r#""tomorrow""#),
        ("Bool", r#""maybe""#),
        ("Null", r#"["true","no"]"#),
        ("IpAddress", r#""10.0.0.0/33""#),
        ("IpAddress", r#""somewhere""#),
        ("BinaryEquals", r#""?""#),
        ("StringEquals", "[]"),
        ("StringEquals", "null"),
        ("StringEquals", r#"{"a":"b"}"#),
        ("StringEquals", r#""${kms:X""#),
        ("StringEquals", r#""${kms:X, 'a}""#),
        ("ArnLike", r#""arn:aws:iam::${:x""#),
    ];
    for (operator, value) in wrong {
        let elements = format!(
            r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
            "Condition":{{"{operator}":{{"kms:X":{value}}}}}"#
        );
        let refusal = refusal(&elements);
        assert!(is_syntax(&refusal), "{operator} {value}: {refusal:?}");
    }
}

#[test]
fn identity_policies_have_their_own_rules() {
    let parse = |statements: &str| {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        Document::parse_identity(&text).map(|document| document.kind())
    };
    let good = r#"{"Sid":"One","Effect":"Allow","Action":"kms:*","Resource":"*"}"#;
    let other = r#"{"Sid":"Two","Effect":"Allow","Action":"kms:*","Resource":"*"}"#;
    assert_eq!(parse(good), Ok(DocumentKind::Identity));
    assert_eq!(parse(&format!("{good},{other}")), Ok(DocumentKind::Identity));
    assert_eq!(parse(&format!("{good},{good}")), Err(DocumentError::DuplicateSid));
    assert_eq!(parse(STATEMENT), Err(DocumentError::UnexpectedPrincipal));
    let no_resource = r#"{"Effect":"Allow","Action":"kms:*"}"#;
    assert_eq!(parse(no_resource), Err(DocumentError::MissingResource));
    let blank = r#"{"Sid":"One two","Effect":"Allow","Action":"kms:*","Resource":"*"}"#;
    assert!(parse(blank).is_err_and(|refusal| is_syntax(&refusal)));
}

#[test]
fn a_document_tells_its_id_its_statements_and_their_sids() {
    let without = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#;
    let with = r#"{"Sid":"Second","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#;
    let text = format!(r#"{{"Id":"key-default-1","Statement":[{without},{with},{without}]}}"#);
    let document = text.parse::<Document>().unwrap();
    assert_eq!(document.id(), Some("key-default-1"));
    assert_eq!(document.statement_count(), 3);
    let sids: Vec<_> = (0..4).map(|statement| document.sid(statement)).collect();
    assert_eq!(sids, [None, Some("Second"), None, None]);
    assert_eq!(Document::parse(&key_policy(&[without])).unwrap().id(), None);
}

#[test]
fn bounds() {
    let padded = |length: usize| {
        let text = key_policy(&[STATEMENT]);
        format!("{text}{}", " ".repeat(length - text.len()))
    };
    assert!(Document::parse(&padded(DOCUMENT_BYTES_MAX)).is_ok());
    assert_eq!(
        Document::parse(&padded(DOCUMENT_BYTES_MAX + 1)).err(),
        Some(DocumentError::TooLong { length_bytes: DOCUMENT_BYTES_MAX + 1 })
    );
    let short = r#"{"Effect":"Deny","Principal":"*","Action":"*"}"#;
    assert!(Document::parse(&key_policy(&[short; STATEMENTS_MAX])).is_ok());
    assert_eq!(
        Document::parse(&key_policy(&[short; STATEMENTS_MAX + 1])).err(),
        Some(DocumentError::TooManyStatements)
    );
    let wild = |operator: &str, patterns: &[&str]| {
        let patterns = serde_json::json!(patterns);
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
            "Condition":{{"{operator}":{{"kms:X":{patterns}}}}}}}"#
        );
        Document::parse(&key_policy(&[&statement])).err()
    };
    let refusal = Some(DocumentError::TooManyWildcards);
    for pattern in ["a?", "*a", "a*b*c*"] {
        assert_eq!(wild("StringLike", &[pattern; SEARCHES_MAX]), None);
        assert_eq!(wild("StringLike", &[pattern; SEARCHES_MAX + 1]), refusal);
        assert_eq!(wild("ArnLike", &[pattern; SEARCHES_MAX + 1]), refusal);
        assert_eq!(wild("StringEquals", &[pattern; SEARCHES_MAX + 1]), None);
    }
    assert_eq!(wild("StringLike", &["abc*"; SEARCHES_MAX + 1]), None);
    for operator in ["StringEquals", "StringLike", "ArnLike"] {
        assert_eq!(wild(operator, &["${kms:X}"; VARIABLES_MAX]), None);
        let refusal = Some(DocumentError::TooManyVariables);
        assert_eq!(wild(operator, &["${kms:X}"; VARIABLES_MAX + 1]), refusal);
    }
    let variables = "arn:${kms:X}".repeat(VARIABLES_MAX + 1);
    let resource =
        format!(r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"{variables}"}}"#);
    let refusal = Document::parse(&key_policy(&[&resource])).err();
    assert_eq!(refusal, Some(DocumentError::TooManyVariables));
    // In the older version they are plain text.
    assert!(Document::parse(&format!(r#"{{"Statement":{resource}}}"#)).is_ok());
}

//! Truth table of the condition operators, with the traps that policies fall into.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{Facts, OWNER, ask, key_policy, many, user};
use policy::{ConditionValues, Document, DocumentError};

/// One row: operator, values of the policy, values of the request, and whether it holds.
type Row = (&'static str, &'static str, Option<ConditionValues<'static>>, bool);

const KEY: &str = "kms:Subject";

/// Each row must hold or not, in a statement that allows and in one that denies alike.
fn check(rows: &[Row]) {
    let caller = user(OWNER, "ann");
    for (operator, written, requested, expected) in rows {
        let facts = match requested {
            Some(values) => Facts::of(KEY, values.clone()),
            None => Facts::default(),
        };
        let condition = format!(r#""Condition":{{"{operator}":{{"{KEY}":{written}}}}}"#);
        let common = r#""Principal":"*","Action":"kms:*","Resource":"*""#;
        let allowing = format!(r#"{{"Effect":"Allow",{common},{condition}}}"#);
        let denying = format!(r#"{{"Effect":"Deny",{common},{condition}}}"#);
        let everything = format!(r#"{{"Effect":"Allow",{common}}}"#);

        let alone = ask(&caller, "kms:Encrypt", &facts, &key_policy(&[&allowing]), &[]);
        assert_eq!(alone.is_allowed(), *expected, "{operator} {written} {requested:?}");
        let both = key_policy(&[&everything, &denying]);
        let denied = !ask(&caller, "kms:Encrypt", &facts, &both, &[]).is_allowed();
        assert_eq!(denied, *expected, "Deny {operator} {written} {requested:?}");
    }
}

fn text(text: &'static str) -> Option<ConditionValues<'static>> {
    Some(text.into())
}

fn number(number: i64) -> Option<ConditionValues<'static>> {
    Some(number.into())
}

fn boolean(value: bool) -> Option<ConditionValues<'static>> {
    Some(value.into())
}

fn date(text: &str) -> Option<ConditionValues<'static>> {
    text.parse::<jiff::Timestamp>().ok().map(Into::into)
}

fn address(text: &str) -> Option<ConditionValues<'static>> {
    text.parse::<std::net::IpAddr>().ok().map(Into::into)
}

#[test]
fn strings() {
    check(&[
        ("StringEquals", r#""a""#, text("a"), true),
        ("StringEquals", r#""a""#, text("A"), false),
        ("StringEquals", r#"["a","b"]"#, text("b"), true),
        ("StringEquals", r#""a*""#, text("ab"), false),
        ("StringEquals", r#""a*""#, text("a*"), true),
        ("StringEquals", r#""a""#, None, false),
        ("StringEquals", r#""true""#, boolean(true), true),
        ("StringEquals", "7", number(7), true),
        ("StringNotEquals", r#""a""#, text("b"), true),
        ("StringNotEquals", r#""a""#, text("a"), false),
        // The trap: with several values a negated operator means "none of them".
        ("StringNotEquals", r#"["a","b"]"#, text("a"), false),
        ("StringNotEquals", r#"["a","b"]"#, text("b"), false),
        ("StringNotEquals", r#"["a","b"]"#, text("c"), true),
        ("StringNotEquals", r#"["a","b"]"#, None, true),
        ("StringEqualsIgnoreCase", r#""Müller""#, text("MÜLLER"), true),
        ("StringEqualsIgnoreCase", r#""a""#, text("b"), false),
        ("StringEqualsIgnoreCase", r#""a""#, None, false),
        ("StringNotEqualsIgnoreCase", r#"["a","b"]"#, text("B"), false),
        ("StringNotEqualsIgnoreCase", r#"["a","b"]"#, text("c"), true),
        ("StringNotEqualsIgnoreCase", r#""a""#, None, true),
        ("StringLike", r#""s3.*.amazonaws.com""#, text("s3.eu-west-1.amazonaws.com"), true),
        ("StringLike", r#""s3.*.amazonaws.com""#, text("ec2.eu-west-1.amazonaws.com"), false),
        ("StringLike", r#""a?c""#, text("abc"), true),
        ("StringLike", r#""a?c""#, text("ac"), false),
        ("StringLike", r#""A*""#, text("abc"), false),
        ("StringLike", r#""*""#, None, false),
        ("StringNotLike", r#"["a*","b*"]"#, text("bc"), false),
        ("StringNotLike", r#"["a*","b*"]"#, text("c"), true),
        ("StringNotLike", r#""*""#, None, true),
    ]);
}

#[test]
fn numbers() {
    check(&[
        ("NumericEquals", r#""7""#, number(7), true),
        ("NumericEquals", "7", number(7), true),
        ("NumericEquals", "7.0", number(7), true),
        ("NumericEquals", r#"["7","30"]"#, number(30), true),
        ("NumericEquals", "7", text("07"), true),
        ("NumericEquals", "7", text("seven"), false),
        ("NumericEquals", "7", None, false),
        ("NumericNotEquals", r#"["7","30"]"#, number(30), false),
        ("NumericNotEquals", r#"["7","30"]"#, number(8), true),
        ("NumericNotEquals", "7", None, true),
        ("NumericLessThan", "7", number(6), true),
        ("NumericLessThan", "7", number(7), false),
        ("NumericLessThan", r#""9007199254740993""#, number(9_007_199_254_740_992), true),
        ("NumericLessThanEquals", "7", number(7), true),
        ("NumericLessThanEquals", "7", number(8), false),
        ("NumericGreaterThan", "7", number(8), true),
        ("NumericGreaterThan", "7", number(7), false),
        ("NumericGreaterThanEquals", "7", number(7), true),
        ("NumericGreaterThanEquals", "-7", number(-8), false),
        ("NumericGreaterThanEquals", "7", None, false),
    ]);
}

#[test]
fn dates() {
    const NOON: &str = "2026-05-01T12:00:00Z";
    check(&[
        ("DateEquals", r#""2026-05-01T12:00:00Z""#, date(NOON), true),
        ("DateEquals", r#""2026-05-01T14:00:00+02:00""#, date(NOON), true),
        ("DateEquals", "1777636800", date(NOON), true),
        ("DateEquals", r#""2026-05-01T12:00:00Z""#, number(1_777_636_800), true),
        ("DateEquals", r#""2026-05-01T12:00:00Z""#, text("2026-05-01T12:00:00Z"), true),
        ("DateEquals", r#""2026-05-01""#, date(NOON), false),
        ("DateNotEquals", r#"["2026-05-01","2026-05-01T12:00:00Z"]"#, date(NOON), false),
        ("DateNotEquals", r#""2026-05-01""#, None, true),
        ("DateLessThan", r#""2026-05-01T12:00:00Z""#, date(NOON), false),
        ("DateLessThan", r#""2026-05-02""#, date(NOON), true),
        ("DateLessThan", r#""2026-05-02""#, None, false),
        ("DateLessThanEquals", r#""2026-05-01T12:00:00Z""#, date(NOON), true),
        ("DateLessThanEquals", r#""2026-05-01""#, date(NOON), false),
        ("DateGreaterThan", r#""2026-05-01""#, date(NOON), true),
        ("DateGreaterThan", r#""2026-05-01T12:00:00Z""#, date(NOON), false),
        ("DateGreaterThanEquals", r#""2026-05-01T12:00:00Z""#, date(NOON), true),
        ("DateGreaterThanEquals", r#""2026-05-02""#, date(NOON), false),
    ]);
}

#[test]
fn booleans_bytes_and_addresses() {
    check(&[
        ("Bool", r#""true""#, boolean(true), true),
        ("Bool", "true", boolean(true), true),
        ("Bool", r#""TRUE""#, boolean(true), true),
        ("Bool", r#""true""#, boolean(false), false),
        ("Bool", r#""false""#, text("False"), true),
        // The trap: a condition that asks for false fails when the key is absent.
        ("Bool", r#""false""#, None, false),
        ("BoolIfExists", r#""false""#, None, true),
        ("BoolIfExists", r#""false""#, boolean(true), false),
        ("BinaryEquals", r#""QmluYXJ5""#, text("QmluYXJ5"), true),
        ("BinaryEquals", r#""QmluYXJ5""#, text("QmluYXJ6"), false),
        ("BinaryEquals", r#""QmluYXJ5""#, text("no base64"), false),
        ("BinaryEquals", r#""QmluYXJ5""#, None, false),
        ("IpAddress", r#""203.0.113.0/24""#, address("203.0.113.9"), true),
        ("IpAddress", r#""203.0.113.77/24""#, address("203.0.113.9"), true),
        ("IpAddress", r#""203.0.113.9""#, address("203.0.113.9"), true),
        ("IpAddress", r#""203.0.113.0/24""#, address("203.0.114.9"), false),
        ("IpAddress", r#""203.0.113.0/24""#, address("::ffff:203.0.113.9"), true),
        ("IpAddress", r#"["10.0.0.0/8","2001:db8::/32"]"#, address("2001:db8::1"), true),
        ("IpAddress", r#""0.0.0.0/0""#, address("2001:db8::1"), false),
        ("IpAddress", r#""203.0.113.0/24""#, None, false),
        ("NotIpAddress", r#"["10.0.0.0/8","203.0.113.0/24"]"#, address("203.0.113.9"), false),
        ("NotIpAddress", r#"["10.0.0.0/8","203.0.113.0/24"]"#, address("192.0.2.1"), true),
        ("NotIpAddress", r#""203.0.113.0/24""#, None, true),
    ]);
}

/// A key whose type is not the operator's is read as the operator's where AWS lists both, and
/// matches nothing where there is no such reading.
#[test]
fn values_of_another_type() {
    const NOON: &str = "2026-05-01T12:00:00Z";
    check(&[
        ("StringEquals", r#""false""#, boolean(false), true),
        ("StringEquals", r#""2026-05-01T12:00:00Z""#, date(NOON), true),
        ("StringEquals", r#""203.0.113.9""#, address("203.0.113.9"), true),
        ("NumericEquals", "1777636800", date(NOON), true),
        ("NumericEquals", "1", boolean(true), false),
        ("NumericLessThan", "9999999999", address("203.0.113.9"), false),
        ("DateLessThan", r#""2999-01-01""#, boolean(true), false),
        ("Bool", "true", number(1), false),
        ("Bool", "false", number(0), false),
        ("Bool", "false", text("no"), false),
        ("IpAddress", r#""203.0.113.0/24""#, text("203.0.113.9"), true),
        ("IpAddress", r#""0.0.0.0/0""#, number(1), false),
    ]);
}

#[test]
fn arns() {
    const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";
    for operator in ["ArnEquals", "ArnLike"] {
        check(&[
            (operator, r#""arn:aws:iam::111122223333:role/team/app""#, text(ROLE), true),
            (operator, r#""arn:aws:iam::*:role/team/*""#, text(ROLE), true),
            (operator, r#""arn:aws:iam::11112222????:role/*""#, text(ROLE), true),
            (operator, r#""arn:aws:iam::111122223333:user/*""#, text(ROLE), false),
            // A wildcard stays within its part.
            (operator, r#""arn:*:111122223333:role/team/app:x:y""#, text(ROLE), false),
            (operator, r#""arn:aws:iam:*:role/team/app""#, text("arn:aws:iam:::role"), false),
            (operator, r#""arn:aws:*::1:a:b""#, text("arn:aws:x:y::1:a:b"), false),
            (operator, r#""arn:aws:*::1:a:b""#, text("arn:aws:x::1:a:b"), true),
            (operator, r#""*""#, text(ROLE), true),
            (operator, r#""arn:aws:iam:*""#, text(ROLE), true),
            (operator, r#""*""#, text("not an ARN"), false),
            (operator, r#""*""#, None, false),
        ]);
    }
    for operator in ["ArnNotEquals", "ArnNotLike"] {
        check(&[
            (operator, r#""arn:aws:iam::*:role/*""#, text(ROLE), false),
            (
                operator,
                r#"["arn:aws:iam::*:user/*","arn:aws:iam::*:role/team/*"]"#,
                text(ROLE),
                false,
            ),
            (operator, r#""arn:aws:iam::*:user/*""#, text(ROLE), true),
            (operator, r#""arn:aws:iam::*:role/*""#, None, true),
        ]);
    }
}

#[test]
fn absence() {
    check(&[
        ("Null", r#""true""#, None, true),
        ("Null", r#""true""#, text("a"), false),
        ("Null", "false", None, false),
        ("Null", r#""false""#, text("a"), true),
        ("Null", r#""false""#, text(""), true),
        ("Null", r#"["true","false"]"#, None, true),
        ("Null", r#""true""#, Some(many(&[])), true),
        ("StringEqualsIfExists", r#""a""#, None, true),
        ("StringEqualsIfExists", r#""a""#, text("b"), false),
        ("StringNotEqualsIfExists", r#""a""#, None, true),
        ("StringLikeIfExists", r#""a*""#, None, true),
        ("NumericLessThanIfExists", "7", None, true),
        ("NumericLessThanIfExists", "7", number(7), false),
        ("DateGreaterThanIfExists", r#""2026-05-01""#, None, true),
        ("IpAddressIfExists", r#""10.0.0.0/8""#, None, true),
        ("ArnLikeIfExists", r#""arn:aws:iam::*:role/*""#, None, true),
        ("StringEquals", r#""a""#, Some(many(&[])), false),
    ]);
}

#[test]
fn sets() {
    check(&[
        ("ForAllValues:StringEquals", r#"["a","b"]"#, Some(many(&["a", "b"])), true),
        ("ForAllValues:StringEquals", r#"["a","b"]"#, Some(many(&["a"])), true),
        ("ForAllValues:StringEquals", r#"["a","b"]"#, Some(many(&["a", "c"])), false),
        // The trap: nothing at all is also "all values".
        ("ForAllValues:StringEquals", r#"["a","b"]"#, None, true),
        ("ForAllValues:StringEquals", r#"["a","b"]"#, Some(many(&[])), true),
        ("ForAllValues:StringNotEquals", r#"["a","b"]"#, Some(many(&["c", "d"])), true),
        ("ForAllValues:StringNotEquals", r#"["a","b"]"#, Some(many(&["c", "b"])), false),
        ("ForAllValues:StringNotEquals", r#"["a","b"]"#, None, true),
        ("ForAllValues:StringLike", r#""team-*""#, Some(many(&["team-a", "team-b"])), true),
        ("ForAllValues:StringLike", r#""team-*""#, Some(many(&["team-a", "b"])), false),
        ("ForAnyValue:StringEquals", r#"["a","b"]"#, Some(many(&["c", "b"])), true),
        ("ForAnyValue:StringEquals", r#"["a","b"]"#, Some(many(&["c"])), false),
        ("ForAnyValue:StringEquals", r#"["a","b"]"#, None, false),
        ("ForAnyValue:StringEquals", r#"["a","b"]"#, Some(many(&[])), false),
        ("ForAnyValue:StringNotEquals", r#"["a","b"]"#, Some(many(&["a", "c"])), true),
        ("ForAnyValue:StringNotEquals", r#"["a","b"]"#, Some(many(&["a", "b"])), false),
        ("ForAnyValue:StringNotEquals", r#"["a","b"]"#, None, false),
        ("ForAnyValue:StringEqualsIfExists", r#""a""#, None, true),
        ("ForAnyValue:StringEqualsIfExists", r#""a""#, Some(many(&["b"])), false),
        ("ForAllValues:StringEqualsIfExists", r#""a""#, None, true),
        (
            "ForAllValues:ArnLike",
            r#""arn:aws:iam::*:role/*""#,
            text("arn:aws:iam::1:user/x"),
            false,
        ),
        // Without a set operator any value is enough, and a negated operator wants none.
        ("StringEquals", r#""a""#, Some(many(&["a", "b"])), true),
        ("StringNotEquals", r#""a""#, Some(many(&["a", "b"])), false),
    ]);
}

#[test]
fn operators_and_keys_are_joined_by_and() {
    let caller = user(OWNER, "ann");
    let statement = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{
        "StringEquals":{"kms:A":"1","kms:B":"2"},"Bool":{"kms:C":true}}}"#;
    let mut facts = Facts::of("kms:a", "1");
    facts.0.push(("kms:b".to_owned(), "2".into()));
    facts.0.push(("kms:c".to_owned(), true.into()));
    let policy = key_policy(&[statement]);
    assert!(ask(&caller, "kms:Encrypt", &facts, &policy, &[]).is_allowed());
    for missing in 0..3 {
        let mut fewer = facts.clone();
        fewer.0.remove(missing);
        assert!(!ask(&caller, "kms:Encrypt", &fewer, &policy, &[]).is_allowed());
    }
}

#[test]
fn variables_work_in_the_newer_version_only() {
    let caller = user(OWNER, "ann");
    let statement = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
        "Condition":{"StringEquals":{"kms:A":"${kms:B}"}}}"#;
    let mut facts = Facts::of("kms:a", "x");
    facts.0.push(("kms:b".to_owned(), "x".into()));
    assert!(ask(&caller, "kms:Encrypt", &facts, &key_policy(&[statement]), &[]).is_allowed());
    for version in ["", r#""Version":"2008-10-17","#] {
        let older = format!(r#"{{{version}"Statement":{statement}}}"#);
        assert!(!ask(&caller, "kms:Encrypt", &facts, &older, &[]).is_allowed());
        let literal = Facts::of("kms:a", "${kms:B}");
        assert!(ask(&caller, "kms:Encrypt", &literal, &older, &[]).is_allowed());
    }
}

#[test]
fn a_variable_without_value_equals_nothing() {
    const SELF: &str = r#""${kms:Absent}""#;
    check(&[
        ("StringEquals", SELF, text(""), false),
        ("StringLike", r#""*${kms:Absent}*""#, text("anything"), false),
        ("ArnLike", r#""arn:aws:iam::*:role/${kms:Absent}""#, text("arn:aws:iam::1:role/"), false),
        ("StringNotEquals", SELF, text("a"), true),
        ("StringEquals", r#""${kms:Absent, 'a'}""#, text("a"), true),
        ("StringEqualsIgnoreCase", r#""${kms:Subject}""#, text("Any"), true),
        ("ArnEquals", r#""${kms:Subject}""#, text("arn:aws:iam::1:role/a"), true),
        ("StringEquals", r#""${kms:Subject}""#, Some(many(&["a"])), false),
    ]);
}

#[test]
fn a_colon_from_a_variable_moves_no_part_of_an_arn() {
    let caller = user(OWNER, "ann");
    let statement = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
        "Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::${kms:Tag}"}}}"#;
    let pattern = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
        "Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:${kms:Tag}:*:1:x"}}}"#;
    let mut facts = Facts::of("kms:tag", "s3:eu");
    facts.0.push(("aws:sourcearn".to_owned(), "arn:aws:s3:eu:1:x".into()));
    assert!(!ask(&caller, "kms:Encrypt", &facts, &key_policy(&[pattern]), &[]).is_allowed());
    facts.0[1].1 = "arn:aws:s3:::s3:eu".into();
    assert!(ask(&caller, "kms:Encrypt", &facts, &key_policy(&[statement]), &[]).is_allowed());
}

#[test]
fn all_values_of_a_single_valued_key_are_refused_as_aws_does() {
    for key in ["kms:EncryptionContext:AppName", "KMS:encryptioncontext:x", "aws:RequestTag/team"] {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
            "Condition":{{"ForAllValues:StringEquals":{{"{key}":"a"}}}}}}"#
        );
        let refusal = Document::parse(&key_policy(&[&statement])).expect_err(key);
        assert!(matches!(refusal, DocumentError::OverlyPermissiveCondition { .. }), "{key}");
        let text = refusal.to_string();
        assert!(text.starts_with("OverlyPermissiveCondition: Using the ForAllValues set operator"));
        assert!(text.ends_with("[encryption context or tag]. To fix, remove ForAllValues."));
    }
    let keys = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
        "Condition":{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":"a"}}}"#;
    assert!(Document::parse(&key_policy(&[keys])).is_ok());
}

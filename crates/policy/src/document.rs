//! A policy document: parsed, checked and compiled in one go.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::Serialize;

use crate::error::DocumentError;
use crate::limits::{DOCUMENT_BYTES_MAX, SEARCHES_MAX, STATEMENTS_MAX, VARIABLES_MAX};
use crate::principal::PrincipalPattern;
use crate::statement::Statement;
use crate::syntax::{Object, syntax_error};
use crate::template::Template;

/// What a document hangs on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum DocumentKind {
    /// A key: each statement names principals.
    KeyPolicy,
    /// A role: each statement names principals who may assume it, and no resource.
    RoleTrust,
    /// A user, group or role, as its permissions or its boundary, or a session: statements are about
    /// whoever holds the policy.
    Identity,
    /// An account or what stands above it: the most that its principals can be allowed.
    ServiceControl,
    /// The same for the resources of an account; its statements deny, and name everybody.
    ResourceControl,
    /// An endpoint: each statement names principals.
    Endpoint,
}

impl DocumentKind {
    /// Do its statements say whom they are about?
    pub(crate) fn names_principals(self) -> bool {
        match self {
            DocumentKind::KeyPolicy
            | DocumentKind::RoleTrust
            | DocumentKind::ResourceControl
            | DocumentKind::Endpoint => true,
            DocumentKind::Identity | DocumentKind::ServiceControl => false,
        }
    }
}

/// A policy document, ready to decide requests.
#[derive(Clone, Debug)]
pub struct Document {
    kind: DocumentKind,
    id: Option<Box<str>>,
    statements: Box<[Statement]>,
    weight_bytes: usize,
}

/// What the parts of a document share while it is compiled.
pub(crate) struct Compilation {
    pub(crate) kind: DocumentKind,
    /// `${...}` are variables: version `2012-10-17` only.
    pub(crate) variables: bool,
    patterns: usize,
    searches: usize,
    variable_count: usize,
}

impl Compilation {
    /// Notes patterns for the document's weight.
    pub(crate) fn count_patterns(&mut self, patterns: usize) {
        self.patterns = self.patterns.saturating_add(patterns);
    }

    /// Notes patterns for the document's weight, for its bound on variables and, if wildcards mean
    /// anything in them, for its bound on searches.
    pub(crate) fn count_values(
        &mut self,
        texts: &[String],
        wildcards: bool,
    ) -> Result<(), DocumentError> {
        self.count_patterns(texts.len());
        if wildcards {
            let searches: usize = texts.iter().map(|text| searches(text)).sum();
            self.searches = self.searches.saturating_add(searches);
        }
        if self.variables {
            let variables: usize = texts.iter().map(|text| text.matches("${").count()).sum();
            self.variable_count = self.variable_count.saturating_add(variables);
        }
        if self.searches > SEARCHES_MAX {
            return Err(DocumentError::TooManyWildcards);
        }
        if self.variable_count > VARIABLES_MAX {
            return Err(DocumentError::TooManyVariables);
        }
        Ok(())
    }
}

/// How often a pattern makes its text be searched, as [`SEARCHES_MAX`] counts.
fn searches(pattern: &str) -> usize {
    let single_wildcards = pattern.bytes().filter(|byte| *byte == b'?').count();
    single_wildcards + usize::from(pattern.trim_end_matches('*').contains('*'))
}

impl Document {
    /// Parses a key policy.
    ///
    /// # Errors
    /// Says why AWS would call the policy malformed. That the named principals exist, and that the
    /// caller can still change the policy, are left to `service`.
    pub fn parse(text: &str) -> Result<Document, DocumentError> {
        Document::parse_as(DocumentKind::KeyPolicy, text)
    }

    /// Parses an identity policy; permissions boundaries and session policies are such too.
    ///
    /// # Errors
    /// Says why AWS would call the policy malformed.
    pub fn parse_identity(text: &str) -> Result<Document, DocumentError> {
        Document::parse_as(DocumentKind::Identity, text)
    }

    /// Parses a policy of any kind.
    ///
    /// # Errors
    /// Says why AWS would call the policy malformed.
    pub fn parse_as(kind: DocumentKind, text: &str) -> Result<Document, DocumentError> {
        parse(text, kind)
    }

    /// What the document hangs on.
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// The `Id` of the document.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// How many statements the document has.
    pub fn statement_count(&self) -> usize {
        self.statements.len()
    }

    /// The `Sid` of a statement, counted from 0; `None` if it has none.
    pub fn sid(&self, statement: usize) -> Option<&str> {
        self.statements.get(statement).and_then(|statement| statement.sid.as_deref())
    }

    /// Everyone whom a statement names, under `Principal` or `NotPrincipal`, in the order of the
    /// text within each kind. Empty for policies that name nobody.
    pub fn principals(&self) -> impl Iterator<Item = &PrincipalPattern> {
        self.statements.iter().flat_map(|statement| statement.principal.patterns())
    }

    /// An upper estimate of the memory that the document takes, for caches, in bytes.
    pub fn weight_bytes(&self) -> usize {
        self.weight_bytes
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

impl FromStr for Document {
    type Err = DocumentError;

    /// As [`Document::parse`].
    fn from_str(text: &str) -> Result<Document, DocumentError> {
        Document::parse(text)
    }
}

fn parse(text: &str, kind: DocumentKind) -> Result<Document, DocumentError> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(DocumentError::TooLong { length_bytes: text.len() });
    }
    let mut elements = Object::parse(text)?;
    let variables = match elements.take_text("Version")?.as_deref() {
        Some("2012-10-17") => true,
        Some("2008-10-17") | None => false,
        Some(_) => return Err(DocumentError::Version),
    };
    let id = elements.take_text("Id")?.map(Into::into);
    let statements = elements
        .take("Statement")
        .ok_or_else(|| syntax_error("the document has no Statement"))?
        .objects("Statement")?;
    elements.finish()?;
    if statements.len() > STATEMENTS_MAX {
        return Err(DocumentError::TooManyStatements);
    }
    let mut compilation =
        Compilation { kind, variables, patterns: 0, searches: 0, variable_count: 0 };
    let statements: Result<Box<[Statement]>, DocumentError> = statements
        .into_iter()
        .map(|statement| Statement::compile(statement, &mut compilation))
        .collect();
    let statements = statements?;
    if kind == DocumentKind::Identity {
        check_sids(&statements)?;
    }
    let weight_bytes = size_of::<Document>()
        .saturating_add(size_of_val(&*statements))
        .saturating_add(compilation.patterns.saturating_mul(4 * size_of::<Template>()))
        .saturating_add(text.len().saturating_mul(2));
    Ok(Document { kind, id, statements, weight_bytes })
}

/// Sids of an identity policy are unique letters and digits (IAM User Guide, "Sid"). AWS KMS is
/// milder with key policies: blanks are allowed and a Sid may come again.
fn check_sids(statements: &[Statement]) -> Result<(), DocumentError> {
    let mut seen = BTreeSet::new();
    for sid in statements.iter().filter_map(|statement| statement.sid.as_deref()) {
        if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(syntax_error(format!("Sid {sid} has other than letters and digits")));
        }
        if !seen.insert(sid) {
            return Err(DocumentError::DuplicateSid);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_weighs_four_templates_and_its_text_twice() {
        let weight = |actions: &str, resources: &str| {
            let text =
                format!(r#"{{"Statement":{{"Effect":"Deny","Action":[{actions}],{resources}}}}}"#);
            Document::parse_identity(&text).map(|document| document.weight_bytes())
        };
        let bare = weight(r#""kms:Get*""#, r#""Resource":["*"]"#).expect("it is a policy");
        let more = weight(r#""kms:Get*","kms:A""#, r#""Resource":["*","*"]"#);
        let added_text = r#","kms:A","*""#;
        let expected = bare + 2 * (4 * size_of::<Template>() + added_text.len());
        assert_eq!(more, Ok(expected));
    }
}

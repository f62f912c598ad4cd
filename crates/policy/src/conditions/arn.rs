//! ARN patterns of the ARN condition operators.

use crate::conditions::context::ConditionContext;
use crate::template::{Grammar, InvalidVariable, Piece, Template, pieces};
use crate::wildcard::Token;

/// Parts of an ARN: `arn`, partition, service, Region, account, resource.
const PARTS: usize = 6;

/// An ARN with wildcards.
#[derive(Clone, Debug)]
pub(crate) enum ArnPattern {
    /// Each part is matched for itself, so that a wildcard cannot reach from one part into the next
    /// (IAM User Guide, "Amazon Resource Name (ARN) condition operators").
    Parts(Box<[Template; PARTS]>),
    /// Fewer than six parts are written, as in `*`, `arn:aws:sns:*` or `${aws:SourceArn}`: matched
    /// as one, against ARNs only.
    Whole(Template),
}

impl ArnPattern {
    /// Compiles a pattern.
    pub(crate) fn parse(text: &str, variables: bool) -> Result<ArnPattern, InvalidVariable> {
        let pieces = pieces(text, Grammar { wildcards: true, variables })?;
        let parts: Vec<Template> =
            split(pieces.clone()).into_iter().map(Template::from_pieces).collect();
        Ok(match <[Template; PARTS]>::try_from(parts) {
            Ok(parts) => ArnPattern::Parts(Box::new(parts)),
            Err(_fewer) => ArnPattern::Whole(Template::from_pieces(pieces)),
        })
    }

    /// Does the ARN match? What is no ARN matches nothing.
    pub(crate) fn matches(&self, arn: &str, context: &dyn ConditionContext) -> bool {
        if arn.splitn(PARTS, ':').count() < PARTS {
            return false;
        }
        match self {
            ArnPattern::Parts(parts) => parts
                .iter()
                .zip(arn.splitn(PARTS, ':'))
                .all(|(template, part)| template.matches(part, context)),
            ArnPattern::Whole(template) => template.matches(arn, context),
        }
    }
}

/// Cuts pieces at the first five colons of their fixed texts. A colon that a variable brings cuts
/// nothing: a caller's tag cannot move the parts of an ARN.
fn split(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    for piece in pieces {
        let Piece::Fixed(Token::Literal(literal)) = piece else {
            part.push(piece);
            continue;
        };
        let mut rest = &*literal;
        while parts.len() + 1 < PARTS {
            let Some((before, after)) = rest.split_once(':') else {
                break;
            };
            part.push(Piece::Fixed(Token::Literal(before.into())));
            parts.push(std::mem::take(&mut part));
            rest = after;
        }
        part.push(Piece::Fixed(Token::Literal(rest.into())));
    }
    parts.push(part);
    parts
}

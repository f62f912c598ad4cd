//! Where the statements of a policy stand in its text.

use serde::Deserialize;
use serde_json::value::RawValue;
use wire::iam::evaluation_results::Position;

/// The one member of a policy that is looked at.
#[derive(Deserialize)]
struct Statements<'t> {
    #[serde(borrow, rename = "Statement")]
    statement: &'t RawValue,
}

/// Where a statement begins and ends, counted from 0. Both are behind a brace, as AWS tells them.
pub(super) fn of_statement(text: &str, statement: usize) -> Option<(Position, Position)> {
    let Statements { statement: all } = serde_json::from_str(text).ok()?;
    let found: &RawValue = match all.get().starts_with('[') {
        true => serde_json::from_str::<Vec<&RawValue>>(all.get()).ok()?.get(statement).copied()?,
        false => Some(all).filter(|_| statement == 0)?,
    };
    // The statement is a part of the text, so its place is how far it lies from the beginning.
    let start = found.get().as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let end = start.checked_add(found.get().len())?;
    Some((behind(text, start.checked_add(1)?)?, behind(text, end)?))
}

/// The place behind so many bytes; lines and columns count from 1, and columns count characters.
fn behind(text: &str, bytes: usize) -> Option<Position> {
    let (before, _) = text.split_at_checked(bytes)?;
    let line_text = before.rsplit('\n').next().unwrap_or(before);
    let line = before.matches('\n').count().checked_add(1)?;
    let column = line_text.chars().count().checked_add(1)?;
    Some(Position { line: i64::try_from(line).ok()?, column: i64::try_from(column).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str, statement: usize) -> Option<[i64; 4]> {
        let (start, end) = of_statement(text, statement)?;
        Some([start.line, start.column, end.line, end.column])
    }

    /// The example of the AWS CLI Command Reference, "simulate-custom-policy".
    #[test]
    fn places_are_those_that_aws_tells() {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#;
        assert_eq!(places(text, 0), Some([1, 38, 1, 167]));
        assert_eq!(places(text, 1), None);
    }

    #[test]
    fn statements_of_a_list_stand_on_their_lines() {
        let text = "{\n  \"Statement\": [\n    {\"Sid\": \"é\"}, {\n    }\n  ]\n}";
        assert_eq!(places(text, 0), Some([3, 6, 3, 17]));
        assert_eq!(places(text, 1), Some([3, 20, 4, 6]));
    }
}

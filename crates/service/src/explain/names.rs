//! Names that are almost those of actions and operations.

use std::collections::BTreeSet;

use crate::operations::OPERATIONS;

/// Letters that a name may differ in to be meant.
const DIFFERENCES_MAX: usize = 2;
/// Names that are proposed at most.
const PROPOSED_MAX: usize = 5;
/// Characters of a name that is compared; none here is so long.
const NAME_CHARACTERS_MAX: usize = 80;

/// The actions and operations that may be meant by a name that is none, the likeliest first.
pub(super) fn near(asked: &str) -> Vec<String> {
    let asked = asked.to_ascii_lowercase();
    if asked.chars().count() > NAME_CHARACTERS_MAX {
        return Vec::new();
    }
    let without_service = asked.rsplit(':').next().unwrap_or(&asked);
    let differences = |name: &String| {
        let name = name.to_ascii_lowercase();
        let own = name.rsplit(':').next().unwrap_or(&name);
        // A name without its service, or with another one, is worth a proposal too.
        distance(&asked, &name).min(distance(without_service, own) + 1)
    };
    let ranked: BTreeSet<(usize, String)> =
        all().into_iter().map(|name| (differences(&name), name)).collect();
    let near = ranked.into_iter().take_while(|(differences, _)| *differences <= DIFFERENCES_MAX);
    near.take(PROPOSED_MAX).map(|(_, name)| name).collect()
}

/// Every action and operation.
fn all() -> BTreeSet<String> {
    let specs = OPERATIONS.iter().map(|row| row.spec());
    specs
        .flat_map(|spec| {
            let actions = spec.actions.iter().copied();
            let operation = format!("{}:{}", spec.api.scope(), spec.name);
            actions.map(str::to_owned).chain([operation]).collect::<Vec<_>>()
        })
        .collect()
}

/// The proposal behind a refusal.
pub(super) fn told(near: &[String]) -> String {
    match near {
        [] => "; expected for example kms:Decrypt".to_owned(),
        near => format!("; is {} meant?", near.join(" or ")),
    }
}

/// How many letters must be put in, taken out or replaced to make one text of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (place, letter) in one.chars().enumerate() {
        let mut diagonal = place;
        let mut left = place + 1;
        let mut next = vec![left];
        for (above, other_letter) in row.iter().skip(1).zip(other.chars()) {
            let replaced = diagonal + usize::from(letter != other_letter);
            left = replaced.min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshteins() {
        for (one, other, expected) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn what_is_almost_a_name_is_proposed() {
        assert_eq!(near("kms:Decript").first().map(String::as_str), Some("kms:Decrypt"));
        assert_eq!(near("decrypt").first().map(String::as_str), Some("kms:Decrypt"));
        assert_eq!(near("kms:AssumeRole").first().map(String::as_str), Some("sts:AssumeRole"));
        assert_eq!(near("s3:PutBucketLifecycle"), [""; 0]);
        assert_eq!(near(&"x".repeat(1_000_000)), [""; 0]);
    }
}

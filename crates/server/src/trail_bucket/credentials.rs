//! The file of the credentials that a bucket is written with: AWS's shared credentials file.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Using shared config and credentials files".

use zeroize::Zeroizing;

use sigv4::SecretAccessKey;

/// An access key, and the token that goes with a temporary one.
pub(super) struct BucketCredentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: SecretAccessKey,
    pub(super) session_token: Option<Zeroizing<String>>,
}

impl BucketCredentials {
    /// Reads a profile's lines; none if the profile or one of its two keys is missing. The last one of several counts.
    pub(super) fn parse(text: &str, profile: &str) -> Option<BucketCredentials> {
        let mut is_profile = false;
        let (mut access_key_id, mut secret, mut session_token) = (None, None, None);
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                is_profile = name.trim() == profile;
                continue;
            }
            let Some((name, value)) = line.split_once('=').filter(|_| is_profile) else { continue };
            let place = match name.trim() {
                "aws_access_key_id" => &mut access_key_id,
                "aws_secret_access_key" => &mut secret,
                "aws_session_token" => &mut session_token,
                _ => continue,
            };
            *place = Some(value.trim()).filter(|value| !value.is_empty());
        }
        Some(BucketCredentials {
            access_key_id: access_key_id?.to_owned(),
            secret_access_key: SecretAccessKey::new(secret?.to_owned()),
            session_token: session_token.map(|token| Zeroizing::new(token.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# comment\naws_access_key_id = stray\n[default]\naws_access_key_id = A1\n\
        aws_secret_access_key=s/1+x=\n\n[ other ]\n; comment\naws_access_key_id=A2\n\
        aws_secret_access_key = s2\naws_session_token = t==\nregion = eu-west-1\n[half]\naws_access_key_id = A3\n";

    #[test]
    fn a_profile_is_read_and_no_other() {
        let read = |profile| {
            let credentials = BucketCredentials::parse(FILE, profile)?;
            let token = credentials.session_token.map(|token| token.as_str().to_owned());
            Some((credentials.access_key_id, token))
        };
        assert_eq!(read("default"), Some(("A1".to_owned(), None)));
        assert_eq!(read("other"), Some(("A2".to_owned(), Some("t==".to_owned()))));
        assert_eq!((read("half"), read("none"), read("")), (None, None, None));
    }
}

//! The one action of AWS STS that every SDK asks for: GetCallerIdentity.

use crate::{
    names::AccountId,
    query::{Element, STS_NAMESPACE},
};

/// Writes the answer of GetCallerIdentity: who called, by account, ARN and unique id.
pub fn get_caller_identity_xml(
    account: AccountId,
    arn: &str,
    user_id: &str,
    request_id: &str,
) -> String {
    Element::with(
        "GetCallerIdentityResponse",
        vec![
            Element::with(
                "GetCallerIdentityResult",
                vec![
                    Element::text("Arn", arn),
                    Element::text("UserId", user_id),
                    Element::text("Account", account.as_str()),
                ],
            ),
            Element::with("ResponseMetadata", vec![Element::text("RequestId", request_id)]),
        ],
    )
    .document(STS_NAMESPACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_one_that_sdks_parse() {
        let account = "111122223333".parse().unwrap();
        assert_eq!(
            get_caller_identity_xml(account, "arn:aws:iam::111122223333:root", "1111", "id"),
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:root</Arn>\
             <UserId>1111</UserId><Account>111122223333</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        );
    }
}

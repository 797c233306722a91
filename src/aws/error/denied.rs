//! What lacks where AWS refuses a call: the action by its name, on which resource, and who is to get it.
//!
//! The services' texts have one form ("Troubleshoot access denied error messages"): `User: ARN is not authorized to
//! perform: ACTION on resource: ARN because REASON`. Where one says less, the table of actions knows the rest.

use crate::aws::actions::actions;

/// What to do about a refused call.
pub fn way_out(operation: &str, message: &str) -> String {
    let caller = word_after(message, "User: ").map(|caller| format!(" to `{caller}`")).unwrap_or_default();
    let action = match word_after(message, "not authorized to perform: ") {
        Some(action) => format!("`{action}`"),
        None => {
            let needed = actions(operation);
            needed.iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join(" and ")
        }
    };
    let resource = word_after(message, "on resource: ").map(|arn| format!(" on `{arn}`")).unwrap_or_default();
    if let Some(policy) = message.split("explicit deny in ").nth(1) {
        let policy = policy.split([',', ';', '.', ':']).next().unwrap_or(policy).trim();
        return format!("{policy} denies {action}{resource}: only its owner can change that");
    }
    format!("allow {action}{resource}{caller}; `paystack policy --deployer` shows all that the template needs")
}

/// The word after a phrase, without the punctuation that ends it.
fn word_after<'a>(message: &'a str, phrase: &str) -> Option<&'a str> {
    let (_, rest) = message.split_once(phrase)?;
    let word = rest.split_whitespace().next()?.trim_end_matches(['.', ',', ';']);
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_action_is_named_with_its_resource_and_the_caller() {
        let message = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: iam:PassRole on resource: \
                       arn:aws:iam::123456789012:role/orders because no identity-based policy allows the iam:PassRole \
                       action";
        assert_eq!(
            way_out("lambda.CreateFunction", message),
            "allow `iam:PassRole` on `arn:aws:iam::123456789012:role/orders` to `arn:aws:iam::123456789012:user/ci`; \
             `paystack policy --deployer` shows all that the template needs"
        );
    }

    #[test]
    fn where_the_service_names_no_action_the_call_does() {
        let hint = way_out("apigateway.CreateRestApi", "Access denied");
        assert!(hint.starts_with("allow `apigateway:POST`;"), "{hint}");
        let hint = way_out("lambda.CreateFunction", "Access denied");
        assert!(hint.starts_with("allow `lambda:CreateFunction` and `iam:PassRole` and"), "{hint}");
    }

    #[test]
    fn an_explicit_deny_is_not_met_by_allowing_more() {
        let message = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: sqs:CreateQueue on \
                       resource: arn:aws:sqs:us-east-1:123456789012:orders with an explicit deny in a service control \
                       policy";
        assert_eq!(
            way_out("sqs.CreateQueue", message),
            "a service control policy denies `sqs:CreateQueue` on `arn:aws:sqs:us-east-1:123456789012:orders`: only \
             its owner can change that"
        );
    }
}

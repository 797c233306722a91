//! Statements of resource policies. Their ids name their owner, since a statement can carry no other mark.

use serde_json::Value;

use crate::aws::error::AwsError;
use crate::digest::hex_digest;
use crate::identity::{LogicalId, StackId};
use crate::resource::Owner;

/// The longest id that AddPermission takes for a statement.
const LONGEST_ID: usize = 100;

/// `payments-dev-WebhookPermission-1a2b3c4d`.
pub fn id(owner: &Owner) -> String {
    let Owner { stack, resource } = owner;
    let hash = hex_digest(format!("{stack}/{resource}"), 8);
    let is_allowed = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let words = format!("{stack}-{resource}");
    let words: String = words.chars().filter(is_allowed).take(LONGEST_ID - hash.len() - 1).collect();
    format!("{words}-{hash}")
}

/// The owner in a statement's id, unless the id had to be cut to fit.
pub fn owner_in(statement_id: &str) -> Option<Owner> {
    let (words, _hash) = statement_id.rsplit_once('-')?;
    let (stack, resource) = words.rsplit_once('-')?;
    let owner = Owner { stack: StackId::from(stack), resource: LogicalId::from(resource) };
    (id(&owner) == statement_id).then_some(owner)
}

/// The statements of a policy, as `operation` has given it.
pub fn all(policy: &str, operation: &'static str) -> Result<Vec<Value>, AwsError> {
    let mut policy: Value = serde_json::from_str(policy).map_err(|_| AwsError::missing(operation, "Policy as JSON"))?;
    Ok(policy["Statement"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(stack: &str, resource: &str) -> Owner {
        Owner { stack: StackId::from(stack), resource: LogicalId::from(resource) }
    }

    #[test]
    fn a_statements_id_names_its_owner() {
        let owner = owner("payments-dev", "WebhookPermission");
        let id = id(&owner);
        assert!(id.starts_with("payments-dev-WebhookPermission-"), "{id}");
        assert_eq!(owner_in(&id), Some(owner));
        assert_eq!(owner_in("made-by-hand"), None);
    }

    #[test]
    fn a_long_owner_has_an_id_that_fits_and_is_still_its_own() {
        let long = owner(&"s".repeat(90), &"r".repeat(90));
        let other = owner(&"s".repeat(90), &"r".repeat(91));
        assert_eq!(id(&long).len(), LONGEST_ID);
        assert_ne!(id(&long), id(&other));
        assert_eq!(owner_in(&id(&long)), None);
    }
}

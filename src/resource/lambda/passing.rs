//! Lambda's refusals that pass with time ("Real AWS behaviour", 1.1).

use crate::aws::Context;
use crate::aws::error::AwsError;
use crate::aws::wait::Patience;

const INVALID: &str = "InvalidParameterValueException";
const CONFLICT: &str = "ResourceConflictException";

/// Repeats a call while Lambda does not see a role yet, or what the role may do, or has no network interface left to give.
pub async fn while_propagating<T, F>(cx: &Context, call: impl Fn() -> F + Sync) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>> + Send,
{
    cx.while_passing(Patience::minutes(540), is_throttled_by_ec2, || {
        cx.while_passing(Patience::seconds(120), is_propagating, &call)
    })
    .await
}

fn is_propagating(error: &AwsError) -> bool {
    [
        "The role defined for the function cannot be assumed by Lambda",
        "The provided execution role does not have permissions to call",
        "KMS key is invalid for CreateGrant",
        "ensure the role can perform",
        "Cannot access stream",
    ]
    .iter()
    .any(|text| error.says(INVALID, text))
}

fn is_throttled_by_ec2(error: &AwsError) -> bool {
    error.says(INVALID, "throttled by EC2")
}

/// A change of the function is still under way, or somebody else changes it at this moment.
pub fn is_busy(error: &AwsError) -> bool {
    error.code == CONFLICT && !already_exists(error)
}

/// The service has one of that name already: the answer to a create that was lost, or somebody else's.
pub fn already_exists(error: &AwsError) -> bool {
    error.says(CONFLICT, "already exist")
}

/// A mapping that is being changed takes no further change.
pub fn is_in_use(error: &AwsError) -> bool {
    error.code == "ResourceInUseException"
}

/// Attributes of a queue are seen by Lambda up to a minute after they were set, and so is a queue that was just made.
pub fn is_stale_queue(error: &AwsError) -> bool {
    error.says(INVALID, "Queue visibility timeout") || error.says(INVALID, "NonExistentQueue")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::error::ErrorClass;

    fn refusal(code: &str, message: &str) -> AwsError {
        AwsError { code: code.to_owned(), ..AwsError::new("lambda.CreateFunction", ErrorClass::Invalid, message) }
    }

    #[test]
    fn a_fresh_role_is_waited_for_and_a_wrong_handler_is_not() {
        assert!(is_propagating(&refusal(INVALID, "The role defined for the function cannot be assumed by Lambda.")));
        assert!(!is_propagating(&refusal(INVALID, "Runtime and Handler are mandatory parameters")));
    }

    #[test]
    fn a_function_of_that_name_is_no_function_that_is_busy() {
        assert!(!is_busy(&refusal(CONFLICT, "Function already exist: orders")));
        assert!(is_busy(&refusal(
            CONFLICT,
            "The operation cannot be performed at this time. An update is in progress"
        )));
    }
}

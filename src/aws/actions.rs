//! Which IAM actions AWS asks for when paystack calls it. Asks no AWS.
//!
//! Sources: the permissions in CloudFormation's resource schemas, and the page of each service in the "Service
//! Authorization Reference".

/// The IAM actions that a call needs: the one that it is named by, then what the service asks for beside it.
pub fn actions(operation: &str) -> Vec<String> {
    let (service, call) = operation.split_once('.').unwrap_or(("", operation));
    let named = match service {
        "apigateway" => format!("apigateway:{}", verb(call)),
        "tagging" => format!("tag:{call}"),
        // The one call whose action has another name.
        "lambda" if call == "Invoke" => "lambda:InvokeFunction".to_owned(),
        service => format!("{service}:{call}"),
    };
    let besides = BESIDES.iter().filter(|(of, _)| *of == operation).map(|(_, action)| (*action).to_owned());
    std::iter::once(named).chain(besides).collect()
}

/// API Gateway's actions are the verbs of HTTP, and its resources are paths.
fn verb(call: &str) -> &'static str {
    let verbs = [
        ("Get", "GET"),
        ("Create", "POST"),
        ("Generate", "POST"),
        ("Update", "PATCH"),
        ("Delete", "DELETE"),
        ("Untag", "DELETE"),
        ("Put", "PUT"),
        ("Tag", "PUT"),
    ];
    verbs.iter().find(|(prefix, _)| call.starts_with(prefix)).map_or("*", |(_, verb)| verb)
}

/// What a service asks for beside the call itself, on the same or on another resource.
const BESIDES: [(&str, &str); 12] = [
    ("lambda.CreateFunction", "iam:PassRole"),
    ("lambda.CreateFunction", "lambda:TagResource"),
    ("lambda.CreateFunction", "lambda:GetLayerVersion"),
    ("lambda.UpdateFunctionConfiguration", "iam:PassRole"),
    ("lambda.UpdateFunctionConfiguration", "lambda:GetLayerVersion"),
    ("apigateway.UpdateAccount", "iam:PassRole"),
    ("iam.AddRoleToInstanceProfile", "iam:PassRole"),
    ("apigateway.CreateStage", "apigateway:PUT"),
    ("wafv2.AssociateWebACL", "apigateway:SetWebACL"),
    ("wafv2.DisassociateWebACL", "apigateway:SetWebACL"),
    ("wafv2.PutLoggingConfiguration", "logs:CreateLogDelivery"),
    ("wafv2.PutLoggingConfiguration", "iam:CreateServiceLinkedRole"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_action_of_a_call_is_its_name_but_in_api_gateway() {
        assert_eq!(actions("sqs.CreateQueue"), ["sqs:CreateQueue"]);
        assert_eq!(actions("tagging.GetResources"), ["tag:GetResources"]);
        assert_eq!(actions("lambda.Invoke"), ["lambda:InvokeFunction"]);
        assert_eq!(actions("apigateway.UntagResource"), ["apigateway:DELETE"]);
        assert_eq!(actions("apigateway.UpdateAccount"), ["apigateway:PATCH", "iam:PassRole"]);
    }
}

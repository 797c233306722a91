//! What the types of Lambda need.

use super::{KMS, LOGS_ANYWHERE, LOGS_ON_THE_SIDE, Need, Subject, anything, besides, function_logs, layer, need, pass};

pub(super) const NEEDS: &[Need] = &[
    need(
        "AWS::Lambda::EventSourceMapping",
        anything,
        &["lambda.CreateEventSourceMapping", "lambda.ListEventSourceMappings"],
    ),
    need(
        "AWS::Lambda::EventSourceMapping",
        |it| vec![it.scope.arn("lambda", "event-source-mapping:*")],
        &[
            "lambda.DeleteEventSourceMapping",
            "lambda.GetEventSourceMapping",
            "lambda.ListTags",
            "lambda.TagResource",
            "lambda.UntagResource",
            "lambda.UpdateEventSourceMapping",
        ],
    ),
    need("AWS::Lambda::Function", anything, &["lambda.GetAccountSettings"]),
    need(
        "AWS::Lambda::Function",
        |it| it.named("lambda", "function:", "FunctionName"),
        &[
            "lambda.CreateFunction",
            "lambda.DeleteFunction",
            "lambda.DeleteFunctionCodeSigningConfig",
            "lambda.DeleteFunctionConcurrency",
            "lambda.GetFunction",
            "lambda.GetFunctionCodeSigningConfig",
            "lambda.GetFunctionRecursionConfig",
            "lambda.GetRuntimeManagementConfig",
            "lambda.ListTags",
            "lambda.PutFunctionCodeSigningConfig",
            "lambda.PutFunctionConcurrency",
            "lambda.PutFunctionRecursionConfig",
            "lambda.PutRuntimeManagementConfig",
            "lambda.TagResource",
            "lambda.UntagResource",
            "lambda.UpdateFunctionCode",
            "lambda.UpdateFunctionConfiguration",
        ],
    ),
    // The layers of the template are known by name; those of others stand in the function as they are.
    besides("AWS::Lambda::Function", |it| it.arns("Layers"), &["lambda:GetLayerVersion"]),
    besides("AWS::Lambda::Function", |it| it.arns("KmsKeyArn"), KMS),
    besides(
        "AWS::Lambda::Function",
        |it| it.where_set("VpcConfig", anything),
        &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"],
    ),
    // Where nothing is remembered, what is in it is searched for: statements that the template does not declare.
    need("AWS::Lambda::Function", |it| it.named("lambda", "function:", "FunctionName"), &["lambda.GetPolicy"]),
    pass("AWS::Lambda::Function", "lambda.amazonaws.com", |it| it.arns("Role")),
    need(
        "AWS::Lambda::LayerVersion",
        layer,
        &["lambda.DeleteLayerVersion", "lambda.GetLayerVersion", "lambda.PublishLayerVersion"],
    ),
    need("AWS::Lambda::LayerVersion", anything, &["lambda.ListLayerVersions"]),
    need(
        "AWS::Lambda::Permission",
        |it| it.named("lambda", "function:", "FunctionName"),
        &["lambda.AddPermission", "lambda.GetPolicy", "lambda.RemovePermission"],
    ),
    need("AWS::Lambda::Function", anything, LOGS_ANYWHERE),
    need("AWS::Lambda::Function", function_logs, LOGS_ON_THE_SIDE),
    need(
        "AWS::Lambda::Alias",
        |it| functions(it, "FunctionName"),
        &[
            "lambda.CreateAlias",
            "lambda.DeleteAlias",
            "lambda.DeleteProvisionedConcurrencyConfig",
            "lambda.GetAlias",
            "lambda.GetProvisionedConcurrencyConfig",
            "lambda.ListAliases",
            "lambda.PutProvisionedConcurrencyConfig",
            "lambda.UpdateAlias",
        ],
    ),
    need(
        "AWS::Lambda::CodeSigningConfig",
        anything,
        &["lambda.CreateCodeSigningConfig", "lambda.ListCodeSigningConfigs"],
    ),
    need(
        "AWS::Lambda::CodeSigningConfig",
        |it| vec![it.scope.arn("lambda", "code-signing-config:*")],
        &[
            "lambda.DeleteCodeSigningConfig",
            "lambda.GetCodeSigningConfig",
            "lambda.ListTags",
            "lambda.TagResource",
            "lambda.UntagResource",
            "lambda.UpdateCodeSigningConfig",
        ],
    ),
    need(
        "AWS::Lambda::EventInvokeConfig",
        |it| functions(it, "FunctionName"),
        &[
            "lambda.DeleteFunctionEventInvokeConfig",
            "lambda.GetFunctionEventInvokeConfig",
            "lambda.ListFunctionEventInvokeConfigs",
            "lambda.PutFunctionEventInvokeConfig",
        ],
    ),
    // As with statements: what the template does not declare.
    need(
        "AWS::Lambda::Function",
        |it| functions(it, "FunctionName"),
        &[
            "lambda.ListAliases",
            "lambda.ListFunctionEventInvokeConfigs",
            "lambda.ListFunctionUrlConfigs",
            "lambda.ListVersionsByFunction",
        ],
    ),
    need("AWS::Lambda::LayerVersion", layer, &["lambda.GetLayerVersionPolicy"]),
    need(
        "AWS::Lambda::LayerVersionPermission",
        layer_version,
        &["lambda.AddLayerVersionPermission", "lambda.GetLayerVersionPolicy", "lambda.RemoveLayerVersionPermission"],
    ),
    need(
        "AWS::Lambda::Url",
        |it| functions(it, "TargetFunctionArn"),
        &[
            "lambda.CreateFunctionUrlConfig",
            "lambda.DeleteFunctionUrlConfig",
            "lambda.GetFunctionUrlConfig",
            "lambda.ListFunctionUrlConfigs",
            "lambda.UpdateFunctionUrlConfig",
        ],
    ),
    need(
        "AWS::Lambda::Version",
        |it| functions(it, "FunctionName"),
        &[
            "lambda.DeleteFunction",
            "lambda.DeleteProvisionedConcurrencyConfig",
            "lambda.GetFunction",
            "lambda.GetProvisionedConcurrencyConfig",
            "lambda.GetRuntimeManagementConfig",
            "lambda.ListVersionsByFunction",
            "lambda.PublishVersion",
            "lambda.PutProvisionedConcurrencyConfig",
            "lambda.PutRuntimeManagementConfig",
        ],
    ),
];

/// A function, with all of its versions and aliases.
fn functions(it: &Subject<'_>, property: &str) -> Vec<String> {
    let named = it.text(property).unwrap_or("*");
    let after = named.split_once(":function:").map_or(named, |(_, name)| name);
    let name = after.split(':').next().unwrap_or(after);
    [format!("function:{name}"), format!("function:{name}:*")]
        .iter()
        .map(|it_is| it.scope.arn("lambda", it_is))
        .collect()
}

fn layer_version(it: &Subject<'_>) -> Vec<String> {
    match it.text("LayerVersionArn") {
        Some(arn) => vec![arn.to_owned()],
        None => vec![it.scope.arn("lambda", "layer:*")],
    }
}

use serde_json::{Value, json};

use crate::conformance::{Case, check, resource, with};

#[tokio::test]
async fn logs_log_group() {
    check(Case {
        before: vec![],
        subject: resource(
            "Group",
            "AWS::Logs::LogGroup",
            json!({
                "LogGroupName": "/orders/api",
                "RetentionInDays": 30,
                "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/one",
                "FieldIndexPolicies": [{"Fields": ["requestId", "provider"]}],
                "Tags": [{"Key": "Owner", "Value": "me"}],
            }),
        ),
        updates: vec![
            json!({
                "LogGroupName": "/orders/api",
                "RetentionInDays": 7,
                "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/two",
                "FieldIndexPolicies": [{"Fields": ["provider"]}],
                "DataProtectionPolicy": {"Name": "none", "Version": "2021-06-01", "Statement": []},
                "DeletionProtectionEnabled": true,
                "Tags": [{"Key": "Owner", "Value": "you"}, {"Key": "Env", "Value": "dev"}],
            }),
            json!({"LogGroupName": "/orders/api"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn a_log_group_is_found_by_its_whole_name() {
    check(Case {
        before: vec![resource("Longer", "AWS::Logs::LogGroup", json!({"LogGroupName": "/orders/api-2"}))],
        subject: resource("Group", "AWS::Logs::LogGroup", json!({"LogGroupName": "/orders/api"})),
        updates: vec![json!({"LogGroupName": "/orders/api", "RetentionInDays": 1})],
    })
    .await;
}

#[tokio::test]
async fn logs_metric_filter() {
    let filter = |more: Value| with(json!({"LogGroupName": {"Ref": "Group"}, "FilterName": "failures"}), more);
    let metric = json!({"MetricName": "Failures", "MetricNamespace": "Orders", "MetricValue": "1"});
    check(Case {
        before: vec![resource("Group", "AWS::Logs::LogGroup", json!({"LogGroupName": "/orders/api"}))],
        subject: resource(
            "Filter",
            "AWS::Logs::MetricFilter",
            filter(json!({
                "FilterPattern": "{ $.level = \"error\" }",
                "MetricTransformations": [{
                    "MetricName": "Failures", "MetricNamespace": "Orders", "MetricValue": "$.count", "Unit": "Count",
                    "Dimensions": [{"Key": "Provider", "Value": "$.provider"}],
                }],
            })),
        ),
        updates: vec![
            filter(json!({
                "FilterPattern": "?ERROR ?Exception",
                "ApplyOnTransformedLogs": true,
                "EmitSystemFieldDimensions": ["@aws.region", "@aws.account"],
                "FieldSelectionCriteria": "@aws.account = \"123456789012\"",
                "MetricTransformations": [{
                    "MetricName": "Failures", "MetricNamespace": "Orders", "MetricValue": "1", "DefaultValue": 0,
                }],
            })),
            filter(json!({"FilterPattern": "", "MetricTransformations": [metric]})),
        ],
    })
    .await;
}

#[tokio::test]
async fn logs_query_definition() {
    check(Case {
        before: vec![
            resource("Group", "AWS::Logs::LogGroup", json!({"LogGroupName": "/orders/api"})),
            resource("Other", "AWS::Logs::QueryDefinition", json!({"Name": "it/failures", "QueryString": "limit 1"})),
        ],
        subject: resource(
            "Query",
            "AWS::Logs::QueryDefinition",
            json!({
                "Name": "it/failures",
                "QueryString": "fields @timestamp, @message\n| filter level = \"error\"\n# by provider\n",
                "LogGroupNames": [{"Ref": "Group"}],
            }),
        ),
        updates: vec![
            json!({"Name": "it/failures by provider", "QueryString": "stats count(*) by provider"}),
            json!({"Name": "it/failures", "QueryString": "stats count(*)", "LogGroupNames": ["a", "b"]}),
            json!({"Name": "it/failures", "QueryString": "stats count(*)"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn a_saved_query_in_sql_carries_no_mark() {
    let query = |text: &str| json!({"Name": "it/latest", "QueryString": text, "QueryLanguage": "SQL"});
    check(Case {
        before: vec![],
        subject: resource("Query", "AWS::Logs::QueryDefinition", query("SELECT 1")),
        updates: vec![query("SELECT 2")],
    })
    .await;
}

#[tokio::test]
async fn logs_resource_policy() {
    let policy = |service: &str| {
        json!({"PolicyName": "events", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": service}, "Action": "logs:PutLogEvents", "Resource": "*",
        }]}})
    };
    check(Case {
        before: vec![],
        subject: resource("Policy", "AWS::Logs::ResourcePolicy", policy("events.amazonaws.com")),
        updates: vec![policy("route53.amazonaws.com")],
    })
    .await;
}

fn group() -> crate::conformance::Declared {
    resource("Group", "AWS::Logs::LogGroup", json!({"LogGroupName": "/orders/api"}))
}

#[tokio::test]
async fn logs_log_stream() {
    let stream = json!({"LogGroupName": {"Ref": "Group"}, "LogStreamName": "imports"});
    check(Case { before: vec![group()], subject: resource("Stream", "AWS::Logs::LogStream", stream), updates: vec![] })
        .await;
}

#[tokio::test]
async fn logs_account_policy() {
    let policy = |fields: &[&str]| {
        json!({
            "PolicyName": "orders",
            "PolicyType": "FIELD_INDEX_POLICY",
            "PolicyDocument": json!({"Fields": fields}).to_string(),
            "SelectionCriteria": "LogGroupNamePrefix IN [\"/orders\"]",
        })
    };
    check(Case {
        before: vec![],
        subject: resource("Indexed", "AWS::Logs::AccountPolicy", policy(&["requestId"])),
        updates: vec![policy(&["requestId", "customer"])],
    })
    .await;
}

#[tokio::test]
async fn logs_log_anomaly_detector() {
    let detector = |more: Value| with(json!({"LogGroupArnList": [{"Fn::GetAtt": ["Group", "Arn"]}]}), more);
    check(Case {
        before: vec![group()],
        subject: resource(
            "Strange",
            "AWS::Logs::LogAnomalyDetector",
            detector(json!({
                "DetectorName": "orders",
                "EvaluationFrequency": "TEN_MIN",
                "FilterPattern": "error",
                "AnomalyVisibilityTime": 14,
            })),
        ),
        updates: vec![detector(
            json!({"DetectorName": "orders", "EvaluationFrequency": "ONE_HOUR", "FilterPattern": "fatal"}),
        )],
    })
    .await;
}

#[tokio::test]
async fn logs_destination() {
    let destination = |stream: &str, more: Value| {
        with(
            json!({
                "DestinationName": "orders",
                "TargetArn": format!("arn:aws:kinesis:us-east-1:123456789012:stream/{stream}"),
                "RoleArn": "arn:aws:iam::123456789012:role/deliveries",
            }),
            more,
        )
    };
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": "111122223333"},
            "Action": "logs:PutSubscriptionFilter",
            "Resource": "arn:aws:logs:us-east-1:123456789012:destination:orders",
        }],
    });
    let policy = policy.to_string();
    check(Case {
        before: vec![],
        subject: resource(
            "Orders",
            "AWS::Logs::Destination",
            destination("one", json!({"DestinationPolicy": policy, "Tags": [{"Key": "Owner", "Value": "me"}]})),
        ),
        updates: vec![
            destination("two", json!({"DestinationPolicy": policy})),
            destination("two", json!({"Tags": [{"Key": "Owner", "Value": "you"}]})),
        ],
    })
    .await;
}

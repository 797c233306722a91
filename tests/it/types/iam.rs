use serde_json::{Value, json};

use crate::conformance::{Case, check, resource};

fn trust(service: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    })
}

fn allow(action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
}

#[tokio::test]
async fn iam_role() {
    let write_logs = json!({"ManagedPolicyName": "write-logs", "PolicyDocument": allow("logs:PutLogEvents")});
    check(Case {
        before: vec![resource("WriteLogs", "AWS::IAM::ManagedPolicy", write_logs)],
        subject: resource(
            "Worker",
            "AWS::IAM::Role",
            json!({
                "RoleName": "worker",
                "Path": "/payments/",
                "Description": "runs the worker",
                "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
                "MaxSessionDuration": 7200,
                "PermissionsBoundary": {"Ref": "WriteLogs"},
                "ManagedPolicyArns": [{"Ref": "WriteLogs"}],
                "Policies": [
                    {"PolicyName": "queue", "PolicyDocument": allow("sqs:SendMessage")},
                    {"PolicyName": "encoded", "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a%3Ab/${aws:username} +"},
                    }},
                ],
                "Tags": [{"Key": "Owner", "Value": "me"}, {"Key": "Old", "Value": "1"}],
            }),
        ),
        updates: vec![
            json!({
                "RoleName": "worker",
                "Path": "/payments/",
                "Description": "runs every worker",
                "AssumeRolePolicyDocument": trust("apigateway.amazonaws.com"),
                "MaxSessionDuration": 3600,
                "ManagedPolicyArns": [{"Ref": "WriteLogs"}],
                "Policies": [
                    {"PolicyName": "queue", "PolicyDocument": allow("sqs:DeleteMessage")},
                    {"PolicyName": "topic", "PolicyDocument": allow("sns:Publish")},
                ],
                "Tags": [{"Key": "Owner", "Value": "you"}],
            }),
            json!({
                "RoleName": "worker",
                "Path": "/payments/",
                "AssumeRolePolicyDocument": trust("apigateway.amazonaws.com"),
                "PermissionsBoundary": {"Ref": "WriteLogs"},
            }),
            json!({
                "RoleName": "worker",
                "Path": "/payments/",
                "AssumeRolePolicyDocument": trust("apigateway.amazonaws.com"),
            }),
        ],
    })
    .await;
}

fn role(logical_id: &'static str, name: &str) -> crate::conformance::Declared {
    let properties = json!({"RoleName": name, "AssumeRolePolicyDocument": trust("lambda.amazonaws.com")});
    resource(logical_id, "AWS::IAM::Role", properties)
}

#[tokio::test]
async fn iam_policy() {
    let policy = |name: &str, action: &str, roles: &[&str]| {
        let roles: Vec<Value> = roles.iter().map(|role| json!({"Ref": role})).collect();
        json!({"PolicyName": name, "PolicyDocument": allow(action), "Roles": roles})
    };
    check(Case {
        before: vec![role("Worker", "worker"), role("Reader", "reader")],
        subject: resource("Queue", "AWS::IAM::Policy", policy("queue", "sqs:SendMessage", &["Worker"])),
        updates: vec![
            policy("queue", "sqs:SendMessage", &["Worker", "Reader"]),
            policy("queue", "sqs:ReceiveMessage", &["Reader"]),
            policy("inbox", "sqs:ReceiveMessage", &["Reader", "Worker"]),
            policy("queue", "sqs:SendMessage", &["Worker"]),
        ],
    })
    .await;
}

#[tokio::test]
async fn iam_managed_policy() {
    let policy = |action: &str, roles: &[&str]| {
        let roles: Vec<Value> = roles.iter().map(|role| json!({"Ref": role})).collect();
        json!({
            "ManagedPolicyName": "queue",
            "Path": "/payments/",
            "Description": "what works on the queue",
            "PolicyDocument": allow(action),
            "Roles": roles,
        })
    };
    check(Case {
        before: vec![role("Worker", "worker"), role("Reader", "reader")],
        subject: resource("Queue", "AWS::IAM::ManagedPolicy", policy("sqs:SendMessage", &["Worker"])),
        // More documents than a policy keeps versions.
        updates: vec![
            policy("sqs:ReceiveMessage", &["Worker", "Reader"]),
            policy("sqs:DeleteMessage", &["Reader"]),
            policy("sqs:PurgeQueue", &["Reader"]),
            policy("sqs:GetQueueUrl", &["Reader"]),
            policy("sqs:TagQueue", &["Reader"]),
            policy("sqs:UntagQueue", &[]),
        ],
    })
    .await;
}

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

fn user(logical_id: &'static str, name: &str) -> crate::conformance::Declared {
    let properties = json!({"UserName": name, "Tags": []});
    resource(logical_id, "AWS::IAM::User", properties)
}

fn group(logical_id: &'static str, name: &str) -> crate::conformance::Declared {
    resource(logical_id, "AWS::IAM::Group", json!({"GroupName": name}))
}

#[tokio::test]
async fn iam_user() {
    let read = json!({"ManagedPolicyName": "read", "PolicyDocument": allow("sqs:GetQueueUrl")});
    check(Case {
        before: vec![resource("Read", "AWS::IAM::ManagedPolicy", read), group("Ops", "ops"), group("Audit", "audit")],
        subject: resource(
            "Jo",
            "AWS::IAM::User",
            json!({
                "UserName": "jo",
                "Path": "/people/",
                "Groups": [{"Ref": "Ops"}],
                "ManagedPolicyArns": [{"Ref": "Read"}],
                "PermissionsBoundary": {"Ref": "Read"},
                "Policies": [{"PolicyName": "queue", "PolicyDocument": allow("sqs:SendMessage")}],
                "Tags": [{"Key": "Owner", "Value": "me"}],
            }),
        ),
        updates: vec![
            json!({
                "UserName": "jo",
                "Path": "/staff/",
                "Groups": [{"Ref": "Audit"}],
                "Policies": [{"PolicyName": "topic", "PolicyDocument": allow("sns:Publish")}],
                "Tags": [{"Key": "Owner", "Value": "you"}],
            }),
            json!({"UserName": "jo"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn iam_group() {
    let read = json!({"ManagedPolicyName": "read", "PolicyDocument": allow("sqs:GetQueueUrl")});
    check(Case {
        before: vec![resource("Read", "AWS::IAM::ManagedPolicy", read)],
        subject: resource(
            "Ops",
            "AWS::IAM::Group",
            json!({
                "GroupName": "ops",
                "Path": "/people/",
                "ManagedPolicyArns": [{"Ref": "Read"}],
                "Policies": [{"PolicyName": "queue", "PolicyDocument": allow("sqs:SendMessage")}],
            }),
        ),
        updates: vec![
            json!({
                "GroupName": "ops",
                "Path": "/staff/",
                "Policies": [{"PolicyName": "topic", "PolicyDocument": allow("sns:Publish")}],
            }),
            json!({"GroupName": "ops"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn iam_inline_policies_of_one() {
    let policy = |whom: &str, on: &str, action: &str| json!({"PolicyName": "queue", whom: {"Ref": on}, "PolicyDocument": allow(action)});
    let kinds = [
        ("AWS::IAM::RolePolicy", "RoleName", "Worker"),
        ("AWS::IAM::UserPolicy", "UserName", "Jo"),
        ("AWS::IAM::GroupPolicy", "GroupName", "Ops"),
    ];
    for (resource_type, whom, on) in kinds {
        check(Case {
            before: vec![role("Worker", "worker"), user("Jo", "jo"), group("Ops", "ops")],
            subject: resource("Queue", resource_type, policy(whom, on, "sqs:SendMessage")),
            updates: vec![policy(whom, on, "sqs:ReceiveMessage")],
        })
        .await;
    }
}

#[tokio::test]
async fn iam_user_to_group_addition() {
    let addition = |users: &[&str]| {
        let users: Vec<Value> = users.iter().map(|user| json!({"Ref": user})).collect();
        json!({"GroupName": {"Ref": "Ops"}, "Users": users})
    };
    check(Case {
        before: vec![group("Ops", "ops"), user("Jo", "jo"), user("Kim", "kim")],
        subject: resource("Members", "AWS::IAM::UserToGroupAddition", addition(&["Jo"])),
        updates: vec![addition(&["Jo", "Kim"]), addition(&["Kim"])],
    })
    .await;
}

#[tokio::test]
async fn iam_instance_profile() {
    let profile = |role: &str| json!({"InstanceProfileName": "worker", "Path": "/ec2/", "Roles": [{"Ref": role}]});
    check(Case {
        before: vec![role("Worker", "worker"), role("Reader", "reader")],
        subject: resource("Profile", "AWS::IAM::InstanceProfile", profile("Worker")),
        updates: vec![profile("Reader")],
    })
    .await;
}

#[tokio::test]
async fn iam_service_linked_role() {
    let linked = |description: &str| json!({"AWSServiceName": "autoscaling.amazonaws.com", "CustomSuffix": "orders", "Description": description});
    check(Case {
        before: vec![],
        subject: resource("Scaling", "AWS::IAM::ServiceLinkedRole", linked("scales the orders")),
        updates: vec![linked("scales all orders")],
    })
    .await;
}

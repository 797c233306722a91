//! What is written of live resources, and that it means what they are.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect;
use serde_json::{Value, json};

use super::written::{Found, Given, Written, template};
use crate::fake::line::desired;
use crate::fake::scope;
use crate::identity::{LogicalId, PhysicalId, REF, ResourceType};
use crate::resource::{Attributes, LiveResource, Ownership, row};

/// A live resource as another tool names it, with the dependencies that the tool knows.
fn found(logical_id: &str, resource_type: &str, properties: Value, on: &[&str]) -> Found {
    let resource_type = ResourceType::from(resource_type);
    let handler = row(&resource_type).expect("the type is handled").handler;
    let properties = handler.canonical(&properties).expect("the properties fit");
    let attributes = handler.predict(&scope(), &properties);
    let id = attributes.get(REF).and_then(Value::as_str).unwrap_or(logical_id);
    let live = LiveResource { id: PhysicalId::from(id), properties, attributes, ownership: Ownership::Unmarked };
    Found {
        logical_id: LogicalId::from(logical_id),
        resource_type,
        address: Some(format!("aws.{logical_id}")),
        configurations: BTreeSet::from([format!("aws.{logical_id}")]),
        dependencies: on.iter().map(|on| format!("aws.{on}")).collect(),
        secrets: BTreeSet::new(),
        live,
        code: None,
    }
}

fn arn(service: &str, name: &str) -> String {
    scope().arn(service, name)
}

fn written(found: &[Found]) -> Written {
    template("Orders", found, &[], &scope())
}

#[test]
fn what_is_live_is_written_with_its_references_and_without_what_goes_without_saying() {
    let dead = json!({
        "QueueName": "dead",
        "RedriveAllowPolicy": {"redrivePermission": "byQueue", "sourceQueueArns": [arn("sqs", "orders")]},
    });
    let orders = json!({
        "QueueName": "orders", "VisibilityTimeout": 45,
        "RedrivePolicy": {"deadLetterTargetArn": arn("sqs", "dead"), "maxReceiveCount": 3},
    });
    let trust = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let may_send =
        json!({"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn("sqs", "orders")}]});
    let policy_arn = scope().global_arn("iam", "policy/send");
    // As IAM shows them: the role with what is attached to it and written into it, and the policy with the role.
    let worker = json!({
        "RoleName": "orders", "AssumeRolePolicyDocument": trust, "ManagedPolicyArns": [policy_arn],
        "Policies": [{"PolicyName": "write", "PolicyDocument": may_send}],
    });
    let send = json!({"ManagedPolicyName": "send", "PolicyDocument": may_send, "Roles": ["orders"]});
    let write = json!({"PolicyName": "write", "RoleName": "orders", "PolicyDocument": may_send});
    let age = json!({
        "AlarmName": "age", "Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage", "Statistic": "Maximum",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 300.0, "ComparisonOperator": "GreaterThanThreshold",
        "Dimensions": [{"Name": "QueueName", "Value": "orders"}],
    });
    let mut all = [
        found("Dead", "AWS::SQS::Queue", dead, &[]),
        found("Orders", "AWS::SQS::Queue", orders, &["Dead"]),
        found("Worker", "AWS::IAM::Role", worker, &[]),
        found("Send", "AWS::IAM::ManagedPolicy", send, &["Orders"]),
        found("Write", "AWS::IAM::RolePolicy", write, &["Worker", "Orders"]),
        // The role is called as the queue is.
        found("Age", "AWS::CloudWatch::Alarm", age, &["Orders", "Worker"]),
    ];
    // What is called as the queue has a name of its own.
    all[1].live.attributes.insert("QueueName".to_owned(), json!("orders"));
    expect![[r#"
        AWSTemplateFormatVersion: "2010-09-09"
        Description: Orders

        Resources:
          # aws.Dead
          Dead:
            Type: AWS::SQS::Queue
            Properties:
              QueueName: dead
              RedriveAllowPolicy:
                redrivePermission: byQueue
                sourceQueueArns:
                  - !Sub "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:orders"

          # aws.Orders
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              QueueName: orders
              RedrivePolicy:
                deadLetterTargetArn: !GetAtt Dead.Arn
                maxReceiveCount: 3
              VisibilityTimeout: 45

          # aws.Worker
          Worker:
            Type: AWS::IAM::Role
            Properties:
              AssumeRolePolicyDocument:
                Statement:
                  - Action:
                      - sts:AssumeRole
                    Effect: Allow
                    Principal:
                      Service:
                        - lambda.amazonaws.com
              ManagedPolicyArns:
                - !Ref Send
              RoleName: orders

          # aws.Send
          Send:
            Type: AWS::IAM::ManagedPolicy
            Properties:
              ManagedPolicyName: send
              PolicyDocument:
                Statement:
                  - Action:
                      - sqs:SendMessage
                    Effect: Allow
                    Resource:
                      - !GetAtt Orders.Arn

          # aws.Write
          Write:
            Type: AWS::IAM::RolePolicy
            Properties:
              PolicyDocument:
                Statement:
                  - Action:
                      - sqs:SendMessage
                    Effect: Allow
                    Resource:
                      - !GetAtt Orders.Arn
              PolicyName: write
              RoleName: !Ref Worker

          # aws.Age
          Age:
            Type: AWS::CloudWatch::Alarm
            DependsOn:
              - Worker
            Properties:
              AlarmName: age
              ComparisonOperator: GreaterThanThreshold
              Dimensions:
                - Name: QueueName
                  Value: !GetAtt Orders.QueueName
              EvaluationPeriods: 1
              MetricName: ApproximateAgeOfOldestMessage
              Namespace: AWS/SQS
              Period: 60
              Statistic: Maximum
              Threshold: 300
    "#]]
    .assert_eq(&written(&all).template);
}

#[test]
fn what_the_other_tool_keeps_secret_is_a_parameter_and_stands_nowhere() {
    let function = json!({
        "FunctionName": "pay", "Role": "arn:aws:iam::123456789012:role/pay", "Runtime": "python3.12", "Handler": "a.b",
        "Code": {"Sha256": "abc"},
        "Environment": {"Variables": {"KEY": "sk_live_1", "URL": "https://user:sk_live_1@example.org", "LEVEL": "on"}},
    });
    let mut pay = found("Pay", "AWS::Lambda::Function", function, &[]);
    pay.secrets = BTreeSet::from(["sk_live_1".to_owned()]);
    pay.code = Some("code/Pay.zip".to_owned());
    let Written { template, parameters, .. } = written(&[pay]);
    assert_eq!(parameters, BTreeMap::from([("PayKEY".to_owned(), "sk_live_1".to_owned())]));
    assert!(!template.contains("sk_live_1"), "{template}");
    assert!(
        template.contains("KEY: !Ref PayKEY") && template.contains("PayKEY:\n    Type: String\n    NoEcho: true"),
        "{template}"
    );
    assert!(template.contains(r#"URL: !Sub "https://user:${PayKEY}@example.org""#), "{template}");
    assert!(template.contains("Code: code/Pay.zip"), "{template}");
}

#[test]
fn a_policy_with_a_secret_in_it_is_a_secret_as_a_whole() {
    let policy = json!({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::s3cret/*"}]});
    let mut own = found(
        "Own",
        "AWS::IAM::RolePolicy",
        json!({"PolicyDocument": policy, "PolicyName": "own", "RoleName": "jo"}),
        &[],
    );
    own.secrets = BTreeSet::from([policy.to_string()]);
    let Written { template, parameters, .. } = written(&[own]);
    assert!(template.contains("PolicyDocument: !Ref OwnPolicyDocument") && !template.contains("s3cret"), "{template}");
    assert_eq!(parameters, BTreeMap::from([("OwnPolicyDocument".to_owned(), policy.to_string())]));
}

#[test]
fn a_secret_policy_within_a_role_stands_nowhere_either() {
    let policy = json!({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::s3cret/*"}]});
    let trust = json!({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
    }]});
    let role = json!({
        "AssumeRolePolicyDocument": trust, "RoleName": "jo",
        "Policies": [{"PolicyName": "own", "PolicyDocument": policy}],
    });
    let mut role = found("Jo", "AWS::IAM::Role", role, &[]);
    role.secrets = BTreeSet::from([policy.to_string()]);
    let Written { template, parameters, .. } = written(&[role]);
    assert!(template.contains("PolicyDocument: !Ref JoPolicyDocument") && !template.contains("s3cret"), "{template}");
    assert_eq!(parameters, BTreeMap::from([("JoPolicyDocument".to_owned(), policy.to_string())]));
}

#[test]
fn a_text_that_looks_like_a_reference_stays_a_text() {
    let topic = json!({"TopicName": "orders", "DisplayName": "${Orders} of ${AWS::Region}"});
    let text = written(&[found("Orders", "AWS::SNS::Topic", topic, &[])]).template;
    assert!(text.contains(r#"DisplayName: "${Orders} of ${AWS::Region}""#), "{text}");
    let policy = json!({"PolicyDocument": {"Statement": [{
        "Effect": "Allow", "Action": "s3:*", "Resource": format!("arn:aws:s3:us-east-1:{}:${{aws:username}}", scope().account_id),
    }]}, "PolicyName": "own", "RoleName": "jo"});
    let text = written(&[found("Own", "AWS::IAM::RolePolicy", policy, &[])]).template;
    assert!(text.contains("arn:${AWS::Partition}:s3:${AWS::Region}:${AWS::AccountId}:${!aws:username}"), "{text}");
}

/// Of every example: what is written of its resources, were they live, means the same again.
#[test]
fn a_template_from_what_is_live_means_what_is_live() {
    let mut examples: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"))
        .expect("there are examples")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    examples.push(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/payments/template.yaml").into());
    let mut resources = 0;
    for path in examples {
        let text = std::fs::read_to_string(&path).expect("the example can be read");
        // What stands in a document is not written as one, and a table never as a global one.
        if text.contains("\n      Body:") || text.contains("AWS::DynamoDB::GlobalTable") {
            continue;
        }
        let desired = desired(&text);
        let mut attributes: BTreeMap<LogicalId, Attributes> = BTreeMap::new();
        let mut all = Vec::new();
        for logical_id in desired.in_order() {
            let known = |id: &LogicalId, name: &str| attributes.get(id)?.get(name).cloned();
            let properties = desired.properties(&logical_id, &known).expect("the properties fit");
            let row = desired.row(&logical_id).expect("the type is handled");
            let made_up = [REF].into_iter().chain(row.facts().attributes());
            let made_up = made_up.map(|name| match name {
                "Version" => (name.to_owned(), json!("7")),
                name => (name.to_owned(), json!(format!("{}{logical_id}", name.to_lowercase()))),
            });
            let mut its: Attributes = made_up.collect();
            its.extend(Attributes::clone(&desired.predict(&logical_id, &properties)));
            let id = its[REF].as_str().unwrap_or_default().to_owned();
            attributes.insert(logical_id.clone(), its.clone());
            all.push(Found {
                resource_type: desired.graph.resources[&logical_id].resource_type.clone(),
                configurations: BTreeSet::from([logical_id.to_string()]),
                dependencies: desired.dependencies.of(&logical_id).map(ToString::to_string).collect(),
                address: None,
                secrets: BTreeSet::new(),
                live: LiveResource {
                    id: PhysicalId::from(id),
                    properties: Value::clone(&properties),
                    attributes: its,
                    ownership: Ownership::Unmarked,
                },
                code: Some("code.zip".to_owned()),
                logical_id,
            });
        }
        let text = written(&all).template;
        let again = crate::fake::line::desired(&text);
        let known = |id: &LogicalId, name: &str| attributes.get(id)?.get(name).cloned();
        for it in &all {
            let means = again.properties(&it.logical_id, &known).expect("the properties fit");
            let mut means = Value::clone(&means);
            let mut was = it.live.properties.clone();
            for properties in [&mut means, &mut was] {
                // Digests of what is elsewhere.
                let fields = properties.as_object_mut().expect("properties are fields");
                fields.retain(|name, _| !["Code", "Content", "ContentDigest"].contains(&name.as_str()));
            }
            assert_eq!(means, was, "{} of {}\n{text}", it.logical_id, path.display());
            resources += 1;
        }
    }
    assert!(resources > 80, "{resources} resources were written");
}

#[test]
fn outputs_and_an_order_that_no_reference_shows_are_written_too() {
    let all = [
        found("Orders", "AWS::SQS::Queue", json!({"QueueName": "orders", "KmsMasterKeyId": "s3cret-key"}), &[]),
        found("Events", "AWS::SNS::Topic", json!({"TopicName": "events"}), &["Orders"]),
        found("Stock", "AWS::SNS::Topic", json!({"TopicName": "stock"}), &["Orders", "Events"]),
    ];
    let given = |name: &str, value: Value, is_secret: bool| Given { name: name.to_owned(), value, is_secret };
    let given = [
        given("queue_arn", json!(arn("sqs", "orders")), false),
        given("topics", json!([arn("sns", "events"), arn("sns", "stock")]), false),
        given("topic_by_name", json!({"events": arn("sns", "events")}), false),
        given("stage", json!("events"), false),
        given("timeout", json!(30), false),
        given("nothing", Value::Null, false),
        given("password", json!("hunter2"), true),
        given("login", json!(["jo", "hunter2"]), true),
        given("secret_arn", json!(arn("sqs", "orders")), true),
    ];
    let Written { template, left_out, .. } = template("Orders", &all, &given, &scope());
    assert_eq!(left_out, ["password", "login"]);
    assert!(!template.contains("hunter2"), "{template}");
    let from = template.find("  # aws.Events").expect("it is there");
    expect![[r#"
          # aws.Events
          Events:
            Type: AWS::SNS::Topic
            DependsOn:
              - Orders
            Properties:
              TopicName: events

          # aws.Stock
          Stock:
            Type: AWS::SNS::Topic
            DependsOn:
              - Events
            Properties:
              TopicName: stock

        Outputs:
          QueueArn:
            Value: !GetAtt Orders.Arn
          Topics:
            Value: !Sub "${Events},${Stock}"
          TopicByName:
            Value: !Sub "{\"events\":\"${Events}\"}"
          Stage:
            Value: events
          Timeout:
            Value: "30"
          SecretArn:
            Value: !GetAtt Orders.Arn
    "#]]
    .assert_eq(&template[from..]);
}

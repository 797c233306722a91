use std::fmt::Write as _;
use std::path::Path;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::schema::{Keywords, Pattern};
use super::*;
use crate::resource::row;
use crate::{identity::LogicalId, unknown};

/// The facts in the tree, by the name of their file.
fn all() -> Vec<(String, Facts)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resource/facts");
    let text_of = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap().leak();
    let mut names = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("aws-") && name.ends_with(".json"))
        .collect::<Vec<_>>();
    names.sort();
    names.into_iter().map(|name| (name.clone(), Facts::parse(text_of(&name)).expect(&name))).collect()
}

fn facts(type_name: &str) -> &'static Facts {
    row(&type_name.into()).unwrap().facts()
}

/// What is found, a finding a paragraph.
fn findings(type_name: &str, properties: Value, expected: Expect) {
    let mut text = String::new();
    for Finding { path, at, message, label, help } in facts(type_name).check(&properties).findings {
        writeln!(text, "{message}\n  {at:?} {path}: {label}").unwrap();
        if let Some(help) = help {
            writeln!(text, "  help: {help}").unwrap();
        }
    }
    expected.assert_eq(&text);
}

fn value(type_name: &str, properties: Value) -> Value {
    let checked = facts(type_name).check(&properties);
    assert_eq!(checked.findings, []);
    checked.value
}

fn path(text: &str) -> PropertyPath {
    text.parse().unwrap()
}

fn unknown() -> String {
    unknown::attribute(&LogicalId::from("Orders"), "Arn")
}

#[test]
fn every_file_of_facts_is_named_for_its_type() {
    for (name, facts) in all() {
        assert_eq!(name, format!("{}.json", facts.type_name().to_lowercase().replace("::", "-")));
        assert!(facts.properties().next().is_some(), "{name}");
    }
}

#[test]
fn every_schema_in_the_facts_reads_and_every_pattern_compiles() {
    let (mut schemas, mut patterns) = (0, 0);
    for (name, facts) in all() {
        let mut waiting = facts.definitions.values().chain([&facts.schema]).collect::<Vec<_>>();
        while let Some(schema) = waiting.pop() {
            schema.read().unwrap_or_else(|error| panic!("{name}: {error} in {schema:?}"));
            for pattern in schema.pattern.iter().chain(schema.pattern_properties.iter().map(|(pattern, _)| pattern)) {
                assert!(pattern.compiled().is_some(), "{name}: {}", pattern.as_str());
                assert!(is_translated(pattern.as_str()), "{name}: {}", pattern.as_str());
                patterns += 1;
            }
            waiting.extend(within(schema));
            schemas += 1;
        }
    }
    assert!(schemas > 1000 && patterns > 100, "{schemas} {patterns}");
}

/// Whether each escape in a pattern means to our engine what the publishers mean, and none ends a range of a class.
fn is_translated(pattern: &str) -> bool {
    let pattern = pattern.replace(r"\\", "").replace(r"\[", "").replace(r"\]", "");
    let mut escaped = pattern.split('\\').skip(1).map(|rest| rest.chars().next());
    let is_known = |it: char| !it.is_ascii_alphabetic() || "dDwWsSpuxZ".contains(it);
    let mut classes = pattern.split('[').skip(1).filter_map(|rest| rest.split(']').next());
    let ends_a_range = |class: &str| class.contains(r"-\d") || class.contains(r"-\w");
    escaped.all(|it| it.is_some_and(is_known)) && !classes.any(ends_a_range)
}

#[test]
fn what_a_schema_cannot_have_is_refused_when_it_is_looked_into() {
    for wrong in [r#"{"frobnicate": 1}"#, r#"{"items": {"minimum": "one"}}"#, "[]", r#"["X"]"#, "null", "1"] {
        let facts =
            format!(r#"{{"typeName": "T", "schema": {{"properties": {{"P": {wrong}}}}}, "primaryIdentifier": []}}"#);
        let facts = Facts::parse(facts.leak()).unwrap();
        let property = facts.schema.properties["P"].read();
        let is_read = property.is_ok_and(|it| it.items.is_none_or(|it| it.read().is_ok()));
        assert!(!is_read, "{wrong}");
    }
}

/// The schemas of which this one is made. All keywords are named: a new one may have schemas too.
fn within(schema: &Schema) -> impl Iterator<Item = &Schema> {
    let Keywords {
        reference: _,
        types: _,
        one_of_values: _,
        one_value: _,
        minimum: _,
        maximum: _,
        multiple_of: _,
        min_length: _,
        max_length: _,
        pattern: _,
        json: _,
        packaged: _,
        items,
        prefix_items,
        min_items: _,
        max_items: _,
        max_unique_items: _,
        unique_items: _,
        unique_keys: _,
        insertion_order: _,
        properties,
        pattern_properties,
        additional_properties,
        property_names,
        min_properties: _,
        required: _,
        required_xor: _,
        dependent_required: _,
        dependent_excluded: _,
        all_of,
        any_of,
        one_of,
        not,
        condition,
        then,
        otherwise,
        because: _,
    } = &**schema;
    let lists = prefix_items.iter().chain(all_of).chain(any_of).chain(one_of);
    let named = properties.values().chain(pattern_properties.iter().map(|(_, schema)| schema));
    let single = [items, property_names, not, condition, then, otherwise].into_iter().flatten().map(|schema| &**schema);
    lists.chain(named).chain(additional_properties).chain(single)
}

#[test]
fn digits_and_letters_in_a_pattern_are_those_of_ascii() {
    let matches = |pattern: &str, text| Pattern::from(pattern.to_owned()).matches(text);
    for (pattern, taken, refused) in [
        (r"^\d{3}$", "123", "١٢٣"),
        (r"^[\w+=,.@-]+$", "a-role_2", "rôle"),
        (r"^[\w\-]+$", "a-b", "a\\b"),
        (r"^[\w-.]+$", "a-b.c", "ä"),
        (r"^[^\w]+$", "é-", "-a"),
        (r"^\W\D$", "éé", "a1"),
        (r"^(?!\d+$)[\w-]+$", "a-1", "12"),
        (r"^(?!\d+$)[\w-]+$", "1a", "é"),
        (r"^\\d\Z", r"\d", "\\d\n"),
    ] {
        assert!(matches(pattern, taken) && !matches(pattern, refused), "{pattern}");
    }
}

#[test]
fn what_identifies_or_replaces_a_resource_is_something_it_has() {
    for (name, facts) in all() {
        let create_only = facts.create_only.iter().chain(&facts.conditional_create_only).map(|it| it.0.join("."));
        for property in facts.primary_identifier().iter().cloned().chain(create_only).chain(facts.tag_property.clone())
        {
            assert!(facts.at(&path(&property)).is_some(), "{name}: {property}");
        }
    }
}

#[test]
fn an_unknown_property_is_answered_with_the_nearest_known_one() {
    findings(
        "AWS::SQS::Queue",
        json!({"VisibilityTimout": 45}),
        expect![[r#"
        `AWS::SQS::Queue` has no property `VisibilityTimout`
          Key VisibilityTimout: not a property of `AWS::SQS::Queue`
          help: did you mean `VisibilityTimeout`?
    "#]],
    );
    findings(
        "AWS::Lambda::EventSourceMapping",
        json!({"FunctionName": "f", "ScalingConfig": {"Limit": 2}}),
        expect![[r#"
            `ScalingConfig` of `AWS::Lambda::EventSourceMapping` has no property `Limit`
              Key ScalingConfig.Limit: not a property of `ScalingConfig`
              help: there is `MaximumConcurrency`
        "#]],
    );
}

#[test]
fn everything_that_is_wrong_is_found_at_once() {
    findings(
        "AWS::DynamoDB::Table",
        json!({
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "s"}, {"AttributeName": "id"}],
            "BillingMode": "ON_DEMAND",
            "KeySchema": [{"AttributeName": "id", "KeyType": "RANGE"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 5},
            "SSESpecification": {"KMSMasterKeyId": "alias/key", "SSEEnabled": true},
            "TableName": "",
        }),
        expect![[r#"
            `AttributeDefinitions[0].AttributeType` cannot be `s`
              Value AttributeDefinitions[0].AttributeType: expected `B`, `N` or `S`
              help: did you mean `S`?
            `AttributeDefinitions[1]` has the same `AttributeName` as `AttributeDefinitions[0]`
              Value AttributeDefinitions[1]: `AttributeName` used twice
            `AttributeDefinitions[1]` needs `AttributeType`
              Key AttributeDefinitions[1]: `AttributeType` is missing
            `BillingMode` cannot be `ON_DEMAND`
              Value BillingMode: expected `PAY_PER_REQUEST` or `PROVISIONED`
            `KeySchema[0].KeyType` cannot be `RANGE`
              Value KeySchema[0].KeyType: expected `HASH`
            `ProvisionedThroughput.ReadCapacityUnits` cannot be 0
              Value ProvisionedThroughput.ReadCapacityUnits: expected at least 1
              help: a table without `BillingMode: PAY_PER_REQUEST` has its capacity from `ProvisionedThroughput`
            `SSESpecification.KMSMasterKeyId` needs `SSEType` beside it
              Key SSESpecification.KMSMasterKeyId: `SSEType` is missing
            `TableName` is 0 characters long
              Value TableName: expected 1 to 1024 characters
        "#]],
    );
}

#[test]
fn a_value_of_another_type_is_shown_with_the_type_it_should_have() {
    findings(
        "AWS::SQS::Queue",
        json!({"DelaySeconds": "soon", "FifoQueue": "yes", "QueueName": ["a"], "Tags": {"a": "b"}, "VisibilityTimeout": 1.5}),
        expect![[r#"
            `DelaySeconds` is the string `soon`, not a whole number
              Value DelaySeconds: expected a whole number
            `FifoQueue` is the string `yes`, not `true` or `false`
              Value FifoQueue: expected `true` or `false`
            `QueueName` is a list, not a string
              Value QueueName: expected a string
            `Tags` is an object, not a list
              Value Tags: expected a list
            `VisibilityTimeout` is 1.5, not a whole number
              Value VisibilityTimeout: expected a whole number
        "#]],
    );
}

#[test]
fn a_number_out_of_range_is_shown_with_its_range() {
    findings(
        "AWS::SQS::Queue",
        json!({"DelaySeconds": 901, "MessageRetentionPeriod": "59"}),
        expect![[r#"
            `DelaySeconds` cannot be 901
              Value DelaySeconds: expected 0 to 900
            `MessageRetentionPeriod` cannot be 59
              Value MessageRetentionPeriod: expected 60 to 1209600
        "#]],
    );
    findings(
        "AWS::Logs::LogGroup",
        json!({"RetentionInDays": 31}),
        expect![[r#"
            `RetentionInDays` cannot be 31
              Value RetentionInDays: not one of the allowed values
              help: expected 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653
        "#]],
    );
}

#[test]
fn lengths_and_patterns_are_those_of_the_service() {
    findings(
        "AWS::IAM::Role",
        json!({
            "AssumeRolePolicyDocument": {},
            "Description": "“quoted”",
            "ManagedPolicyArns": ["AdministratorAccess"],
            "RoleName": "a role",
            "Tags": [{"Key": "a".repeat(129), "Value": ""}],
        }),
        expect![[r#"
            `Description` cannot be `“quoted”`
              Value Description: does not match `^[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*$`
            `ManagedPolicyArns[0]` cannot be `AdministratorAccess`
              Value ManagedPolicyArns[0]: does not match `arn:(aws[a-zA-Z-]*)?:iam::(\d{12}|aws):policy/[a-zA-Z_0-9+=,.@\-_/]+`
            `RoleName` cannot be `a role`
              Value RoleName: does not match `^[\w+=,.@-]+$`
            `Tags[0].Key` is 129 characters long
              Value Tags[0].Key: expected 1 to 128 characters
        "#]],
    );
}

#[test]
fn a_runtime_that_does_not_exist_is_answered_with_one_that_does() {
    findings(
        "AWS::Lambda::Function",
        json!({"Code": {"ZipFile": "x"}, "Role": unknown(), "Runtime": "python3.110", "Handler": "index.handler"}),
        expect![[r#"
            `Runtime` cannot be `python3.110`
              Value Runtime: not one of the allowed values
              help: did you mean `python3.11`?
        "#]],
    );
}

#[test]
fn what_is_required_and_missing_is_named() {
    findings(
        "AWS::IAM::Role",
        json!({}),
        expect![[r#"
        `AWS::IAM::Role` needs `AssumeRolePolicyDocument`
          Key : `AssumeRolePolicyDocument` is missing
    "#]],
    );
    findings(
        "AWS::IAM::Policy",
        json!({"PolicyDocument": {}, "PolicyName": "p"}),
        expect![[r#"
            `AWS::IAM::Policy` needs `Users`, `Groups` or `Roles`
              Key : one of `Users`, `Groups` or `Roles` is missing
        "#]],
    );
    findings(
        "AWS::CloudWatch::Alarm",
        json!({"ComparisonOperator": "GreaterThanThreshold"}),
        expect![[r#"
            `AWS::CloudWatch::Alarm` needs `Metrics`, `MetricName` or `EvaluationCriteria`
              Key : one of `Metrics`, `MetricName` or `EvaluationCriteria` is missing
        "#]],
    );
}

#[test]
fn what_excludes_each_other_is_found_once() {
    findings(
        "AWS::CloudWatch::Alarm",
        json!({
            "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "MetricName": "Errors",
            "Statistic": "Sum", "ExtendedStatistic": "p99", "Period": 90,
        }),
        expect![[r#"
            `Period` cannot be 90
              Value Period: expected a multiple of 60
              help: a period is 10, 30 or 60 seconds, or a multiple of 60
            `AWS::CloudWatch::Alarm` cannot have both `ExtendedStatistic` and `Statistic`
              Key Statistic: not together with `ExtendedStatistic`
        "#]],
    );
}

#[test]
fn a_list_of_distinct_things_has_nothing_twice() {
    let layer = "arn:aws:lambda:eu-west-1:123456789012:layer:tools:1";
    findings(
        "AWS::Lambda::Function",
        json!({
            "Code": {"S3Bucket": "bucket", "S3Key": "key"}, "Role": unknown(), "Architectures": ["arm64", "x86_64"],
            "Layers": [layer, unknown(), layer, unknown()],
        }),
        expect![[r#"
            `Architectures` has 2 items
              Value Architectures: expected 1 item
            `Layers[2]` is the same as `Layers[0]`
              Value Layers[2]: listed twice
        "#]],
    );
}

#[test]
fn what_only_aws_sets_cannot_be_set() {
    findings(
        "AWS::Lambda::Function",
        json!({
            "Arn": "arn:aws:lambda:eu-west-1:123456789012:function:f", "Code": {}, "Role": unknown(),
            "SnapStartResponse": {"ApplyOn": "None"},
        }),
        expect![[r#"
            `Arn` of `AWS::Lambda::Function` is read-only
              Key Arn: set by AWS
              help: remove it: `Fn::GetAtt` gives it
            `SnapStartResponse` of `AWS::Lambda::Function` is read-only
              Key SnapStartResponse: set by AWS
              help: remove it
        "#]],
    );
}

#[test]
fn rules_between_properties_say_why() {
    findings(
        "AWS::Lambda::Function",
        json!({
            "Code": {"ZipFile": "x"}, "Environment": {"Variables": {"AWS_REGION": "eu-west-1", "1": "x"}},
            "Role": unknown(), "Runtime": "java21", "Timeout": 901,
        }),
        expect![[r#"
            `Environment.Variables` of `AWS::Lambda::Function` cannot have an entry `1`
              Key Environment.Variables.1: does not match `[a-zA-Z][a-zA-Z0-9_]+`
            `Environment.Variables.AWS_REGION` cannot be set
              Key Environment.Variables.AWS_REGION: `AWS_REGION` is not allowed as a name here
              help: Lambda sets this variable itself
            `Runtime` cannot be `java21`
              Value Runtime: does not match `^(nodejs.*|python.*)$`
              help: inline code in `ZipFile` works for Node.js and Python only
            `Timeout` cannot be 901
              Value Timeout: expected at most 900
              help: a function runs for at most 900 seconds, unless on a capacity provider
        "#]],
    );
    findings(
        "AWS::SQS::Queue",
        json!({"FifoQueue": true, "QueueName": "orders"}),
        expect![[r#"
        `QueueName` cannot be `orders`
          Value QueueName: does not match `^.*\.fifo$`
          help: a FIFO queue has `FifoQueue: true` and a name that ends in `.fifo`; the deduplication properties are its own
    "#]],
    );
    findings(
        "AWS::SQS::Queue",
        json!({"ContentBasedDeduplication": true}),
        expect![[r#"
        `ContentBasedDeduplication` cannot be set here
          Key ContentBasedDeduplication: not allowed here
          help: a FIFO queue has `FifoQueue: true` and a name that ends in `.fifo`; the deduplication properties are its own
    "#]],
    );
    findings(
        "AWS::DynamoDB::Table",
        json!({"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}),
        expect![[r#"
        `AWS::DynamoDB::Table` needs `ProvisionedThroughput`
          Key : `ProvisionedThroughput` is missing
          help: a table without `BillingMode: PAY_PER_REQUEST` has its capacity from `ProvisionedThroughput`
    "#]],
    );
    findings(
        "AWS::ApiGateway::RestApi",
        json!({}),
        expect![[r#"
        `AWS::ApiGateway::RestApi` needs `Name`
          Key : `Name` is missing
          help: an API without an OpenAPI `Body` has its name from `Name`
    "#]],
    );
}

#[test]
fn a_rule_is_not_applied_where_its_condition_is_unknown() {
    let key = json!([{"AttributeName": "id", "KeyType": "HASH"}]);
    findings("AWS::DynamoDB::Table", json!({"BillingMode": unknown(), "KeySchema": key}), expect![[r#""#]]);
    findings("AWS::SQS::Queue", json!({"FifoQueue": unknown(), "QueueName": "orders"}), expect![[r#""#]]);
}

#[test]
fn nothing_unknown_is_judged() {
    let within = format!("no arn: {}", unknown());
    findings(
        "AWS::Lambda::Function",
        json!({
            "Code": unknown(), "Description": within.repeat(100), "Layers": unknown(), "MemorySize": unknown(),
            "Handler": "{{resolve:ssm:handler name}}", "Role": within, "Runtime": unknown(), "VpcConfig": {"SubnetIds": [within, within]},
        }),
        expect![[r#""#]],
    );
}

#[test]
fn a_local_path_stands_for_code() {
    findings("AWS::Lambda::Function", json!({"Code": "../handlers/f", "Role": unknown()}), expect![[r#""#]]);
    assert!(facts("AWS::Lambda::LayerVersion").is_packaged(&path("Content")));
    assert!(!facts("AWS::Lambda::Function").is_packaged(&path("Role")));
}

#[test]
fn scalars_take_the_declared_type() {
    let wanted =
        json!({"DelaySeconds": 30, "FifoQueue": false, "QueueName": "123", "RedrivePolicy": {"maxReceiveCount": 5}});
    let given = json!({"DelaySeconds": "30", "FifoQueue": "false", "QueueName": 123, "RedrivePolicy": {"maxReceiveCount": 5.0}});
    assert_eq!(value("AWS::SQS::Queue", given), wanted);
}

#[test]
fn a_document_is_an_object_or_its_text() {
    let document = r#"{"Version": "2012-10-17", "Statement": []}"#;
    let queues = json!(["https://sqs"]);
    for document in [json!(document), serde_json::from_str(document).unwrap()] {
        let given = json!({"PolicyDocument": document, "Queues": queues});
        assert_eq!(value("AWS::SQS::QueuePolicy", given.clone()), given);
    }
    findings(
        "AWS::SNS::Topic",
        json!({"DataProtectionPolicy": "{", "ArchivePolicy": "{}"}),
        expect![[r#"
            `DataProtectionPolicy` is a string that is not JSON
              Value DataProtectionPolicy: not JSON: EOF while parsing an object at line 1 column 1
        "#]],
    );
}

#[test]
fn a_request_parameter_is_true_however_it_is_written() {
    let method = |required| {
        json!({
            "HttpMethod": "POST", "ResourceId": unknown(), "RestApiId": unknown(),
            "RequestParameters": {"method.request.header.Link": required},
        })
    };
    assert_eq!(value("AWS::ApiGateway::Method", method(json!("true"))), method(json!(true)));
}

#[test]
fn nested_web_acl_rules_are_judged_where_they_stand() {
    findings(
        "AWS::WAFv2::WebACL",
        json!({
            "DefaultAction": {"Allow": {}}, "Scope": "REGIONAL",
            "VisibilityConfig": {"CloudWatchMetricsEnabled": true, "MetricName": "acl", "SampledRequestsEnabled": true},
            "Rules": [{
                "Name": "rate", "Priority": "0", "Action": {"Blok": {}},
                "Statement": {"NotStatement": {"Statement": {"RateBasedStatement": {"Limit": 5, "AggregateKeyType": "ip"}}}},
            }],
        }),
        expect![[r#"
            `Rules[0]` needs `VisibilityConfig`
              Key Rules[0]: `VisibilityConfig` is missing
            `Rules[0].Action` of `AWS::WAFv2::WebACL` has no property `Blok`
              Key Rules[0].Action.Blok: not a property of `Rules[0].Action`
              help: did you mean `Block`?
            `Rules[0].Statement.NotStatement.Statement.RateBasedStatement.AggregateKeyType` cannot be `ip`
              Value Rules[0].Statement.NotStatement.Statement.RateBasedStatement.AggregateKeyType: expected `CONSTANT`, `IP`, `FORWARDED_IP` or `CUSTOM_KEYS`
              help: did you mean `IP`?
            `Rules[0].Statement.NotStatement.Statement.RateBasedStatement.Limit` cannot be 5
              Value Rules[0].Statement.NotStatement.Statement.RateBasedStatement.Limit: expected 10 to 2000000000
        "#]],
    );
}

#[test]
fn facts_know_what_a_change_does() {
    let queue = facts("AWS::SQS::Queue");
    assert!(queue.is_create_only(&path("QueueName")));
    assert!(!queue.is_create_only(&path("VisibilityTimeout")));
    assert!(facts("AWS::Lambda::LayerVersion").is_create_only(&path("Content.S3Key")));
    assert!(facts("AWS::DynamoDB::Table").is_conditionally_create_only(&path("KeySchema[0].KeyType")));
    assert!(!facts("AWS::DynamoDB::Table").is_create_only(&path("KeySchema")));

    let function = facts("AWS::Lambda::Function");
    assert!(function.is_write_only(&path("Code.ZipFile")));
    assert!(!function.is_write_only(&path("Code")));
}

#[test]
fn facts_know_what_a_type_has() {
    let queue = facts("AWS::SQS::Queue");
    assert_eq!(queue.attributes().collect::<Vec<_>>(), ["Arn", "QueueName", "QueueUrl"]);
    assert_eq!(queue.nearest_attribute("QueueURL"), Some("QueueUrl"));
    assert!(!queue.has_attribute("Url") && !queue.has_property("Arn") && queue.has_property("DelaySeconds"));
    assert_eq!(queue.tag_property(), Some("Tags"));
    assert_eq!(facts("AWS::Lambda::LayerVersion").tag_property(), None);
    assert_eq!(facts("AWS::ApiGateway::Resource").primary_identifier(), ["RestApiId", "ResourceId"]);
    assert!(facts("AWS::IAM::Role").is_required("AssumeRolePolicyDocument"));
}

#[test]
fn facts_know_which_lists_are_sets() {
    assert!(facts("AWS::ApiGateway::RestApi").is_set(&path("Tags")));
    assert!(facts("AWS::DynamoDB::Table").is_set(&path("GlobalSecondaryIndexes[0].Projection.NonKeyAttributes")));
    assert!(!facts("AWS::DynamoDB::Table").is_set(&path("KeySchema")));
    assert!(!facts("AWS::Lambda::Function").is_set(&path("Layers")));
    assert!(!facts("AWS::Lambda::Function").is_set(&path("Nothing[0]")));
}

fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::from(unknown())),
    ];
    let name = prop_oneof![any::<String>(), "(Tags|Rules|Key|Value|Statement|NotStatement|KeySchema|Code|ZipFile)"];
    scalar.prop_recursive(6, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..6).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn checking_never_panics_and_settles_at_once(given in values()) {
        for name in ["AWS::WAFv2::WebACL", "AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::SQS::Queue"] {
            let facts = facts(name);
            let nested = json!({"Tags": given, "Rules": [{"Statement": given}], "KeySchema": given, "Code": given});
            for given in [&given, &nested] {
                let once = facts.check(given);
                let twice = facts.check(&once.value);
                prop_assert_eq!(once.value, twice.value);
                prop_assert_eq!(once.findings, twice.findings);
            }
        }
    }
}

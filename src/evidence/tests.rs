use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::fake::line::{Account, desired_with};
use crate::fake::scope;
use crate::plan::diff;

fn payments() -> Desired {
    desired_with(include_str!("../../examples/payments/template.yaml"), &[("LogRetentionDays", "400")])
}

fn seen(account: &Account, desired: &Desired, findings: &[Finding]) -> Report {
    let ledger = account.ledgers.load();
    let inventory = account.inventory(desired, &ledger);
    let plan = diff(desired, &inventory, &ledger, &crate::plan::Options::default());
    let at: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a moment");
    let call = |id: &LogicalId| ReadBy { operation: "test.Read".into(), request_id: Some(format!("request-{id}")), at };
    let read_by = inventory.readings.keys().map(|id| (id.clone(), vec![call(id)])).collect();
    report(&Seen { desired, inventory: &inventory, plan: &plan, findings, read_by: &read_by, at })
}

/// The template's reason for the alarms topic.
fn let_off() -> Vec<Finding> {
    vec![Finding {
        rule: "topic-encryption".into(),
        level: crate::policy::Level::Mandatory,
        resource: "AlarmsTopic".into(),
        path: crate::property_path::PropertyPath::default(),
        what: String::new(),
        reason: String::new(),
        fix: String::new(),
        suppressed: Some("CloudWatch may not use the key".into()),
        span: None,
        position: None,
    }]
}

fn applied() -> (Account, Desired) {
    let (account, desired) = (Account::default(), payments());
    account.apply(&desired);
    (account, desired)
}

/// The controls that do not pass.
fn failing(report: &Report) -> BTreeSet<&str> {
    let failing = report.evidence.iter().filter(|it| matches!(it.status, Status::Fail | Status::Unreadable));
    failing.map(|it| it.control.as_str()).collect()
}

#[test]
fn the_payments_system_passes_every_control_with_a_year_of_logs() {
    let (account, desired) = applied();
    let report = seen(&account, &desired, &let_off());
    assert_eq!(failing(&report), BTreeSet::new(), "{:#?}", report.evidence.iter().find(|it| it.status == Status::Fail));
    let controls: BTreeSet<&str> = report.evidence.iter().map(|it| it.control.as_str()).collect();
    let all: BTreeSet<&str> = CONTROLS.iter().map(|it| it.id).chain([AS_DECLARED]).collect();
    assert_eq!(controls, all, "each control has evidence");
    assert!(report.evidence.iter().all(|it| !it.read_by.is_empty()));
    let exempt: Vec<&Evidence> = report.evidence.iter().filter(|it| it.status == Status::Exempt).collect();
    assert_eq!(exempt.len(), 1);
    assert_eq!(exempt[0].reason.as_deref(), Some("CloudWatch may not use the key"));
}

#[test]
fn thirty_days_of_logs_are_not_twelve_months() {
    let (account, desired) =
        (Account::default(), desired_with(include_str!("../../examples/payments/template.yaml"), &[]));
    account.apply(&desired);
    assert_eq!(failing(&seen(&account, &desired, &let_off())), BTreeSet::from(["log-retention"]));
}

#[test]
fn a_policy_on_queues_that_are_let_off_is_let_off_and_on_one_that_is_not_it_fails() {
    let template = "
Resources:
  Orders: { Type: AWS::SQS::Queue, Properties: { QueueName: orders, SqsManagedSseEnabled: true } }
  Refunds: { Type: AWS::SQS::Queue, Properties: { QueueName: refunds, SqsManagedSseEnabled: true } }
  Both:
    Type: AWS::SQS::QueuePolicy
    Properties: { Queues: [!Ref Orders, !Ref Refunds], PolicyDocument: { Version: '2012-10-17', Statement: [] } }
";
    let (account, desired) = (Account::default(), desired_with(template, &[]));
    account.apply(&desired);
    let finding = |resource: &str, suppressed: Option<&str>| Finding {
        rule: "queue-tls".into(),
        resource: resource.into(),
        suppressed: suppressed.map(str::to_owned),
        ..let_off().remove(0)
    };
    let one = [finding("Orders", Some("inside of the VPC")), finding("Refunds", None)];
    assert_eq!(failing(&seen(&account, &desired, &one)), BTreeSet::from(["queue-tls"]));
    let both = [finding("Orders", Some("inside of the VPC")), finding("Refunds", Some("no payment data"))];
    let report = seen(&account, &desired, &both);
    assert_eq!(failing(&report), BTreeSet::new());
    let reason = report.evidence.iter().find_map(|it| it.reason.as_deref());
    assert_eq!(reason, Some("inside of the VPC; no payment data"));
}

#[test]
fn what_is_not_exempt_by_the_template_fails() {
    let (account, desired) = applied();
    assert_eq!(failing(&seen(&account, &desired, &[])), BTreeSet::from(["topic-encryption"]));
}

/// What the payments system has not: the other types that controls are about.
const BESIDES: &str = "
Resources:
  Table:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      TableName: orders
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
      SSESpecification: { SSEEnabled: true }
      Replicas: [{ Region: us-east-1 }]
  Inbox: { Type: AWS::SQS::Queue, Properties: { QueueName: inbox, SqsManagedSseEnabled: true } }
  InboxPolicy:
    Type: AWS::SQS::QueueInlinePolicy
    Properties: { Queue: !Ref Inbox, PolicyDocument: { Version: '2012-10-17', Statement: [TLS] } }
  Alerts: { Type: AWS::SNS::Topic, Properties: { TopicName: alerts, KmsMasterKeyId: alias/aws/sns } }
  AlertsPolicy:
    Type: AWS::SNS::TopicInlinePolicy
    Properties: { TopicArn: !Ref Alerts, PolicyDocument: { Version: '2012-10-17', Statement: [TLS] } }
  Team: { Type: AWS::IAM::Group, Properties: { GroupName: team } }
  TeamMay: { Type: AWS::IAM::GroupPolicy, Properties: { GroupName: !Ref Team, PolicyName: may, PolicyDocument: MAY } }
  Robot: { Type: AWS::IAM::User, Properties: { UserName: robot } }
  RobotMay: { Type: AWS::IAM::UserPolicy, Properties: { UserName: !Ref Robot, PolicyName: may, PolicyDocument: MAY } }
  PayRole: { Type: AWS::IAM::Role, Properties: { RoleName: pay, AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] } } }
  PayMay: { Type: AWS::IAM::RolePolicy, Properties: { RoleName: !Ref PayRole, PolicyName: may, PolicyDocument: MAY } }
  PayMayToo: { Type: AWS::IAM::Policy, Properties: { Roles: [!Ref PayRole], PolicyName: too, PolicyDocument: MAY } }
  PayMayThis: { Type: AWS::IAM::ManagedPolicy, Properties: { ManagedPolicyName: this, PolicyDocument: MAY } }
  Pay:
    Type: AWS::Lambda::Function
    Properties: { FunctionName: pay, Runtime: python3.13, Handler: a.b, Role: !GetAtt PayRole.Arn, Code: { ZipFile: 'x = 1' } }
  PayUrl: { Type: AWS::Lambda::Url, Properties: { TargetFunctionArn: !Ref Pay, AuthType: AWS_IAM } }
  Domain:
    Type: AWS::ApiGateway::DomainName
    Properties:
      DomainName: pay.example.com
      RegionalCertificateArn: arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555
      EndpointConfiguration: { Types: [REGIONAL] }
  AnyAlarm:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: { AlarmName: any, AlarmRule: ALARM(errors), AlarmActions: [!Ref Alerts] }
";

fn besides() -> Desired {
    let tls = "{ Sid: TlsOnly, Effect: Deny, Principal: '*', Action: '*', Resource: '*', Condition: { Bool: { aws:SecureTransport: 'false' } } }";
    let may = "{ Version: '2012-10-17', Statement: [{ Effect: Allow, Action: ['sqs:SendMessage'], Resource: !GetAtt Inbox.Arn }] }";
    desired_with(&BESIDES.replace("TLS", tls).replace("MAY", may), &[])
}

/// What somebody does by hand to the field of a control, and how it was before.
fn meddled(control: &Control, account: &Account) -> Vec<Value> {
    let before = std::cell::RefCell::new(Vec::new());
    let change = |properties: &mut Value| {
        before.borrow_mut().push(properties.clone());
        let field = &mut properties[control.field];
        match (control.id, control.field) {
            ("firewall-rules", _) => field.as_array_mut().expect("rules").retain(|it| it["Name"] != "rate-per-address"),
            ("firewall-logs", _) => {
                *field = json!(["arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-elsewhere"])
            }
            ("firewall-redaction" | "alarms-tell", _) => *field = json!([]),
            ("endpoint-type", _) => field["Types"] = json!(["EDGE"]),
            ("table-encryption" | "topic-encryption" | "method-validation", _) => *field = Value::Null,
            ("api-key", "AuthType") => *field = json!("NONE"),
            ("queue-encryption" | "request-validator" | "api-key" | "alarms-enabled", _) => *field = json!(false),
            ("queue-tls" | "topic-tls", _) => {
                field["Statement"].as_array_mut().expect("statements").retain(|it| it["Sid"] != "TlsOnly")
            }
            ("runtime", _) => *field = json!("python3.8"),
            ("own-role", _) => *field = json!("arn:aws:iam::123456789012:role/shared"),
            ("least-privilege", "PolicyDocument") => field["Statement"][0]["Action"] = json!(["dynamodb:*"]),
            ("least-privilege", _) => {
                *field = json!([{"PolicyName": "any", "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "dynamodb:*"}}}])
            }
            ("managed-policies", _) => *field = json!(["arn:aws:iam::aws:policy/AdministratorAccess"]),
            ("role-trust", _) => field["Statement"][0]["Principal"] = json!({"AWS": ["210987654321"]}),
            ("access-logs", _) => *field = Value::Null,
            ("no-bodies-logged", _) => field[0]["DataTraceEnabled"] = json!(true),
            ("log-retention", _) => *field = json!(30),
            (other, _) => panic!("nothing is known of how `{other}` is broken"),
        }
    };
    match control.field {
        "" => account.aws.lose(control.resource_type),
        _ => account.aws.meddle(control.resource_type, change),
    }
    before.into_inner()
}

/// Puts things back as they were, in the order in which they are kept.
fn put_back(control: &Control, account: &Account, before: Vec<Value>) {
    let before = std::cell::RefCell::new(before.into_iter());
    account.aws.meddle(control.resource_type, |properties| {
        *properties = before.borrow_mut().next().expect("as many as there were");
    });
}

#[test]
fn a_field_that_is_changed_by_hand_makes_its_control_fail_and_no_other() {
    let mut seen_types = BTreeSet::new();
    for desired in [payments(), besides()] {
        let account = Account::default();
        account.apply(&desired);
        let failing_now = || -> BTreeSet<String> {
            failing(&seen(&account, &desired, &let_off())).into_iter().map(str::to_owned).collect()
        };
        assert_eq!(failing_now(), BTreeSet::new());
        let types: BTreeSet<&str> = desired.graph.resources.values().map(|it| it.resource_type.as_str()).collect();
        for control in CONTROLS.iter().filter(|control| types.contains(control.resource_type)) {
            // Of the roles, functions and alarms of both, those of the payments system do.
            if !seen_types.insert((control.resource_type, control.field)) {
                continue;
            }
            let before = meddled(control, &account);
            let place = format!("{} at {}", control.id, control.resource_type);
            assert_eq!(failing_now(), BTreeSet::from([control.id.to_owned()]), "{place}");
            match before.is_empty() {
                true => _ = account.apply(&desired),
                false => put_back(control, &account, before),
            }
        }
        assert_eq!(failing_now(), BTreeSet::new());
    }
    assert_eq!(seen_types.len(), CONTROLS.len(), "every row was broken once");
}

/// An API that is imported, with one method that anybody with a key may call and whose requests are validated.
const IMPORTED: &str = "
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Name: orders
      EndpointConfiguration: { Types: [REGIONAL] }
      Body:
        openapi: 3.0.1
        info: { title: orders, version: '1' }
        x-amazon-apigateway-request-validators: { bodies: { validateRequestBody: true } }
        components: { securitySchemes: { api_key: { type: apiKey, name: x-api-key, in: header } } }
        paths:
          /orders:
            post:
              security: [{ api_key: [] }]
              x-amazon-apigateway-request-validator: bodies
              x-amazon-apigateway-integration: { type: mock }
";

#[test]
fn the_methods_of_an_imported_api_are_evidence_as_those_that_are_declared() {
    let (account, desired) = (Account::default(), desired_with(IMPORTED, &[]));
    account.apply(&desired);
    let report = seen(&account, &desired, &[]);
    assert_eq!(failing(&report), BTreeSet::new());
    let said = |report: &Report| {
        let of_parts = report.evidence.iter().filter(|it| it.field.contains(" of "));
        of_parts.map(|it| format!("{} {}: {}", it.control, it.field, it.live)).collect::<Vec<_>>()
    };
    assert_eq!(
        said(&report),
        [
            "request-validator ValidateRequestBody of bodies: true",
            "method-validation RequestValidatorId of POST /orders: \"bodies\"",
            "api-key ApiKeyRequired of POST /orders: true",
        ]
    );
    type Meddle = fn(&mut Value);
    let meddles: [(&str, Meddle); 3] = [
        ("api-key", |body| body["paths"]["/orders"]["post"]["security"] = json!([])),
        ("method-validation", |body| {
            body["paths"]["/orders"]["post"]["x-amazon-apigateway-request-validator"] = Value::Null;
        }),
        ("request-validator", |body| {
            body["x-amazon-apigateway-request-validators"]["bodies"]["validateRequestBody"] = json!(false);
        }),
    ];
    for (control, meddle) in meddles {
        let before = std::cell::RefCell::new(Value::Null);
        account.aws.meddle("AWS::ApiGateway::RestApi", |api| {
            *before.borrow_mut() = api.clone();
            meddle(&mut api["Body"]);
        });
        assert_eq!(failing(&seen(&account, &desired, &[])), BTreeSet::from([control]));
        account.aws.meddle("AWS::ApiGateway::RestApi", |api| *api = before.borrow().clone());
    }
    // A method that somebody has added is one of the API's.
    account.aws.meddle("AWS::ApiGateway::RestApi", |api| {
        let mut open = api["Body"]["paths"]["/orders"]["post"].clone();
        open["security"] = json!([]);
        api["Body"]["paths"]["/admin"] = json!({"get": open});
    });
    let failed = seen(&account, &desired, &[]);
    let failed = failed.evidence.iter().filter(|it| it.status == Status::Fail).map(|it| it.field.as_str());
    assert_eq!(failed.collect::<Vec<_>>(), ["ApiKeyRequired of GET /admin", ""]);
    account.aws.forbid("AWS::ApiGateway::RestApi");
    let unreadable = seen(&account, &desired, &[]);
    let unreadable = unreadable.evidence.iter().filter(|it| it.status == Status::Unreadable);
    assert_eq!(unreadable.filter(|it| it.resource_type == "AWS::ApiGateway::RestApi").count(), 5);
}

#[test]
fn a_field_of_no_control_is_the_control_of_all_others() {
    let (account, desired) = applied();
    account.aws.meddle("AWS::SQS::Queue", |queue| queue["DelaySeconds"] = json!(7));
    let report = seen(&account, &desired, &let_off());
    assert_eq!(failing(&report), BTreeSet::from([AS_DECLARED]));
    let failed = report.evidence.iter().find(|it| it.status == Status::Fail).expect("one fails");
    assert_eq!(failed.reason.as_deref(), Some("`DelaySeconds` differ"));
}

#[test]
fn what_may_not_be_read_is_no_pass() {
    let (account, desired) = applied();
    account.aws.forbid("AWS::DynamoDB::Table");
    let report = seen(&account, &desired, &let_off());
    let table = report.evidence.iter().find(|it| it.control == "table-encryption").expect("it is there");
    assert_eq!(table.status, Status::Unreadable);
}

#[test]
fn every_field_belongs_to_one_control_and_every_requirement_has_a_title() {
    let mut fields = BTreeSet::new();
    for control in CONTROLS {
        assert!(fields.insert((control.resource_type, control.field)), "{}", control.id);
        for requirement in control.requirements.iter().chain(AS_DECLARED_REQUIREMENTS) {
            assert!(controls::REQUIREMENTS.iter().any(|(number, _)| number == requirement), "{requirement}");
        }
        let rule = control.rule.as_ref().is_none_or(|rule| crate::policy::rules().any(|it| it.id == rule.id));
        assert!(rule, "{}", control.id);
    }
    let covered: BTreeSet<&str> =
        CONTROLS.iter().flat_map(|it| it.requirements).filter_map(|it| it.split('.').next()).collect();
    let all = ["1", "2", "3", "4", "6", "7", "8", "10", "11"];
    let besides = AS_DECLARED_REQUIREMENTS.iter().filter_map(|it| it.split('.').next());
    let covered: BTreeSet<&str> = covered.into_iter().chain(besides).collect();
    assert_eq!(covered, BTreeSet::from(all));
    assert_eq!(scope().region, "us-east-1");
}

#[test]
fn two_reports_differ_in_what_was_changed_between_them() {
    let (account, desired) = applied();
    let earlier = seen(&account, &desired, &let_off());
    account.aws.meddle("AWS::DynamoDB::Table", |table| table["SSESpecification"] = Value::Null);
    let later = seen(&account, &desired, &let_off());
    assert_eq!(compare(&earlier, &earlier).differences, []);
    let differences = compare(&earlier, &later).differences;
    assert_eq!(differences.len(), 1, "{differences:#?}");
    let Difference { control, was, is, .. } = &differences[0];
    assert_eq!(control, "table-encryption");
    let status = |side: &Option<Side>| side.as_ref().map(|side| side.status);
    assert_eq!((status(was), status(is)), (Some(Status::Pass), Some(Status::Fail)));
}

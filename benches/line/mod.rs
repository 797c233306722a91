//! The way from a template to a plan, in an account where nothing is.

use std::collections::{BTreeMap, BTreeSet};

use paystack::aws::Scope;
use paystack::desired::Desired;
use paystack::diagnostic::Source;
use paystack::identity::StackId;
use paystack::inventory::Inventory;
use paystack::plan::{Options, Plan, diff};
use paystack::resource::Reading;
use paystack::state::Ledger;
use paystack::template::{DesiredGraph, Inputs, Pseudo, parse};
use serde_json::json;

pub fn scope() -> Scope {
    Scope { account_id: "123456789012".into(), region: "eu-central-1".into(), partition: "aws".into() }
}

/// A template, parsed and resolved.
pub fn graph_of(stack: &StackId, text: &str, parameters: &[(&str, &str)]) -> DesiredGraph {
    let template = parse(&Source::new("template.yaml", text)).expect("the template has no mistakes");
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let scope = scope();
    let pseudo = Pseudo {
        account_id: Some(scope.account_id),
        region: scope.region,
        partition: scope.partition,
        stack: stack.clone(),
    };
    let mut graph = template
        .resolve(&Inputs { parameters, imports: BTreeMap::new(), pseudo })
        .expect("the template has no mistakes");
    for resource in graph.resources.values_mut() {
        let property = match resource.resource_type.as_str() {
            "AWS::Lambda::Function" => "Code",
            "AWS::Lambda::LayerVersion" => "Content",
            _ => continue,
        };
        resource.set_property(property, json!({"Sha256": "digest"}));
    }
    graph
}

pub fn desired_of(stack: &str, text: &str, parameters: &[(&str, &str)]) -> Desired {
    let stack = StackId::from(stack);
    Desired::new(graph_of(&stack, text, parameters), stack, BTreeMap::new(), scope())
}

/// Nothing is there yet.
pub fn empty(desired: &Desired) -> Inventory {
    let readings = desired.graph.resources.keys().map(|id| (id.clone(), Reading::Absent)).collect();
    Inventory { readings, ..Inventory::default() }
}

/// The plan where nothing is there yet.
pub fn first_plan(desired: &Desired) -> Plan {
    plan(desired, &empty(desired))
}

pub fn plan(desired: &Desired, inventory: &Inventory) -> Plan {
    diff(desired, inventory, &Ledger::empty(desired.stack.clone(), "salt".to_owned()), &Options::default())
}

/// A template of so many resources, each of which waits for up to three of those shortly before it.
pub fn random_template(resources: usize, seed: u64) -> String {
    let mut random = Random(seed);
    let mut text = String::from("Resources:\n");
    for number in 0..resources {
        let (resource_type, properties) = KINDS[random.below(KINDS.len())];
        text += &format!("  R{number}:\n    Type: {resource_type}\n");
        let near = number.min(200);
        let before: BTreeSet<usize> =
            (0..random.below(4)).filter(|_| near > 0).map(|_| number - 1 - random.below(near)).collect();
        if !before.is_empty() {
            let before: Vec<String> = before.iter().map(|number| format!("R{number}")).collect();
            text += &format!("    DependsOn: [{}]\n", before.join(", "));
        }
        text += properties;
    }
    text
}

/// Numbers that only have to be the same each time: the generator of Knuth's MMIX.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

const KINDS: [(&str, &str); 6] = [
    ("AWS::SQS::Queue", "    Properties: {VisibilityTimeout: 45}\n"),
    ("AWS::SNS::Topic", "    Properties: {DisplayName: Orders}\n"),
    ("AWS::Logs::LogGroup", "    Properties: {RetentionInDays: 30}\n"),
    (
        "AWS::DynamoDB::Table",
        "    Properties:\n      BillingMode: PAY_PER_REQUEST\n      AttributeDefinitions: [{AttributeName: id, \
         AttributeType: S}]\n      KeySchema: [{AttributeName: id, KeyType: HASH}]\n",
    ),
    (
        "AWS::IAM::Role",
        "    Properties:\n      AssumeRolePolicyDocument:\n        Statement: [{Effect: Allow, Principal: {Service: \
         lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]\n",
    ),
    (
        "AWS::CloudWatch::Alarm",
        "    Properties: {Namespace: AWS/Lambda, MetricName: Errors, Statistic: Sum, Period: 60, EvaluationPeriods: 1, \
         ComparisonOperator: GreaterThanThreshold, Threshold: 1}\n",
    ),
];

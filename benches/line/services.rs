//! A large template whose resources refer to each other as those of a real system do, and an account where it is deployed.

use std::sync::Arc;

use paystack::desired::Desired;
use paystack::identity::LogicalId;
use paystack::inventory::{Departed, Gone, Inventory};
use paystack::resource::{LiveResource, Ownership, Reading};
use serde_json::Value;

/// All is there as it should be.
pub fn deployed(desired: &Desired) -> Inventory {
    let readings = desired.predicted().keys().map(|id| (id.clone(), Reading::Live(live(desired, id)))).collect();
    Inventory { readings, ..Inventory::default() }
}

/// All that is there is to go.
pub fn departed(desired: &Desired) -> Inventory {
    let departed = desired.graph.resources.values().map(|resource| {
        let live = live(desired, &resource.logical_id);
        Departed {
            logical_id: resource.logical_id.clone(),
            resource_type: resource.resource_type.clone(),
            physical_id: Some(live.id.clone()),
            reading: Reading::Live(live),
            dependencies: desired.dependencies.of(&resource.logical_id).cloned().collect(),
            why: Gone::Destroyed,
            goes_last: false,
        }
    });
    Inventory { departed: departed.collect(), ..Inventory::default() }
}

fn live(desired: &Desired, logical_id: &LogicalId) -> LiveResource {
    LiveResource {
        id: format!("{}-{logical_id}", desired.stack).into(),
        properties: Value::clone(&desired.predicted()[logical_id]),
        attributes: desired.predicted_attributes(logical_id).cloned().map(Arc::unwrap_or_clone).unwrap_or_default(),
        ownership: Ownership::Owned(desired.owner(logical_id)),
    }
}

/// A template of as many services as make up so many resources. A service has a function with its role, policy, log group and
/// alarm, and a queue with its dead letters, which a topic fills and the function reads.
pub fn services_template(resources: usize) -> String {
    let mut text = String::from("Resources:\n");
    for number in 0..resources / SERVICE.matches("Type: AWS::").count() {
        text += &SERVICE.replace("$N", &number.to_string());
    }
    text
}

const SERVICE: &str = r#"
  Role$N:
    Type: AWS::IAM::Role
    Properties:
      RoleName: service-$N
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
  Policy$N:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: queue
      Roles: [!Ref Role$N]
      PolicyDocument:
        Statement: [{Effect: Allow, Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage'], Resource: !GetAtt Queue$N.Arn}]
  LogGroup$N: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /aws/lambda/service-$N, RetentionInDays: 30}}
  Function$N:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: service-$N
      Handler: index.handler
      Runtime: python3.11
      Architectures: [arm64]
      Role: !GetAtt Role$N.Arn
      Code: {ZipFile: 'def handler(event, context): pass'}
      Environment: {Variables: {QUEUE: !Ref Queue$N, TOPIC: !Ref Topic$N}}
  Alarm$N:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: service-$N-errors
      Namespace: AWS/Lambda
      MetricName: Errors
      Dimensions: [{Name: FunctionName, Value: !Ref Function$N}]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: 1
  DeadLetters$N: {Type: AWS::SQS::Queue, Properties: {QueueName: service-$N-dlq, MessageRetentionPeriod: 1209600}}
  Queue$N:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: service-$N
      RedrivePolicy: {deadLetterTargetArn: !GetAtt DeadLetters$N.Arn, maxReceiveCount: 3}
  QueuePolicy$N:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue$N]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Queue$N.Arn
            Condition: {ArnEquals: {'aws:SourceArn': !Ref Topic$N}}
  Topic$N: {Type: AWS::SNS::Topic, Properties: {TopicName: service-$N}}
  Subscription$N:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic$N, Protocol: sqs, Endpoint: !GetAtt Queue$N.Arn}
"#;

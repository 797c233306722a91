use std::collections::BTreeMap;

use expect_test::expect;

use super::*;
use crate::fake::line::desired_with;

fn load(rate: f64) -> Load {
    Load {
        rate,
        headroom: 0.2,
        addresses: 1,
        keys: 1,
        latencies: BTreeMap::new(),
        latency: 1.0,
        failing: 0.01,
        item_kilobytes: 1.0,
        hottest_key: 1.0,
        outage_minutes: 30.0,
        account: Account::DEFAULT,
    }
}

/// The payments system as it is deployed, but for some parameters.
fn payments(parameters: &[(&str, &str)]) -> Desired {
    desired_with(include_str!("../../examples/payments/template.yaml"), parameters)
}

const PEAK: f64 = 10_000.0 / 60.0;

/// The hops that do not carry the load.
fn broken(capacity: &Capacity) -> Vec<String> {
    let broken = capacity.hops.iter().filter(|hop| !hop.carries);
    broken
        .map(|hop| {
            let place = hop.resource.as_ref().map(|it| format!("{it}: ")).unwrap_or_default();
            let limit = hop.limit.map(number).unwrap_or_default();
            format!("{place}{}: {} = {} of {limit}", hop.what, hop.arithmetic, number(hop.needed))
        })
        .collect()
}

#[test]
fn the_payments_system_carries_ten_thousand_a_minute_with_a_seconds_latency() {
    let capacity = capacity(&payments(&[]), &load(PEAK));
    assert_eq!(broken(&capacity), [""; 0]);
    assert!(capacity.carries, "{:#?}", capacity.backlogs);
    let passed: Vec<String> = capacity.hops.iter().map(|hop| hop.what.clone()).collect();
    expect![[r"
        requests of one address in 300 s, rule rate-per-address
        requests per second of the account's APIs
        requests per second, * /*
        requests at once, * /*
        requests per second of one key
        requests of one key at once
        concurrent runs
        runs per second
        seconds of one run
        messages per second from ProcessingQueue
        messages per second from DeadLetterQueue
        concurrent runs of the account
        write units per second
        write units per second of one key
        messages being handled
        messages being handled
        messages published per second
        log writes per second of the account"]]
    .assert_eq(&passed.join("\n"));
}

#[test]
fn a_firewall_that_takes_2000_in_five_minutes_does_not_carry_it() {
    let capacity = capacity(&payments(&[("WafRateLimit", "2000")]), &load(PEAK));
    assert!(!capacity.carries);
    assert_eq!(
        broken(&capacity),
        ["WebAcl: requests of one address in 300 s, rule rate-per-address: 167/s × 300 s / 1 = 50,000 of 2,000"]
    );
    assert_eq!(capacity.bottleneck.and_then(|hop| hop.resource), Some("WebAcl".into()));
}

#[test]
fn a_firewall_looks_at_each_address_alone() {
    let from_many = Load { addresses: 30, ..load(PEAK) };
    assert!(capacity(&payments(&[("WafRateLimit", "2000")]), &from_many).carries);
}

#[test]
fn a_concurrency_of_one_carries_one_request_a_second_and_no_more() {
    let one = payments(&[("ProcessPaymentReservedConcurrency", "1")]);
    assert_eq!(
        broken(&capacity(&one, &load(PEAK))),
        [
            "ProcessPayment: concurrent runs: 167/s × 1 s = 167 of 1",
            "ProcessPayment: runs per second: 167/s = 167 of 10"
        ]
    );
    assert!(capacity(&one, &load(0.8)).carries);
    assert!(!capacity(&one, &load(1.0)).carries, "the headroom is missing");
}

#[test]
fn a_slow_function_takes_more_runs_at_once() {
    let latencies = BTreeMap::from([("ProcessPayment".to_owned(), 2.0)]);
    let slow = capacity(&payments(&[]), &Load { latencies, ..load(PEAK) });
    assert_eq!(broken(&slow), ["ProcessPayment: concurrent runs: 167/s × 2 s = 333 of 200"]);
}

#[test]
fn a_queue_is_taken_from_in_batches_and_its_backlog_worked_off() {
    let done = capacity(&payments(&[]), &load(PEAK));
    let backlog = done.backlogs.iter().find(|it| it.queue.as_str() == "ProcessingQueue").expect("it has a consumer");
    assert_eq!(backlog.arithmetic, "167/s × 30 min × 60 s = 300,000; 300,000 / (500/s − 167/s)");
    assert_eq!(backlog.minutes.map(number).as_deref(), Some("15"));
    let slow =
        payments(&[("ProcessAccountingMaximumConcurrency", "10"), ("ProcessAccountingReservedConcurrency", "10")]);
    let never = capacity(&slow, &load(PEAK));
    let backlog = never.backlogs.iter().find(|it| it.queue.as_str() == "ProcessingQueue").expect("it has a consumer");
    assert_eq!((backlog.minutes, backlog.carries), (None, false));
}

/// Two functions behind an API that send to one queue each, and a third that takes from both and sends back to the first.
const TWO_PRODUCERS: &str = "
Resources:
  Api: { Type: AWS::ApiGateway::RestApi, Properties: { Name: shop } }
  BuyMethod:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: POST
      AuthorizationType: NONE
      Integration: { Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub 'x/functions/${Buy.Arn}/invocations' }
  SellMethod:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: PUT
      AuthorizationType: NONE
      Integration: { Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub 'x/functions/${Sell.Arn}/invocations' }
  Bought: { Type: AWS::SQS::Queue, Properties: { QueueName: bought } }
  Sold: { Type: AWS::SQS::Queue, Properties: { QueueName: sold } }
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: books
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
FUNCTIONS
  FromBought:
    Type: AWS::Lambda::EventSourceMapping
    Properties: { EventSourceArn: !GetAtt Bought.Arn, FunctionName: !Ref Book }
  FromSold:
    Type: AWS::Lambda::EventSourceMapping
    Properties: { EventSourceArn: !GetAtt Sold.Arn, FunctionName: !Ref Book }
";

fn two_producers() -> Desired {
    let function = |name: &str, statements: &str| {
        format!(
            "  {name}Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {name}
      AssumeRolePolicyDocument: {{ Version: '2012-10-17', Statement: [] }}
      Policies: [{{ PolicyName: own, PolicyDocument: {{ Version: '2012-10-17', Statement: [{statements}] }} }}]
  {name}:
    Type: AWS::Lambda::Function
    Properties: {{ FunctionName: {name}, Runtime: python3.13, Handler: a.b, Role: !GetAtt {name}Role.Arn, Code: {{ ZipFile: 'x = 1' }} }}
"
        )
    };
    let allow = |action: &str, on: &str| format!("{{ Effect: Allow, Action: {action}, Resource: !GetAtt {on}.Arn }}");
    let functions = [
        function("Buy", &allow("'sqs:SendMessage'", "Bought")),
        function("Sell", &allow("'sqs:SendMessage'", "Sold")),
        function("Book", &[allow("'dynamodb:PutItem'", "Table"), allow("'sqs:SendMessage'", "Bought")].join(", ")),
    ];
    desired_with(&TWO_PRODUCERS.replace("FUNCTIONS\n", &functions.concat()), &[])
}

#[test]
fn what_gets_its_load_from_two_gets_the_sum_and_a_circle_ends_where_it_began() {
    let capacity = capacity(&two_producers(), &load(10.0));
    let of = |id: &str| {
        let hops = capacity.hops.iter().filter(|hop| hop.resource.as_ref().is_some_and(|it| it.as_str() == id));
        hops.map(|hop| format!("{}: {}", hop.what, hop.arithmetic)).collect::<Vec<_>>()
    };
    assert_eq!(of("FromBought"), ["messages per second from Bought: 20/s"]);
    assert!(of("Table").iter().any(|it| it.contains("20/s PutItem by Book")), "{:?}", of("Table"));
}

#[test]
fn an_api_that_needs_no_function_and_a_topic_that_has_readers_pass_the_load_on() {
    let document = "{ Version: '2012-10-17', Statement: [{ Effect: Allow, Action: ACTIONS, Resource: [RESOURCES] }] }";
    let may = |actions: &str, resources: &str| document.replace("ACTIONS", actions).replace("RESOURCES", resources);
    let template = "
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Name: api
      Body:
        openapi: 3.0.1
        info: { title: api, version: '1' }
        paths:
          /direct: { post: { x-amazon-apigateway-integration: { type: aws, uri: 'x:sns:path//', credentials: !GetAtt Direct.Arn } } }
          /called: { get: { x-amazon-apigateway-integration: { type: aws_proxy, uri: !Sub 'x/functions/${Live}/invocations' } } }
  Direct:
    Type: AWS::IAM::Role
    Properties: { RoleName: direct, AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] }, Policies: [{ PolicyName: may, PolicyDocument: PUBLISH }] }
  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: topic } }
  ToQueue: { Type: AWS::SNS::Subscription, Properties: { TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn } }
  ToBook: { Type: AWS::SNS::Subscription, Properties: { TopicArn: !Ref Topic, Protocol: lambda, Endpoint: !GetAtt Book.Arn } }
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: queue } }
  FromQueue: { Type: AWS::Lambda::EventSourceMapping, Properties: { EventSourceArn: !GetAtt Queue.Arn, FunctionName: !Ref Live } }
  Live: { Type: AWS::Lambda::Alias, Properties: { FunctionName: !Ref Book, FunctionVersion: '1', Name: live } }
  Books:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      TableName: books
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: shop, AttributeType: S }]
      KeySchema: [{ AttributeName: shop, KeyType: HASH }]
      WriteOnDemandThroughputSettings: { MaxWriteRequestUnits: 25 }
      Replicas: [{ Region: us-east-1 }]
  BookRole:
    Type: AWS::IAM::Role
    Properties: { RoleName: book, AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] }, Policies: [{ PolicyName: may, PolicyDocument: BOOK }] }
  Book:
    Type: AWS::Lambda::Function
    Properties: { FunctionName: book, Runtime: python3.13, Handler: a.b, Role: !GetAtt BookRole.Arn, Code: { ZipFile: 'x = 1' } }
";
    let template = template.replace("PUBLISH", &may("['sns:Publish']", "!Ref Topic"));
    let template = template.replace("BOOK", &may("['dynamodb:PutItem', 'dynamodb:GetItem']", "!GetAtt Books.Arn"));
    let capacity = capacity(&desired_with(&template, &[]), &load(10.0));
    let said = |hop: &Hop| {
        let place = hop.resource.as_ref().map(LogicalId::as_str).unwrap_or_default();
        format!("{place} {}: {} of {}", hop.what, hop.arithmetic, hop.limit.map(number).unwrap_or_default())
    };
    let hops: Vec<String> = capacity.hops.iter().filter(|hop| hop.resource.is_some()).map(said).collect();
    // Once by its address, once by the topic, once by the queue that the topic fills.
    expect![[r"
        Book concurrent runs: 20/s × 1 s of 1,000
        Book runs per second: 20/s of 10,000
        Book seconds of one run: 1 s of 3
        FromQueue messages per second from Queue: 10/s of 10,000
        Books write units per second: (30/s PutItem by Book) × 1 units of 25
        Books write units per second of one key: 100 % of 30/s have the same `shop` of 1,000
        Books read units per second: (30/s GetItem by Book) × 1 units of 12,000
        Books read units per second of one key: 100 % of 30/s have the same `shop` of 3,000
        Queue messages being handled: 10/s × 1 s of 120,000
        Topic messages published per second: 10/s of 30,000"]]
    .assert_eq(&hops.join("\n"));
    assert!(!capacity.carries);
}

/// A function that writes to a table, whose stream a second function reads and sends on to a queue.
const STREAMED: &str = "
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: orders
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: KEY, AttributeType: S }]
      KeySchema: [{ AttributeName: KEY, KeyType: HASH }]
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: queue } }
  Url: { Type: AWS::Lambda::Url, Properties: { TargetFunctionArn: !Ref Write, AuthType: AWS_IAM } }
  WriteRole:
    Type: AWS::IAM::Role
    Properties: { RoleName: write, AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] }, Policies: [{ PolicyName: may, PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Action: ['dynamodb:PutItem', 'dynamodb:UpdateItem'], Resource: !GetAtt Orders.Arn }] } }] }
  Write:
    Type: AWS::Lambda::Function
    Properties: { FunctionName: write, Runtime: python3.13, Handler: a.b, Role: !GetAtt WriteRole.Arn, Code: { ZipFile: 'x = 1' } }
  ReadRole:
    Type: AWS::IAM::Role
    Properties: { RoleName: read, AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] }, Policies: [{ PolicyName: may, PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Action: 'sqs:SendMessage', Resource: !GetAtt Queue.Arn }] } }] }
  Read:
    Type: AWS::Lambda::Function
    Properties: { FunctionName: read, Runtime: python3.13, Handler: a.b, Role: !GetAtt ReadRole.Arn, Code: { ZipFile: 'x = 1' }, MORE }
  FromOrders:
    Type: AWS::Lambda::EventSourceMapping
    Properties: { EventSourceArn: !GetAtt Orders.StreamArn, FunctionName: !Ref Read, StartingPosition: LATEST, HOW }
";

fn streamed(key: &str, more: &str, how: &str) -> Desired {
    desired_with(&STREAMED.replace("KEY", key).replace("MORE", more).replace("HOW", how), &[])
}

/// What is said of a resource's hops.
fn said_of(capacity: &Capacity, id: &str) -> Vec<String> {
    let hops = capacity.hops.iter().filter(|hop| hop.resource.as_ref().is_some_and(|it| it.as_str() == id));
    hops.map(|hop| {
        format!("{}: {} of {} ({})", hop.what, hop.arithmetic, hop.limit.map(number).unwrap_or_default(), hop.source)
    })
    .collect()
}

#[test]
fn the_stream_of_a_table_is_read_by_shards_batches_and_their_number_at_once() {
    let done = capacity(&streamed("order_id", "MemorySize: 128", "BatchSize: 10"), &load(10.0));
    expect![[r"
        records per second from the stream of Orders: 20/s of 40 (Using AWS Lambda with Amazon DynamoDB: shards × `ParallelizationFactor` × `BatchSize`, 4 shards (4,000 write units / 1,000) × 1 × 10 / 1 s)"]]
    .assert_eq(&said_of(&done, "FromOrders").join("\n"));
    assert!(done.carries, "{:#?}", broken(&done));
    let backlog = done.backlogs.iter().find(|it| it.queue.as_str() == "Orders").expect("it has a consumer");
    assert_eq!(backlog.arithmetic, "20/s × 30 min × 60 s = 36,000; 36,000 / (40/s − 20/s)");
    assert_eq!(backlog.minutes.map(number).as_deref(), Some("30"));

    let many = capacity(&streamed("order_id", "MemorySize: 128", "BatchSize: 10"), &load(100.0));
    assert!(broken(&many).iter().any(|it| it.ends_with("200/s = 200 of 40")), "{:?}", broken(&many));
    let side_by_side = streamed("order_id", "MemorySize: 128", "BatchSize: 10, ParallelizationFactor: 10");
    let at = &said_of(&capacity(&side_by_side, &load(100.0)), "FromOrders")[0];
    assert!(at.contains("200/s of 400") && at.contains("× 10 × 10 / 1 s"), "{at}");
    let reserved = streamed("order_id", "ReservedConcurrentExecutions: 3", "BatchSize: 10, ParallelizationFactor: 10");
    let at = &said_of(&capacity(&reserved, &load(100.0)), "FromOrders")[0];
    assert!(at.contains("200/s of 30 (`ReservedConcurrentExecutions` × `BatchSize`, 3 × 10 / 1 s)"), "{at}");
}

#[test]
fn a_run_is_given_no_more_of_a_stream_than_fits_and_a_key_keeps_its_order() {
    let large = Load { item_kilobytes: 100.0, ..load(1.0) };
    let at = &said_of(&capacity(&streamed("order_id", "MemorySize: 128", "BatchSize: 1000"), &large), "FromOrders")[0];
    assert!(
        at.contains("what fits into 6 MB (Lambda quotas), 4 shards (4,000 write units / 1,000) × 1 × 30 / 1 s"),
        "{at}"
    );
    let shared = streamed("shop", "MemorySize: 128", "BatchSize: 10, ParallelizationFactor: 10");
    let shared = capacity(&shared, &Load { hottest_key: 0.5, ..load(40.0) });
    assert!(
        broken(&shared).contains(
            &"FromOrders: records per second of one `shop` of Orders: 50 % of 80/s have the same `shop` = 40 of 10"
                .to_owned()
        ),
        "{:?}",
        broken(&shared)
    );
}

#[test]
fn a_third_reader_of_a_shard_is_one_too_many() {
    let mapping = "{ EventSourceArn: !GetAtt Orders.StreamArn, FunctionName: !Ref Write, StartingPosition: LATEST }";
    let more = |name: &str| format!("  {name}: {{ Type: AWS::Lambda::EventSourceMapping, Properties: {mapping} }}\n");
    let template =
        STREAMED.replace("KEY", "order_id").replace("MORE", "MemorySize: 128").replace("HOW", "BatchSize: 10");
    let readers = |more: String| broken(&capacity(&desired_with(&(template.clone() + &more), &[]), &load(1.0)));
    assert_eq!(readers(more("Second")), [""; 0]);
    let three = readers(more("Second") + &more("Third"));
    assert_eq!(three, ["Orders: functions that read one shard: 3 mappings = 3 of 2"]);
}

#[test]
fn a_reservation_below_the_mappings_concurrency_is_what_counts() {
    let starved = payments(&[("ProcessAccountingReservedConcurrency", "5")]);
    assert_eq!(
        broken(&capacity(&starved, &load(PEAK))),
        ["AccountingSource: messages per second from ProcessingQueue: 167/s = 167 of 50"]
    );
}

#[test]
fn an_account_with_little_concurrency_does_not_carry_it() {
    let account = Account { concurrency: 300.0, is_read: true, reserved_elsewhere: 50.0 };
    let small = capacity(&payments(&[]), &Load { account, ..load(PEAK) });
    assert_eq!(
        broken(&small),
        [
            "concurrent runs of the account: 255 reserved here + 100 for what reserves none + 50 reserved elsewhere = 405 of 300"
        ]
    );
    assert!(small.assumptions.iter().any(|it| it == "the account's concurrency is 300, as it says"));
}

#[test]
fn a_key_that_many_requests_share_is_one_partitions() {
    let template = include_str!("../../examples/payments/template.yaml")
        .replace("AttributeName: transaction_id", "AttributeName: provider");
    let desired = desired_with(&template, &[]);
    let busy = capacity(&desired, &load(400.0 / 0.9));
    assert!(
        broken(&busy).iter().any(|it| it.contains("100 % of 1,333/s have the same `provider`")),
        "{:?}",
        broken(&busy)
    );
}

#[test]
fn numbers_have_no_more_digits_than_they_are_worth() {
    let shown: Vec<String> = [166.666, 0.5, 50_000.0, 12.34, 1.0, -1234.5].into_iter().map(number).collect();
    assert_eq!(shown, ["167", "0.5", "50,000", "12.3", "1", "-1,234"]);
}

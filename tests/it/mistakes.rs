//! What people do wrong: each time a clear error with its place and a way out, exit code 1, and nothing changed.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use serde_json::json;

use crate::harness::binary::Ran;
use crate::harness::{Account, Paystack};

const PROJECT: &str = "
[project]
name = 'shop'
template = 'template.yaml'

[environments.dev]
[environments.prod]
";

const ORDERS: &str = "
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties: {QueueName: orders}
";

const APPLY: [&str; 4] = ["apply", "-e", "dev", "--auto-approve"];

mod in_the_template {
    use super::*;

    #[test]
    fn an_unknown_type_names_the_one_that_was_meant() {
        refused(
            "Resources:\n  Orders:\n    Type: AWS::SQS::Quue\n",
            expect![[r#"
            error: paystack does not handle `AWS::SQS::Quue`
             --> template.yaml:3:11
              |
            3 |     Type: AWS::SQS::Quue
              |           ^^^^^^^^^^^^^^ no handler for this type
              |
              = help: did you mean `AWS::SQS::Queue`?

            error: 1 error in `template.yaml`
        "#]],
        );
    }

    #[test]
    fn a_type_without_a_handler_is_refused_and_not_skipped() {
        refused(
            "Resources:\n  Server:\n    Type: AWS::EC2::Instance\n",
            expect![[r#"
                error: paystack does not handle `AWS::EC2::Instance`
                 --> template.yaml:3:11
                  |
                3 |     Type: AWS::EC2::Instance
                  |           ^^^^^^^^^^^^^^^^^^ no handler for this type
                  |
                  = help: deploy it with another tool, and plan the rest with `--skip-unsupported`

                error: 1 error in `template.yaml`
            "#]],
        );
    }

    #[test]
    fn what_has_a_condition_that_does_not_hold_is_checked_too() {
        refused(
            "Parameters: {Name: {Type: String, Default: ''}}
Conditions: {IsNamed: !Not [!Equals [!Ref Name, '']]}
Resources:
  Refunds: {Type: AWS::SQS::Queue}
  Orders:
    Type: AWS::SQS::Queue
    Condition: IsNamed
    Properties: {QueueName: !Ref Name, DelaySecond: 5}
",
            expect![[r#"
                error: `AWS::SQS::Queue` has no property `DelaySecond`
                 --> template.yaml:8:40
                  |
                8 |     Properties: {QueueName: !Ref Name, DelaySecond: 5}
                  |                                        ^^^^^^^^^^^ not a property of `AWS::SQS::Queue`
                  |
                  = help: did you mean `DelaySeconds`?

                error: 1 error in `template.yaml`
            "#]],
        );
    }

    #[test]
    fn an_unknown_property_names_the_one_that_was_meant() {
        refused(
            &queue("VisibilityTimout: 45"),
            expect![[r#"
            error: `AWS::SQS::Queue` has no property `VisibilityTimout`
             --> template.yaml:5:7
              |
            5 |       VisibilityTimout: 45
              |       ^^^^^^^^^^^^^^^^ not a property of `AWS::SQS::Queue`
              |
              = help: did you mean `VisibilityTimeout`?

            error: 1 error in `template.yaml`
        "#]],
        );
    }

    #[test]
    fn a_property_of_the_wrong_type_is_shown_with_the_right_one() {
        refused(
            &queue("DelaySeconds: soon"),
            expect![[r#"
            error: `DelaySeconds` is the string `soon`, not a whole number
             --> template.yaml:5:21
              |
            5 |       DelaySeconds: soon
              |                     ^^^^ expected a whole number

            error: 1 error in `template.yaml`
        "#]],
        );
    }

    #[test]
    fn a_value_out_of_range_is_shown_with_the_range() {
        refused(
            &queue("DelaySeconds: 901"),
            expect![[r#"
            error: `DelaySeconds` cannot be 901
             --> template.yaml:5:21
              |
            5 |       DelaySeconds: 901
              |                     ^^^ expected 0 to 900

            error: 1 error in `template.yaml`
        "#]],
        );
    }

    #[test]
    fn a_parameter_without_a_value_says_where_to_give_it() {
        let parameters = "Parameters:\n  Owner: {Type: String}\n";
        refused(
            &(parameters.to_owned() + &queue("DelaySeconds: 1")),
            expect![[r#"
            error: the parameter `Owner` has no value
             --> template.yaml:2:3
              |
            2 |   Owner: {Type: String}
              |   ^^^^^
              |
              = help: give it with `-p Owner=…`, or under `parameters` in paystack.toml

            error: 1 error in `template.yaml`
        "#]],
        );
    }

    #[test]
    fn an_unknown_parameter_names_the_one_that_was_meant() {
        let project = project();
        let template = format!("Parameters:\n  Owner: {{Type: String, Default: me}}\n{}", queue("DelaySeconds: 1"));
        project.write("template.yaml", &template);
        let error = refused_unasked(&project, &[APPLY.as_slice(), &["-p", "Onwer=you"]].concat());
        expect![[r#"
            error: the template has no parameter `Onwer`
             |
             = help: did you mean `Owner`?

            error: 1 error in `template.yaml`
        "#]]
        .assert_eq(&error);
    }

    #[test]
    fn resources_that_wait_for_each_other_are_shown() {
        refused(
            "
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Invoices.QueueName}}
  Invoices: {Type: AWS::SQS::Queue, DependsOn: Orders}
",
            expect![[r#"
                error: resources wait for each other in a circle: `Invoices` → `Orders` → `Invoices`
                 --> template.yaml:4:3
                  |
                3 |   Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Invoices.QueueName}}
                  |   ------ part of the circle
                4 |   Invoices: {Type: AWS::SQS::Queue, DependsOn: Orders}
                  |   ^^^^^^^^ this resource waits for itself
                  |
                  = help: remove one reference or `DependsOn`: build an ARN from a name with `Fn::Sub`, or give the edge a resource of its own

                error: 1 error in `template.yaml`
            "#]],
        );
    }

    #[test]
    fn a_reference_to_nothing_names_what_was_meant() {
        refused(
            &queue("QueueName: !Ref Order"),
            expect![[r#"
            error: there is no parameter or resource `Order`
             --> template.yaml:5:23
              |
            5 |       QueueName: !Ref Order
              |                       ^^^^^
              |
              = help: did you mean `Orders`?

            error: 1 error in `template.yaml`
        "#]],
        );
    }

    #[test]
    fn an_attribute_that_a_type_does_not_have_names_the_one_that_was_meant() {
        let outputs = "Outputs:\n  Address: {Value: !GetAtt Orders.QueueUri}\n";
        refused(
            &(queue("DelaySeconds: 1") + outputs),
            expect![[r#"
            error: `AWS::SQS::Queue` has no attribute `QueueUri`
             --> template.yaml:7:20
              |
            7 |   Address: {Value: !GetAtt Orders.QueueUri}
              |                    ^^^^^^^^^^^^^^^^^^^^^^^ `Orders.QueueUri` does not exist
              |
              = help: did you mean `QueueUrl`?

            error: 1 error in `template.yaml`
        "#]],
        );
    }

    #[test]
    fn broken_yaml_is_shown_where_it_breaks() {
        refused(
            "Resources:\n  Orders: {Type: AWS::SQS::Queue\n  Invoices:\n",
            expect![[r#"
            error: this is not YAML
             --> template.yaml:3:11
              |
            3 |   Invoices:
              |           ^ while parsing a flow mapping, did not find expected ',' or '}'

            error: 1 error in `template.yaml`
        "#]],
        );
        refused(
            "Resources:\n\tOrders: {}\n",
            expect![[r#"
            error: this is not YAML
             --> template.yaml:2:2
              |
            2 |     Orders: {}
              |     ^ tabs disallowed within this context (block indentation)

            error: 1 error in `template.yaml`
        "#]],
        );
    }

    #[test]
    fn an_empty_file_says_what_belongs_into_it() {
        refused(
            "",
            expect![[r#"
            error: the template is empty
             --> template.yaml:1:1
              |
            1 |
              | ^
              |
              = help: declare what should exist under `Resources`

            error: 1 error in `template.yaml`
        "#]],
        );
        refused(
            "Description: later\n",
            expect![[r#"
            error: the template has no `Resources`
             --> template.yaml:1:1
              |
            1 | Description: later
              | ^
              |
              = help: declare what should exist under `Resources`

            error: 1 error in `template.yaml`
        "#]],
        );
    }

    #[test]
    fn nothing_can_be_retained() {
        refused(
            "
Resources:
  Orders:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain
    UpdateReplacePolicy: Snapshot
",
            expect![[r#"
                error: `DeletionPolicy` of `Orders` would leave something behind
                 --> template.yaml:5:21
                  |
                5 |     DeletionPolicy: Retain
                  |                     ^^^^^^ only `Delete` is supported
                  |
                  = help: paystack retains nothing: write `Delete`, or leave the policy out; `--delete-retained` deletes it all the same

                error: `UpdateReplacePolicy` of `Orders` would leave something behind
                 --> template.yaml:6:26
                  |
                6 |     UpdateReplacePolicy: Snapshot
                  |                          ^^^^^^^^ only `Delete` is supported
                  |
                  = help: paystack retains nothing: write `Delete`, or leave the policy out; `--delete-retained` deletes it all the same

                error: 2 errors in `template.yaml`
            "#]],
        );
    }

    #[test]
    fn what_only_cloudformation_can_do_is_refused_with_another_way() {
        refused(
            "
Parameters:
  Image: {Type: AWS::SSM::Parameter::Value<String>, Default: /images/latest}
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue orders}}
  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: inner.yaml}}
  Script: {Type: Custom::Script}
",
            expect![[r#"
                error: the parameter type `AWS::SSM::Parameter::Value<String>` is not supported
                 --> template.yaml:3:17
                  |
                3 |   Image: {Type: AWS::SSM::Parameter::Value<String>, Default: /images/latest}
                  |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a plan must not change because a value in the Parameter Store has
                  |
                  = help: make it a `String`, and pass the value

                error: nested stacks are not supported
                 --> template.yaml:6:17
                  |
                6 |   Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: inner.yaml}}
                  |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^ this needs CloudFormation
                  |
                  = help: move the resources into this template, or make the nested one a project of its own

                error: custom resources are not supported
                 --> template.yaml:7:18
                  |
                7 |   Script: {Type: Custom::Script}
                  |                  ^^^^^^^^^^^^^^ their functions answer to CloudFormation
                  |
                  = help: declare what the function makes as resources

                error: 3 errors in `template.yaml`
            "#]],
        );
    }

    #[test]
    fn a_transform_is_refused() {
        refused(
            "Transform: AWS::Serverless-2016-10-31\nResources: {}\n",
            expect![[r#"
                error: Structure of the SAM template is invalid. 'Resources' section is required

                error: 1 error in `template.yaml`
            "#]],
        );
    }

    #[test]
    fn a_property_that_is_not_handled_is_refused_with_another_way_however_deep_it_is() {
        refused(
            "
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
      KinesisStreamSpecification: {StreamArn: arn:aws:kinesis:us-east-1:123456789012:stream/orders}
      StreamSpecification: {StreamViewType: NEW_IMAGE, Tags: [{Key: a, Value: b}]}
",
            expect![[r#"
                error: paystack does not handle `KinesisStreamSpecification` of `AWS::DynamoDB::Table`
                 --> template.yaml:9:7
                  |
                9 |       KinesisStreamSpecification: {StreamArn: arn:aws:kinesis:us-east-1:123456789012:stream/orders}
                  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^ not handled
                  |
                  = help: its streams are of a service that paystack does not handle; use `StreamSpecification`, or turn it on beside the stack with `aws dynamodb enable-kinesis-streaming-destination`

                error: paystack does not handle `StreamSpecification.Tags` of `AWS::DynamoDB::Table`
                  --> template.yaml:10:56
                   |
                10 |       StreamSpecification: {StreamViewType: NEW_IMAGE, Tags: [{Key: a, Value: b}]}
                   |                                                        ^^^^ not handled
                   |
                   = help: a stream is made anew whenever its view changes, and its tags with it; tag the table

                error: 2 errors in `template.yaml`
            "#]],
        );
    }

    #[test]
    fn code_that_is_not_there_is_missed_before_aws_is_asked() {
        let template = "
Resources:
  Work:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: arn:aws:iam::123456789012:role/worker
      Code: ../handlers/wrok
  Tools: {Type: AWS::Lambda::LayerVersion, Properties: {Content: {S3Bucket: tools, S3Key: tools.zip}}}
";
        let project = project();
        project.write("template.yaml", template);
        let error = refused_unasked(&project, &APPLY);
        expect![[r#"
            error: there is no file or directory `DIRECTORY/../handlers/wrok`: paths are relative to the template
             --> template.yaml:9:13
              |
            9 |       Code: ../handlers/wrok
              |             ^^^^^^^^^^^^^^^^ cannot be packaged

            error: paystack uploads code from local paths only
              --> template.yaml:10:66
               |
            10 |   Tools: {Type: AWS::Lambda::LayerVersion, Properties: {Content: {S3Bucket: tools, S3Key: tools.zip}}}
               |                                                                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ not a local path
               |
               = help: write the path of the code's directory, as for `aws cloudformation package`, or inline code in `ZipFile`; `--skip-unsupported` plans the rest

            error: 2 errors in `template.yaml`
        "#]].assert_eq(&error.replace(&project.path().to_string_lossy().into_owned(), "DIRECTORY"));
    }

    #[test]
    fn all_that_is_wrong_with_a_file_comes_out_together() {
        refused(
            "
Parameters:
  Stage: {Type: String}
Conditions:
  IsProd: !Equals [!Ref Stge, prod]
Resources:
  Orders:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain
    Properties:
      DelaySeconds: 901
      VisibilityTimout: 45
      QueueName: !Sub '${Name}-orders'
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arm, maxReceiveCount: 3}
  Dead: {Type: AWS::SQS::Queue, DependsOn: Nobody}
  Server: {Type: AWS::EC2::Instance}
",
            expect![[r#"
                error: the parameter `Stage` has no value
                 --> template.yaml:3:3
                  |
                3 |   Stage: {Type: String}
                  |   ^^^^^
                  |
                  = help: give it with `-p Stage=…`, or under `parameters` in paystack.toml

                error: there is no parameter or resource `Stge`
                 --> template.yaml:5:25
                  |
                5 |   IsProd: !Equals [!Ref Stge, prod]
                  |                         ^^^^
                  |
                  = help: did you mean `Stage`?

                error: `DeletionPolicy` of `Orders` would leave something behind
                 --> template.yaml:9:21
                  |
                9 |     DeletionPolicy: Retain
                  |                     ^^^^^^ only `Delete` is supported
                  |
                  = help: paystack retains nothing: write `Delete`, or leave the policy out; `--delete-retained` deletes it all the same

                error: `DelaySeconds` cannot be 901
                  --> template.yaml:11:21
                   |
                11 |       DelaySeconds: 901
                   |                     ^^^ expected 0 to 900

                error: `AWS::SQS::Queue` has no property `VisibilityTimout`
                  --> template.yaml:12:7
                   |
                12 |       VisibilityTimout: 45
                   |       ^^^^^^^^^^^^^^^^ not a property of `AWS::SQS::Queue`
                   |
                   = help: did you mean `VisibilityTimeout`?

                error: there is no parameter or resource `Name`
                  --> template.yaml:13:24
                   |
                13 |       QueueName: !Sub '${Name}-orders'
                   |                        ^^^^^^^

                error: `AWS::SQS::Queue` has no attribute `Arm`
                  --> template.yaml:14:44
                   |
                14 |       RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arm, maxReceiveCount: 3}
                   |                                            ^^^^^^^^^^^^^^^^ `Dead.Arm` does not exist
                   |
                   = help: did you mean `Arn`?

                error: there is no resource `Nobody`
                  --> template.yaml:15:44
                   |
                15 |   Dead: {Type: AWS::SQS::Queue, DependsOn: Nobody}
                   |                                            ^^^^^^

                error: paystack does not handle `AWS::EC2::Instance`
                  --> template.yaml:16:18
                   |
                16 |   Server: {Type: AWS::EC2::Instance}
                   |                  ^^^^^^^^^^^^^^^^^^ no handler for this type
                   |
                   = help: deploy it with another tool, and plan the rest with `--skip-unsupported`

                error: 9 errors in `template.yaml`
            "#]],
        );
    }

    fn queue(property: &str) -> String {
        format!("Resources:\n  Orders:\n    Type: AWS::SQS::Queue\n    Properties:\n      {property}\n")
    }

    #[track_caller]
    fn refused(template: &str, expected: Expect) {
        let project = project();
        project.write("template.yaml", template);
        expected.assert_eq(&refused_unasked(&project, &APPLY));
    }
}

mod in_the_project {
    use super::*;

    #[test]
    fn without_a_project_there_are_three_ways_to_name_one() {
        let directory = Paystack::in_empty_directory();
        let error = refused_unasked(&directory, &APPLY);
        let error = error.replace(&directory.path().to_string_lossy().into_owned(), "DIRECTORY");
        expect![[r#"
            error: there is no `paystack.toml` in `DIRECTORY` or above it
              help: run paystack inside a project, name one with `--project FILE`, or a single template with `--template FILE --stack NAME`
        "#]].assert_eq(&error);
    }

    #[test]
    fn an_unknown_environment_names_the_one_that_was_meant() {
        let error = refused_unasked(&project(), &["apply", "-e", "prd", "--auto-approve"]);
        expect![[r#"
            error: there is no environment `prd`
              help: did you mean `prod`?
        "#]]
        .assert_eq(&error);
    }

    #[test]
    fn without_an_environment_the_known_ones_are_named() {
        expect![[r#"
            error: no environment is chosen
              help: name one of `dev`, `prod` with `-e`, or set `default_environment` under `[project]`
        "#]]
        .assert_eq(&refused_unasked(&project(), &["plan"]));
    }

    #[test]
    fn a_misspelt_key_is_shown_at_its_place() {
        let project = project();
        project.replace("paystack.toml", "template =", "tempalte =");
        let error = refused_unasked(&project, &APPLY);
        let error = error.replace(&project.path().to_string_lossy().into_owned(), "DIRECTORY");
        expect![[r#"
            error: unknown field `tempalte`, expected one of `name`, `template`, `default_environment`, `region`, `code_directories`
             --> DIRECTORY/paystack.toml:4:1
              |
            4 | tempalte = 'template.yaml'
              | ^^^^^^^^
              = help: did you mean `template`?
        "#]]
        .assert_eq(&error);
    }

    #[test]
    fn a_template_that_is_no_file_is_named_as_the_project_names_it() {
        let project = project();
        project.remove("template.yaml");
        expect![[r#"
            error: failed to read the template `template.yaml`
              caused by: No such file or directory (os error 2)
              help: `template` in paystack.toml, or `--template`, says which file it is
        "#]]
        .assert_eq(&refused_unasked(&project, &APPLY));
        project.write("template.yaml/inner.yaml", ORDERS);
        expect![[r#"
            error: failed to read the template `template.yaml`
              caused by: Is a directory (os error 21)
              help: `template` in paystack.toml, or `--template`, says which file it is
        "#]]
        .assert_eq(&refused_unasked(&project, &APPLY));
    }

    #[test]
    fn a_ledger_that_cannot_be_read_costs_only_its_memory() {
        let account = Account::fresh();
        let project = project();
        project.write("state/shop-dev.json", "{");
        let error = project.run(&account, &APPLY).exits(1).stderr;
        let error = error.replace(&project.path().to_string_lossy().into_owned(), "DIRECTORY");
        expect![[r#"
            error: the ledger `DIRECTORY/state/shop-dev.json` is not one that this paystack can read
              caused by: EOF while parsing an object at line 1 column 1
              help: delete it: that costs only the memory of what was applied
        "#]]
        .assert_eq(&error);
    }
}

mod on_the_command_line {
    use super::*;

    #[test]
    fn arguments_that_make_no_sense_end_with_1_and_not_with_2() {
        let project = project();
        for arguments in [&["pln"][..], &["plan", "--concurrency", "0"], &["plan", "--stack", "shop"], &[]] {
            refused_unasked(&project, arguments);
        }
    }

    #[test]
    fn a_parameter_is_a_key_and_a_value() {
        let error = refused_unasked(&project(), &["plan", "-e", "dev", "-p", "Owner"]);
        expect![[r#"
            error: invalid value 'Owner' for '--parameter <KEY=VALUE>': `Owner` is not of the form KEY=VALUE

            For more information, try '--help'.
        "#]]
        .assert_eq(&error);
    }

    #[test]
    fn a_resource_that_the_template_does_not_have_can_be_neither_adopted_nor_replaced() {
        let account = Account::fresh();
        let error = project().run(&account, &["plan", "-e", "dev", "--adopt", "Order"]).exits(1).stderr;
        expect![[r#"
            error: `Order` is no resource of the template
              help: did you mean `Orders`?
        "#]]
        .assert_eq(&error);
        project().run(&account, &["plan", "-e", "dev", "--replace", "Invoices"]).exits(1);
    }

    #[test]
    fn without_a_terminal_nothing_is_changed_unless_it_was_approved() {
        let account = Account::fresh();
        let project = project();
        let ran = project.run(&account, &["apply", "-e", "dev"]).exits(1);
        expect![[r#"
            Applying it takes 1 write (sqs 1) and 11 reads, and what there is to wait for
            error: there is no terminal to ask on
              help: look at the plan, then run `paystack apply --auto-approve`
        "#]]
        .assert_eq(&ran.stderr);
        assert!(ran.stdout.contains("+ Orders"), "the plan is shown: {}", ran.stdout);
        account.census().assert_empty();
        assert!(ledgers(&project).is_empty());

        project.run(&account, &APPLY).exits(0);
        let census = account.census();
        let error = project.run(&account, &["destroy", "-e", "dev"]).exits(1).stderr;
        expect![[r#"
            Applying it takes 1 write (sqs 1) and 1 read, and what there is to wait for
            error: there is no terminal to ask on
              help: look at the plan, then run `paystack destroy --auto-approve`
        "#]]
        .assert_eq(&error);
        assert_eq!(account.census(), census);
    }
}

mod with_aws {
    use super::*;

    #[test]
    fn without_credentials_it_is_said_at_once_how_to_give_some() {
        let started = Instant::now();
        let project = project();
        let mut command = project.command_nowhere(&APPLY);
        command.env("AWS_REGION", "us-east-1").env("HOME", "nowhere").env("AWS_EC2_METADATA_DISABLED", "true");
        expect![[r#"
            error: `sts.GetCallerIdentity` failed: there are no AWS credentials
              help: give AWS credentials: `aws sso login`, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
        "#]]
        .assert_eq(&refused_by(&project, command));
        assert!(started.elapsed() < Duration::from_secs(10), "nobody waits for credentials");
    }

    #[test]
    fn credentials_that_aws_refuses_are_told_from_a_missing_permission() {
        let denial = |code: &str, message: &str| {
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>1-2-3</RequestId></ErrorResponse>"
            )
        };
        let refused = |code, message| {
            let endpoint = answering("403 Forbidden", denial(code, message));
            refused_at(&endpoint)
        };
        expect![[r#"
            error: `sts.GetCallerIdentity` failed: The security token included in the request is invalid. (InvalidClientTokenId, HTTP 403)
              help: give AWS credentials: `aws sso login`, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
        "#]]
            .assert_eq(&refused("InvalidClientTokenId", "The security token included in the request is invalid."));
        expect![[r#"
            error: `sts.GetCallerIdentity` failed: The security token included in the request is expired (ExpiredToken, HTTP 403)
              help: give AWS credentials: `aws sso login`, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
        "#]].assert_eq(&refused("ExpiredToken", "The security token included in the request is expired"));
        expect![[r#"
            error: `sts.GetCallerIdentity` failed: User: ada is not authorized to perform: sts:GetCallerIdentity (AccessDenied, HTTP 403)
              help: allow `sts:GetCallerIdentity` to `ada`; `paystack policy --deployer` shows all that the template needs
        "#]]
            .assert_eq(&refused("AccessDenied", "User: ada is not authorized to perform: sts:GetCallerIdentity"));
    }

    #[test]
    fn an_endpoint_that_nobody_answers_at_is_named() {
        let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let endpoint = format!("http://{closed}");
        let error = refused_at(&endpoint);
        expect![[r#"
            error: `sts.GetCallerIdentity` failed: nothing answers at `ENDPOINT`: Connection refused (os error 111)
              help: check the network, AWS_REGION and AWS_ENDPOINT_URL, then run the same command again
        "#]]
        .assert_eq(&error.replace(&endpoint, "ENDPOINT"));
    }

    #[test]
    fn an_endpoint_that_is_no_address_is_refused() {
        expect![[r#"
            error: `sts.GetCallerIdentity` failed: endpoint must contain scheme
              help: check the network, AWS_REGION and AWS_ENDPOINT_URL, then run the same command again
        "#]]
        .assert_eq(&refused_at("localhost"));
    }

    #[test]
    fn without_a_region_it_is_said_where_one_can_be_set() {
        let project = project();
        let mut command = called_at(&project, "http://127.0.0.1:1");
        command.env_remove("AWS_REGION").env("HOME", "nowhere");
        expect![[r#"
            error: `sts.GetCallerIdentity` failed: no region is set: set AWS_REGION, or `region` in paystack.toml
        "#]]
        .assert_eq(&refused_by(&project, command));
    }

    #[test]
    fn a_foreign_resource_of_the_same_name_is_not_touched() {
        let account = Account::fresh();
        let project = project();
        account.aws("sqs", "create_queue", json!({"QueueName": "orders", "Attributes": {"DelaySeconds": "7"}}));
        let census = account.census();
        let ran = project.run(&account, &APPLY).exits(1);
        expect![[r#"
            Stack `shop-dev` in account 123456789012, us-east-1.

            ! blocked

                ! Orders  AWS::SQS::Queue [QUEUE-URL]
                      `QUEUE-URL` exists and was not made by paystack
                      help: take it over with `--adopt Orders`, or give this resource another name

            at a destroy: 1 thing to know, which `--full` names

            Plan: 0 to create, 0 to update, 0 to destroy, 1 blocked.
            ---
            error: the plan has blocked entries: nothing was changed
              help: each blocked entry above says what to do
        "#]]
        .assert_eq(&anonymous(&account, &ran));
        assert_eq!(account.census(), census);
        assert!(ledgers(&project).is_empty());
        project.run(&account, &[APPLY.as_slice(), &["--adopt", "Orders"]].concat()).exits(0);
    }

    #[test]
    fn a_resource_of_another_stack_is_not_touched_even_if_it_is_to_be_adopted() {
        let account = Account::fresh();
        let project = project();
        project.run(&account, &APPLY).exits(0);
        let census = account.census();
        let other = self::project();
        other.replace("paystack.toml", "'shop'", "'stall'");
        let ran = other.run(&account, &[APPLY.as_slice(), &["--adopt", "Orders"]].concat()).exits(1);
        expect![[r#"
            Stack `stall-dev` in account 123456789012, us-east-1.

            ! blocked

                ! Orders  AWS::SQS::Queue [QUEUE-URL]
                      `QUEUE-URL` belongs to the stack `shop-dev` (as `Orders`)
                      help: give this resource another name, or destroy it in the other stack first

            at a destroy: 1 thing to know, which `--full` names

            Plan: 0 to create, 0 to update, 0 to destroy, 1 blocked.
            ---
            error: the plan has blocked entries: nothing was changed
              help: each blocked entry above says what to do
        "#]]
        .assert_eq(&anonymous(&account, &ran));
        assert_eq!(account.census(), census);
        assert!(ledgers(&other).is_empty());
    }

    #[test]
    fn a_template_with_a_mistake_changes_nothing_of_what_is_there() {
        let account = Account::fresh();
        let project = project();
        project.run(&account, &APPLY).exits(0);
        let (census, ledger) = (account.census(), ledgers(&project));
        project.replace("template.yaml", "QueueName: orders", "DelaySeconds: 901");
        project.run(&account, &APPLY).exits(1);
        project.run(&account, &["destroy", "-e", "dev", "--auto-approve"]).exits(1);
        assert_eq!((account.census(), ledgers(&project)), (census, ledger));
    }

    fn refused_at(endpoint: &str) -> String {
        let project = project();
        refused_by(&project, called_at(&project, endpoint))
    }

    /// An apply with credentials at an endpoint that is no emulator.
    fn called_at(project: &Paystack, endpoint: &str) -> Command {
        let mut command = project.command_nowhere(&APPLY);
        command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "y");
        command
    }
}

mod that_nobody_would_make {
    use super::*;

    #[test]
    fn whatever_the_file_holds_there_is_an_error_and_no_panic() {
        let nested = |open: &str, close: &str| {
            let depth = 20_000;
            format!("Resources: {{A: {}x{}}}", open.repeat(depth), close.repeat(depth))
        };
        let files: [&[u8]; 10] = [
            b"\0\0\0\0",
            b"Resources:\n  A: \0",
            b"\xff\xfeR\0e\0s\0",
            b"\xef\xbb\xbf",
            b"Resources: &a {B: *a}",
            b"Resources: {? [a] : b}",
            b"%YAML 9.9\n---\nResources: !!binary x",
            b"{\"Resources\": {\"A\": \"\\ud800\"}}",
            nested("[", "]").leak().as_bytes(),
            nested("{Fn::Sub: ", "}").leak().as_bytes(),
        ];
        let project = project();
        for file in files {
            fs::write(project.path().join("template.yaml"), file).expect("a file can be written");
            let error = refused_unasked(&project, &APPLY);
            assert!(error.contains("template.yaml"), "the file is named: {error}");
        }
    }

    #[test]
    fn whatever_a_parameter_holds_there_is_an_error_and_no_panic() {
        let project = project();
        for parameter in ["=", "=x", "A=\u{1}", "Ä=ä", "EnvironmentSuffix=", "EnvironmentSuffix=../../x"] {
            refused_unasked(&project, &["apply", "--auto-approve", "-e", "dev", "-p", parameter]);
        }
    }
}

/// A project with one good template.
fn project() -> Paystack {
    let paystack = Paystack::in_empty_directory();
    paystack.write("paystack.toml", PROJECT).write("template.yaml", ORDERS);
    paystack
}

/// What is said by a command that fails before it has asked AWS anything.
#[track_caller]
fn refused_unasked(project: &Paystack, arguments: &[&str]) -> String {
    let aws = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    aws.set_nonblocking(true).expect("a listener need not wait");
    let mut command = project.command_nowhere(arguments);
    let endpoint = format!("http://{}", aws.local_addr().expect("a listener has an address"));
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "y");
    let error = refused_by(project, command);
    let call = aws.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(call, Err(ErrorKind::WouldBlock), "AWS is not asked: {error}");
    error
}

/// What is said by a command that fails and keeps no memory of it.
#[track_caller]
fn refused_by(project: &Paystack, command: Command) -> String {
    let ran = project.run_command(command).exits(1);
    assert_eq!(ran.stdout, "", "what is wrong is not data");
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert!(ledgers(project).is_empty());
    ran.stderr
}

fn ledgers(project: &Paystack) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(project.path().join("state")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("a directory can be read").path());
    let ledgers = paths.filter(|path| path.extension().is_some_and(|it| it == "json"));
    ledgers.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap_or_default())).collect()
}

/// All that was said, without what differs from account to account.
fn anonymous(account: &Account, ran: &Ran) -> String {
    let queue = account.aws("sqs", "get_queue_url", json!({"QueueName": "orders"}));
    let queue_url = queue["QueueUrl"].as_str().expect("a queue has an address");
    let said = format!("{}---\n{}", ran.stdout, ran.stderr);
    said.replace(queue_url, "QUEUE-URL").replace(&account.number, "123456789012")
}

/// An endpoint that gives every call the same answer.
fn answering(status: &str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("a listener has an address"));
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    thread::spawn(move || {
        for call in listener.incoming() {
            let _ = call.and_then(|call| reply(call, &answer));
        }
    });
    endpoint
}

fn reply(mut call: TcpStream, answer: &str) -> std::io::Result<()> {
    let mut request = [0; 8192];
    let _ = call.read(&mut request)?;
    call.write_all(answer.as_bytes())
}

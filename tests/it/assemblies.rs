//! Cloud assemblies of CDK's, as `cdk synth` writes them: small ones of our own.

use serde_json::{Value, json};

use crate::harness::{Account, Paystack};

/// What CDK puts into every template beside what the app declares.
fn template(resources: Value, outputs: Value) -> String {
    let mut template = json!({
        "Resources": resources,
        "Outputs": outputs,
        "Parameters": {"BootstrapVersion": {
            "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version"
        }},
        "Rules": {"CheckBootstrapVersion": {"Assertions": [{
            "Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2", "3", "4", "5"], {"Ref": "BootstrapVersion"}]}]}
        }]}},
    });
    template["Resources"]["CDKMetadata"] =
        json!({"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:deflate64:H4s"}});
    template.to_string()
}

/// Two stacks: `Data` has a queue, `Web` a function with a layer that is told of the queue, by an export and by an output.
fn shop() -> Paystack {
    let paystack = Paystack::in_empty_directory();
    let stack = |name: &str, template: &str, dependencies: &[&str]| {
        json!({
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {
                "templateFile": template, "stackName": name, "tags": {"Team": "shop"}, "terminationProtection": false,
                "assumeRoleArn": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-hnb659fds-deploy-role",
                "requiresBootstrapStackVersion": 6,
            },
            "dependencies": dependencies,
        })
    };
    let manifest = json!({"version": "55.0.0", "artifacts": {
        "Web": stack("Shop-Web", "Web.template.json", &["Data", "Web.assets"]),
        "Data": stack("Shop-Data", "Data.template.json", &[]),
        "Web.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Web.assets.json"}},
        "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
    }});
    let asset = |name: &str, path: &str, packaging: &str| {
        let bucket = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}";
        json!({
            "source": {"path": path, "packaging": packaging},
            "destinations": {"current": {"bucketName": bucket, "objectKey": format!("{name}.zip")}},
        })
    };
    let assets = json!({"version": "55.0.0", "dockerImages": {}, "files": {
        "aaa1": asset("aaa1", "asset.aaa1", "zip"),
        "bbb2": asset("bbb2", "asset.bbb2", "zip"),
    }});
    let code = |key: &str| json!({"S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": format!("{key}.zip")});
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}
    }]});
    let data = template(
        json!({"Orders2B7A": {"Type": "AWS::SQS::Queue", "Metadata": {"aws:cdk:path": "Data/Orders/Resource"}}}),
        json!({
            "ExportsOutputRefOrders": {"Value": {"Ref": "Orders2B7A"}, "Export": {"Name": "Data:Orders"}},
            "OrdersName": {"Value": {"Fn::GetAtt": ["Orders2B7A", "QueueName"]}},
        }),
    );
    let web = template(
        json!({
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
            "Layer": {"Type": "AWS::Lambda::LayerVersion", "Properties": {
                "Content": code("bbb2"), "CompatibleRuntimes": ["python3.12"]
            }},
            "Handler": {"Type": "AWS::Lambda::Function", "DependsOn": ["Role"], "Properties": {
                "Code": code("aaa1"), "Handler": "index.handle", "Runtime": "python3.12",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Layers": [{"Ref": "Layer"}],
                "Environment": {"Variables": {
                    "QUEUE": {"Fn::ImportValue": "Data:Orders"},
                    "NAME": {"Fn::GetStackOutput": {"StackName": "Shop-Data", "OutputName": "OrdersName"}},
                }},
            }},
        }),
        json!({"Function": {"Value": {"Ref": "Handler"}}}),
    );
    paystack
        .write("cdk.out/manifest.json", &manifest.to_string())
        .write("cdk.out/Web.assets.json", &assets.to_string());
    paystack.write("cdk.out/Data.template.json", &data).write("cdk.out/Web.template.json", &web);
    paystack.write("cdk.out/asset.aaa1/index.py", "def handle(event, context):\n    return 'hello'\n");
    // In a layer that is staged a list of requirements is a file as any other.
    paystack
        .write("cdk.out/asset.bbb2/python/shop.py", "A = 1\n")
        .write("cdk.out/asset.bbb2/requirements.txt", "boto3\n");
    paystack
}

#[test]
fn an_assembly_is_planned_applied_and_destroyed_in_the_order_of_its_stacks() {
    let (paystack, account) = (shop(), Account::fresh());
    let run = |arguments: &[&str]| paystack.run(&account, arguments);
    let checked = run(&["validate", "cdk.out"]).exits(0);
    assert!(checked.stdout.contains("`Shop-Data` is valid: 1 resource.\n"), "{}", checked.stdout);
    assert!(checked.stdout.contains("`Shop-Web` is valid: 3 resources.\n"), "{}", checked.stdout);
    let planned = run(&["plan", "cdk.out", "--detailed-exitcode", "--full"]).exits(2);
    for heading in ["Stack `Data`, 1 of 2:\n", "Stack `Web`, 2 of 2:\n"] {
        assert!(planned.stderr.contains(heading), "{}", planned.stderr);
    }
    assert!(planned.stdout.contains("QUEUE"), "{}", planned.stdout);

    // One alone needs what it imports.
    let alone = run(&["apply", "cdk.out", "--stack", "Web", "--auto-approve"]).exits(1);
    assert!(alone.stderr.contains("`Data:Orders`, `Shop-Data.OrdersName` is not there yet"), "{}", alone.stderr);
    account.census().assert_empty();

    run(&["apply", "cdk.out", "--auto-approve"]).exits(0);
    run(&["plan", "cdk.out", "--detailed-exitcode"]).exits(0);
    let output = |stack: &str, name: &str| {
        let ran = run(&["output", "--template", "cdk.out", "--stack", stack, name]).exits(0);
        ran.stdout.trim().to_owned()
    };
    let function = json!({"FunctionName": output("Web", "Function")});
    let function = account.aws("lambda", "get_function_configuration", function);
    let variables = &function["Environment"]["Variables"];
    assert_eq!(variables["QUEUE"], output("Data", "ExportsOutputRefOrders"));
    assert_eq!(variables["NAME"], output("Shop-Data", "OrdersName"));
    let queue = account.aws("sqs", "list_queue_tags", json!({"QueueUrl": variables["QUEUE"]}));
    assert_eq!(queue["Tags"]["Team"], "shop");

    // A changed asset has another name, as CDK gives it.
    paystack.write("cdk.out/asset.aaa1/index.py", "def handle(event, context):\n    return 'bye'\n");
    let changed = run(&["plan", "cdk.out", "--detailed-exitcode"]).exits(2);
    assert!(changed.stdout.contains("~ Handler"), "{}", changed.stdout);

    // What a kept plan is for is found again.
    run(&["plan", "cdk.out", "--out", "plan.json"]).exits(1);
    run(&["plan", "cdk.out", "--stack", "Web", "--out", "plan.json"]).exits(0);
    run(&["apply", "plan.json"]).exits(0);

    let gone = run(&["destroy", "cdk.out", "--auto-approve"]).exits(0);
    assert!(
        gone.stderr.contains("Stack `Web`, 1 of 2:") && gone.stderr.contains("Stack `Data`, 2 of 2:"),
        "{}",
        gone.stderr
    );
    account.census().assert_empty();
}

#[test]
fn an_app_is_run_where_that_is_asked_for_and_only_there() {
    let paystack = shop();
    paystack.write("cdk.json", r#"{"app": "sh app.sh", "output": "made"}"#);
    paystack.write("app.sh", "echo bundling\ncp -r cdk.out \"$CDK_OUTDIR\"\n");
    let nowhere = |arguments: &[&str]| paystack.run_command(paystack.command_nowhere(arguments));
    let ran = nowhere(&["validate", "--app", "-c", "suffix=dev"]).exits(0);
    assert!(ran.stderr.starts_with("Running the CDK app...\n  bundling\n"), "{}", ran.stderr);
    assert!(paystack.path().join("made/manifest.json").is_file());
    let ran = nowhere(&["validate", "--app=echo broken; exit 4", "--stack", "Web"]).exits(1);
    assert!(ran.stderr.contains("ended with exit status: 4:\nbroken"), "{}", ran.stderr);
}

#[test]
fn what_an_assembly_lacks_is_said() {
    let paystack = shop();
    let said = |arguments: &[&str]| paystack.run_command(paystack.command_nowhere(arguments)).exits(1).stderr;
    assert!(said(&["validate", "nothing"]).contains("failed to read `"));
    assert!(said(&["validate", "cdk.out", "--stack", "Wep"]).contains("did you mean `Web`?"));
    assert!(said(&["validate", "--template", "cdk.out"]).contains("name one of `Data`, `Web` with `--stack`"));
    assert!(said(&["validate", "--template", "cdk.out/Web.template.json"]).contains("name it with `--stack NAME`"));
    // The code of a function is not in the assembly.
    paystack.replace("cdk.out/Web.template.json", "aaa1.zip", "ccc3.zip");
    let missing = said(&["validate", "cdk.out"]);
    assert!(missing.contains("the asset manifests of this cloud assembly have no file for it"), "{missing}");
    paystack.replace("cdk.out/Web.template.json", "ccc3.zip", "aaa1.zip").remove("cdk.out/asset.aaa1");
    assert!(said(&["validate", "cdk.out"]).contains("there is no file or directory"));
}

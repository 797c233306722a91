//! Templates, kept plans and ledgers that somebody else wrote: nothing but the stack's own is touched, nothing outside of the
//! project is read or written, no program is run, and no terminal is steered.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::harness::{Account, Paystack};

const PROJECT: &str = "
[project]
name = 'orders'
template = 'template.yaml'

[environments.dev]
";

const QUEUE: &str = "Resources: {Orders: {Type: AWS::SQS::Queue}}";

fn project(template: &str) -> Paystack {
    let paystack = Paystack::in_empty_directory();
    paystack.write("paystack.toml", PROJECT).write("template.yaml", template);
    paystack
}

fn ledger(resources: &Value) -> String {
    let ledger = json!({
        "version": 1, "stack": "orders-dev", "serial": 1, "salt": "ab", "history": [], "resources": resources,
    });
    ledger.to_string()
}

fn record(resource_type: &str, physical_id: &str) -> Value {
    json!({"resource_type": resource_type, "physical_id": physical_id})
}

#[test]
fn a_ledger_that_names_what_others_made_deletes_none_of_it() {
    let account = Account::fresh();
    let text =
        |answer: Value, pointer: &str| answer.pointer(pointer).and_then(Value::as_str).expect(pointer).to_owned();
    let attributes = json!({"Policy": json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*",
    }]}).to_string()});
    let queue =
        text(account.aws("sqs", "create_queue", json!({"QueueName": "victim", "Attributes": attributes})), "/QueueUrl");
    let topic = text(account.aws("sns", "create_topic", json!({"Name": "victim"})), "/TopicArn");
    let table = json!({
        "TableName": "victim", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    });
    account.aws("dynamodb", "create_table", table);
    let role = json!({"RoleName": "victim", "AssumeRolePolicyDocument": json!({"Version": "2012-10-17", "Statement": []}).to_string()});
    account.aws("iam", "create_role", role);
    account.aws("logs", "create_log_group", json!({"logGroupName": "victim"}));
    let api = account.aws("apigateway", "create_rest_api", json!({"name": "victim"}));
    let (api, root) = (text(api.clone(), "/id"), text(api, "/rootResourceId"));
    let child = json!({"restApiId": api, "parentId": root, "pathPart": "a"});
    let child = text(account.aws("apigateway", "create_resource", child), "/id");
    let before = account.census();

    let paystack = project(QUEUE);
    let named = json!({
        "Queue": record("AWS::SQS::Queue", &queue),
        "QueuePolicy": record("AWS::SQS::QueuePolicy", &queue),
        "Topic": record("AWS::SNS::Topic", &topic),
        "Table": record("AWS::DynamoDB::Table", "victim"),
        "Role": record("AWS::IAM::Role", "victim"),
        "Group": record("AWS::Logs::LogGroup", "victim"),
        "Api": record("AWS::ApiGateway::RestApi", &api),
        "Path": record("AWS::ApiGateway::Resource", &format!("{api}|{child}")),
    });
    paystack.write("state/orders-dev.json", &ledger(&named));
    for command in ["destroy", "apply"] {
        let ran = paystack.run(&account, &[command, "--auto-approve"]).exits(1);
        for name in named.as_object().expect("records").keys() {
            assert!(ran.stdout.contains(&format!("! {name} ")), "{command}: {name} is not blocked: {}", ran.stdout);
        }
        assert_eq!(account.census(), before, "after {command}");
    }

    // In the place of something that the template declares, it is not taken for that.
    paystack.write("state/orders-dev.json", &ledger(&json!({"Orders": record("AWS::SQS::Queue", &queue)})));
    let ran = paystack.run(&account, &["apply", "--auto-approve"]).exits(1);
    assert!(ran.stdout.contains("only the ledger says that"), "{}", ran.stdout);
    assert_eq!(account.census(), before);

    // Without the ledger there is nothing to be misled by.
    paystack.remove("state/orders-dev.json");
    paystack.run(&account, &["apply", "--auto-approve"]).exits(0);
    paystack.run(&account, &["destroy", "--auto-approve"]).exits(0);
    assert_eq!(account.census(), before);
}

#[test]
fn another_stack_s_resources_are_left_alone_whatever_the_ledger_says() {
    let account = Account::fresh();
    let other = project(QUEUE);
    other.replace("paystack.toml", "'orders'", "'others'");
    other.run(&account, &["apply", "--auto-approve"]).exits(0);
    let theirs: Value = serde_json::from_str(&other.read("state/others-dev.json")).expect("a ledger is JSON");
    let before = account.census();
    let paystack = project("Resources: {}");
    paystack.write("state/orders-dev.json", &ledger(&theirs["resources"]));
    paystack.run(&account, &["apply", "--auto-approve"]).exits(0);
    paystack.run(&account, &["destroy", "--auto-approve"]).exits(0);
    assert_eq!(account.census(), before);
}

#[test]
fn a_kept_plan_leads_nowhere_that_its_user_has_not_named() {
    let account = Account::fresh();
    let (here, there) = (project(QUEUE), project(QUEUE));
    let elsewhere = there.path().join("paystack.toml").display().to_string();
    here.run(&account, &["plan", "--out", "plan.json", "--project", &elsewhere]).exits(0);
    let ran = here.run(&account, &["apply", "plan.json"]).exits(1);
    assert!(ran.stderr.contains("which is outside of this directory"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("--project {elsewhere}")), "{}", ran.stderr);
    assert!(!there.path().join("state").exists());
    let ran = here.run(&account, &["apply", "plan.json", "--project", "paystack.toml"]).exits(1);
    assert!(ran.stderr.contains("the plan is for another project than"), "{}", ran.stderr);
    let ran = here.run(&account, &["apply", "plan.json", "--project", &elsewhere]).exits(0);
    assert!(ran.stderr.contains(&format!("with `paystack plan --project {elsewhere}`")), "{}", ran.stderr);
    // What is written in a file is told, before anything is done.
    here.write("template.yaml", "Parameters: {Delay: {Type: Number, Default: 1}}\nResources: {}");
    here.run(&account, &["plan", "--out", "plan.json"]).exits(0);
    here.replace("plan.json", "\"parameters\": {}", "\"parameters\": {\"Delay\": \"9\\u001b[2J\"}");
    let ran = here.run(&account, &["apply", "plan.json"]);
    assert!(ran.stderr.contains(r"with `paystack plan -p Delay=9\u{1b}[2J`"), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
}

#[test]
fn a_template_uploads_nothing_from_outside_of_its_project() {
    let paystack = project("");
    fs::create_dir_all(paystack.path().join("../secret")).expect("a directory can be made");
    fs::write(paystack.path().join("../secret/key.py"), "TOKEN = 1").expect("a file can be written");
    symlink("../secret", paystack.path().join("linked")).expect("a link can be made");
    for code in ["/etc", "../secret", "linked", "../secret/key.py", "handlers/../../secret"] {
        let function = format!(
            "{{Type: AWS::Lambda::Function, Properties: {{Code: {code}, Handler: a.b, Runtime: python3.13, Role: 'arn:aws:iam::123456789012:role/a'}}}}"
        );
        paystack.write("template.yaml", &format!("Resources: {{F: {function}}}")).write("handlers/a.py", "");
        let ran = paystack.run_command(paystack.command_nowhere(&["validate"])).exits(1);
        assert!(ran.stderr.contains("is outside of the project"), "{code}: {}", ran.stderr);
        assert!(ran.stderr.contains("code_directories"), "{code}: {}", ran.stderr);
    }
    paystack.replace("paystack.toml", "[environments", "code_directories = ['../secret']\n[environments");
    paystack.run_command(paystack.command_nowhere(&["validate"])).exits(0);
}

#[test]
fn a_layer_runs_no_program_of_the_project_s_and_hands_out_no_credentials() {
    let account = Account::fresh();
    let paystack = project(
        "Resources: {L: {Type: AWS::Lambda::LayerVersion, Properties: {Content: layer, CompatibleRuntimes: [python3.11]}}}",
    );
    let marker = paystack.path().join("ran").display().to_string();
    // `python -m pip` in the project's directory would run these.
    for path in ["pip.py", "pip/__main__.py", "sitecustomize.py", "usercustomize.py"] {
        paystack.write(path, &format!("open({marker:?}, 'w')"));
    }
    paystack.write("layer/python/a.py", "").write("layer/requirements.txt", "no-such-package==1.0 --hash=sha256:aa");
    let mut command = paystack.command(&account, &["plan"]);
    command.env("PYTHONPATH", paystack.path()).env("PIP_INDEX_URL", "http://127.0.0.1:9/").env("PIP_RETRIES", "0");
    command.env("XDG_CACHE_HOME", paystack.path().join("cache"));
    let ran = paystack.run_command(command).exits(1);
    assert!(ran.stderr.contains("pip could not install"), "{}", ran.stderr);
    assert!(!paystack.path().join("ran").exists());
    for (line, said) in [
        ("--index-url http://127.0.0.1:9/${AWS_SECRET_ACCESS_KEY}", "has the line"),
        ("six @ http://127.0.0.1:9/${AWS_SECRET_ACCESS_KEY}.whl --hash=sha256:aa", "not by a URL"),
    ] {
        paystack.write("layer/requirements.txt", line);
        let ran = paystack.run(&account, &["plan"]).exits(1);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
fn nothing_is_written_through_a_link_in_the_state_folder() {
    let account = Account::fresh();
    let paystack = project(QUEUE);
    let precious = paystack.path().join("../precious");
    fs::create_dir_all(paystack.path().join("state")).expect("a directory can be made");
    fs::write(&precious, "precious").expect("a file can be written");
    symlink(&precious, paystack.path().join("state/orders-dev.lock")).expect("a link can be made");
    let ran = paystack.run(&account, &["apply", "--auto-approve"]).exits(1);
    assert!(ran.stderr.contains("is a symbolic link"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(&precious).expect("it is there"), "precious");
    account.census().assert_empty();
}

#[test]
fn no_name_or_value_steers_the_terminal() {
    let account = Account::fresh();
    let nasty = "\\e]52;c;aGk=\\a\\e[2J\\u202E";
    let paystack = project(&format!(
        "Resources: {{News: {{Type: AWS::SNS::Topic, Properties: {{TopicName: news, DisplayName: \"{nasty}\"}}}}}}\n\
         Outputs: {{O: {{Value: \"{nasty}\"}}}}"
    ));
    let is_harmless = |text: &str| !text.contains(['\u{1b}', '\u{7}', '\u{202e}']);
    for arguments in [vec!["plan"], vec!["plan", "--format", "markdown"], vec!["plan", "--format", "json"]] {
        let ran = paystack.run(&account, &arguments).exits(0);
        assert!(is_harmless(&ran.stderr) && is_harmless(&ran.stdout), "{ran:?}");
    }
    // In JSON the value is the value.
    let plan = paystack.run(&account, &["plan", "--format", "json"]).json();
    assert_eq!(plan["steps"][0]["desired"]["DisplayName"], "\u{1b}]52;c;aGk=\u{7}\u{1b}[2J\u{202e}");
    paystack.write(
        "state/orders-dev.json",
        &ledger(&json!({"Q\u{1b}[2J": record("AWS::SQS::Queue\u{1b}[2J", "a\u{1b}[2J")})),
    );
    let ran = paystack.run(&account, &["plan"]).exits(1);
    assert!(ran.stdout.contains(r"Q\u{1b}[2J") && is_harmless(&ran.stdout), "{}", ran.stdout);
    paystack.write("template.yaml", &format!("Resources: {{\"{nasty}\": 1, \"a\u{202e}b\": 2}}"));
    let ran = paystack.run_command(paystack.command_nowhere(&["validate"])).exits(1);
    assert!(is_harmless(&ran.stderr), "{}", ran.stderr);
}

#[test]
fn what_is_too_large_to_be_a_template_is_said_to_be() {
    let paystack = project(&format!("Resources: {{}} # {}", "x".repeat(1024 * 1024)));
    let ran = paystack.run_command(paystack.command_nowhere(&["validate"])).exits(1);
    assert!(ran.stderr.contains("it is larger than 1 MB"), "{}", ran.stderr);
    assert!(ran.stderr.contains("move code and texts into files of their own"), "{}", ran.stderr);
    // A file that can be read for ever.
    paystack.replace("paystack.toml", "template.yaml", "/dev/zero");
    let ran = paystack.run_command(paystack.command_nowhere(&["validate"])).exits(1);
    assert!(ran.stderr.contains("it is larger than 1 MB"), "{}", ran.stderr);
    let unreadable = paystack.path().join("template.yaml");
    fs::write(&unreadable, b"Resources: \xff").expect("a file can be written");
    paystack.replace("paystack.toml", "/dev/zero", "template.yaml");
    let ran = paystack.run_command(paystack.command_nowhere(&["validate"])).exits(1);
    assert!(ran.stderr.contains("byte 11 fits no character"), "{}", ran.stderr);
}

/// A group of IAM takes no tags, so that nothing in AWS says whose it is once the template does not name it any more.
#[test]
fn what_takes_no_mark_goes_at_the_users_word() {
    let account = Account::fresh();
    let paystack = project("Resources: {Staff: {Type: AWS::IAM::Group, Properties: {GroupName: staff}}}");
    let run = |arguments: &[&str], code| paystack.run(&account, arguments).exits(code);
    run(&["apply", "--auto-approve"], 0);
    paystack.write("template.yaml", QUEUE);
    for command in [&["plan"][..], &["destroy", "--auto-approve"]] {
        let blocked = run(command, 1).stdout;
        assert!(blocked.contains("`--delete-unmarked Staff` deletes it"), "{blocked}");
    }
    let mistaken = run(&["plan", "--delete-unmarked", "Staf"], 1).stderr;
    assert!(mistaken.contains("did you mean `Staff`?"), "{mistaken}");
    run(&["plan", "--delete-unmarked", "Staff", "--out", "kept.plan"], 0);
    run(&["apply", "kept.plan"], 0);
    run(&["plan", "--detailed-exitcode"], 0);
    run(&["destroy", "--auto-approve"], 0);
    account.census().assert_empty();
}

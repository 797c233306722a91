//! `paystack watch`: a change of the template or of code is applied, in an environment that is meant for it.

use std::fs::File;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Account, Paystack};

const PROJECT: &str = r#"
[project]
name = "demo"
template = "queue.yaml"

[environments.dev]
development = true

[environments.prod]
"#;

fn template(seconds: u32) -> String {
    format!(
        "Resources:\n  Orders:\n    Type: AWS::SQS::Queue\n    Properties: {{ QueueName: orders, VisibilityTimeout: {seconds} }}\n"
    )
}

/// The queue's timeout, as a third party sees it.
fn timeout(account: &Account) -> String {
    let url = format!("{}/{}/orders", account.endpoint(), account.number);
    let asked = json!({"QueueUrl": url, "AttributeNames": ["VisibilityTimeout"]});
    let answer = account.aws("sqs", "get_queue_attributes", asked);
    answer["Attributes"]["VisibilityTimeout"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_change_of_the_template_is_applied_and_a_mistake_in_it_is_waited_out() {
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    paystack.write("paystack.toml", PROJECT).write("queue.yaml", &template(30));
    let log = paystack.path().join("watched");
    let mut command: Command = paystack.command(&account, &["watch", "-e", "dev"]);
    command.stdout(Stdio::null()).stderr(File::create(&log).expect("a file can be made"));
    let mut watcher = command.spawn().expect("the binary runs");
    let waits = |times: usize| {
        let deadline = Instant::now() + Duration::from_secs(90);
        while paystack.read("watched").matches("Waiting for a change in 1 place").count() < times {
            assert!(Instant::now() < deadline, "{}", paystack.read("watched"));
            thread::sleep(Duration::from_millis(50));
        }
    };
    waits(1);
    assert_eq!(timeout(&account), "30");
    paystack.write("queue.yaml", "Resources: {Orders: {Type: AWS::SQS::Queu}}\n");
    waits(2);
    assert!(paystack.read("watched").contains("AWS::SQS::Queu"), "{}", paystack.read("watched"));
    paystack.write("queue.yaml", &template(60));
    waits(3);
    assert_eq!(timeout(&account), "60");
    let interrupt = Command::new("kill").args(["-INT", &watcher.id().to_string()]).status().expect("kill runs");
    assert!(interrupt.success());
    assert_eq!(watcher.wait().expect("it ends").code(), Some(130));
}

#[test]
fn an_environment_that_is_not_for_development_is_not_watched() {
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    paystack.write("paystack.toml", PROJECT).write("queue.yaml", &template(30));
    let ran = paystack.run(&account, &["watch", "-e", "prod"]).exits(1);
    assert!(ran.stderr.contains("the environment `prod` is not for development"), "{}", ran.stderr);
    assert!(ran.stderr.contains("set `development = true` under `[environments.prod]`"), "{}", ran.stderr);
    account.census().assert_empty();
}

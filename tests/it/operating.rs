//! Daily work with what runs: logs, runs and queries, in a real account as far as an emulator is one.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Account, Paystack};

/// A function with a generated name, which greets, or fails when it is told to; and a query over its log.
const TEMPLATE: &str = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }
  Greet:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Role: !GetAtt Role.Arn
      LoggingConfig: { LogGroup: !Ref Greetings }
      Code:
        ZipFile: |
          def handler(event, context):
              print("greeting", event.get("name"))
              if event.get("name") == "nobody":
                  raise ValueError("there is nobody to greet")
              return {"greeting": "hello " + str(event.get("name"))}
  Greetings:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: /demo/greetings
  Latest:
    Type: AWS::Logs::QueryDefinition
    Properties:
      Name: demo/latest
      LogGroupNames: [!Ref Greetings]
      QueryString: "fields @timestamp, @message | sort @timestamp desc | limit 20"
"#;

const STACK: [&str; 4] = ["--template", "greet.yaml", "--stack", "demo"];

struct Greeter {
    paystack: Paystack,
    account: Account,
}

impl Greeter {
    fn deployed() -> Self {
        let greeter = Self { paystack: Paystack::in_empty_directory(), account: Account::fresh() };
        greeter.paystack.write("greet.yaml", TEMPLATE);
        greeter.run(&["apply", "--auto-approve"], 0);
        greeter
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> crate::harness::Ran {
        self.paystack.run(&self.account, &[arguments, &STACK].concat()).exits(code)
    }

    /// What stands in the log, as Lambda would have written it there; the emulator does not know of groups of one's own.
    fn write(&self, messages: &[&str]) {
        let now = now_milliseconds();
        let stream = format!("{now}");
        let at = json!({"logGroupName": "/demo/greetings", "logStreamName": stream});
        self.account.aws("logs", "create_log_stream", at.clone());
        let event = |(place, message): (usize, &&str)| json!({"timestamp": now + place as u64, "message": message});
        let events: Vec<Value> = messages.iter().enumerate().map(event).collect();
        let put = json!({"logGroupName": "/demo/greetings", "logStreamName": stream, "logEvents": events});
        self.account.aws("logs", "put_log_events", put);
    }
}

fn now_milliseconds() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    u64::try_from(since.as_millis()).expect("milliseconds fit")
}

#[test]
fn a_function_is_run_and_its_log_is_read_by_whatever_name_it_has() {
    let greeter = Greeter::deployed();

    let ran = greeter.run(&["invoke", "Greet", r#"{"name": "you"}"#], 0);
    assert_eq!(ran.json(), json!({"greeting": "hello you"}));
    assert!(ran.stderr.contains("greeting you"), "the end of the log is shown: {}", ran.stderr);
    assert!(ran.stderr.contains("answered after"), "{}", ran.stderr);

    let ran = greeter.run(&["invoke", "Greet", r#"{"name": "nobody"}"#, "--format", "json"], 1).json();
    assert_eq!(ran["error"], "Unhandled");
    assert_eq!(ran["result"]["errorMessage"], "there is nobody to greet");
    let name = ran["function"].as_str().expect("a function has a name");
    assert!(name.starts_with("demo-Greet-"), "{name}");

    greeter.paystack.write("event.json", r#"{"name": "file"}"#);
    let ran = greeter.run(&["invoke", name, "--file", "event.json"], 0);
    assert_eq!(ran.json(), json!({"greeting": "hello file"}));

    let mut command =
        greeter.paystack.command(&greeter.account, &[&["invoke", "Greet", "--file", "-"], &STACK[..]].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    child.stdin.take().expect("it is piped").write_all(br#"{"name": "pipe"}"#).expect("it is read");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).expect("JSON"), json!({"greeting": "hello pipe"}));

    let ran = greeter.run(&["invoke", "Greet", "name: you"], 1);
    assert!(ran.stderr.contains("the payload from the argument is not JSON"), "{}", ran.stderr);
    let ran = greeter.run(&["invoke", "Gret"], 1);
    assert!(ran.stderr.contains("did you mean `Greet`?"), "{}", ran.stderr);
}

#[test]
fn logs_are_shown_from_a_moment_on_and_as_they_come() {
    let greeter = Greeter::deployed();
    assert_eq!(greeter.run(&["logs"], 0).stdout, "", "nothing has been written yet");
    greeter.write(&["first\nsecond line\n", r#"{"level": "ERROR", "said": "third"}"#, "\u{1b}[31mred"]);

    let all = greeter.run(&["logs"], 0).stdout;
    let lines: Vec<&str> = all.lines().map(|line| line.split_once(' ').expect("a moment, then the rest").1).collect();
    assert_eq!(
        lines,
        [
            "Greet  first",
            "Greet  second line",
            r#"Greet  {"level": "ERROR", "said": "third"}"#,
            "Greet  \\u{1b}[31mred",
        ]
    );
    let json = greeter.run(&["logs", "Greet", "--format", "json"], 0).stdout;
    let events: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).expect("an event a line")).collect();
    let only = &events[1];
    assert_eq!(only["message"], r#"{"level": "ERROR", "said": "third"}"#);
    assert_eq!(only["log_group"], "/demo/greetings");
    assert_eq!(greeter.run(&["logs", "--since", "2099-01-01T00:00:00Z"], 0).stdout, "");

    let arguments = [&["logs", "Greet", "--follow"], &STACK[..]].concat();
    let log = greeter.paystack.path().join("followed");
    let mut command: Command = greeter.paystack.command(&greeter.account, &arguments);
    command.stdout(std::fs::File::create(&log).expect("a file can be made")).stderr(Stdio::null());
    let mut follower = command.spawn().expect("the binary runs");
    let followed = |words: &str| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !greeter.paystack.read("followed").contains(words) {
            assert!(Instant::now() < deadline, "`{words}` never came: {}", greeter.paystack.read("followed"));
            thread::sleep(Duration::from_millis(100));
        }
    };
    followed("red");
    greeter.write(&["fourth"]);
    followed("fourth");
    let interrupt = Command::new("kill").args(["-INT", &follower.id().to_string()]).status().expect("kill runs");
    assert!(interrupt.success());
    assert_eq!(follower.wait().expect("it ends").code(), Some(130));
    let text = greeter.paystack.read("followed");
    assert_eq!(text.matches("third").count(), 1, "what was shown is not shown again: {text}");
}

#[test]
fn a_declared_query_is_run_and_its_table_shown() {
    let greeter = Greeter::deployed();
    greeter.write(&["first", "second"]);

    assert_eq!(greeter.run(&["query"], 0).stdout, "Latest  demo/latest\n");
    for name in ["Latest", "demo/latest", "latest"] {
        let table = greeter.run(&["query", name], 0).stdout;
        assert!(table.trim_start().starts_with("@timestamp"), "{table}");
        assert!(table.contains("first") && table.contains("second") && !table.contains("@ptr"), "{table}");
    }
    let table = greeter.run(&["query", "Latest", "--format", "json"], 0).json();
    assert_eq!(table["columns"], json!(["@timestamp", "@message"]));
    assert_eq!(table["rows"].as_array().map(Vec::len), Some(2));
    let table = greeter.run(&["query", "Latest", "--set", "20=1", "--format", "json"], 0).json();
    assert_eq!(table["rows"].as_array().map(Vec::len), Some(1));
    let ran = greeter.run(&["query", "Oldest"], 1);
    assert!(ran.stderr.contains("the stack has no query `Oldest`"), "{}", ran.stderr);
}

//! How a run is told: to a terminal, to a pipe, to a program, and to a trace.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Account, Paystack};

const ORDERS: &str = "
Resources:
  DeadLetters: {Type: AWS::SQS::Queue}
  Orders:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt DeadLetters.Arn, maxReceiveCount: 3}}
  Transactions:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: Id, AttributeType: S}]
      KeySchema: [{AttributeName: Id, KeyType: HASH}]
Outputs:
  Table: {Value: !Ref Transactions}
";

const STACK: [&str; 5] = ["--template", "orders.yaml", "--stack", "orders", "--auto-approve"];

struct Story {
    account: Account,
    paystack: Paystack,
}

fn story() -> Story {
    let (account, paystack) = (Account::fresh(), Paystack::in_empty_directory());
    paystack.write("orders.yaml", ORDERS);
    Story { account, paystack }
}

impl Story {
    fn command(&self, arguments: &[&str]) -> Command {
        self.paystack.command(&self.account, &[arguments, &STACK].concat())
    }

    fn events(&self, arguments: &[&str]) -> Vec<Value> {
        let ran = self.paystack.run_command(self.command(arguments)).exits(0);
        let events = ran.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON"));
        events.collect()
    }

    /// What does not fit the schema in the repository.
    fn misfits(&self, events: &[Value]) -> String {
        let script = "
import json, sys
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
by_type = lambda event: Draft202012Validator({'$ref': '#/$defs/' + event['type'], '$defs': schema['$defs']})
for event in json.load(sys.stdin):
    for error in by_type(event).iter_errors(event):
        print(event['type'], list(error.absolute_path), error.message)
    assert validator.is_valid(event), event
";
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/events-v1.json");
        self.account.run_python(script, &[schema], &json!(events), &[])
    }
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["type"].as_str()).collect()
}

#[test]
fn a_program_gets_a_line_an_event_and_all_that_came_of_it_on_the_last() {
    let story = story();
    let applied = story.events(&["apply", "--format", "json"]);
    assert_eq!(story.misfits(&applied), "");
    let types = types(&applied);
    assert_eq!((types.first(), types.last()), (Some(&"begun"), Some(&"finished")));
    let count = |name: &str| types.iter().filter(|it| **it == name).count();
    assert_eq!((count("task_started"), count("task_done")), (3, 3), "{types:?}");
    let planned = applied[0]["tasks"].as_array().expect("a list of tasks");
    let place = |name: &str| planned.iter().position(|task| task["logical_id"] == name).expect("it is planned");
    assert_eq!(planned[place("Orders")]["after"], json!([place("DeadLetters")]));
    assert_eq!(planned[place("Orders")]["usual"], json!({"milliseconds": 1000, "known_from": "table"}));
    let last = &applied[applied.len() - 1];
    assert_eq!(last["report"]["done"].as_array().map(Vec::len), Some(3));
    assert!(last["outputs"]["Table"].is_string(), "{last}");
    assert!(last["timing"]["critical_path"].as_array().is_some_and(|path| !path.is_empty()), "{last}");

    let again = story.events(&["apply", "--format", "json"]);
    assert_eq!(again.iter().map(|event| &event["type"]).collect::<Vec<_>>(), ["finished"]);

    // What API Gateway makes by itself, as the emulator does not.
    let welcome = json!({"logGroupName": "/aws/apigateway/welcome"});
    story.account.aws("logs", "create_log_group", welcome);
    let destroyed = story.events(&["destroy", "--format", "json"]);
    assert_eq!(story.misfits(&destroyed), "");
    let last = &destroyed[destroyed.len() - 1];
    assert_eq!(last["left"]["summary"]["blocked"], 0);
    let appeared = last["account"]["appeared"].as_array().expect("the account is compared");
    assert_eq!(appeared.iter().map(|it| &it["name"]).collect::<Vec<_>>(), ["/aws/apigateway/welcome"]);
    assert!(appeared[0]["made_by_aws"].as_str().is_some_and(|why| why.starts_with("API Gateway")), "{appeared:?}");
    assert_eq!(last["account"]["disappeared"], json!([]));
}

#[test]
fn how_long_a_task_takes_is_known_from_earlier_runs() {
    let story = story();
    story.events(&["apply", "--format", "json"]);
    let known_from = |from: &str, to: &str| {
        story.paystack.replace("orders.yaml", &format!("maxReceiveCount: {from}"), &format!("maxReceiveCount: {to}"));
        story.events(&["apply", "--format", "json"])[0]["tasks"][0]["usual"]["known_from"].clone()
    };
    assert_eq!(known_from("3", "4"), "table");
    assert_eq!(known_from("4", "5"), "earlier_runs");
}

#[test]
fn a_pipe_gets_terraforms_sentences() {
    let story = story();
    let ran = story.paystack.run_command(story.command(&["apply"])).exits(0);
    for said in [
        "\nOrders: Creating...\n",
        "\nDeadLetters: Creation complete after ",
        "apply is complete: 3 created, 0 updated, 0 deleted in ",
        "Table = orders-Transactions-",
    ] {
        assert!(ran.stdout.contains(said), "`{said}` is not in {}", ran.stdout);
    }
    let ran = story.paystack.run_command(story.command(&["destroy"])).exits(0);
    assert!(ran.stdout.contains("Orders: Destruction complete after "), "{}", ran.stdout);
}

#[test]
fn a_trace_has_every_task_and_the_calls_within_it() {
    let story = story();
    let ran = story.paystack.run_command(story.command(&["apply", "--trace", "trace.json"])).exits(0);
    assert!(ran.stderr.contains("The trace is in `trace.json`"), "{}", ran.stderr);
    let trace: Value = serde_json::from_str(&story.paystack.read("trace.json")).expect("a trace is JSON");
    let events = trace["traceEvents"].as_array().expect("a list of events");
    let span = |name: &str| {
        let found = events.iter().find(|event| event["ph"] == "X" && event["name"] == name);
        let found = found.unwrap_or_else(|| panic!("there is no `{name}` in {trace:#}"));
        let number = |field: &str| found[field].as_u64().expect("a number of microseconds");
        (number("ts"), number("ts") + number("dur"), found["args"]["logical_id"].clone())
    };
    let (task, call) = (span("Transactions: creating"), span("dynamodb.CreateTable"));
    assert!(task.0 <= call.0 && call.1 <= task.1 && call.2 == "Transactions", "{trace:#}");
    assert!(events.iter().any(|event| event["cat"] == "call" && event["args"]["logical_id"].is_null()), "{trace:#}");
}

/// Runs a command under a terminal of a size, and gives what its screen shows in the end.
fn screen(story: &Story, arguments: &[&str], variables: &[(&str, &str)], columns: u16, rows: u16) -> (String, Vec<u8>) {
    let script = "
import fcntl, json, os, pty, struct, sys, termios
command, directory, columns, rows, written = sys.argv[1:6]
child, terminal = pty.fork()
if child == 0:
    # The size is there before the first line is drawn.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', int(rows), int(columns), 0, 0))
    os.chdir(directory)
    os.execvp(command, [command] + sys.argv[6:])
with open(written, 'wb') as out:
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        out.write(data)
print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
";
    let command = story.command(arguments);
    let written = story.paystack.path().join("written");
    let mut given = vec![
        command.get_program().to_string_lossy().into_owned(),
        story.paystack.path().to_string_lossy().into_owned(),
        columns.to_string(),
        rows.to_string(),
        written.to_string_lossy().into_owned(),
    ];
    given.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let variables = [&[("TERM", "xterm-256color")], variables].concat();
    let code = story.account.run_python(script, &given, &Value::Null, &variables);
    let bytes = std::fs::read(written).expect("the terminal was written to");
    let mut parser = vt100::Parser::new(rows, columns, 1000);
    parser.process(&bytes);
    let contents = parser.screen().contents();
    assert_eq!(code.trim(), "0", "{contents}");
    (contents, bytes)
}

#[test]
fn a_terminal_shows_the_run_as_it_goes_and_in_the_end_only_what_came_of_it() {
    let story = story();
    let (screen, bytes) = screen(&story, &["apply"], &[], 100, 50);
    for said in ["Transactions: Creation complete after ", "apply is complete: 3 created", "Outputs:"] {
        assert!(screen.contains(said), "`{said}` is not in {screen}");
    }
    let written = String::from_utf8_lossy(&bytes);
    assert!(written.contains(" of 3 done, "), "no bar was drawn: {written}");
    assert!(!screen.contains(" of 3 done, ") && !screen.contains("Orders: Creating..."), "{screen}");
}

#[test]
fn a_narrow_terminal_without_colours_is_drawn_over_too() {
    let story = story();
    let (screen, bytes) = screen(&story, &["apply"], &[("NO_COLOR", "1")], 30, 60);
    let written = String::from_utf8_lossy(&bytes);
    assert!(written.contains(" of 3 done, "), "no bar was drawn: {written}");
    assert!(!screen.contains(" of 3 done, "), "{screen}");
    assert!(!written.contains("\x1b[1m") && !written.contains("\x1b[32m"), "{written}");
}

//! A run, told in each form.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};

use super::live::{Line, Size, lines};
use super::message::Message;
use crate::apply::chronicle::Chronicle;
use crate::apply::durations::Durations;
use crate::apply::{Done, Event, Kind, Outcome, Schedule, Task, TaskId};
use crate::aws::error::{AwsError, ErrorClass};
use crate::identity::LogicalId;
use crate::resource::Attributes;

/// A table and a role, a function after both, and three that come after the function.
fn run() -> Chronicle {
    let mut schedule = Schedule::default();
    let mut add = |logical_id: &str, resource_type: &str, kind: Kind, after: &[usize]| {
        let physical_id = (kind != Kind::Create).then(|| format!("id-of-{logical_id}").into());
        schedule.tasks.push(Task {
            logical_id: logical_id.into(),
            resource_type: resource_type.into(),
            kind,
            step: 0,
            physical_id,
            together: Arc::default(),
        });
        schedule.after.push(after.iter().map(|it| TaskId(*it)).collect::<BTreeSet<_>>());
        schedule.remaining.push(0);
    };
    add("Transactions", "AWS::DynamoDB::Table", Kind::Create, &[]);
    add("WorkerRole", "AWS::IAM::Role", Kind::Create, &[]);
    add("Worker", "AWS::Lambda::Function", Kind::Create, &[0, 1]);
    add("Source", "AWS::Lambda::EventSourceMapping", Kind::Create, &[2]);
    add("Errors", "AWS::CloudWatch::Alarm", Kind::Update, &[2]);
    add("Old", "AWS::SQS::Queue", Kind::Delete, &[3, 4]);
    Chronicle::new(&schedule, &Durations::default(), Duration::ZERO)
}

/// The events that the tests tell, at times in milliseconds.
struct Teller {
    chronicle: Chronicle,
    told: Vec<Message>,
}

impl Teller {
    fn new() -> Self {
        let chronicle = run();
        let told = vec![Message::begun(&chronicle)];
        Self { chronicle, told }
    }

    fn tell(&mut self, at: u64, event: impl FnOnce(TaskId, &Task) -> Event<'_>, id: usize) -> &mut Self {
        let task = self.chronicle.task(TaskId(id)).clone();
        let event = event(TaskId(id), &task);
        self.chronicle.note(&event, Duration::from_millis(at));
        self.told.push(Message::of(&event));
        self
    }

    fn starts(&mut self, at: u64, id: usize) -> &mut Self {
        self.tell(at, |id, task| Event::Started { id, task }, id)
    }

    fn stops(&mut self, at: u64) -> &mut Self {
        let running = self.chronicle.running();
        let running: Vec<Task> = running.iter().map(|(id, _)| self.chronicle.task(*id).clone()).collect();
        let running: Vec<&Task> = running.iter().collect();
        let event = Event::Stopping { running: &running, patience: Duration::from_secs(20) };
        self.chronicle.note(&event, Duration::from_millis(at));
        self.told.push(Message::of(&event));
        self
    }

    fn waits(&mut self, at: u64, id: usize, waiting_for: &str) -> &mut Self {
        let since = Duration::from_millis(at);
        let task = self.chronicle.task(TaskId(id)).clone();
        let operation = "dynamodb.DescribeTable";
        let event = Event::Waits { id: TaskId(id), task: &task, at: since, operation, waiting_for };
        self.chronicle.note(&event, since);
        self.told.push(Message::of(&event));
        self
    }

    fn ends(&mut self, at: u64, id: usize, outcome: &Outcome, milliseconds: u64) -> &mut Self {
        let task = self.chronicle.task(TaskId(id)).clone();
        let event = Event::Finished { id: TaskId(id), task: &task, outcome, milliseconds };
        self.chronicle.note(&event, Duration::from_millis(at));
        self.told.push(Message::of(&event));
        self
    }
}

fn done(id: &str) -> Outcome {
    Outcome::Done(Done::Created { id: id.into(), attributes: Attributes::new() })
}

fn failed() -> Outcome {
    Outcome::Failed(AwsError::new("lambda.CreateFunction", ErrorClass::Denied, "you may not"))
}

fn check(chronicle: &Chronicle, at: u64, columns: usize, rows: usize, expected: Expect) {
    let lines = lines(chronicle, Duration::from_millis(at), Size { columns, rows });
    assert!(lines.len() < rows.max(3), "{lines:#?}");
    assert!(lines.iter().all(|line| line.width() < columns), "{lines:#?}");
    // What all lines begin with would be taken off the expected text.
    expected.assert_eq(&lines.iter().map(|line| format!("|{}\n", line.plain())).collect::<String>());
}

#[test]
fn a_terminal_shows_what_runs_and_under_it_what_waits() {
    let mut teller = Teller::new();
    teller.starts(0, 0).starts(0, 1).waits(300, 0, "the table to be at rest");
    check(
        &teller.chronicle,
        4_200,
        100,
        24,
        expect![[r#"
        | ⠹ Transactions  creating 4s, usually 10s: waiting for the table to be at rest
        |   └─ Worker  usually 5s, also after 1 more
        |      ├─ Source  usually 30s
        |      │  └─ Old  usually 1s, also after 1 more
        |      └─ Errors  usually 1s
        | ⠹ WorkerRole  creating 4s, usually 8s
        | [>                        ] 0 of 6 done, 4s, about 42s left
    "#]],
    );
    teller.ends(6_000, 0, &done("transactions"), 6_000);
    check(
        &teller.chronicle,
        7_000,
        100,
        24,
        expect![[r#"
        | ⠋ WorkerRole  creating 7s, usually 8s
        |   └─ Worker  usually 5s
        |      ├─ Source  usually 30s
        |      │  └─ Old  usually 1s, also after 1 more
        |      └─ Errors  usually 1s
        | [====>                    ] 1 of 6 done, 7s, about 37s left
    "#]],
    );
}

#[test]
fn a_small_terminal_shows_what_runs_before_what_waits() {
    let mut teller = Teller::new();
    teller.starts(0, 0).starts(0, 1).waits(300, 0, "the table to be at rest");
    check(
        &teller.chronicle,
        4_200,
        40,
        24,
        expect![[r#"
        | ⠹ Transactions  creating 4s, usually …
        |   └─ Worker  usually 5s, also after 1…
        |      ├─ Source  usually 30s
        |      │  └─ Old  usually 1s, also afte…
        |      └─ Errors  usually 1s
        | ⠹ WorkerRole  creating 4s, usually 8s
        | 0 of 6 done, 4s, about 42s left
    "#]],
    );
    check(
        &teller.chronicle,
        4_200,
        80,
        6,
        expect![[r#"
        | ⠹ Transactions  creating 4s, usually 10s: waiting for the table to be at rest
        |   └─ Worker  usually 5s, also after 1 more
        | ⠹ WorkerRole  creating 4s, usually 8s
        |   … and 3 more
        | [>                   ] 0 of 6 done, 4s, about 42s left
    "#]],
    );
    check(
        &teller.chronicle,
        4_200,
        20,
        3,
        expect![[r#"
        |   … and 6 more
        | 0 of 6 done, 4s, …
    "#]],
    );
}

#[test]
fn an_interrupted_run_says_what_it_still_waits_for() {
    let mut teller = Teller::new();
    teller.starts(0, 0).starts(0, 1).stops(1_000);
    check(
        &teller.chronicle,
        2_000,
        100,
        24,
        expect![[r#"
        | ⠋ Transactions  creating 2s, usually 10s
        |   └─ Worker  usually 5s, also after 1 more
        |      ├─ Source  usually 30s
        |      │  └─ Old  usually 1s, also after 1 more
        |      └─ Errors  usually 1s
        | ⠋ WorkerRole  creating 2s, usually 8s
        | [>                        ] 0 of 6 done, 2s, stopping: 2 tasks in flight
    "#]],
    );
}

#[test]
fn a_pipe_gets_a_sentence_an_event() {
    let mut teller = Teller::new();
    teller.starts(0, 0).starts(0, 1).waits(300, 0, "the table to be at rest");
    let still = Message::still_runs(&teller.chronicle, TaskId(0), Duration::ZERO, Duration::from_secs(10));
    teller.told.push(still);
    teller.ends(12_000, 0, &done("transactions"), 12_000).ends(12_400, 1, &failed(), 12_400);
    let because_of = LogicalId::from("WorkerRole");
    for id in [2, 3, 4] {
        let task = teller.chronicle.task(TaskId(id)).clone();
        let event = Event::Skipped { id: TaskId(id), task: &task, because_of: &because_of };
        teller.told.push(Message::of(&event));
    }
    teller.starts(12_500, 5).stops(12_600).ends(13_000, 5, &Outcome::Done(Done::Deleted), 500);
    let told = teller.told.iter().filter_map(Message::sentence);
    let told: String = told.map(|line| anstream::adapter::strip_str(&line).to_string() + "\n").collect();
    expect![[r#"
        Transactions: Creating...
        WorkerRole: Creating...
        Transactions: Still creating... [10s elapsed, waiting for the table to be at rest]
        Transactions: Creation complete after 12s [id=transactions]
        WorkerRole: Creation failed after 12s: `lambda.CreateFunction` failed: you may not
        Worker: Not started, because `WorkerRole` failed
        Source: Not started, because `WorkerRole` failed
        Errors: Not started, because `WorkerRole` failed
        Old: Destroying... [id=id-of-Old]

        Stopping: nothing new is started. In flight: destroying Old.
        They are waited for, for 20 s at most; interrupt again to stop at once.

        Old: Destruction complete after 1s
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_program_gets_a_value_an_event() {
    let mut teller = Teller::new();
    teller.starts(0, 0).waits(300, 0, "the table to be at rest").ends(12_000, 0, &done("transactions"), 12_000);
    let told = teller.told.iter().map(|message| serde_json::to_string(message).expect("plain data") + "\n");
    expect![[r#"
        {"type":"begun","tasks":[{"logical_id":"Transactions","resource_type":"AWS::DynamoDB::Table","kind":"create","after":[],"usual":{"milliseconds":10000,"known_from":"table"}},{"logical_id":"WorkerRole","resource_type":"AWS::IAM::Role","kind":"create","after":[],"usual":{"milliseconds":8000,"known_from":"table"}},{"logical_id":"Worker","resource_type":"AWS::Lambda::Function","kind":"create","after":[0,1],"usual":{"milliseconds":5000,"known_from":"table"}},{"logical_id":"Source","resource_type":"AWS::Lambda::EventSourceMapping","kind":"create","after":[2],"usual":{"milliseconds":30000,"known_from":"table"}},{"logical_id":"Errors","resource_type":"AWS::CloudWatch::Alarm","kind":"update","after":[2],"usual":{"milliseconds":500,"known_from":"table"}},{"logical_id":"Old","resource_type":"AWS::SQS::Queue","kind":"delete","after":[3,4],"usual":{"milliseconds":1000,"known_from":"table"}}]}
        {"type":"task_started","logical_id":"Transactions","resource_type":"AWS::DynamoDB::Table","kind":"create","physical_id":null}
        {"type":"task_waits","logical_id":"Transactions","resource_type":"AWS::DynamoDB::Table","kind":"create","operation":"dynamodb.DescribeTable","waiting_for":"the table to be at rest"}
        {"type":"task_done","logical_id":"Transactions","resource_type":"AWS::DynamoDB::Table","kind":"create","physical_id":"transactions","took_milliseconds":12000}
    "#]].assert_eq(&told.collect::<String>());
}

#[test]
fn the_chain_that_determined_the_total_is_told() {
    let mut teller = Teller::new();
    teller.starts(0, 0).starts(0, 1).waits(300, 1, "the role to be known").ends(4_000, 0, &done("transactions"), 4_000);
    teller.ends(8_000, 1, &done("worker-role"), 8_000).starts(10_000, 2).ends(14_500, 2, &done("worker"), 4_500);
    teller.starts(14_500, 4).ends(14_800, 4, &done("errors"), 300);
    let mut text = Vec::new();
    crate::cli::view::timing::timing(&mut text, &teller.chronicle.timing()).expect("memory takes everything");
    let text = String::from_utf8(text).expect("text");
    expect![[r#"

        It took 14.8 s. One after the other, these determined that:
               8.0 s  WorkerRole  creating AWS::IAM::Role, of which 7.7 s waiting for the role to be known
               2.0 s  until there was room (--concurrency)
               4.5 s  Worker      creating AWS::Lambda::Function
              300 ms  Errors      updating AWS::CloudWatch::Alarm
    "#]]
    .assert_eq(&anstream::adapter::strip_str(&text).to_string());
}

#[test]
fn a_line_that_is_cut_ends_in_an_ellipsis_within_its_width() {
    let line: Line = lines(&run(), Duration::ZERO, Size { columns: 9, rows: 9 }).swap_remove(0);
    assert_eq!((line.plain().as_str(), line.width()), ("   Tran…", 8));
}

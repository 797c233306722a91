//! Ctrl-C and SIGTERM at every moment of a run: what was begun is finished and remembered, and the next run goes on.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fault_proxy::{Proxy, Script};
use serde_json::Value;

use crate::harness::{Account, Emulator, Paystack, Ran};

const PROJECT: &str = "
[project]
name = 'orders'
template = 'template.yaml'

[environments.dev]
";

struct Story {
    paystack: Paystack,
    account: Account,
}

/// A run that is still going on, its two outputs as one.
struct Running {
    child: Child,
    lines: Box<dyn Iterator<Item = String>>,
}

impl Story {
    fn begin(template: &str) -> Self {
        let paystack = Paystack::in_empty_directory();
        paystack.write("paystack.toml", PROJECT).write("template.yaml", template);
        Self { paystack, account: Account::fresh() }
    }

    /// So many queues, which one call makes each.
    fn of_queues(count: usize) -> Self {
        let queues: Vec<String> =
            (0..count).map(|index| format!("  Queue{index}: {{Type: AWS::SQS::Queue}}\n")).collect();
        Self::begin(&format!("Resources:\n{}", queues.concat()))
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        self.paystack.run(&self.account, arguments)
    }

    fn start(&self, arguments: &[&str]) -> Running {
        Running::of(self.paystack.command(&self.account, arguments))
    }

    /// Starts it behind a proxy with one fault.
    fn start_with(&self, fault: &str, arguments: &[&str]) -> (Running, Proxy) {
        let faults = vec![fault.parse().expect("a fault")];
        let proxy = self.account.proxy(Script { faults, ..Script::default() });
        (Running::of(self.paystack.command(&self.account.through(&proxy), arguments)), proxy)
    }

    fn queues(&self) -> usize {
        self.account.census().of("queues").as_object().map_or(0, serde_json::Map::len)
    }

    /// How many resources the ledger says that there are.
    fn remembered(&self) -> usize {
        let ledger: Value =
            serde_json::from_str(&self.paystack.read("state/orders-dev.json")).expect("a ledger is JSON");
        let resources = ledger["resources"].as_object().expect("a ledger has resources");
        resources.values().filter(|record| record["physical_id"].is_string()).count()
    }
}

impl Running {
    fn of(mut command: Command) -> Self {
        let (output, end) = std::io::pipe().expect("a pipe can be made");
        command.stdout(end.try_clone().expect("a pipe has two ends")).stderr(end);
        let child = command.spawn().expect("the binary runs");
        Self { child, lines: Box::new(BufReader::new(output).lines().map_while(Result::ok)) }
    }

    /// Waits until a line has this in it.
    #[track_caller]
    fn until(&mut self, text: &str) -> &mut Self {
        let mut before = Vec::new();
        let is_there = self.lines.by_ref().any(|line| {
            before.push(line.clone());
            line.contains(text)
        });
        assert!(is_there, "`{text}` was not said: {before:#?}");
        self
    }

    fn send(&mut self, signal: &str) -> &mut Self {
        send(signal, self.child.id());
        self
    }

    /// All that it still says, until it ends with 130.
    #[track_caller]
    fn ends(mut self) -> String {
        let rest: Vec<String> = self.lines.collect();
        let code = self.child.wait().expect("a child can be waited for").code();
        assert_eq!(code, Some(130), "{rest:#?}");
        rest.join("\n")
    }
}

fn send(signal: &str, process: u32) {
    let sent = Command::new("kill").args([signal, &process.to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

fn is_running(process: u32) -> bool {
    let asked = Command::new("kill").args(["-0", &process.to_string()]).stderr(Stdio::null()).status();
    asked.expect("kill runs").success()
}

#[test]
fn before_anything_is_changed_the_first_signal_is_the_end() {
    // It takes calls and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let endpoint = format!("http://{}", silent.local_addr().expect("it has an address"));
    let paystack = Paystack::in_empty_directory();
    paystack.write("paystack.toml", PROJECT).write("template.yaml", "Resources: {Q: {Type: AWS::SQS::Queue}}");
    for signal in ["-INT", "-TERM"] {
        let mut command = paystack.command_nowhere(&["apply", "--auto-approve"]);
        command.env("AWS_ENDPOINT_URL", &endpoint).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "123456789012").env("AWS_SECRET_ACCESS_KEY", "test");
        let mut running = Running::of(command);
        silent.accept().expect("a call comes");
        let sent = Instant::now();
        running.send(signal);
        let said = running.ends();
        assert!(said.contains("interrupted: nothing was changed"), "{said}");
        assert!(sent.elapsed() < Duration::from_secs(5));
    }
    assert!(!paystack.path().join("state/orders-dev.json").exists());
}

#[test]
fn what_runs_beside_paystack_ends_with_it() {
    let story = Story::begin(
        "Resources: {L: {Type: AWS::Lambda::LayerVersion, Properties: {Content: layer, CompatibleRuntimes: [python3.11]}}}",
    );
    story.paystack.write("layer/requirements.txt", "six==1.17.0 --hash=sha256:aa").write("layer/python/a.py", "");
    story.paystack.write(
        "bin/python3",
        &format!("#!/bin/sh\necho $$ > {}/pid\nexec sleep 300\n", story.paystack.path().display()),
    );
    let python = story.paystack.path().join("bin/python3");
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).expect("it can be made executable");
    let mut command = story.paystack.command(&story.account, &["plan"]);
    let path = format!("{}:/usr/bin:/bin", story.paystack.path().join("bin").display());
    command.env("PATH", path).env("XDG_CACHE_HOME", story.paystack.path().join("cache"));
    let mut running = Running::of(command);
    let noted = story.paystack.path().join("pid");
    let pip = loop {
        match fs::read_to_string(&noted).ok().and_then(|text| text.trim().parse().ok()) {
            Some(pip) => break pip,
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    assert!(is_running(pip));
    running.send("-TERM");
    let said = running.ends();
    assert!(said.contains("interrupted: nothing was changed"), "{said}");
    assert!(!is_running(pip), "pip outlives paystack");
}

#[test]
fn while_a_lock_is_waited_for_the_first_signal_is_the_end() {
    let story = Story::of_queues(1);
    story.paystack.write("state/orders-dev.lock", "");
    let held = fs::File::options().write(true).open(story.paystack.path().join("state/orders-dev.lock"));
    let held = held.expect("the lock is there");
    held.lock().expect("nobody else has it");
    let mut running = story.start(&["apply", "--auto-approve", "--lock-timeout", "60"]);
    running.until("waiting for it...").send("-INT");
    let said = running.ends();
    assert!(said.contains("interrupted: nothing was changed"), "{said}");
    drop(held);
    story.run(&["apply", "--auto-approve"]).exits(0);
}

#[test]
fn at_the_prompt_the_first_signal_is_the_end() {
    let story = Story::of_queues(1);
    // A terminal, for the prompt to appear; what is typed into it is Ctrl-C.
    let script = "import os, pty, sys\n\
                  seen = b''\n\
                  def read(fd):\n    global seen\n    data = os.read(fd, 1024)\n    \
                  was_asked = b'taken for it' in seen\n    seen += data\n    \
                  if b'taken for it' in seen and not was_asked: os.write(fd, b'\\x03')\n    return data\n\
                  sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read)))";
    let paystack = story.paystack.command(&story.account, &["apply"]);
    let mut command = Command::new(&Emulator::shared().python);
    command.current_dir(story.paystack.path()).envs(story.account.variables()).stdin(Stdio::null());
    command.args(["-c", script]).arg(paystack.get_program()).args(paystack.get_args());
    let said = Running::of(command).ends();
    assert!(said.contains("interrupted: nothing was changed"), "{said}");
    assert_eq!(story.queues(), 0);
}

#[test]
fn an_apply_that_is_interrupted_finishes_what_it_began_and_goes_on_the_next_time() {
    for signal in ["-INT", "-TERM"] {
        let story = Story::of_queues(60);
        let mut running = story.start(&["apply", "--auto-approve", "--concurrency", "2"]);
        running.until("Creation complete after").send(signal);
        let said = running.ends();
        assert!(said.contains("The run was interrupted. What was started was finished and is remembered."), "{said}");
        assert!(said.contains("Run `paystack apply` again"), "{said}");
        assert_eq!(story.remembered(), story.queues());
        assert!(story.queues() < 60);
        story.run(&["apply", "--auto-approve"]).exits(0);
        story.run(&["plan", "--detailed-exitcode"]).exits(0);
        assert_eq!(story.queues(), 60);
    }
}

#[test]
fn a_destroy_that_is_interrupted_goes_on_the_next_time() {
    let story = Story::of_queues(40);
    story.run(&["apply", "--auto-approve"]).exits(0);
    let mut running = story.start(&["destroy", "--auto-approve", "--concurrency", "2"]);
    running.until("Destruction complete after").send("-INT");
    let said = running.ends();
    assert!(said.contains("Run `paystack destroy` again"), "{said}");
    let left = story.queues();
    assert!(left > 0 && left == story.remembered(), "{left} left");
    let ran = story.run(&["destroy", "--auto-approve"]).exits(0);
    assert!(ran.stdout.contains("Nothing of the stack `orders-dev` is left."), "{}", ran.stdout);
    story.account.census().assert_empty();
}

#[test]
fn what_is_in_flight_is_named_and_finished() {
    let story = Story::of_queues(10);
    let arguments = ["apply", "--auto-approve", "--concurrency", "2"];
    let (mut running, _proxy) = story.start_with("sqs.CreateQueue:delay=1500", &arguments);
    running.until("Creating...").until("Creating...").send("-TERM");
    let said = running.ends();
    assert!(said.contains("Stopping: nothing new is started. In flight: creating Queue0, creating Queue1."), "{said}");
    assert!(said.contains("waited for, for 20 s at most; interrupt again to stop at once"), "{said}");
    assert!(said.contains("2 created, 0 updated, 0 deleted, 0 failed, 8 not started"), "{said}");
    assert_eq!((story.remembered(), story.queues()), (2, 2));
    story.run(&["apply", "--auto-approve"]).exits(0);
    assert_eq!(story.queues(), 10);
}

#[test]
fn a_second_signal_stops_at_once_and_the_next_run_finds_what_was_made() {
    let story = Story::of_queues(4);
    let (mut running, proxy) = story.start_with("sqs.CreateQueue:delay=5000", &["apply", "--auto-approve"]);
    running.until("Creating...");
    // Until the calls are on their way.
    thread::sleep(Duration::from_secs(1));
    running.send("-INT").until("Stopping").send("-INT");
    let sent = Instant::now();
    let said = running.ends();
    assert!(sent.elapsed() < Duration::from_secs(3), "{:?}", sent.elapsed());
    assert!(said.contains("stopped at once"), "{said}");
    assert!(story.paystack.read("state/orders-dev.json").contains("intended"));
    // While the calls of the first are still on their way.
    story.run(&["apply", "--auto-approve"]).exits(0);
    thread::sleep(Duration::from_secs(6));
    assert_eq!(proxy.log().iter().filter(|line| line.call == "sqs.CreateQueue").count(), 4);
    story.run(&["plan", "--detailed-exitcode"]).exits(0);
    assert_eq!((story.remembered(), story.queues()), (4, 4));
}

#[test]
fn what_does_not_end_is_not_waited_for_without_end() {
    let story = Story::of_queues(1);
    let (mut running, _proxy) = story.start_with("sqs.CreateQueue:delay=50000", &["apply", "--auto-approve"]);
    let sent = Instant::now();
    running.until("Creating...").send("-TERM");
    let said = running.ends();
    assert!(said.contains("not finished: Queue0"), "{said}");
    assert!((20..30).contains(&sent.elapsed().as_secs()), "{:?}", sent.elapsed());
    story.run(&["apply", "--auto-approve"]).exits(0);
    assert_eq!((story.remembered(), story.queues()), (1, 1));
}

#[test]
fn the_last_look_of_a_destroy_can_be_left_out() {
    let story = Story::of_queues(1);
    story.run(&["apply", "--auto-approve"]).exits(0);
    let (mut running, proxy) = story.start_with("tagging.GetResources#2:delay=30000", &["destroy", "--auto-approve"]);
    running.until("Destruction complete after");
    let looks = || proxy.calls();
    let before = looks();
    while looks() == before {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_secs(1));
    running.send("-INT");
    let said = running.ends();
    assert!(said.contains("interrupted: what was done is remembered"), "{said}");
    let ran = story.run(&["destroy", "--auto-approve"]).exits(0);
    assert!(ran.stdout.contains("Nothing of the stack `orders-dev` is left."), "{}", ran.stdout);
    story.account.census().assert_empty();
}

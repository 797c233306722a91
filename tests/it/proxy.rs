//! The fault proxy does what it is for: the other tests believe it.

use std::collections::BTreeSet;

use fault_proxy::fault::Fault;
use fault_proxy::{Proxy, Script};

use crate::harness::{Account, Code, Paystack, Ran, Victim};

const QUEUE: &str = "
Resources:
  Orders: {Type: AWS::SQS::Queue}
";

/// Applies a queue through a proxy with one fault.
fn applied(fault: &str) -> (Ran, Proxy, Account) {
    let (account, paystack, victim) = (Account::fresh(), Paystack::in_empty_directory(), Victim::default());
    paystack.write("queue.yaml", QUEUE);
    let killer = victim.clone();
    let faults: Vec<Fault> =
        fault.split(' ').filter(|it| !it.is_empty()).map(|it| it.parse().expect("a fault")).collect();
    let script = Script { faults, kill: Some(Box::new(move || killer.kill())), ..Script::default() };
    let proxy = account.proxy(script);
    let arguments = ["apply", "--auto-approve", "--format", "json", "--template", "queue.yaml", "--stack", "orders"];
    let ran = paystack.run_victim(paystack.command(&account.through(&proxy), &arguments), &victim);
    (ran, proxy, account)
}

/// How often a call came, and how often an answer to it came through.
fn seen(proxy: &Proxy, call: &str) -> (usize, usize) {
    let log = proxy.log();
    let of: Vec<_> = log.iter().filter(|line| line.call == call).collect();
    (of.len(), of.iter().filter(|line| line.status == Some(200)).count())
}

fn queues(account: &Account) -> usize {
    account.census().counts().get("queues").copied().unwrap_or_default()
}

#[test]
fn without_a_fault_everything_comes_through_and_is_known_by_name() {
    let (ran, proxy, account) = applied("");
    ran.exits(0);
    assert_eq!((seen(&proxy, "sqs.CreateQueue"), queues(&account)), ((1, 1), 1));
    let strange: BTreeSet<_> =
        proxy.log().into_iter().map(|line| line.call).filter(|call| call.contains(' ')).collect();
    assert_eq!(strange, BTreeSet::new());
    assert_eq!(proxy.log().len(), proxy.calls());
}

#[test]
fn a_call_that_is_dropped_throttled_or_failed_comes_again() {
    for fault in ["drop", "throttle", "fail=500", "fail=503"] {
        let (ran, proxy, account) = applied(&format!("sqs.CreateQueue#1:{fault}"));
        ran.exits(0);
        assert_eq!((seen(&proxy, "sqs.CreateQueue"), queues(&account)), ((2, 1), 1), "{fault}");
    }
}

#[test]
fn a_call_whose_answer_is_lost_or_cut_has_been_heard() {
    for fault in ["lose", "cut", "fail-after=503"] {
        let (ran, proxy, account) = applied(&format!("sqs.CreateQueue#1:{fault} sqs.CreateQueue#2:kill-before"));
        assert_eq!(ran.code, Code::Signal, "{fault}: {ran:?}");
        assert_eq!((seen(&proxy, "sqs.CreateQueue").1, queues(&account)), (0, 1), "{fault}");
    }
}

#[test]
fn the_caller_is_killed_before_or_after_the_call_is_heard() {
    for (moment, made) in [("kill-before", 0), ("kill-after", 1)] {
        let (ran, _proxy, account) = applied(&format!("sqs.CreateQueue#1:{moment}"));
        assert_eq!((ran.code, queues(&account)), (Code::Signal, made), "{moment}");
    }
}

#[test]
fn a_call_can_take_longer() {
    let (ran, proxy, _account) = applied("sqs.CreateQueue#1:delay=700");
    ran.exits(0);
    let line = proxy.log().into_iter().find(|line| line.call == "sqs.CreateQueue").expect("it was called");
    assert!(line.to_ms - line.from_ms >= 700, "{line:?}");
}

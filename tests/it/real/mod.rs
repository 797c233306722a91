//! What real AWS does and the emulator does not, played by the fault proxy: paystack waits for it, and ends well.
//!
//! Each test fails where the answer to the behaviour is taken out of its handler: `scripts/answers` takes them out, one at a
//! time, and sees.

mod apigateway;
mod cloudwatch;
mod dynamodb;
mod iam;
mod lambda;
mod lists;
mod logs;
mod payments;
mod sns;
mod sqs;
mod wafv2;

use std::sync::Arc;

use fault_proxy::real::{Pace, named};
use fault_proxy::{Behaviour, Proxy, Script};

use crate::harness::{Account, Code, Paystack, Ran, Victim};

/// A template, in an account where AWS behaves in one way.
struct Scene {
    paystack: Paystack,
    account: Account,
    proxy: Proxy,
    behaviour: Arc<dyn Behaviour>,
    victim: Victim,
}

impl Scene {
    /// `pace` is how fast AWS's time goes by: 0.1 makes ten seconds one.
    fn new(behaviour: &str, pace: f64, template: &str) -> Self {
        Self::with_fault(behaviour, pace, template, "")
    }

    /// The same, where one call has a fault beside.
    fn with_fault(behaviour: &str, pace: f64, template: &str, fault: &str) -> Self {
        let (paystack, account, victim) = (Paystack::in_empty_directory(), Account::fresh(), Victim::default());
        paystack.write("template.yaml", template);
        let behaviour = named(behaviour, Pace(pace)).expect("there is such a behaviour");
        let killer = victim.clone();
        let proxy = account.proxy(Script {
            faults: fault.split_whitespace().map(|fault| fault.parse().expect("a fault")).collect(),
            behaviours: vec![Arc::clone(&behaviour)],
            kill: Some(Box::new(move || killer.kill())),
            ..Script::default()
        });
        Self { paystack, account, proxy, behaviour, victim }
    }

    /// Runs a command through the behaviour.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        let stack = ["--template", "template.yaml", "--stack", "scene"];
        let command = self.paystack.command(&self.account.through(&self.proxy), &[arguments, &stack].concat());
        self.paystack.run_victim(command, &self.victim)
    }

    /// The command ends well, and only when all that it set off has come to its end.
    #[track_caller]
    fn succeeds(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments).exits(0);
        assert_eq!(self.behaviour.unsettled(), [""; 0], "{arguments:?} did not wait");
        ran
    }

    /// The command ends well, though the behaviour has struck meanwhile.
    #[track_caller]
    fn outlasts(&self, arguments: &[&str]) -> Ran {
        let before = self.behaviour.strikes();
        let ran = self.succeeds(arguments);
        assert!(self.behaviour.strikes() > before, "`{}` has not struck", self.behaviour.name());
        ran
    }

    /// The command is killed by the scene's fault.
    #[track_caller]
    fn is_killed(&self, arguments: &[&str]) {
        assert_eq!(self.run(arguments).code, Code::Signal);
    }

    #[track_caller]
    fn is_settled(&self) {
        self.run(&["plan", "--detailed-exitcode"]).exits(0);
    }

    #[track_caller]
    fn leaves_nothing(&self) {
        self.succeeds(&["destroy", "--auto-approve"]);
        self.account.census().assert_empty();
    }

    /// How often paystack made a call, `sqs.CreateQueue`.
    fn calls(&self, name: &str) -> usize {
        self.proxy.log().iter().filter(|line| line.call == name).count()
    }
}

const APPLY: &[&str] = &["apply", "--auto-approve"];
const DESTROY: &[&str] = &["destroy", "--auto-approve"];

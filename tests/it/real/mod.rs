//! What real AWS does and the emulator does not, played by the fault proxy: paystack waits for it, and ends well.
//!
//! Each test fails where the answer to the behaviour is taken out of its handler.

mod lambda;

use std::sync::Arc;

use fault_proxy::real::{Pace, named};
use fault_proxy::{Behaviour, Proxy, Script};

use crate::harness::{Account, Paystack, Ran};

/// A template, in an account where AWS behaves in one way.
struct Scene {
    paystack: Paystack,
    account: Account,
    proxy: Proxy,
    behaviour: Arc<dyn Behaviour>,
}

impl Scene {
    /// `pace` is how fast AWS's time goes by: 0.1 makes ten seconds one.
    fn new(behaviour: &str, pace: f64, template: &str) -> Self {
        let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
        paystack.write("template.yaml", template);
        let behaviour = named(behaviour, Pace(pace)).expect("there is such a behaviour");
        let proxy = account.proxy(Script { behaviours: vec![Arc::clone(&behaviour)], ..Script::default() });
        Self { paystack, account, proxy, behaviour }
    }

    /// Runs a command through the behaviour.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        let stack = ["--template", "template.yaml", "--stack", "scene"];
        self.paystack.run(&self.account.through(&self.proxy), &[arguments, &stack].concat())
    }

    /// The command ends well, though the behaviour has struck meanwhile.
    #[track_caller]
    fn outlasts(&self, arguments: &[&str]) -> Ran {
        let before = self.behaviour.strikes();
        let ran = self.run(arguments).exits(0);
        assert!(self.behaviour.strikes() > before, "`{}` has not struck", self.behaviour.name());
        ran
    }

    #[track_caller]
    fn is_settled(&self) {
        self.run(&["plan", "--detailed-exitcode"]).exits(0);
    }

    #[track_caller]
    fn leaves_nothing(&self) {
        self.run(&["destroy", "--auto-approve"]).exits(0);
        self.account.census().assert_empty();
    }
}

//! The emulator that all tests share, whichever of them comes first.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use std::{env, thread};

use paystack::local::{self, Instance, LocalSettings, Port};

/// Long enough for a test that computes between two calls; short enough to leave nothing behind.
const IDLE: Duration = Duration::from_secs(600);

/// An AWS endpoint for tests, and a Python with boto3 to look at it with.
pub struct Emulator {
    pub endpoint: String,
    pub python: PathBuf,
}

impl Emulator {
    /// Finds the emulator of an earlier test, in whichever process, or starts it. It leaves by itself when nobody calls.
    ///
    /// `PAYSTACK_TEST_ENDPOINT` names another endpoint to run the tests against.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Emulator> = OnceLock::new();
        SHARED.get_or_init(|| {
            let settings =
                LocalSettings::from_variables(|name| env::var_os(name), thread::sleep).expect("a home directory");
            let mut tell = |progress| eprintln!("{progress}");
            let installed = local::install(&settings, &mut tell).unwrap_or_else(|error| panic!("{error}"));
            let endpoint = env::var("PAYSTACK_TEST_ENDPOINT").unwrap_or_else(|_| {
                let instance = Instance { name: "tests", port: Port::Free, idle: Some(IDLE) };
                local::start(&settings, instance, &mut tell).unwrap_or_else(|error| panic!("{error}")).endpoint()
            });
            Self { endpoint, python: installed.python }
        })
    }
}

#[test]
fn the_emulator_answers_as_aws_does() {
    if env::var_os("PAYSTACK_TEST_ENDPOINT").is_some() {
        return;
    }
    let emulator = Emulator::shared();
    let output = Command::new(&emulator.python)
        .args(["-W", "ignore", "-m", "unittest", "test_gaps"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/localstack"))
        .env("PAYSTACK_TEST_ENDPOINT", &emulator.endpoint)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("the emulator's Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

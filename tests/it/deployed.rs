//! The payments system as it runs, on the emulator: what goes through it, what breaks in it, and what must be nowhere in it.

use std::path::Path;
use std::process::Command;

use crate::harness::Emulator;
use crate::smoke::Deployed;

#[test]
fn no_payment_is_lost_or_booked_twice_and_no_card_number_stays_whatever_breaks() {
    let deployed = Deployed::new();
    let output = Command::new(&Emulator::shared().python)
        .args(["-W", "ignore", "-m", "unittest", "--verbose", "test_system"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deployed"))
        .envs(deployed.account.variables())
        .env("PAYMENTS_URL", deployed.url())
        .env("PAYMENTS_KEY", deployed.key())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("the emulator's Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

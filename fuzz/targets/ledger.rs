//! Any text as a ledger.

#![no_main]

use libfuzzer_sys::fuzz_target;
use paystack::identity::StackId;
use paystack::state::Ledger;

fuzz_target!(|text: &str| {
    let stack = StackId::from("payments-dev");
    match Ledger::parse(text, "ledger.json", &stack) {
        Ok(ledger) => {
            let written = serde_json::to_string(&ledger).expect("a ledger is plain data");
            assert_eq!(Ledger::parse(&written, "ledger.json", &stack).expect("what was written can be read"), ledger);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

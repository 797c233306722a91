//! Any text as a kept plan: read, held against itself, and shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use paystack::plan::saved::SavedPlan;

fuzz_target!(|text: &str| {
    if let Ok(saved) = SavedPlan::parse(text) {
        saved.compare(&saved.plan);
        saved.plan.shown().legible();
        let written = serde_json::to_string(&saved).expect("a plan is plain data");
        SavedPlan::parse(&written).expect("what was written can be read");
    }
});

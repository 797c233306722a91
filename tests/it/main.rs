//! The integration tests: one binary, against an emulator (or any endpoint in `PAYSTACK_TEST_ENDPOINT`).

mod conformance;
mod harness;
mod payments;
mod types;

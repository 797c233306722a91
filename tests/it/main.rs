//! The integration tests: one binary, against an emulator (or any endpoint in `PAYSTACK_TEST_ENDPOINT`).

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run programs on this machine")]
#![expect(clippy::print_stderr, reason = "the first test tells how far the emulator's installation is")]

mod adoption;
mod assemblies;
mod budget;
mod conformance;
mod crash;
mod deployed;
mod docs;
mod evidence;
mod harness;
mod interrupts;
mod kinds;
mod migration;
mod mistakes;
mod mutants;
mod neighbours;
mod network;
mod operating;
mod payments;
mod permissions;
mod plans;
mod policies;
mod proxy;
mod rates;
mod real;
mod retries;
mod runs;
mod served;
mod smoke;
mod sources;
mod state;
mod tampering;
mod types;
mod views;
mod walks;
mod watching;
mod wild;

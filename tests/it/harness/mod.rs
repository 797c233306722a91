//! What integration tests stand on: an emulator, an account of their own in it, and the binary as a user runs it.

pub mod account;
pub mod binary;
pub mod emulator;

pub use account::Account;
pub use binary::{AS_BEFORE, Code, Paystack, Ran, Victim};
pub use emulator::Emulator;

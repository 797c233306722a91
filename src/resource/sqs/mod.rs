//! Amazon SQS.

pub mod queue;

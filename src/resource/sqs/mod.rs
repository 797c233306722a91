//! Amazon SQS.

pub mod queue;
pub mod queue_policy;

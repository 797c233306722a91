//! Every resource type through the shared conformance test.

mod cloudwatch;
mod logs;
mod sns;
mod sqs;

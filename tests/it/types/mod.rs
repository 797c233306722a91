//! Every resource type through the shared conformance test.

mod cloudwatch;
mod sns;
mod sqs;

//! Every resource type through the shared conformance test.

mod sns;
mod sqs;

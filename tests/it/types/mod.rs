//! Every resource type through the shared conformance test.

mod iam;
mod sqs;

//! Every resource type through the shared conformance test.

mod lambda;
mod sqs;

//! Every resource type through the shared conformance test.

mod sqs;
mod wafv2;

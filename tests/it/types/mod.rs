//! Every resource type through the shared conformance test.

mod dynamodb;
mod iam;
mod sqs;

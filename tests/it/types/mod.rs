//! Every resource type through the shared conformance test.

mod apigateway;
mod sqs;

//! Every resource type through the shared conformance test.

mod apigateway;
mod apigateway_delivery;
mod sqs;

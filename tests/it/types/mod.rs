//! Every resource type through the shared conformance test.

mod apigateway;
mod apigateway_delivery;
mod lambda;
mod sqs;
mod wafv2;

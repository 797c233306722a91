//! Every resource type through the shared conformance test.

mod apigateway;
mod apigateway_delivery;
mod cloudwatch;
mod lambda;
mod logs;
mod sns;
mod sqs;
mod wafv2;

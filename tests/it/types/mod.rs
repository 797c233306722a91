//! Every resource type through the shared conformance test.

mod apigateway;
mod apigateway_around;
mod apigateway_delivery;
mod cloudwatch;
mod dynamodb;
mod iam;
mod lambda;
mod lambda_releases;
mod logs;
mod sns;
mod sqs;
mod wafv2;

//! `AWS::ApiGateway`: REST APIs, what is inside of them, and what the account says of them.

pub mod patch;
pub mod rest_api;

//! `AWS::ApiGateway`: REST APIs, what is inside of them, and what the account says of them.

pub mod api_key;
pub mod deployment;
pub mod method_setting;
pub mod patch;
pub mod rest_api;
pub mod stage;
mod unnamed;
pub mod usage_plan;
pub mod usage_plan_key;

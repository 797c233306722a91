//! AWS Lambda.

pub mod alias;
pub mod code_signing_config;
mod description;
pub mod event_invoke_config;
pub mod event_source_mapping;
pub mod function;
mod function_name;
pub mod layer_version;
pub mod layer_version_permission;
mod passing;
pub mod permission;
mod provisioned_concurrency;
mod statement;
mod tagging;
mod upload;
pub mod url;
pub mod version;

//! AWS Lambda.

pub mod event_source_mapping;
pub mod function;
mod function_name;
pub mod layer_version;
mod passing;
pub mod permission;
mod tagging;
mod upload;

//! paystack plans and applies CloudFormation templates straight against live AWS. See ARCHITECTURE.md for the map.

pub mod aws;
pub mod change;
pub mod check;
pub mod desired;
pub mod diagnostic;
pub mod graph;
pub mod identity;
pub mod package;
pub mod project;
pub mod property_path;
pub mod resource;
pub mod template;
pub mod unknown;

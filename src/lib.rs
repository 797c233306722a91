//! paystack plans and applies CloudFormation templates straight against live AWS. See ARCHITECTURE.md for the map.

pub mod apply;
pub mod assembly;
pub mod aws;
pub mod budget;
pub mod capacity;
pub mod check;
pub mod children;
pub mod cli;
pub mod deployer;
pub mod desired;
pub mod evidence;
#[cfg(test)]
pub(crate) mod fake;
pub mod grants;
pub mod interrupt;
pub mod inventory;
pub mod local;
pub mod losses;
pub mod migrate;
pub mod package;
pub mod plan;
pub mod policy;
pub mod project;
mod pythons;
pub mod resolved;
pub mod resource;
pub mod sam;
pub mod served;
pub mod smoke;
pub mod state;
pub mod text_file;
pub mod unsupported;
pub mod visible;

pub(crate) use paystack_template::digest;
pub use paystack_template::{self as template, change, diagnostic, graph, identity, property_path, unknown};

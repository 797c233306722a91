//! paystack plans and applies CloudFormation templates straight against live AWS. See ARCHITECTURE.md for the map.

pub mod apply;
pub mod aws;
pub mod capacity;
pub mod change;
pub mod check;
pub mod children;
pub mod cli;
pub mod deployer;
pub mod desired;
pub mod diagnostic;
pub mod evidence;
#[cfg(test)]
pub(crate) mod fake;
pub mod grants;
pub mod graph;
pub mod identity;
pub mod interrupt;
pub mod inventory;
pub mod local;
pub mod losses;
pub mod package;
pub mod plan;
pub mod policy;
pub mod project;
pub mod property_path;
mod pythons;
pub mod resolved;
pub mod resource;
pub mod served;
pub mod smoke;
pub mod state;
pub mod template;
pub mod text_file;
pub mod unknown;
pub mod visible;

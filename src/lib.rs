//! paystack plans and applies CloudFormation templates straight against live AWS. See ARCHITECTURE.md for the map.

pub mod identity;
pub mod unknown;

//! Amazon DynamoDB.

mod besides;
pub mod global_table;
mod shape;
mod steps;
pub mod table;

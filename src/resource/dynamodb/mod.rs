//! Amazon DynamoDB.

mod besides;
mod shape;
mod steps;
pub mod table;

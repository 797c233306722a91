//! The table of resource types, in order of name. A new type is its file, one line here, its facts and its tests.

use std::marker::PhantomData;
use std::sync::OnceLock;

use crate::identity::ResourceType;
use crate::resource::facts::Facts;
use crate::resource::{Erased, Handler, Resource, dynamodb, iam, sqs};

/// A resource type: what is known of it, and who handles it.
pub struct Row {
    pub handler: &'static dyn Resource,
    json: &'static str,
    facts: OnceLock<Facts>,
}

impl Row {
    /// CloudFormation's facts of the type, parsed when they are first asked for.
    pub fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| Facts::parse(self.json).expect("the facts in the tree parse: a test reads them all"))
    }
}

impl<H: Handler> Erased<H> {
    const HANDLER: &'static dyn Resource = &Self(PhantomData);
}

const fn handled<H: Handler>(facts: &'static str) -> Row {
    Row { handler: Erased::<H>::HANDLER, json: facts, facts: OnceLock::new() }
}

/// A static array of as many rows as there are.
macro_rules! table {
    ($($row:expr),* $(,)?) => {
        /// Every type that paystack handles.
        pub static TYPES: [Row; [$(stringify!($row)),*].len()] = [$($row),*];
    };
}

table![
    handled::<dynamodb::table::DynamoDbTable>(include_str!("facts/aws-dynamodb-table.json")),
    handled::<iam::managed_policy::IamManagedPolicy>(include_str!("facts/aws-iam-managedpolicy.json")),
    handled::<iam::policy::IamPolicy>(include_str!("facts/aws-iam-policy.json")),
    handled::<iam::role::IamRole>(include_str!("facts/aws-iam-role.json")),
    handled::<sqs::queue::SqsQueue>(include_str!("facts/aws-sqs-queue.json")),
];

/// The row of a type, if paystack handles it.
pub fn row(resource_type: &ResourceType) -> Option<&'static Row> {
    TYPES.iter().find(|row| row.handler.resource_type() == resource_type.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_facts_of_its_own_and_they_stand_in_order() {
        for row in &TYPES {
            assert_eq!(row.facts().type_name(), row.handler.resource_type());
        }
        let names: Vec<&str> = TYPES.iter().map(|row| row.handler.resource_type()).collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
    }
}

//! The names of things: what a template, a stack and a service call a resource.
//!
//! Knows nothing of templates, AWS or files.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use foldhash::fast::FixedState;
use indexmap::{Equivalent, IndexMap, IndexSet};
use serde::{Deserialize, Serialize};

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Copies share their text: a plan names everything many times over.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }
    };
}

name_type! {
    /// A resource's name in the template.
    LogicalId
}
name_type! {
    /// One project in one environment in one account and region: `<name>-<EnvironmentSuffix>`, what `AWS::StackName` gives.
    StackId
}
name_type! {
    /// A CloudFormation type, `AWS::SQS::Queue`.
    ResourceType
}
name_type! {
    /// What the service knows a resource by: CloudFormation's primary identifier, its parts joined by `|` where it has several
    /// (`RestApiId|ResourceId`). What `Ref` gives is the attribute [`REF`], which for most types is the same text.
    PhysicalId
}

/// By resource, in the order of the template. A template of thousands is looked up in tens of thousands of times: the hasher is
/// a fast one. It has no seed of its own, so that nothing here depends on more than it is given: who writes names that collide waits
/// for them himself.
pub type ByResource<V> = IndexMap<LogicalId, V, FixedState>;
/// By a name, in no order.
pub type ByName<K, V> = HashMap<K, V, FixedState>;
/// Resources, in the order of the template.
pub(crate) type Resources = IndexSet<LogicalId, FixedState>;

/// A text that may be a resource's name: it is looked for as it stands.
#[derive(Hash)]
pub(crate) struct Written<'a>(pub(crate) &'a str);

impl Equivalent<LogicalId> for Written<'_> {
    fn equivalent(&self, id: &LogicalId) -> bool {
        self.0 == id.as_str()
    }
}

/// The attribute under which what `Ref` gives is kept beside what `Fn::GetAtt` gives.
pub const REF: &str = "Ref";

impl PhysicalId {
    /// Joins the parts of a primary identifier.
    pub fn join<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(parts.into_iter().collect::<Vec<_>>().join("|"))
    }

    /// The parts of an identifier that names any number of things.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        self.0.split('|').filter(|part| !part.is_empty())
    }

    /// The `N` parts of a primary identifier, or `None` where it has another number of parts.
    pub fn parts<const N: usize>(&self) -> Option<[&str; N]> {
        self.0.split('|').collect::<Vec<_>>().try_into().ok()
    }
}

impl ResourceType {
    /// `SQS` of `AWS::SQS::Queue`.
    pub fn service(&self) -> &str {
        self.0.split("::").nth(1).unwrap_or(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_physical_id_of_several_parts_comes_apart_again() {
        let id = PhysicalId::join(["api1", "res2"]);
        assert_eq!(id.as_str(), "api1|res2");
        assert_eq!(id.parts::<2>(), Some(["api1", "res2"]));
        assert_eq!(id.parts::<3>(), None);
        assert_eq!(id.each().collect::<Vec<_>>(), ["api1", "res2"]);
        assert_eq!(PhysicalId::join([]).each().count(), 0);
    }
}

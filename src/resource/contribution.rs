//! What resources show that others have put into them. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::aws::Scope;
use crate::identity::PhysicalId;

/// Something that one resource puts into another, where reading the other shows it: an inline policy in a role, a role on a
/// managed policy. There it is no drift.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The other's type.
    pub resource_type: &'static str,
    /// The other's identifier.
    pub id: PhysicalId,
    /// The list among the contributor's own properties that names the other.
    pub through: &'static str,
    /// The list among the other's properties that shows the item.
    pub property: &'static str,
    /// The item. An object stands for every item that has its fields.
    pub item: Value,
}

impl Contribution {
    /// Takes the item out of the other's live properties, unless the other declares it as well.
    pub(super) fn take_from(&self, live: &mut Value, wanted: &Value) {
        let is_declared = wanted[self.property].as_array().is_some_and(|items| items.iter().any(|it| self.is(it)));
        if !is_declared && let Some(items) = live.get_mut(self.property).and_then(Value::as_array_mut) {
            items.retain(|item| !self.is(item));
        }
    }

    /// Takes the other's name out of what the contributor shows, as it will be when the other is gone.
    pub fn take_back(&self, contributor: &mut Value) {
        if let Some(names) = contributor.get_mut(self.through).and_then(Value::as_array_mut) {
            names.retain(|name| name.as_str() != Some(self.id.as_str()));
        }
    }

    fn is(&self, item: &Value) -> bool {
        match &self.item {
            Value::Object(fields) => fields.iter().all(|(key, value)| item.get(key) == Some(value)),
            value => value == item,
        }
    }
}

/// Tells what a resource with these properties puts into others.
pub type Contribute<P> = fn(&Scope, &P) -> Vec<Contribution>;

/// Contributions by what they are put into.
#[derive(Debug, Default)]
pub struct Contributions(BTreeMap<(&'static str, PhysicalId), Vec<Contribution>>);

impl Contributions {
    /// What is put into the resource of this type and identifier.
    pub fn within(&self, resource_type: &'static str, id: &PhysicalId) -> &[Contribution] {
        self.0.get(&(resource_type, id.clone())).map_or(&[], Vec::as_slice)
    }
}

impl FromIterator<Contribution> for Contributions {
    fn from_iter<I: IntoIterator<Item = Contribution>>(contributions: I) -> Self {
        let mut all = Self::default();
        for contribution in contributions {
            all.0.entry((contribution.resource_type, contribution.id.clone())).or_default().push(contribution);
        }
        all
    }
}

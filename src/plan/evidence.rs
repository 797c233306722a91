//! Whether what the ledger says of a resource can be believed. The ledger is a file that anybody may have written: alone it is
//! no reason to change or delete anything. What AWS itself says counts: the resource's own mark, or what it is a part of.
//! Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::desired::{FIFO, generated_name};
use crate::identity::{LogicalId, PhysicalId, StackId};
use crate::inventory::Inventory;
use crate::resource::{LiveResource, Owner, Ownership, Reading, Row};

/// What names the resources that carry a stack's mark: identifiers, ARNs, whatever else `Ref` and `Fn::GetAtt` give.
#[derive(Debug, Clone, Default)]
pub struct Marked(BTreeSet<String>);

impl Marked {
    /// Of all that an inventory has found.
    pub fn of(inventory: &Inventory, stack: &StackId) -> Self {
        let departed = inventory.departed.iter().map(|departed| &departed.reading);
        let mut marked = Self::default();
        inventory.readings.values().chain(departed).for_each(|reading| marked.learn(reading, stack));
        marked
    }

    /// Learns the names of a resource, if it is the stack's.
    pub fn learn(&mut self, reading: &Reading, stack: &StackId) {
        let Reading::Live(live) = reading else { return };
        if matches!(&live.ownership, Ownership::Owned(owner) if &owner.stack == stack) {
            self.0.insert(live.id.to_string());
            self.0.extend(live.attributes.values().filter_map(Value::as_str).map(str::to_owned));
        }
    }

    /// Whether something that cannot carry a mark is, by its own properties in AWS, a part of what does.
    pub fn vouches_for(&self, row: &Row, live: &LiveResource) -> bool {
        let (parts, found_by) = (row.handler.part_of(), row.handler.found_by());
        let names_owner = |name: &&&str| parts.contains(*name) || is_arn(&live.properties[**name]);
        let named: Vec<&str> = parts.iter().chain(found_by).filter(names_owner).copied().collect();
        match named.as_slice() {
            // Of something that is found by nothing, and so is the only one of its kind, every property counts.
            [] if found_by.is_empty() => {
                live.properties.as_object().is_some_and(|all| all.values().any(|it| self.names(it)))
            }
            named => named.iter().any(|name| self.names(&live.properties[*name])),
        }
    }

    fn names(&self, value: &Value) -> bool {
        match value {
            // An ARN names its whole on the way: `…:/restapis/ID/stages/NAME`.
            Value::String(text) if text.starts_with("arn:") => {
                self.0.contains(text) || text.split([':', '/']).any(|segment| self.0.contains(segment))
            }
            Value::String(text) => self.0.contains(text),
            Value::Array(items) => items.iter().any(|item| self.names(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        }
    }
}

fn is_arn(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("arn:"))
}

/// Whether its name is one that paystack has made: of the stack's name, the logical id and a digest of both.
pub fn has_generated_name(row: &Row, live: &LiveResource, owner: &Owner) -> bool {
    row.handler.generated_name().is_some_and(|name| {
        let made = |suffix| generated_name(owner, name.longest, name.case, suffix);
        live.properties[name.property].as_str().is_some_and(|given| given == made("") || given == made(FIFO))
    })
}

/// Whether a part of its identifier is a name that paystack has made for another stack.
pub fn is_named_for_another(row: &Row, id: &PhysicalId, stack: &StackId) -> bool {
    let Some(generated) = row.handler.generated_name() else { return false };
    id.as_str().split('|').any(|name| {
        // A logical id has no `-` in it. A name that had to be cut tells nobody's.
        let Some((readable, _digest)) = name.rsplit_once('-') else { return false };
        let Some((its_stack, resource)) = readable.rsplit_once('-') else { return false };
        let owner = Owner { stack: StackId::from(its_stack), resource: LogicalId::from(resource) };
        owner.stack != *stack && generated_name(&owner, generated.longest, generated.case, "") == name
    })
}

/// Whether a live resource has the name that the template gives: then it is what the template means, whoever remembers it.
pub fn is_named_as(row: &Row, live: &LiveResource, wanted: &Value) -> bool {
    let generated = row.handler.generated_name().map(|name| name.property);
    let mut names = row.handler.found_by().iter().copied().chain(generated).peekable();
    names.peek().is_some() && names.all(|name| live.properties.get(name) == wanted.get(name))
}

/// Whether what was found under a remembered identifier is the template's resource, as far as AWS says.
pub fn is_credible(
    row: &Row,
    live: &LiveResource,
    wanted: &Value,
    stack: &StackId,
    logical_id: &LogicalId,
    marked: &Marked,
) -> bool {
    match &live.ownership {
        Ownership::Owned(owner) => &owner.stack == stack && &owner.resource == logical_id,
        Ownership::Unmarked => is_named_as(row, live, wanted),
        Ownership::Unmarkable => {
            is_named_as(row, live, wanted) || is_part_of_the_same(row, live, wanted) || marked.vouches_for(row, live)
        }
    }
}

/// Whether it is a part of what the template's resource is a part of.
fn is_part_of_the_same(row: &Row, live: &LiveResource, wanted: &Value) -> bool {
    let parts = row.handler.part_of();
    !parts.is_empty() && parts.iter().all(|name| live.properties.get(name) == wanted.get(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::row;

    #[test]
    fn a_name_that_was_made_for_another_stack_is_that_ones_and_any_other_is_nobodys() {
        let filter = row(&"AWS::Logs::MetricFilter".into()).expect("it is handled");
        let owner = Owner { stack: StackId::from("shop-dev"), resource: LogicalId::from("Errors") };
        let longest = filter.handler.generated_name().expect("it has one").longest;
        let name = generated_name(&owner, longest, crate::resource::Case::Any, "");
        let is_anothers = |name: &str, stack: &str| {
            is_named_for_another(filter, &PhysicalId::from(format!("orders|{name}")), &StackId::from(stack))
        };
        assert!(is_anothers(&name, "shop-prod"));
        assert!(!is_anothers(&name, "shop-dev"));
        assert!(!is_anothers("shop-dev-Errors-00000000", "shop-prod"), "its digest is another one");
        assert!(!is_anothers("errors", "shop-prod"));
    }
}

//! The three-way comparison of every resource: desired, live, and applied last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::change::Changes;
use crate::desired::{Desired, of_type};
use crate::identity::{LogicalId, StackId};
use crate::inventory::{Departed, Gone, Inventory, belongs_to};
use crate::plan::evidence::{Marked, has_generated_name, is_named_as};
use crate::plan::holds::held;
use crate::plan::{
    Action, Cause, Explained, ForcedBy, Known, Missing, Options, Order, Plan, Sides, Step, explain, follows, target,
};
use crate::property_path::PropertyPath;
use crate::resource::{Contribution, Contributions, LiveResource, Owner, Ownership, Reading, Row, row};
use crate::state::{Ledger, Record};

/// Plans the way from what is there to what is wanted.
pub fn diff(desired: &Desired, inventory: &Inventory, ledger: &Ledger, options: &Options) -> Plan {
    let mut planner = Planner {
        desired,
        inventory,
        ledger,
        options,
        contributions: contributions(desired, inventory),
        marked: Marked::of(inventory, &desired.stack),
        known: Known::default(),
        replaced: BTreeMap::new(),
    };
    let mut steps: Vec<Step> = desired.in_order().into_iter().map(|id| planner.declared(id)).collect();
    steps.extend(inventory.departed.iter().filter_map(|departed| planner.departed(departed)));
    follows::explain(&mut steps, &planner.known);
    let held = held(&steps, ledger);
    steps.iter_mut().zip(held).for_each(|(step, held)| step.holds = held);
    let problems = inventory.problems.iter().map(ToString::to_string).collect();
    let (steps, left_out) = target::only(steps, &options.targets);
    let remarks = super::Remarks::default();
    Plan { stack: desired.stack.clone(), scope: desired.scope.clone(), steps, left_out, problems, remarks }
}

/// What the stack's resources put into each other, those that go included.
pub(super) fn contributions(desired: &Desired, inventory: &Inventory) -> Contributions {
    let known = |id: &LogicalId, name: &str| match inventory.readings.get(id) {
        Some(Reading::Live(live)) => live.attributes.get(name).cloned(),
        _ => None,
    };
    let declared = desired.graph.resources.keys().filter_map(|id| {
        let contributes = desired.row(id)?.handler.contributes();
        contributes.then(|| desired.contributions(id, &known))
    });
    let departed = inventory.departed.iter().filter_map(|departed| match &departed.reading {
        Reading::Live(live) => {
            Some(row(&departed.resource_type)?.handler.contributions(&desired.scope, &live.properties))
        }
        Reading::Absent | Reading::Unreadable(_) => None,
    });
    declared.chain(departed).flatten().collect()
}

struct Planner<'a> {
    desired: &'a Desired,
    inventory: &'a Inventory,
    ledger: &'a Ledger,
    options: &'a Options,
    contributions: Contributions,
    marked: Marked,
    /// The attributes that are known of the resources planned so far.
    known: Known,
    replaced: BTreeMap<LogicalId, Order>,
}

impl Planner<'_> {
    fn declared(&mut self, logical_id: LogicalId) -> Step {
        let resource_type =
            self.desired.graph.resources.get(&logical_id).map_or_else(|| "".into(), |it| it.resource_type.clone());
        let known = |id: &LogicalId, name: &str| self.known.get(id)?.get(name).cloned();
        let properties = self.desired.properties(&logical_id, &known);
        let reading = self.inventory.readings.get(&logical_id);
        let live = match (reading, &properties) {
            (Some(Reading::Live(live)), Ok(wanted)) => Some(self.comparable(&logical_id, live, wanted)),
            (Some(Reading::Live(live)), Err(_)) => Some(live.clone()),
            _ => None,
        };
        let (desired, action) = match (properties, self.desired.row(&logical_id), reading) {
            (Err(error), _, _) => (None, blocked(error)),
            (Ok(_), None, _) => (None, blocked(format!("`{resource_type}` is not handled"))),
            (Ok(_), Some(_), Some(Reading::Unreadable(error))) => {
                let help = error.way_out();
                (None, Action::Blocked { reason: error.to_string(), help })
            }
            (Ok(properties), Some(_), None | Some(Reading::Absent)) => {
                let action = Action::Create { why: self.missing(&logical_id, resource_type.as_str()) };
                (Some(properties), action)
            }
            (Ok(properties), Some(row), Some(Reading::Live(read))) => {
                let action = self.compare(&logical_id, row, live.as_ref().unwrap_or(read), &properties);
                (Some(properties), action)
            }
        };
        self.learn(&logical_id, &action, live.as_ref(), desired.as_deref());
        Step {
            dependencies: self.desired.dependencies.of(&logical_id).cloned().collect(),
            secret: self.desired.secret_properties(&logical_id),
            physical_id: live.as_ref().map(|live| live.id.clone()),
            desired,
            live,
            ..Step::new(logical_id, resource_type, action)
        }
    }

    /// The live resource without what others of the stack put into it, in the words of what is wanted.
    fn comparable(&self, logical_id: &LogicalId, live: &LiveResource, wanted: &Value) -> LiveResource {
        let Some(row) = self.desired.row(logical_id) else { return live.clone() };
        let mut properties = comparable(row, live, wanted, &self.contributions);
        self.lost(row, wanted).for_each(|lost| lost.take_back(&mut properties));
        let LiveResource { id, attributes, ownership, properties: _ } = live;
        LiveResource { properties, id: id.clone(), attributes: attributes.clone(), ownership: ownership.clone() }
    }

    /// What this resource has put into others that are deleted before they are made again: it is lost with them, and has to be
    /// put there again.
    fn lost(&self, row: &Row, wanted: &Value) -> impl Iterator<Item = Contribution> {
        let deleted_first = self.replaced.iter().filter(|(_, order)| **order == Order::DeleteFirst).map(|(id, _)| id);
        let deleted_first: Vec<&LogicalId> = deleted_first.collect();
        let put = match deleted_first.is_empty() {
            true => Vec::new(),
            false => row.handler.contributions(&self.desired.scope, wanted),
        };
        let goes_first = move |it: &Contribution| {
            deleted_first.iter().any(|id| self.is_live_as(id, it.resource_type, it.id.as_str()))
        };
        put.into_iter().filter(goes_first)
    }

    fn is_live_as(&self, logical_id: &LogicalId, resource_type: &str, id: &str) -> bool {
        let resource = self.desired.graph.resources.get(logical_id);
        let live = self.inventory.readings.get(logical_id);
        resource.is_some_and(|it| it.resource_type.as_str() == resource_type)
            && matches!(live, Some(Reading::Live(live)) if live.id.as_str() == id)
    }

    /// What is remembered of a resource; what its logical id stood for under another type is another resource.
    fn record(&self, logical_id: &LogicalId, resource_type: &str) -> Option<&Record> {
        self.ledger.resources.get(logical_id).filter(|record| record.resource_type.as_str() == resource_type)
    }

    fn missing(&self, logical_id: &LogicalId, resource_type: &str) -> Missing {
        match self.record(logical_id, resource_type).and_then(|record| record.physical_id.as_ref()) {
            Some(_) => Missing::DeletedOutside,
            None => Missing::New,
        }
    }

    fn compare(&mut self, logical_id: &LogicalId, row: &Row, live: &LiveResource, desired: &Value) -> Action {
        let is_ours = self.is_ours(logical_id, row, live, desired);
        let adopts = self.options.adopt.contains(logical_id) || self.was_made_by_lambda(row, live);
        if let Some(refused) = self.foreign(logical_id, live, is_ours, adopts) {
            return refused;
        }
        let changes = self.readable_changes(logical_id, row, live, desired);
        let replaced_by = if changes.is_empty() { None } else { row.handler.replaced_by(&live.properties, desired) };
        let is_fixed = |path: &PropertyPath| replaced_by.is_some_and(|fixed| path.property() == Some(fixed));
        let mut forced_by: Vec<ForcedBy> = changes
            .iter()
            .filter(|change| replaces(row, &change.path) || is_fixed(&change.path))
            .map(|change| ForcedBy::Property { path: change.path.clone() })
            .collect();
        forced_by.extend(self.replaced_parents(logical_id, row).map(|logical_id| ForcedBy::Parent { logical_id }));
        if self.options.replace.contains(logical_id) {
            forced_by.push(ForcedBy::Request);
        }
        // A replacement deletes: what has lost its mark is not deleted.
        if !belongs_to(&live.ownership, &self.desired.stack)
            && let Some(forced) = forced_by.first()
        {
            return not_adoptable(live, forced);
        }
        if !forced_by.is_empty() {
            let order = order(row, &changes, &forced_by);
            return Action::Replace { changes, forced_by, order };
        }
        match (is_ours, changes.is_empty()) {
            (false, _) => Action::Adopt { changes },
            (true, true) => Action::None,
            (true, false) => Action::Update { changes },
        }
    }

    /// The mark may have been removed by hand from what the ledger remembers, where it is what the template names.
    fn is_ours(&self, logical_id: &LogicalId, row: &Row, live: &LiveResource, wanted: &Value) -> bool {
        let is_it = |record: &Record| record.physical_id.as_ref() == Some(&live.id);
        let is_remembered = || self.record(logical_id, row.handler.resource_type()).is_some_and(is_it);
        belongs_to(&live.ownership, &self.desired.stack)
            || live.ownership == Ownership::Unmarked && is_remembered() && is_named_as(row, live, wanted)
    }

    /// A function that runs before its log group is there, or once more after it has gone, gets one from Lambda, without a
    /// tag. Nobody else has made it: where the function is this stack's, so is the log group ("Real AWS behaviour", 9.1).
    fn was_made_by_lambda(&self, row: &Row, live: &LiveResource) -> bool {
        let is_bare =
            live.ownership == Ownership::Unmarked && live.properties["Tags"].as_array().is_some_and(Vec::is_empty);
        let function = live.id.as_str().strip_prefix("/aws/lambda/");
        row.handler.resource_type() == "AWS::Logs::LogGroup"
            && is_bare
            && function.is_some_and(|name| self.has_function(name))
    }

    /// Whether this stack has, will have or had a function of this name.
    fn has_function(&self, name: &str) -> bool {
        const FUNCTION: &str = "AWS::Lambda::Function";
        let is_it = |logical_id: &LogicalId, reading: Option<&Reading>| match reading {
            Some(Reading::Live(live)) => live.id.as_str() == name && belongs_to(&live.ownership, &self.desired.stack),
            Some(Reading::Unreadable(_)) => false,
            Some(Reading::Absent) | None => self.will_be_named(logical_id, name),
        };
        let mut declared = of_type(&self.desired.graph, FUNCTION);
        let mut departed = self.inventory.departed.iter().filter(|it| it.resource_type.as_str() == FUNCTION);
        declared.any(|it| is_it(&it.logical_id, self.inventory.readings.get(&it.logical_id)))
            || departed.any(|it| is_it(&it.logical_id, Some(&it.reading)))
    }

    fn will_be_named(&self, function: &LogicalId, name: &str) -> bool {
        let known = |id: &LogicalId, name: &str| self.known.get(id)?.get(name).cloned();
        self.desired.properties(function, &known).is_ok_and(|properties| properties["FunctionName"] == name)
    }

    fn foreign(&self, logical_id: &LogicalId, live: &LiveResource, is_ours: bool, adopts: bool) -> Option<Action> {
        let id = &live.id;
        match &live.ownership {
            Ownership::Owned(owner) if owner.stack != self.desired.stack => Some(Action::Blocked {
                reason: format!("`{id}` belongs to the stack `{}` (as `{}`)", owner.stack, owner.resource),
                help: Some("give this resource another name, or destroy it in the other stack first".to_owned()),
            }),
            Ownership::Unmarked if !is_ours && !adopts => Some(Action::Blocked {
                reason: format!("`{id}` exists and was not made by paystack"),
                help: Some(format!("take it over with `--adopt {logical_id}`, or give this resource another name")),
            }),
            _ => None,
        }
    }

    /// What differs, without what the service never shows again; of that, what was applied last is believed.
    fn readable_changes(
        &self,
        logical_id: &LogicalId,
        row: &Row,
        live: &LiveResource,
        wanted: &Value,
    ) -> Vec<Explained> {
        let changes = Changes::between(&live.properties, wanted);
        if changes.is_empty() {
            return Vec::new();
        }
        let record = self.record(logical_id, row.handler.resource_type());
        let applied = record.and_then(|record| record.applied.as_ref());
        let secret = self.desired.secret_properties(logical_id);
        let [live, desired] = [&live.properties, wanted].map(|side| self.ledger.without_secrets(side, &secret));
        let sides = applied.map(|applied| Sides { live: &live, desired: &desired, applied, secret: &secret });
        let is_news = |change: &Explained| {
            if change.live.is_some() || !row.facts().is_write_only(&change.path) {
                return true;
            }
            sides.as_ref().is_some_and(|sides| sides.cause(&change.path) != Cause::Drift)
        };
        let mut changes: Vec<Explained> = explain(changes, sides.as_ref()).into_iter().filter(is_news).collect();
        let lost: BTreeSet<&str> = self.lost(row, wanted).map(|lost| lost.through).collect();
        for change in changes.iter_mut().filter(|it| matches!(it.cause, Cause::Drift | Cause::Unrecorded)) {
            if change.path.property().is_some_and(|property| lost.contains(property)) {
                change.cause = Cause::Replacement;
            }
        }
        changes
    }

    /// The resources that this one is a part of and that are replaced under the same name: it goes with them.
    fn replaced_parents(&self, logical_id: &LogicalId, row: &Row) -> impl Iterator<Item = LogicalId> {
        let resource = self.desired.graph.resources.get(logical_id);
        let parts = row.handler.part_of();
        let parents: BTreeSet<LogicalId> = parts
            .iter()
            .filter_map(|property| resource?.properties.at(&[(*property).into()]))
            .flat_map(|expr| expr.references())
            .map(|reference| reference.resource)
            .filter(|parent| self.replaced.get(parent) == Some(&Order::DeleteFirst))
            .collect();
        parents.into_iter()
    }

    /// What dependents may rely on: what stays the same for what stays, what follows from names for what is made.
    fn learn(&mut self, id: &LogicalId, action: &Action, live: Option<&LiveResource>, desired: Option<&Value>) {
        let predicted = || desired.map(|desired| self.desired.predict(id, desired)).unwrap_or_default();
        let attributes = match action {
            Action::Create { .. } => predicted(),
            Action::Replace { order, .. } => {
                self.replaced.insert(id.clone(), *order);
                predicted()
            }
            Action::Update { changes } => {
                let unsettles = self.desired.row(id).map(|row| row.handler.unsettles()).unwrap_or_default();
                let changed = |property: &str| changes.iter().any(|change| change.path.property() == Some(property));
                let unsettled = |name: &str| unsettles.iter().any(|(property, it)| *it == name && changed(property));
                let attributes = live.map(|live| live.attributes.clone()).unwrap_or_default();
                Arc::new(attributes.into_iter().filter(|(name, _)| !unsettled(name)).collect())
            }
            _ => live.map(|live| Arc::new(live.attributes.clone())).unwrap_or_default(),
        };
        self.known.insert(id.clone(), attributes);
    }

    fn departed(&self, departed: &Departed) -> Option<Step> {
        let (action, live) = match &departed.reading {
            Reading::Absent if self.is_in_ledger(departed) => (Action::Forget, None),
            Reading::Absent => return None,
            Reading::Unreadable(error) => {
                let help = error.way_out();
                (Action::Blocked { reason: error.to_string(), help }, None)
            }
            Reading::Live(live) => (self.deletion(departed, live)?, Some(live.clone())),
        };
        Some(Step {
            physical_id: live.as_ref().map(|live| live.id.clone()).or_else(|| departed.physical_id.clone()),
            live,
            dependencies: departed.dependencies.clone(),
            goes_last: departed.goes_last,
            secret: row(&departed.resource_type)
                .map(|row| row.handler.secrets().iter().map(|it| (*it).to_owned()).collect())
                .unwrap_or_default(),
            ..Step::new(departed.logical_id.clone(), departed.resource_type.clone(), action)
        })
    }

    fn is_in_ledger(&self, departed: &Departed) -> bool {
        let is_it = |record: &Record| match &departed.physical_id {
            Some(id) => record.physical_id.as_ref() == Some(id) || record.deposed.contains(id),
            None => record.physical_id.is_some(),
        };
        self.record(&departed.logical_id, departed.resource_type.as_str()).is_some_and(is_it)
    }

    /// Somebody else's resource is none of ours to delete, and none to mention unless the ledger takes it for ours.
    fn deletion(&self, departed: &Departed, live: &LiveResource) -> Option<Action> {
        let is_vouched_for = || {
            let owner = Owner { stack: self.desired.stack.clone(), resource: departed.logical_id.clone() };
            row(&departed.resource_type)
                .is_some_and(|row| self.marked.vouches_for(row, live) || has_generated_name(row, live, &owner))
        };
        let may_go = match (&live.ownership, departed.why) {
            (_, Gone::MadeByAws) => true,
            (Ownership::Owned(owner), _) => owner.stack == self.desired.stack,
            (Ownership::Unmarked, _) => false,
            // The template has named it, or it was found within what is the stack's.
            (Ownership::Unmarkable, Gone::Destroyed | Gone::Unclaimed) => true,
            (Ownership::Unmarkable, Gone::NotInTemplate | Gone::Replaced | Gone::OtherType) => is_vouched_for(),
        };
        if may_go {
            return Some(Action::Delete { why: departed.why });
        }
        let is_it =
            |record: &Record| record.physical_id.as_ref() == Some(&live.id) || record.deposed.contains(&live.id);
        let is_remembered = self.record(&departed.logical_id, departed.resource_type.as_str()).is_some_and(is_it);
        if !is_remembered || matches!(live.ownership, Ownership::Owned(_)) {
            return None;
        }
        if self.options.delete_unmarked.contains(&departed.logical_id) {
            return Some(Action::Delete { why: departed.why });
        }
        Some(Action::Blocked {
            reason: format!("only the ledger says that `{}` is this stack's: nothing in AWS does", live.id),
            help: Some(unvouched(departed, live, &self.desired.stack)),
        })
    }
}

/// The live properties without what others of the stack put into them, in the words of what is wanted.
pub(super) fn comparable(row: &Row, live: &LiveResource, wanted: &Value, contributions: &Contributions) -> Value {
    let contributed = contributions.within(row.handler.resource_type(), &live.id);
    row.handler.comparable(&live.properties, wanted, contributed)
}

/// Taking over must not mean deleting what somebody else made.
fn not_adoptable(live: &LiveResource, forced: &ForcedBy) -> Action {
    let because = match forced {
        ForcedBy::Property { path } => format!("`{path}` differs and cannot be changed in place"),
        ForcedBy::Parent { logical_id } => format!("`{logical_id}`, which it is a part of, is replaced"),
        ForcedBy::Request => "its replacement is asked for".to_owned(),
    };
    Action::Blocked {
        reason: format!("`{}` cannot be taken over as it is declared: {because}", live.id),
        help: Some("declare it as it is, take it over, and change it then".to_owned()),
    }
}

/// What to do about something that only the ledger takes for the stack's.
fn unvouched(departed: &Departed, live: &LiveResource, stack: &StackId) -> String {
    let logical_id = &departed.logical_id;
    let delete = format!("`--delete-unmarked {logical_id}` deletes it");
    let forget = format!("if it is not, `paystack state forget {logical_id}` leaves it alone");
    match (&live.ownership, departed.why) {
        (Ownership::Unmarked, Gone::Destroyed) => {
            format!("if it is, `paystack apply` marks it again, and {delete}; {forget}")
        }
        (Ownership::Unmarked, _) => format!(
            "if it is, tag it again with `paystack:stack` = `{stack}` and `paystack:resource` = `{logical_id}`, or {delete}; \
             {forget}"
        ),
        (Ownership::Unmarkable | Ownership::Owned(_), _) => format!("if it is, {delete}; {forget}"),
    }
}

fn blocked(reason: String) -> Action {
    Action::Blocked { reason, help: None }
}

fn replaces(row: &Row, path: &PropertyPath) -> bool {
    let also = path.property().is_some_and(|property| row.handler.also_create_only().contains(&property));
    also || row.facts().is_create_only(path) || row.facts().is_conditionally_create_only(path)
}

/// Two of one name cannot be: then the old one goes first. Where the name changes, or names mean nothing, the new one comes
/// first, so that what depends on it is never without.
fn order(row: &Row, changes: &[Explained], forced_by: &[ForcedBy]) -> Order {
    if forced_by.iter().any(|forced| matches!(forced, ForcedBy::Parent { .. })) {
        return Order::DeleteFirst;
    }
    let is_renamed = changes
        .iter()
        .any(|change| change.path.property().is_some_and(|property| row.handler.found_by().contains(&property)));
    if is_renamed || !row.handler.is_unique() { Order::CreateFirst } else { Order::DeleteFirst }
}

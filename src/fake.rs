//! An AWS in memory, for tests: the same resource types, found and named as their handlers do it, without a single call.
//!
//! It keeps what is created, invents the ids that AWS invents, refuses a second one of a name and the deletion of what is
//! still in use, lets parts go with their whole, records every call, and fails at the call it is told to fail at. It knows
//! nothing of plans and ledgers; [`line`] leads from a template through all of paystack to it and back.

pub mod line;
pub mod mangled;
mod naming;
pub mod worlds;

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::mem;
use std::sync::{Mutex, MutexGuard};
use std::task::Poll;

use futures::future::BoxFuture;
use naming::{Naming, names};
use serde_json::Value;

use crate::apply::{Done, Work, Writer};
use crate::aws::Scope;
use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::survey::Expected;
use crate::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use crate::inventory::{Identity, Reader, Stray};
use crate::property_path::PropertyPath;
use crate::resource::{Attributes, Contents, LiveResource, Owner, Ownership, Reading, Row, row, tags};

/// Account, region and partition of every test.
pub fn scope() -> Scope {
    Scope { account_id: "123456789012".into(), region: "us-east-1".into(), partition: "aws".into() }
}

/// What happens at one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The service says no.
    Refused,
    /// It is done, and nobody hears of it.
    AnswerLost,
    /// paystack is killed before the service hears of it.
    CrashBefore,
    /// paystack is killed when it is done.
    CrashAfter,
}

impl Trouble {
    pub const ALL: [Self; 4] = [Self::Refused, Self::AnswerLost, Self::CrashBefore, Self::CrashAfter];
}

/// One call that changes something, in the order in which they took effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Create(ResourceType, LogicalId),
    Update(ResourceType, PhysicalId),
    Delete(ResourceType, PhysicalId),
}

/// What exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    pub properties: Value,
    pub attributes: Attributes,
    pub ownership: Ownership,
    /// Every text by which others refer to it.
    names: BTreeSet<String>,
    /// Counts the creations: the greatest is the newest.
    age: u64,
}

type Key = (ResourceType, PhysicalId);

#[derive(Default)]
struct World {
    things: BTreeMap<Key, Thing>,
    /// What was once there: whoever still refers to it is refused.
    gone: BTreeSet<String>,
    calls: Vec<Call>,
    created: u64,
    trouble: Option<(usize, Trouble)>,
    is_crashed: bool,
    unreadable: BTreeSet<ResourceType>,
    /// What the resources of a type hold.
    contents: BTreeMap<ResourceType, Contents>,
    /// Where the sequence of delays stands.
    dice: u64,
}

/// An account in one region.
#[derive(Default)]
pub struct FakeAws {
    world: Mutex<World>,
}

impl FakeAws {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test goes on after a panic under this lock")
    }

    /// Lets the n-th call from now on (the first is 0) go wrong, and only that.
    pub fn fail_at(&self, nth: usize, trouble: Trouble) {
        let mut world = self.world();
        let from_now = world.calls.len() + nth;
        world.trouble = Some((from_now, trouble));
    }

    /// All goes well from now on.
    pub fn recover(&self) {
        let mut world = self.world();
        world.trouble = None;
        world.is_crashed = false;
    }

    /// Lets calls take their time, differently for every seed, so that what runs at the same time ends in another order.
    pub fn shuffle(&self, seed: u64) {
        self.world().dice = seed;
    }

    /// Takes away the right to look at a type.
    pub fn forbid(&self, resource_type: &str) {
        self.world().unreadable.insert(resource_type.into());
    }

    /// Fills every resource of a type.
    pub fn fill(&self, resource_type: &str, contents: Contents) {
        self.world().contents.insert(resource_type.into(), contents);
    }

    pub fn is_crashed(&self) -> bool {
        self.world().is_crashed
    }

    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// What exists, as `type id`.
    pub fn things(&self) -> Vec<String> {
        self.world().things.keys().map(|(resource_type, id)| format!("{resource_type} {id}")).collect()
    }

    /// What exists, with its properties.
    pub fn properties(&self) -> BTreeMap<(ResourceType, PhysicalId), Value> {
        self.world().things.iter().map(|(key, thing)| (key.clone(), thing.properties.clone())).collect()
    }

    /// Removes what no search finds: it has no marks, and is not listed within what has. Whoever loses the ledger and then
    /// takes such a resource out of the template has to remove it by hand.
    pub fn tidy_up(&self, is_wanted: impl Fn(&ResourceType, &PhysicalId) -> bool) {
        let is_found = |key: &Key, thing: &Thing| {
            let is_marked = matches!(thing.ownership, Ownership::Owned(_)) && key.0.as_str() != PERMISSION;
            is_marked || row_of(&key.0).handler.within().is_some()
        };
        self.world().things.retain(|key, thing| is_found(key, thing) || is_wanted(&key.0, &key.1));
    }

    /// How many things carry the same owner's marks.
    pub fn copies(&self) -> BTreeMap<String, usize> {
        let mut copies = BTreeMap::new();
        for ((resource_type, _), thing) in &self.world().things {
            if let Ownership::Owned(owner) = &thing.ownership {
                *copies.entry(format!("{} ({resource_type})", owner.resource)).or_insert(0) += 1;
            }
        }
        copies
    }

    /// Changes something behind paystack's back.
    pub fn meddle(&self, resource_type: &str, change: impl Fn(&mut Value)) {
        let mut world = self.world();
        for ((of, _), thing) in &mut world.things {
            if of.as_str() == resource_type {
                change(&mut thing.properties);
                thing.ownership = ownership(row_of(of), of, &thing.properties, None);
            }
        }
    }

    /// Deletes something behind paystack's back, and what is a part of it.
    pub fn lose(&self, resource_type: &str) {
        let mut world = self.world();
        let of_type = world.things.keys().filter(|(of, _)| of.as_str() == resource_type);
        for key in of_type.cloned().collect::<Vec<_>>() {
            world.remove(&key);
        }
    }

    /// Deletes one thing or another behind paystack's back.
    pub fn lose_some(&self, dice: usize) {
        let mut world = self.world();
        let nth = dice % world.things.len().max(1);
        if let Some(key) = world.things.keys().nth(nth).cloned().filter(|key| world.holder(key).is_none()) {
            world.remove(&key);
        }
    }

    /// Puts something there that nobody's marks are on.
    pub fn plant(&self, resource_type: &str, properties: Value) {
        let nobody = Owner { stack: StackId::from("nobody"), resource: LogicalId::from("Nothing") };
        let resource_type = ResourceType::from(resource_type);
        let canonical = row_of(&resource_type).handler.canonical(&properties).expect("a test's properties fit");
        let mut world = self.world();
        let (key, mut thing) = world.make(&nobody, &resource_type, canonical);
        if matches!(&thing.ownership, Ownership::Owned(owner) if owner == &nobody) {
            thing.ownership = Ownership::Unmarked;
        }
        world.things.insert(key, thing);
    }

    /// A call takes a while; in a crash it stays without an answer.
    async fn pass_time(&self) {
        let turns = self.world().roll();
        for _ in 0..turns {
            let mut is_first = true;
            poll_fn(|cx| {
                if std::mem::take(&mut is_first) {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(())
            })
            .await;
        }
        if self.is_crashed() {
            std::future::pending::<()>().await;
        }
    }

    /// The trouble that the call which takes effect now is in.
    fn trouble(&self, work: &Work) -> Option<Trouble> {
        let mut world = self.world();
        let nth = world.calls.len();
        world.calls.push(call_of(work));
        let (at, trouble) = world.trouble?;
        (at == nth).then_some(trouble)
    }

    async fn crash(&self) -> ! {
        self.world().is_crashed = true;
        std::future::pending().await
    }
}

impl Reader for FakeAws {
    fn survey(&self, _: Expected) -> Box<dyn Reader + '_> {
        Box::new(self)
    }

    fn read<'a>(&'a self, what: &'a Identity) -> BoxFuture<'a, Reading> {
        Box::pin(async move {
            let world = self.world();
            if world.unreadable.contains(&what.resource_type) {
                return Reading::Unreadable(AwsError::new("fake.Read", ErrorClass::Denied, "you may not look at this"));
            }
            let remembered = what.physical_id.as_ref().and_then(|id| world.get(&what.resource_type, id));
            let found = || world.find(&what.owner, &what.resource_type, what.wanted.as_ref()?);
            remembered.or_else(found).map_or(Reading::Absent, Reading::Live)
        })
    }

    fn sweep<'a>(&'a self, stack: &'a StackId) -> BoxFuture<'a, Result<Vec<Stray>, AwsError>> {
        Box::pin(async move {
            let world = self.world();
            let marked = world.things.iter().filter_map(|((resource_type, physical_id), thing)| {
                let Ownership::Owned(owner) = &thing.ownership else { return None };
                let is_swept = &owner.stack == stack && resource_type.as_str() != PERMISSION;
                is_swept.then(|| Stray {
                    owner: owner.clone(),
                    resource_type: resource_type.clone(),
                    physical_id: physical_id.clone(),
                })
            });
            Ok(marked.collect())
        })
    }

    fn parts<'a>(
        &'a self,
        whole: &'a ResourceType,
        id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Vec<(ResourceType, PhysicalId)>, AwsError>> {
        Box::pin(async move {
            let world = self.world();
            let Some(thing) = world.things.get(&(whole.clone(), id.clone())) else { return Ok(Vec::new()) };
            let is_within = |(key, part): &(&Key, &Thing)| {
                row_of(&key.0).handler.within() == Some(whole.as_str()) && is_part(&key.0, part, whole, thing)
            };
            Ok(world.things.iter().filter(is_within).map(|(key, _)| key.clone()).collect())
        })
    }

    fn contents<'a>(
        &'a self,
        resource_type: &'a ResourceType,
        _id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Option<Contents>, AwsError>> {
        Box::pin(async move {
            let world = self.world();
            if world.unreadable.contains(resource_type) {
                return Err(AwsError::new("fake.Count", ErrorClass::Denied, "you may not look into this"));
            }
            Ok(world.contents.get(resource_type).cloned())
        })
    }
}

impl Writer for FakeAws {
    fn run<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Result<Done, AwsError>> {
        Box::pin(async move {
            self.pass_time().await;
            let trouble = self.trouble(work);
            match trouble {
                Some(Trouble::Refused) => return Err(refused(ErrorClass::Service, "the service is not well")),
                Some(Trouble::CrashBefore) => self.crash().await,
                Some(Trouble::AnswerLost | Trouble::CrashAfter) | None => {}
            }
            let done = self.world().run(work);
            match trouble {
                Some(Trouble::AnswerLost) => return Err(refused(ErrorClass::Unreachable, "no answer came")),
                Some(Trouble::CrashAfter) => self.crash().await,
                _ => self.pass_time().await,
            }
            done
        })
    }
}

fn call_of(work: &Work) -> Call {
    match work {
        Work::Create { owner, resource_type, .. } => Call::Create(resource_type.clone(), owner.resource.clone()),
        Work::Update { resource_type, id, .. } => Call::Update(resource_type.clone(), id.clone()),
        Work::Delete { resource_type, id, .. } => Call::Delete(resource_type.clone(), id.clone()),
    }
}

const ASSOCIATION: &str = "AWS::WAFv2::WebACLAssociation";
const PERMISSION: &str = "AWS::Lambda::Permission";

/// The types that carry a mark elsewhere than in `Tags`, where an update can write it.
const MARKED_BY_UPDATES: [&str; 3] =
    ["AWS::ApiGateway::Deployment", "AWS::IAM::ManagedPolicy", "AWS::Logs::QueryDefinition"];

/// The types whose mark is made with them.
const MARKED_FOR_LIFE: [&str; 2] = ["AWS::Lambda::LayerVersion", PERMISSION];

/// How a handler looks for what it does not know the id of.
enum Search {
    /// By its name, or by its place in something else: whoever made it.
    Named(&'static [&'static str]),
    /// By its owner's marks, among those that agree in these properties.
    Owned(&'static [&'static str]),
}

fn search(resource_type: &ResourceType) -> Search {
    match resource_type.as_str() {
        "AWS::ApiGateway::ApiKey" => Search::Owned(&["Name"]),
        "AWS::ApiGateway::Deployment" => Search::Owned(&["RestApiId"]),
        "AWS::ApiGateway::Resource" => Search::Named(&["RestApiId", "ParentId", "PathPart"]),
        "AWS::ApiGateway::RestApi" | "AWS::ApiGateway::UsagePlan" => Search::Owned(&[]),
        "AWS::Lambda::LayerVersion" => Search::Owned(&["LayerName"]),
        PERMISSION => Search::Owned(&["FunctionName"]),
        _ => Search::Named(row_of(resource_type).handler.found_by()),
    }
}

/// Whose a thing says it is. Types that have no tags keep the mark in a description or an id, or nowhere.
fn ownership(row: &Row, resource_type: &ResourceType, properties: &Value, creator: Option<&Owner>) -> Ownership {
    if row.facts().tag_property().is_some() {
        return tags::owner_in(properties).map_or(Ownership::Unmarked, Ownership::Owned);
    }
    let is_markable =
        MARKED_BY_UPDATES.contains(&resource_type.as_str()) || MARKED_FOR_LIFE.contains(&resource_type.as_str());
    match creator {
        Some(owner) if is_markable => Ownership::Owned(owner.clone()),
        None if is_markable => Ownership::Unmarked,
        _ => Ownership::Unmarkable,
    }
}

/// A value of one resource that names another.
#[derive(Clone)]
struct Reference<'a> {
    /// The types of which one has to be there.
    to: &'static [&'static str],
    text: &'a str,
    /// Whether AWS refuses to delete what is named.
    holds: bool,
}

/// What a resource needs beside what it is a part of. Texts that never named anything here are somebody else's.
fn references<'a>(resource_type: &ResourceType, properties: &'a Value) -> Vec<Reference<'a>> {
    let texts = |pointer: &str| -> Vec<&'a str> { properties.pointer(pointer).map(strings).unwrap_or_default() };
    let all = |to: &'static [&'static str], pointer: &str, holds: bool| -> Vec<Reference<'a>> {
        texts(pointer).into_iter().map(|text| Reference { to, text, holds }).collect()
    };
    match resource_type.as_str() {
        "AWS::SQS::Queue" => all(&["AWS::SQS::Queue"], "/RedrivePolicy/deadLetterTargetArn", false),
        "AWS::Lambda::Function" => [
            all(&["AWS::IAM::Role"], "/Role", false),
            all(&["AWS::Lambda::LayerVersion"], "/Layers", false),
            all(&["AWS::SQS::Queue", "AWS::SNS::Topic"], "/DeadLetterConfig/TargetArn", false),
        ]
        .concat(),
        "AWS::Lambda::EventSourceMapping" => [
            all(&["AWS::Lambda::Function"], "/FunctionName", false),
            all(&["AWS::SQS::Queue", "AWS::DynamoDB::Table"], "/EventSourceArn", false),
        ]
        .concat(),
        "AWS::ApiGateway::Stage" => all(&["AWS::ApiGateway::Deployment"], "/DeploymentId", true),
        "AWS::ApiGateway::Method" => [
            all(&["AWS::ApiGateway::RequestValidator"], "/RequestValidatorId", true),
            all(&["AWS::ApiGateway::Model"], "/RequestModels", true),
        ]
        .concat(),
        "AWS::ApiGateway::Account" => all(&["AWS::IAM::Role"], "/CloudWatchRoleArn", false),
        ASSOCIATION => all(&["AWS::WAFv2::WebACL"], "/WebACLArn", true),
        "AWS::WAFv2::WebACL" => all(&["AWS::WAFv2::IPSet"], "/Rules", true),
        "AWS::IAM::Role" => all(&["AWS::IAM::ManagedPolicy"], "/ManagedPolicyArns", false),
        _ => Vec::new(),
    }
}

impl World {
    fn get(&self, resource_type: &ResourceType, id: &PhysicalId) -> Option<LiveResource> {
        let thing = self.things.get(&(resource_type.clone(), id.clone()))?;
        Some(LiveResource {
            id: id.clone(),
            properties: thing.properties.clone(),
            attributes: thing.attributes.clone(),
            ownership: thing.ownership.clone(),
        })
    }

    fn find(&self, owner: &Owner, resource_type: &ResourceType, wanted: &Value) -> Option<LiveResource> {
        let found_by = row_of(resource_type).handler.found_by();
        if found_by.iter().any(|name| wanted.get(name).is_some_and(crate::unknown::is_within)) {
            return None;
        }
        let id = self.search(owner, resource_type, wanted)?;
        self.get(resource_type, &id)
    }

    fn search(&self, owner: &Owner, resource_type: &ResourceType, wanted: &Value) -> Option<PhysicalId> {
        let is_owned = |thing: &Thing| matches!(&thing.ownership, Ownership::Owned(it) if it == owner);
        let agrees =
            |thing: &Thing, names: &[&str]| names.iter().all(|name| thing.properties.get(name) == wanted.get(name));
        let of_type = || {
            let things = self.things.iter().filter(|((of, _), _)| of == resource_type);
            things.map(|((_, id), thing)| (id, thing))
        };
        let found = match search(resource_type) {
            Search::Named(names) => of_type().find(|(_, thing)| agrees(thing, names)),
            Search::Owned(names) => of_type()
                .filter(|(_, thing)| is_owned(thing) && agrees(thing, names))
                .max_by_key(|(_, thing)| (agrees(thing, &["ContentDigest"]), thing.age)),
        };
        // A mapping whose function the template has changed is known by its source and its marks.
        let of_changed_function = || {
            let is_mapping = resource_type.as_str() == "AWS::Lambda::EventSourceMapping";
            of_type().find(|(_, thing)| is_mapping && is_owned(thing) && agrees(thing, &["EventSourceArn"]))
        };
        found.or_else(of_changed_function).map(|(id, _)| id.clone())
    }

    fn run(&mut self, work: &Work) -> Result<Done, AwsError> {
        match work {
            Work::Create { owner, resource_type, wanted, .. } => self.create(owner, resource_type, wanted),
            Work::Update { owner, resource_type, id, wanted, changes } => {
                self.check_references(resource_type, wanted)?;
                let key = (resource_type.clone(), id.clone());
                let thing = self.things.get_mut(&key).ok_or_else(|| refused(ErrorClass::NotFound, id.as_str()))?;
                for (name, value) in wanted.as_object().into_iter().flatten() {
                    if changes.touch(name) {
                        thing.properties[name] = value.clone();
                    }
                }
                if let Some(live) = thing.properties.as_object_mut() {
                    live.retain(|name, _| wanted.get(name).is_some() || !changes.touch(name));
                }
                if row_of(resource_type).facts().tag_property().is_some() {
                    thing.ownership = ownership(row_of(resource_type), resource_type, &thing.properties, None);
                } else if MARKED_BY_UPDATES.contains(&resource_type.as_str()) {
                    thing.ownership = Ownership::Owned(owner.clone());
                }
                Ok(Done::Updated { id: id.clone(), attributes: thing.attributes.clone() })
            }
            Work::Delete { resource_type, id, .. } => {
                let key = (resource_type.clone(), id.clone());
                if let Some(holder) = self.holder(&key) {
                    return Err(refused(ErrorClass::Conflict, &format!("`{id}` is in use by `{holder}`")));
                }
                self.remove(&key);
                Ok(Done::Deleted)
            }
        }
    }

    fn create(&mut self, owner: &Owner, resource_type: &ResourceType, wanted: &Value) -> Result<Done, AwsError> {
        self.check_references(resource_type, wanted)?;
        let is_unique = row_of(resource_type).handler.is_unique();
        let existing = self.search(owner, resource_type, wanted).map(|id| (resource_type.clone(), id));
        let existing = existing.filter(|key| is_unique || &self.things[key].properties == wanted);
        if let Some(key) = existing {
            let thing = self.things.get_mut(&key).expect("it was found just now");
            match &thing.ownership {
                Ownership::Owned(it) if it == owner => {}
                Ownership::Unmarkable => {}
                _ => return Err(refused(ErrorClass::AlreadyExists, &format!("`{}` exists", key.1))),
            }
            thing.complete(resource_type, wanted.clone());
            return Ok(Done::Created { id: key.1, attributes: thing.attributes.clone() });
        }
        let (key, thing) = self.make(owner, resource_type, wanted.clone());
        if resource_type.as_str() == ASSOCIATION {
            // A resource has one web ACL: another takes the place of the first.
            let is_same = |other: &Thing| other.properties["ResourceArn"] == wanted["ResourceArn"];
            self.things.retain(|(of, _), other| of.as_str() != ASSOCIATION || !is_same(other));
        }
        let done = Done::Created { id: key.1.clone(), attributes: thing.attributes.clone() };
        self.things.insert(key, thing);
        Ok(done)
    }

    fn make(&mut self, owner: &Owner, resource_type: &ResourceType, properties: Value) -> (Key, Thing) {
        self.created += 1;
        let row = row_of(resource_type);
        let naming = Naming { row, owner, properties: &properties, number: self.created };
        let (id, attributes) = naming.identify();
        let names = names(resource_type, &id, &attributes);
        self.gone.retain(|name| !names.contains(name));
        let ownership = ownership(row, resource_type, &properties, Some(owner));
        let thing = Thing { properties, attributes, ownership, names, age: self.created };
        ((resource_type.clone(), id), thing)
    }

    /// What has to be there before something can refer to it.
    fn check_references(&self, resource_type: &ResourceType, wanted: &Value) -> Result<(), AwsError> {
        let parts = row_of(resource_type).handler.part_of().iter();
        let wholes = parts.filter_map(|name| wanted.get(name)).flat_map(strings);
        for whole in wholes {
            if !self.is_named(whole, |_| true) {
                return Err(refused(ErrorClass::NotFound, &format!("`{whole}` does not exist")));
            }
        }
        for Reference { to, text, .. } in references(resource_type, wanted) {
            let is_there = self.is_named(text, |it| to.contains(&it.as_str()));
            if !is_there && self.gone.contains(text) {
                return Err(refused(ErrorClass::Invalid, &format!("`{text}` does not exist any more")));
            }
        }
        Ok(())
    }

    fn is_named(&self, text: &str, of: impl Fn(&ResourceType) -> bool) -> bool {
        let of_type = self.things.iter().filter(|((resource_type, _), _)| of(resource_type));
        of_type.into_iter().any(|(_, thing)| thing.is_called(text))
    }

    /// What AWS would not let a thing be deleted from under.
    fn holder(&self, key: &Key) -> Option<PhysicalId> {
        let thing = self.things.get(key)?;
        let holds = |holder: &&Key, other: &Thing| {
            *holder != key
                && references(&holder.0, &other.properties).iter().any(|reference| {
                    reference.holds && reference.to.contains(&key.0.as_str()) && thing.is_called(reference.text)
                })
        };
        self.things.iter().find(|(holder, other)| holds(holder, other)).map(|(holder, _)| holder.1.clone())
    }

    /// Removes a thing, and what is a part of it.
    fn remove(&mut self, key: &Key) {
        let Some(thing) = self.things.remove(key) else { return };
        self.gone.extend(thing.names.iter().cloned());
        let parts =
            self.things.iter().filter(|((of, _), part)| is_part(of, part, &key.0, &thing)).map(|(key, _)| key.clone());
        for part in parts.collect::<Vec<_>>() {
            self.remove(&part);
        }
    }

    /// The next delay, in turns.
    fn roll(&mut self) -> u64 {
        if self.dice == 0 {
            return 0;
        }
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) | 1;
        (self.dice >> 33) % 4
    }
}

impl Thing {
    /// Brings what is left of an earlier create to what is wanted now, but for what only a create can set.
    fn complete(&mut self, resource_type: &ResourceType, wanted: Value) {
        let facts = row_of(resource_type).facts();
        let is_fixed = |name: &str| facts.is_create_only(&PropertyPath::of(name));
        let made = mem::replace(&mut self.properties, wanted);
        if let (Value::Object(properties), Value::Object(mut made)) = (&mut self.properties, made) {
            made.retain(|name, _| is_fixed(name));
            properties.retain(|name, _| !is_fixed(name));
            properties.extend(made);
        }
    }

    fn is_called(&self, text: &str) -> bool {
        self.names.contains(text)
    }
}

/// Whether something goes when another goes. What is listed within something is a part of it too.
fn is_part(of: &ResourceType, part: &Thing, whole_type: &ResourceType, whole: &Thing) -> bool {
    let handler = row_of(of).handler;
    let is_within = handler.within() == Some(whole_type.as_str());
    let within: &[&str] = if is_within { handler.found_by() } else { &[] };
    let mut names = handler.part_of().iter().chain(within).filter_map(|name| part.properties.get(name));
    names.any(|name| strings(name).iter().any(|text| whole.is_called(text)))
}

fn row_of(resource_type: &ResourceType) -> &'static Row {
    row(resource_type).expect("tests use types that paystack handles")
}

/// Every text within a value.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(fields) => fields.values().flat_map(strings).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

fn refused(class: ErrorClass, message: &str) -> AwsError {
    AwsError::new("fake.Run", class, message)
}

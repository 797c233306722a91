//! What is really in AWS: live reads, concurrent, each as soon as what it needs to look has been read.

mod waiting;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::Value;

use crate::aws::error::AwsError;
use crate::aws::survey::Expected;
use crate::desired::Desired;
use crate::graph::Dependencies;
use crate::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use crate::plan::evidence::{Marked, is_credible, is_named_for_another};
use crate::resource::{Contents, Owner, Ownership, Reading, row, tags};
use crate::state::Ledger;
use waiting::Waiting;

/// What is known of a resource before AWS has been asked for it.
#[derive(Debug, Clone)]
pub struct Identity {
    pub owner: Owner,
    pub resource_type: ResourceType,
    /// From the ledger.
    pub physical_id: Option<PhysicalId>,
    /// From the template: what to find it by.
    pub wanted: Option<Arc<Value>>,
    /// Whether an earlier run asked for its creation and saw no answer: it may be there and not show yet.
    pub was_asked_for: bool,
}

/// Something that carries a stack's marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    pub owner: Owner,
    pub resource_type: ResourceType,
    pub physical_id: PhysicalId,
}

/// What taking an inventory may hold: asking AWS changes nothing.
pub trait Reader: Send + Sync {
    /// The same reader for one look at everything: it asks nothing twice, and together what can be asked together.
    fn survey(&self, expected: Expected) -> Box<dyn Reader + '_>;
    fn read<'a>(&'a self, what: &'a Identity) -> BoxFuture<'a, Reading>;
    /// Everything that carries the stack's marks, wherever it is.
    fn sweep<'a>(&'a self, stack: &'a StackId) -> BoxFuture<'a, Result<Vec<Stray>, AwsError>>;
    /// Everything within a resource that is the stack's, of the types that belong to nobody else.
    fn parts<'a>(
        &'a self,
        whole: &'a ResourceType,
        id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Vec<(ResourceType, PhysicalId)>, AwsError>>;
    /// What a resource holds that goes with it.
    fn contents<'a>(
        &'a self,
        resource_type: &'a ResourceType,
        id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Option<Contents>, AwsError>>;
    /// What a stage serves, in OpenAPI 3. `None`: it serves nothing, or nobody knows.
    fn served<'a>(&'a self, _stage: &'a PhysicalId) -> BoxFuture<'a, Result<Option<Value>, AwsError>> {
        Box::pin(async { Ok(None) })
    }
}

impl<R: Reader> Reader for &R {
    fn survey(&self, expected: Expected) -> Box<dyn Reader + '_> {
        (**self).survey(expected)
    }

    fn read<'a>(&'a self, what: &'a Identity) -> BoxFuture<'a, Reading> {
        (**self).read(what)
    }

    fn sweep<'a>(&'a self, stack: &'a StackId) -> BoxFuture<'a, Result<Vec<Stray>, AwsError>> {
        (**self).sweep(stack)
    }

    fn parts<'a>(
        &'a self,
        whole: &'a ResourceType,
        id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Vec<(ResourceType, PhysicalId)>, AwsError>> {
        (**self).parts(whole, id)
    }

    fn contents<'a>(
        &'a self,
        resource_type: &'a ResourceType,
        id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Option<Contents>, AwsError>> {
        (**self).contents(resource_type, id)
    }

    fn served<'a>(&'a self, stage: &'a PhysicalId) -> BoxFuture<'a, Result<Option<Value>, AwsError>> {
        (**self).served(stage)
    }
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// One for each resource of the template.
    pub readings: BTreeMap<LogicalId, Reading>,
    /// What is remembered or marked as this stack's, and is not in the template.
    pub departed: Vec<Departed>,
    /// What could not be looked for.
    pub problems: Vec<AwsError>,
    /// What stages serve, as OpenAPI documents; only a plan towards a template asks for it.
    pub served: BTreeMap<LogicalId, Value>,
}

/// A resource that no longer has a place in the template.
#[derive(Debug, Clone)]
pub struct Departed {
    pub logical_id: LogicalId,
    pub resource_type: ResourceType,
    /// What it was looked for by.
    pub physical_id: Option<PhysicalId>,
    pub reading: Reading,
    pub dependencies: BTreeSet<LogicalId>,
    pub why: Gone,
    /// Nobody remembers what depended on it: it goes when all else is done.
    pub goes_last: bool,
}

/// Why a resource has no place any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// The template does not declare it (any more).
    NotInTemplate,
    /// A replacement left it behind.
    Replaced,
    /// Its logical id now is of another type.
    OtherType,
    /// The stack is being destroyed.
    Destroyed,
    /// AWS made it on the side of something that goes.
    MadeByAws,
    /// It is a part of something that is the stack's, and the template does not declare it.
    Unclaimed,
}

impl Inventory {
    /// The same inventory seen from an empty template: everything has departed.
    pub fn departing(mut self, desired: &Desired) -> Self {
        for (logical_id, reading) in std::mem::take(&mut self.readings) {
            let Some(resource) = desired.graph.resources.get(&logical_id) else { continue };
            self.departed.push(Departed {
                resource_type: resource.resource_type.clone(),
                dependencies: desired.dependencies.of(&logical_id).cloned().collect(),
                logical_id,
                physical_id: None,
                reading,
                why: Gone::Destroyed,
                goes_last: false,
            });
        }
        self
    }
}

/// Reads every resource of the template, and everything else that is remembered or marked as the stack's.
///
/// Never fails: what cannot be read is `Unreadable`, and a sweep that fails is a problem of its own.
pub async fn take(desired: &Desired, ledger: &Ledger, reader: &dyn Reader, concurrency: usize) -> Inventory {
    let reader = reader.survey(expected(desired, ledger));
    let reader = reader.as_ref();
    let mut inventory = Inventory::default();
    read_declared(desired, ledger, reader, concurrency * READS_FOR_A_CHANGE, &mut inventory).await;
    let mut departed = remembered_elsewhere(desired, ledger);
    if !ledger.is_remembered {
        search(desired, reader, &mut inventory, &mut departed).await;
    }
    let mut claimed = Declared::of(desired, &inventory).claimed();
    claimed.extend(in_other_words(&claimed));
    let is_free = |candidate: &Candidate| match &candidate.identity.physical_id {
        Some(id) => !claimed.contains(&(candidate.identity.resource_type.clone(), id.clone())),
        None => true,
    };
    let mut reads: FuturesUnordered<_> = departed
        .into_iter()
        .filter(is_free)
        .map(|candidate| async move {
            Departed {
                logical_id: candidate.identity.owner.resource.clone(),
                resource_type: candidate.identity.resource_type.clone(),
                physical_id: candidate.identity.physical_id.clone(),
                reading: reader.read(&candidate.identity).await,
                dependencies: candidate.dependencies,
                why: candidate.why,
                goes_last: candidate.goes_last,
            }
        })
        .collect();
    while let Some(departed) = reads.next().await {
        inventory.departed.push(departed);
    }
    drop(reads);
    let mut seen = claimed;
    inventory.departed.retain(|departed| match &departed.reading {
        Reading::Live(live) => seen.insert((departed.resource_type.clone(), live.id.clone())),
        // An unanswered create that made nothing.
        Reading::Absent => departed.physical_id.is_some(),
        Reading::Unreadable(_) => true,
    });
    let name = |it: &Departed| (it.logical_id.clone(), it.resource_type.clone(), it.physical_id.clone());
    inventory.departed.sort_by_key(name);
    inventory
}

/// Reading is lighter than changing: so many resources are read at once for each that may be changed at once.
pub const READS_FOR_A_CHANGE: usize = 4;

/// What there is to read, as far as it can be known before anything is read.
pub(crate) fn expected(desired: &Desired, ledger: &Ledger) -> Expected {
    let wanted = desired.predicted();
    let known = ledger.resources.values().flat_map(|record| {
        record.physical_id.iter().chain(&record.deposed).map(|id| (record.resource_type.clone(), id.clone()))
    });
    let tags = ledger.resources.iter().filter_map(|(logical_id, record)| {
        let applied = tags::tags_in(record.applied.as_ref().filter(|_| record.physical_id.is_some())?)?;
        let wanted = tags::tags_in(wanted.get(logical_id)?)?;
        (wanted == applied).then(|| (logical_id.clone(), applied.0))
    });
    Expected::new(desired.stack.clone(), known, tags.collect())
}

/// Searches AWS for what nobody remembers: by the stack's marks, and within what is the stack's.
async fn search(desired: &Desired, reader: &dyn Reader, inventory: &mut Inventory, departed: &mut Vec<Candidate>) {
    let mut found = match reader.sweep(&desired.stack).await {
        Ok(strays) => settle(desired, reader, strays, &mut inventory.readings).await,
        Err(error) => {
            inventory.problems.push(error);
            Vec::new()
        }
    };
    let key = |it: &Candidate| Some((it.identity.resource_type.clone(), it.identity.physical_id.clone()?));
    let remembered: BTreeSet<_> = departed.iter().filter_map(key).collect();
    found.retain(|it| key(it).is_none_or(|key| !remembered.contains(&key)));
    let declared = Declared::of(desired, inventory);
    let mut known = declared.claimed();
    known.extend(remembered);
    known.extend(found.iter().filter_map(key));
    let wholes: Vec<(ResourceType, PhysicalId)> =
        known.iter().filter(|(resource_type, id)| declared.is_searched(resource_type, id)).cloned().collect();
    known.extend(in_other_words(&known));
    let mut claimed = Claimed::default();
    known.into_iter().for_each(|(resource_type, id)| claimed.insert(resource_type, id));
    for (whole, id) in wholes {
        match reader.parts(&whole, &id).await {
            Ok(parts) => {
                for (resource_type, id) in parts {
                    if !claimed.has(&resource_type, &id) && !is_of_another_stack(desired, &resource_type, &id) {
                        claimed.insert(resource_type.clone(), id.clone());
                        found.push(unclaimed_part(desired, resource_type, id));
                    }
                }
            }
            Err(error) => inventory.problems.push(error),
        }
    }
    put_in_order(&mut found);
    departed.extend(found);
}

/// What the template's resources turned out to be in AWS, by type and identifier, each with whether it is to be searched: it is the
/// stack's own, and its properties do not say all that is within it.
struct Declared<'a>(BTreeMap<(&'a ResourceType, &'a PhysicalId), bool>);

impl<'a> Declared<'a> {
    fn of(desired: &'a Desired, inventory: &'a Inventory) -> Self {
        let mut declared = BTreeMap::new();
        for (logical_id, reading) in &inventory.readings {
            let (Reading::Live(live), Some(resource)) = (reading, desired.graph.resources.get(logical_id)) else {
                continue;
            };
            let all_in = row(&resource.resource_type).and_then(|row| row.handler.all_in());
            let says_all = all_in.is_some_and(|property| resource.properties.at(&[property.into()]).is_some());
            let is_searched = belongs_to(&live.ownership, &desired.stack) && !says_all;
            *declared.entry((&resource.resource_type, &live.id)).or_insert(true) &= is_searched;
        }
        Self(declared)
    }

    fn claimed(&self) -> BTreeSet<(ResourceType, PhysicalId)> {
        self.0.keys().map(|(resource_type, id)| ((*resource_type).clone(), (*id).clone())).collect()
    }

    fn is_searched(&self, resource_type: &ResourceType, id: &PhysicalId) -> bool {
        self.0.get(&(resource_type, id)).copied().unwrap_or(true)
    }
}

/// What is known, by the names of the types that mean the same.
fn in_other_words(known: &BTreeSet<(ResourceType, PhysicalId)>) -> Vec<(ResourceType, PhysicalId)> {
    let other = |resource_type: &ResourceType| row(resource_type)?.handler.same_as().map(ResourceType::from);
    known.iter().filter_map(|(resource_type, id)| Some((other(resource_type)?, id.clone()))).collect()
}

/// What somebody has declared or found, by type and by each part of its identifier.
#[derive(Default)]
struct Claimed(HashMap<ResourceType, HashMap<String, Vec<PhysicalId>>>);

impl Claimed {
    fn insert(&mut self, resource_type: ResourceType, id: PhysicalId) {
        let by_part = self.0.entry(resource_type).or_default();
        for part in id.as_str().split('|') {
            by_part.entry(part.to_owned()).or_default().push(id.clone());
        }
    }

    /// A policy on several targets is found within each of them.
    fn has(&self, resource_type: &ResourceType, id: &PhysicalId) -> bool {
        let Some(by_part) = self.0.get(resource_type) else { return false };
        let having = |part| by_part.get(part).map(Vec::as_slice).unwrap_or_default();
        let fewest = id.as_str().split('|').map(having).min_by_key(|all| all.len()).unwrap_or_default();
        let has_part = |whole: &PhysicalId, part: &str| whole.as_str().split('|').any(|it| it == part);
        fewest.iter().any(|whole| id.as_str().split('|').all(|part| has_part(whole, part)))
    }
}

/// What paystack has named for another stack is that one's, though it is put into what is this stack's.
fn is_of_another_stack(desired: &Desired, resource_type: &ResourceType, id: &PhysicalId) -> bool {
    row(resource_type).is_some_and(|row| is_named_for_another(row, id, &desired.stack))
}

fn unclaimed_part(desired: &Desired, resource_type: ResourceType, id: PhysicalId) -> Candidate {
    let identity = Identity {
        owner: desired.owner(&LogicalId::new(format!("({id})"))),
        resource_type,
        physical_id: Some(id),
        wanted: None,
        was_asked_for: false,
    };
    Candidate { identity, dependencies: BTreeSet::new(), why: Gone::Unclaimed, goes_last: true }
}

/// Nobody remembers what these waited for: their types tell which goes first.
fn put_in_order(found: &mut [Candidate]) {
    let ranks: Vec<(usize, LogicalId)> = found
        .iter()
        .map(|it| (crate::graph::deletion_rank(&it.identity.resource_type), it.identity.owner.resource.clone()))
        .collect();
    for (candidate, (rank, _)) in found.iter_mut().zip(&ranks) {
        candidate.dependencies.extend(ranks.iter().filter(|(later, _)| later > rank).map(|(_, id)| id.clone()));
    }
}

/// Reads the template's resources: what the ledger remembers at once, and what has to be found when all it refers to has been
/// read.
async fn read_declared(
    desired: &Desired,
    ledger: &Ledger,
    reader: &dyn Reader,
    concurrency: usize,
    inventory: &mut Inventory,
) {
    let order = desired.in_order();
    let mut remembered: Vec<Identity> = order.iter().rev().filter_map(|id| remembered(desired, ledger, id)).collect();
    // What was read under a remembered identifier before it could be known what the template wants of it.
    let mut early: BTreeMap<LogicalId, Reading> = BTreeMap::new();
    let mut waiting = Waiting::of(order, &Dependencies::declared(&desired.graph), &remembered);
    let mut predicted = BTreeMap::new();
    let mut marked = Marked::default();
    let mut reads = FuturesUnordered::new();
    loop {
        while let Some(logical_id) = waiting.next(reads.len() < concurrency) {
            let known = |id: &LogicalId, name: &str| attribute(&inventory.readings, &predicted, id, name);
            let wanted = match desired.properties(&logical_id, &known) {
                Ok(wanted) => wanted,
                Err(error) => {
                    let error = AwsError::new("evaluate", crate::aws::error::ErrorClass::Invalid, error);
                    waiting.is_read(&logical_id);
                    inventory.readings.insert(logical_id, Reading::Unreadable(error));
                    continue;
                }
            };
            predicted.insert(logical_id.clone(), desired.predict(&logical_id, &wanted));
            let identity = declared(desired, ledger, &logical_id, wanted);
            match early.remove(&logical_id) {
                None => reads.push(look(reader, identity)),
                // Nothing is there under the remembered identifier.
                Some(Reading::Absent) => reads.push(look(reader, Identity { physical_id: None, ..identity })),
                // A ledger that names somebody else's resource is as good as one that was lost.
                Some(reading) if is_doubtful(desired, &identity, &reading, &marked) => {
                    reads.push(look(reader, Identity { physical_id: None, ..identity.clone() }));
                    inventory.departed.extend(doubted(identity, reading, ledger));
                }
                Some(reading) => {
                    marked.learn(&reading, &desired.stack);
                    waiting.is_read(&logical_id);
                    inventory.readings.insert(logical_id, reading);
                }
            }
        }
        while reads.len() < concurrency
            && let Some(identity) = remembered.pop()
        {
            reads.push(look(reader, identity));
        }
        match reads.next().await {
            Some((Identity { wanted: None, owner, .. }, reading)) => {
                let is_found = !matches!(reading, Reading::Absent);
                early.insert(owner.resource.clone(), reading);
                waiting.is_read_early(&owner.resource, is_found);
            }
            Some((identity, reading)) => {
                if is_doubtful(desired, &identity, &reading, &marked) {
                    reads.push(look(reader, Identity { physical_id: None, ..identity.clone() }));
                    inventory.departed.extend(doubted(identity, reading, ledger));
                    continue;
                }
                marked.learn(&reading, &desired.stack);
                waiting.is_read(&identity.owner.resource);
                inventory.readings.insert(identity.owner.resource, reading);
            }
            // Only resources that wait for each other in a circle are left: they are found by nothing.
            None => {
                inventory.readings.extend(waiting.left().map(|logical_id| (logical_id, Reading::Absent)));
                return;
            }
        }
    }
}

/// A declared resource under the identifier that the ledger remembers, unless the ledger says that it may not show yet.
fn remembered(desired: &Desired, ledger: &Ledger, logical_id: &LogicalId) -> Option<Identity> {
    let identity = declared(desired, ledger, logical_id, Arc::default());
    (identity.physical_id.is_some() && !identity.was_asked_for).then_some(Identity { wanted: None, ..identity })
}

async fn look(reader: &dyn Reader, identity: Identity) -> (Identity, Reading) {
    let reading = reader.read(&identity).await;
    (identity, reading)
}

/// Whether only the ledger says that this is the template's resource.
fn is_doubtful(desired: &Desired, identity: &Identity, reading: &Reading, marked: &Marked) -> bool {
    let (Reading::Live(live), Some(_), Some(wanted)) = (reading, &identity.physical_id, &identity.wanted) else {
        return false;
    };
    let logical_id = &identity.owner.resource;
    row(&identity.resource_type).is_some_and(|row| !is_credible(row, live, wanted, &desired.stack, logical_id, marked))
}

/// What the ledger has named in vain is still to be seen, unless it says itself whose it is.
fn doubted(identity: Identity, reading: Reading, ledger: &Ledger) -> Option<Departed> {
    let is_somebody_s = matches!(&reading, Reading::Live(live) if matches!(live.ownership, Ownership::Owned(_)));
    let record = ledger.resources.get(&identity.owner.resource).filter(|_| !is_somebody_s)?;
    Some(Departed {
        logical_id: identity.owner.resource,
        resource_type: identity.resource_type,
        physical_id: identity.physical_id,
        reading,
        dependencies: record.dependencies.clone(),
        why: Gone::Replaced,
        goes_last: false,
    })
}

fn attribute(
    readings: &BTreeMap<LogicalId, Reading>,
    predicted: &BTreeMap<LogicalId, Arc<crate::resource::Attributes>>,
    id: &LogicalId,
    name: &str,
) -> Option<Value> {
    match readings.get(id) {
        Some(Reading::Live(live)) => live.attributes.get(name).cloned(),
        _ => predicted.get(id)?.get(name).cloned(),
    }
}

fn declared(desired: &Desired, ledger: &Ledger, logical_id: &LogicalId, wanted: Arc<Value>) -> Identity {
    let resource_type =
        desired.graph.resources.get(logical_id).map_or_else(|| "".into(), |it| it.resource_type.clone());
    let record = ledger.resources.get(logical_id).filter(|record| record.resource_type == resource_type);
    Identity {
        owner: desired.owner(logical_id),
        physical_id: record.and_then(|record| record.physical_id.clone()),
        resource_type,
        wanted: Some(wanted),
        was_asked_for: record.is_some_and(|record| record.intended.is_some()),
    }
}

/// Something that may have lost its place in the template.
struct Candidate {
    identity: Identity,
    dependencies: BTreeSet<LogicalId>,
    why: Gone,
    goes_last: bool,
}

/// What the ledger remembers and the template does not have.
fn remembered_elsewhere(desired: &Desired, ledger: &Ledger) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for (logical_id, record) in &ledger.resources {
        let identity = |physical_id: &PhysicalId| Identity {
            owner: desired.owner(logical_id),
            resource_type: record.resource_type.clone(),
            physical_id: Some(physical_id.clone()),
            wanted: None,
            was_asked_for: false,
        };
        let remembered = |identity: Identity, why: Gone| Candidate {
            identity,
            dependencies: record.dependencies.clone(),
            why,
            goes_last: false,
        };
        let why = match desired.graph.resources.get(logical_id) {
            None => Some(Gone::NotInTemplate),
            Some(resource) if resource.resource_type != record.resource_type => Some(Gone::OtherType),
            Some(_) => None,
        };
        if let (Some(why), Some(physical_id)) = (why, &record.physical_id) {
            candidates.push(remembered(identity(physical_id), why));
        }
        // What an unanswered create may have made: if it is what the template wants still, the template's resource claims it.
        if let Some(intended) = &record.intended {
            let looked_for = Identity {
                owner: desired.owner(logical_id),
                resource_type: record.resource_type.clone(),
                physical_id: None,
                wanted: Some(Arc::new(intended.clone())),
                // What is declared and stands for nothing yet has been waited for.
                was_asked_for: why.is_some() || record.physical_id.is_some(),
            };
            candidates.push(remembered(looked_for, why.unwrap_or(Gone::Replaced)));
        }
        candidates.extend(record.deposed.iter().map(|id| remembered(identity(id), Gone::Replaced)));
    }
    candidates
}

/// Gives strays back to the logical ids that were not found by name; what is left has no place in the template.
async fn settle(
    desired: &Desired,
    reader: &dyn Reader,
    strays: Vec<Stray>,
    readings: &mut BTreeMap<LogicalId, Reading>,
) -> Vec<Candidate> {
    let mut left = Vec::new();
    for stray in strays {
        let resource = desired.graph.resources.get(&stray.owner.resource);
        let is_declared = resource.is_some_and(|resource| resource.resource_type == stray.resource_type);
        let is_missing = matches!(readings.get(&stray.owner.resource), Some(Reading::Absent));
        let why = if is_declared { Gone::Replaced } else { Gone::NotInTemplate };
        let identity = Identity {
            owner: stray.owner,
            resource_type: stray.resource_type,
            physical_id: Some(stray.physical_id),
            wanted: None,
            was_asked_for: false,
        };
        if is_declared && is_missing {
            let reading = reader.read(&identity).await;
            readings.insert(identity.owner.resource.clone(), reading);
        } else {
            left.push(Candidate { identity, dependencies: BTreeSet::new(), why, goes_last: true });
        }
    }
    left
}

/// Adds what AWS made on the side of what goes: the log groups of functions and of API stages, which nobody declared.
///
/// Each goes after the resource that writes into it.
pub async fn add_side_effects(inventory: &mut Inventory, desired: &Desired, reader: &dyn Reader) {
    let declared: BTreeSet<String> = inventory.departed.iter().filter_map(log_group_name).collect();
    let mut made = Vec::new();
    for departed in &mut inventory.departed {
        let Some(name) = side_log_group(departed, desired).filter(|name| !declared.contains(name)) else { continue };
        let logical_id = LogicalId::new(format!("{}'s log group", departed.logical_id));
        let identity = Identity {
            owner: desired.owner(&logical_id),
            resource_type: ResourceType::from(LOG_GROUP),
            physical_id: Some(PhysicalId::new(name)),
            wanted: None,
            was_asked_for: false,
        };
        let reading = reader.read(&identity).await;
        let Reading::Live(live) = &reading else { continue };
        // A group with marks is a resource of some stack's own.
        if live.ownership != Ownership::Unmarked {
            continue;
        }
        departed.dependencies.insert(logical_id.clone());
        made.push(Departed {
            logical_id,
            resource_type: identity.resource_type,
            physical_id: identity.physical_id,
            reading,
            dependencies: BTreeSet::new(),
            why: Gone::MadeByAws,
            goes_last: false,
        });
    }
    inventory.departed.extend(made);
}

pub const LOG_GROUP: &str = "AWS::Logs::LogGroup";

fn log_group_name(departed: &Departed) -> Option<String> {
    let Reading::Live(live) = &departed.reading else { return None };
    (departed.resource_type.as_str() == LOG_GROUP).then(|| live.id.to_string())
}

/// The log group that a service makes by itself for a resource of the stack's.
fn side_log_group(departed: &Departed, desired: &Desired) -> Option<String> {
    let Reading::Live(live) = &departed.reading else { return None };
    if !belongs_to(&live.ownership, &desired.stack) {
        return None;
    }
    log_group_of(&departed.resource_type, &live.id)
}

/// The log group that a service writes to for a resource, and makes where it is not there.
pub fn log_group_of(resource_type: &ResourceType, id: &PhysicalId) -> Option<String> {
    match resource_type.as_str() {
        "AWS::Lambda::Function" => Some(format!("/aws/lambda/{id}")),
        "AWS::ApiGateway::Stage" => {
            let [api, stage] = id.parts()?;
            Some(format!("API-Gateway-Execution-Logs_{api}/{stage}"))
        }
        _ => None,
    }
}

/// Whether a live resource may be touched in the name of a stack.
pub fn belongs_to(ownership: &Ownership, stack: &StackId) -> bool {
    match ownership {
        Ownership::Owned(owner) => &owner.stack == stack,
        Ownership::Unmarkable => true,
        Ownership::Unmarked => false,
    }
}

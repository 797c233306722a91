//! The test that every resource type passes: created it reads back as declared, every update shows, deleted it is gone, and
//! each step may be repeated. What was somebody else's can be taken over. And each step takes the calls that were foreseen.

use std::collections::BTreeMap;
use std::sync::Arc;

use paystack::apply::{Done, Kind, Task, Work, Writer};
use paystack::aws::clock::SystemClock;
use paystack::aws::error::AwsError;
use paystack::aws::{Connection, Context, LocalAccount, Packages, Target, connect};
use paystack::budget;
use paystack::change::Changes;
use paystack::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use paystack::plan::{Action, Plan, Remarks, Step};
use paystack::resource::live::AwsWriter;
use paystack::resource::{Attributes, Contributions, LiveResource, Made, Owner, Ownership, Resource, row, tags};
use serde_json::Value;

use crate::harness::Account;

/// A resource of a case: its logical id, its type, and properties in which `Ref`, `Fn::GetAtt` (as a list) and `Fn::Sub` (as a
/// text) refer to the resources before it.
pub struct Declared {
    logical_id: &'static str,
    resource_type: &'static str,
    properties: Value,
}

/// The types whose mark is made with them and never changes: what is somebody else's is left beside ours.
const MARKED_FOR_LIFE: [&str; 4] = [
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::LayerVersionPermission",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
];

pub fn resource(logical_id: &'static str, resource_type: &'static str, properties: Value) -> Declared {
    Declared { logical_id, resource_type, properties }
}

/// Properties with further ones.
pub fn with(properties: Value, further: Value) -> Value {
    let (Value::Object(mut all), Value::Object(further)) = (properties, further) else {
        panic!("properties are objects")
    };
    all.extend(further);
    Value::Object(all)
}

pub struct Case {
    /// What has to be there first, in order of creation.
    pub before: Vec<Declared>,
    pub subject: Declared,
    /// The subject's properties after each update. The last ones usually leave out all that is optional.
    pub updates: Vec<Value>,
}

/// Creates as an apply does: what an earlier create has left is looked for first.
pub async fn makes(handler: &dyn Resource, cx: &Context, owner: &Owner, wanted: &Value) -> Result<Made, AwsError> {
    let left = handler.find_made(cx, owner, wanted).await?;
    handler.create(cx, owner, wanted, left).await
}

/// Runs a case in an account of its own.
pub async fn check(case: Case) {
    let packages = Packages::new();
    check_with(case, packages).await;
}

/// The same with zips for functions and layers.
pub async fn check_with(case: Case, packages: Packages) {
    let connection = connection().await;
    let cx = Arc::new(Context::new(&connection, packages, Arc::new(SystemClock::start())));
    let mut world = World { cx, known: BTreeMap::new(), before: Vec::new() };
    for declared in &case.before {
        let (handler, owner, wanted) = world.wanted(declared, &declared.properties);
        let it = makes(handler, &world.cx, &owner, &wanted).await.expect(declared.logical_id);
        world.known.insert(declared.logical_id.to_owned(), it.attributes.clone());
        world.before.push(Before { handler, id: it.id, wanted });
    }
    let id = world.life_of(&case.subject, &case.updates).await;
    world.is_gone(&case.subject, &id).await;
    for Before { handler, id, .. } in world.before.into_iter().rev() {
        handler.delete(&world.cx, &id).await.expect("what came before goes after");
    }
}

/// An account that no other test uses.
pub async fn connection() -> Connection {
    let account = Account::fresh();
    let local = LocalAccount { endpoint: account.endpoint().to_owned(), account_id: account.number };
    let target = Target { region: Some("us-east-1".to_owned()), local: Some(local), ..Target::default() };
    connect(target).await.expect("the emulator says who we are")
}

/// Whether only AWS can say what a change takes: a topic's own subscription goes, of which nobody knows whether it was confirmed.
fn is_unforeseen(work: &Work, live: Option<&LiveResource>) -> bool {
    let (Work::Update { wanted, .. }, Some(live)) = (work, live) else { return false };
    let subscriptions = |topic: &Value| topic["Subscription"].as_array().cloned().unwrap_or_default();
    let stays = subscriptions(wanted);
    subscriptions(&live.properties).iter().any(|it| it["Protocol"] == "email" && !stays.contains(it))
}

/// How often each operation was called, but for what was repeated or waited for.
fn asked(cx: &Context) -> BTreeMap<String, usize> {
    let calls = cx.calls.so_far().services.into_iter().flat_map(|(service, operations)| {
        let name = move |operation: String| format!("{service}.{operation}");
        operations.into_iter().map(move |(operation, it)| (name(operation), it.attempts - it.retries - it.waits))
    });
    calls.filter(|(_, count)| *count > 0).collect()
}

/// Does what apply does, and holds the calls that it makes against those that are foreseen.
pub async fn does(cx: &Arc<Context>, work: &Work, live: Option<LiveResource>) -> Done {
    let is_unforeseen = is_unforeseen(work, live.as_ref());
    let foreseen = foreseen(cx, work, live);
    let before = asked(cx);
    let done = AwsWriter::new(Arc::clone(cx)).run(work).await.expect("it works");
    let mut asked = asked(cx);
    before.into_iter().for_each(|(call, count)| *asked.entry(call).or_default() -= count);
    asked.retain(|_, count| *count != 0);
    let expected = (!is_unforeseen).then_some(asked);
    assert_eq!(foreseen, expected, "foreseen (left) and asked for {work:#?}");
    done
}

/// The calls that are foreseen for a plan of nothing but this.
fn foreseen(cx: &Context, work: &Work, live: Option<LiveResource>) -> Option<BTreeMap<String, usize>> {
    let (kind, owner, resource_type, wanted, physical_id) = match work {
        Work::Create { owner, resource_type, wanted, .. } => {
            (Kind::Create, Some(owner), resource_type, Some(wanted), None)
        }
        Work::Update { owner, resource_type, wanted, id, .. } => {
            (Kind::Update, Some(owner), resource_type, Some(wanted), Some(id))
        }
        Work::Delete { resource_type, id, .. } => (Kind::Delete, None, resource_type, None, Some(id)),
    };
    let logical_id = owner.map_or_else(|| LogicalId::from("Subject"), |owner| owner.resource.clone());
    let physical_id = physical_id.cloned();
    let step = Step {
        desired: wanted.cloned().map(Arc::new),
        live,
        physical_id: physical_id.clone(),
        ..Step::new(logical_id.clone(), resource_type.clone(), Action::None)
    };
    let plan = Plan {
        stack: StackId::from("it"),
        scope: cx.scope.clone(),
        steps: vec![step],
        left_out: Vec::new(),
        problems: Vec::new(),
        remarks: Remarks::default(),
    };
    let task =
        Task { logical_id, resource_type: resource_type.clone(), kind, step: 0, physical_id, together: Arc::default() };
    let calls = budget::of_task(&plan, &task)?;
    let mut counts = BTreeMap::new();
    calls.into_iter().for_each(|call| *counts.entry(call.to_owned()).or_default() += 1);
    Some(counts)
}

struct World {
    cx: Arc<Context>,
    known: BTreeMap<String, Attributes>,
    before: Vec<Before>,
}

/// What was there before the subject.
struct Before {
    handler: &'static dyn Resource,
    id: PhysicalId,
    wanted: Value,
}

impl World {
    fn wanted(&self, declared: &Declared, properties: &Value) -> (&'static dyn Resource, Owner, Value) {
        let row = row(&ResourceType::from(declared.resource_type)).expect("the type is in the table");
        let owner = Owner { stack: StackId::from("it"), resource: LogicalId::from(declared.logical_id) };
        let mut properties = self.resolve(properties);
        if self.unmarked(declared).get("Tags").is_some() {
            tags::add(&mut properties, &BTreeMap::new(), &owner);
        }
        (row.handler, owner, row.handler.canonical(&properties).expect(declared.logical_id))
    }

    /// What is declared, as whoever does not know paystack would make it.
    fn unmarked(&self, declared: &Declared) -> Value {
        let row = row(&ResourceType::from(declared.resource_type)).expect("the type is in the table");
        row.handler.canonical(&self.resolve(&declared.properties)).expect(declared.logical_id)
    }

    async fn life_of(&mut self, declared: &Declared, updates: &[Value]) -> PhysicalId {
        let (handler, owner, wanted) = self.wanted(declared, &declared.properties);
        let cx = &self.cx;
        assert_eq!(handler.canonical(&wanted).expect("canonical"), wanted, "canonical form is stable");
        assert_eq!(handler.find(cx, &owner, &wanted).await.expect("find"), None, "nothing is there at first");
        let predicted = handler.predict(&cx.scope, &wanted);
        let create = Work::Create {
            owner: owner.clone(),
            resource_type: declared.resource_type.into(),
            wanted: wanted.clone(),
            within_new: false,
        };
        let Done::Created { mut id, attributes } = does(&self.cx, &create, None).await else { panic!("it is created") };
        for (name, value) in &predicted {
            assert_eq!(attributes.get(name), Some(value), "the attribute {name} is as predicted");
        }
        let live = self.reads_back(handler, &id, &wanted, "create").await;
        assert_eq!(live.attributes, attributes, "reading gives the attributes that creating gave");
        assert_ne!(live.ownership, Ownership::Unmarked, "what we made carries our marks where it can");
        if let Ownership::Owned(marked) = &live.ownership {
            assert_eq!(marked, &owner);
            // What is a part of something goes with it, and need not be found by itself.
            if handler.tagged_as().is_none() && handler.part_of().is_empty() {
                let swept = handler.sweep(cx, &owner.stack).await.expect("sweep");
                assert!(
                    swept.contains(&(owner.clone(), id.clone())),
                    "its marks are found where tags do not lead to it"
                );
            }
        }
        assert_eq!(
            handler.find(cx, &owner, &wanted).await.expect("find"),
            Some(id.clone()),
            "it is found without its id"
        );
        let again = makes(handler, cx, &owner, &wanted).await.expect("create again");
        assert_eq!(again.id, id, "a repeated create makes no second copy");
        if matches!(live.ownership, Ownership::Owned(_)) && !MARKED_FOR_LIFE.contains(&declared.resource_type) {
            self.is_adopted(declared, &id, &wanted).await;
        }
        for (round, properties) in updates.iter().enumerate() {
            let (_, _, wanted) = self.wanted(declared, properties);
            let live = handler.read(cx, &id).await.expect("read").expect("live");
            let comparable = handler.comparable(&live.properties, &wanted, &[]);
            let changes = Changes::between(&comparable, &wanted);
            assert!(!changes.is_empty(), "update {round} changes something");
            let resource_type = declared.resource_type.into();
            let update = Work::Update { owner: owner.clone(), resource_type, id, wanted: wanted.clone(), changes };
            let live = LiveResource { properties: comparable, ..live };
            let Done::Updated { id: now, .. } = does(&self.cx, &update, Some(live)).await else {
                panic!("it is updated")
            };
            id = now;
            self.reads_back(handler, &id, &wanted, &format!("update {round}")).await;
        }
        id
    }

    /// Takes the marks off, or lets them be another's where the type keeps them apart from its properties, and puts them back.
    async fn is_adopted(&self, declared: &Declared, id: &PhysicalId, wanted: &Value) {
        let (handler, owner, _) = self.wanted(declared, &declared.properties);
        let cx = &self.cx;
        let foreign = self.unmarked(declared);
        let stranger = Owner { stack: StackId::from("theirs"), resource: LogicalId::from("Theirs") };
        let strip = Changes::between(wanted, &foreign);
        handler.update(cx, &stranger, id, &foreign, &strip).await.expect("update without marks");
        let live = handler.read(cx, id).await.expect("read").expect("live");
        let expected = if strip.is_empty() { Ownership::Owned(stranger) } else { Ownership::Unmarked };
        assert_eq!(live.ownership, expected, "a resource without our marks is not ours");
        let comparable = handler.comparable(&live.properties, wanted, &[]);
        let changes = Changes::between(&comparable, wanted);
        assert!(
            changes.0.iter().all(|change| change.path.property() == Some("Tags")),
            "only marks differ: {changes:#?}"
        );
        let live = LiveResource { properties: comparable, ..live };
        let adopt = Work::Update {
            owner: owner.clone(),
            resource_type: declared.resource_type.into(),
            id: id.clone(),
            wanted: wanted.clone(),
            changes,
        };
        let Done::Updated { id: now, .. } = does(&self.cx, &adopt, Some(live)).await else { panic!("it is adopted") };
        assert_eq!(&now, id);
        let live = self.reads_back(handler, id, wanted, "adoption").await;
        assert_eq!(live.ownership, Ownership::Owned(owner), "adopted, it is ours");
    }

    async fn reads_back(&self, handler: &dyn Resource, id: &PhysicalId, wanted: &Value, after: &str) -> LiveResource {
        let live = handler.read(&self.cx, id).await.expect("read").expect("it is there");
        let changes = Changes::between(&handler.comparable(&live.properties, wanted, &[]), wanted);
        assert!(changes.is_empty(), "after {after} nothing is left to change, but: {changes:#?}");
        let contributions = handler.contributions(&self.cx.scope, wanted).into_iter().collect();
        self.is_no_drift_elsewhere(&contributions).await;
        live
    }

    async fn is_no_drift_elsewhere(&self, contributions: &Contributions) {
        for Before { handler, id, wanted } in &self.before {
            let contributed = contributions.within(handler.resource_type(), id);
            if !contributed.is_empty() {
                let live = handler.read(&self.cx, id).await.expect("read").expect("it is still there");
                let changes = Changes::between(&handler.comparable(&live.properties, wanted, contributed), wanted);
                assert!(changes.is_empty(), "what the subject adds to `{id}` is no drift there, but: {changes:#?}");
            }
        }
    }

    async fn is_gone(&self, declared: &Declared, id: &PhysicalId) {
        let (handler, owner, wanted) = self.wanted(declared, &declared.properties);
        let live = handler.read(&self.cx, id).await.expect("read");
        let delete = Work::delete(declared.resource_type.into(), id.clone());
        assert_eq!(does(&self.cx, &delete, live).await, Done::Deleted);
        assert_eq!(handler.read(&self.cx, id).await.expect("read"), None, "deleted, it is gone");
        assert_eq!(handler.find(&self.cx, &owner, &wanted).await.expect("find"), None, "and found no more");
        handler.delete(&self.cx, id).await.expect("deleting what is gone is a success");
    }

    fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::Object(fields) if fields.len() == 1 => {
                let (key, argument) = fields.iter().next().expect("one field");
                match (key.as_str(), argument) {
                    ("Ref", Value::String(id)) => self.attribute(id, "Ref"),
                    ("Fn::GetAtt", Value::Array(path)) => {
                        self.attribute(path[0].as_str().expect("an id"), path[1].as_str().expect("a name"))
                    }
                    ("Fn::Sub", Value::String(text)) => Value::String(self.substitute(text)),
                    _ => Value::Object(fields.iter().map(|(key, value)| (key.clone(), self.resolve(value))).collect()),
                }
            }
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(key, value)| (key.clone(), self.resolve(value))).collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(|item| self.resolve(item)).collect()),
            value => value.clone(),
        }
    }

    fn attribute(&self, logical_id: &str, name: &str) -> Value {
        let attributes = &self.known[logical_id];
        attributes.get(name).unwrap_or_else(|| panic!("{logical_id} has no {name}: {attributes:?}")).clone()
    }

    fn substitute(&self, text: &str) -> String {
        let scope = &self.cx.scope;
        let mut text = text.replace("${AWS::Region}", &scope.region).replace("${AWS::AccountId}", &scope.account_id);
        for (logical_id, attributes) in &self.known {
            for (name, value) in attributes {
                let value = value.as_str().unwrap_or_default();
                text = text.replace(&format!("${{{logical_id}.{name}}}"), value);
                if name == "Ref" {
                    text = text.replace(&format!("${{{logical_id}}}"), value);
                }
            }
        }
        text
    }
}

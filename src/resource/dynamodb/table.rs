//! `AWS::DynamoDB::Table`. Found by name. Name, keys and local indexes replace it.
//!
//! The service takes one change at a time ("Real AWS behaviour", 5.2): an update is a sequence of calls with a wait before each,
//! and a table that is `ACTIVE` may still be busy with an index, its encryption or its capacity. Time to live, backups, policy
//! and tags have operations of their own. A KMS key is named by its ARN or id: DynamoDB answers with the ARN whatever it was
//! told, and nothing here asks KMS for aliases; without a key, whichever is live is taken for the service's own.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{IndexStatus, Select, SseStatus, TableDescription, TableStatus};
use futures::future::try_join4;
use serde::{Deserialize, Deserializer, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass, absent_is_none, found, gone_is_fine, none_if};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{PhysicalId, REF};
use crate::resource::dynamodb::{besides, shape, steps};
use crate::resource::policy_document::PolicyDocument;
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Contents, GeneratedName, Handler, Live, Made, Owner, attributes};

pub struct DynamoDbTable;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Table {
    pub table_name: Option<String>,
    /// In the order given: the hash key first.
    pub key_schema: Vec<Key>,
    /// In order of name, without those that no key names: the service drops them.
    pub attribute_definitions: Vec<AttributeDefinition>,
    pub billing_mode: String,
    /// None on demand.
    pub provisioned_throughput: Option<Capacity>,
    pub on_demand_throughput: Option<OnDemand>,
    pub warm_throughput: Option<Warmth>,
    /// In order of name.
    pub global_secondary_indexes: Vec<GlobalIndex>,
    /// In order of name.
    pub local_secondary_indexes: Vec<LocalIndex>,
    pub stream_specification: Option<Stream>,
    /// None with a key that is DynamoDB's own.
    #[serde(rename = "SSESpecification")]
    pub sse_specification: Option<Encryption>,
    pub table_class: String,
    pub deletion_protection_enabled: bool,
    /// None where it is off.
    pub time_to_live_specification: Option<TimeToLive>,
    /// None where it is off.
    pub point_in_time_recovery_specification: Option<Recovery>,
    pub resource_policy: Option<ResourcePolicy>,
    pub tags: Tags,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            table_name: None,
            key_schema: Vec::new(),
            attribute_definitions: Vec::new(),
            billing_mode: "PROVISIONED".to_owned(),
            provisioned_throughput: None,
            on_demand_throughput: None,
            warm_throughput: None,
            global_secondary_indexes: Vec::new(),
            local_secondary_indexes: Vec::new(),
            stream_specification: None,
            sse_specification: None,
            table_class: "STANDARD".to_owned(),
            deletion_protection_enabled: false,
            time_to_live_specification: None,
            point_in_time_recovery_specification: None,
            resource_policy: None,
            tags: Tags::default(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Key {
    pub attribute_name: String,
    /// `HASH` or `RANGE`.
    pub key_type: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AttributeDefinition {
    pub attribute_name: String,
    /// `S`, `N` or `B`.
    pub attribute_type: String,
}

/// Units per second that are paid for whether used or not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Capacity {
    pub read_capacity_units: i64,
    pub write_capacity_units: i64,
}

/// The most units per second that are served on demand.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct OnDemand {
    pub max_read_request_units: Option<i64>,
    pub max_write_request_units: Option<i64>,
}

/// Units per second that are served at once. Use raises them and nothing lowers them, so more than asked for is as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Warmth {
    pub read_units_per_second: Option<i64>,
    pub write_units_per_second: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Projection {
    pub projection_type: Option<String>,
    pub non_key_attributes: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct GlobalIndex {
    pub index_name: String,
    pub key_schema: Vec<Key>,
    pub projection: Projection,
    pub provisioned_throughput: Option<Capacity>,
    pub on_demand_throughput: Option<OnDemand>,
    pub warm_throughput: Option<Warmth>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct LocalIndex {
    pub index_name: String,
    pub key_schema: Vec<Key>,
    pub projection: Projection,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Stream {
    pub stream_view_type: String,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Encryption {
    #[serde(rename = "SSEEnabled")]
    pub enabled: bool,
    #[serde(rename = "SSEType")]
    pub sse_type: Option<String>,
    #[serde(rename = "KMSMasterKeyId", deserialize_with = "key_id")]
    pub key: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct TimeToLive {
    pub enabled: bool,
    pub attribute_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Recovery {
    pub point_in_time_recovery_enabled: bool,
    pub recovery_period_in_days: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ResourcePolicy {
    pub policy_document: PolicyDocument,
}

const AWS_MANAGED_KEY: &str = "alias/aws/dynamodb";

/// A key, which is to be named otherwise than by an alias of one's own.
pub(super) fn key_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let key = Option::<String>::deserialize(deserializer)?;
    match key {
        Some(key) if key != AWS_MANAGED_KEY && (key.starts_with("alias/") || key.contains(":alias/")) => {
            Err(serde::de::Error::custom(format!(
                "`KMSMasterKeyId` is the alias `{key}`: name the key by its ARN or id, since DynamoDB does not tell by which \
                 alias it was named, and each comparison would differ"
            )))
        }
        key => Ok(key),
    }
}

impl Handler for DynamoDbTable {
    const TYPE: &'static str = "AWS::DynamoDB::Table";
    const FOUND_BY: &'static [&'static str] = &["TableName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("TableName", 255));
    const ALSO_CREATE_ONLY: &'static [&'static str] = &["LocalSecondaryIndexes"];
    /// Another stream has another ARN.
    const UNSETTLES: &'static [(&'static str, &'static str)] = &[("StreamSpecification", "StreamArn")];
    const TAGGED_AS: Option<&'static str> = Some("dynamodb:table");
    const REFUSED: &'static [(&'static str, &'static str)] = &[
        (
            "ContributorInsightsSpecification",
            "it would cost one more call per table and index at every plan; turn it on beside the stack with \
             `aws dynamodb update-contributor-insights`",
        ),
        (
            "GlobalSecondaryIndexes.*.ContributorInsightsSpecification",
            "it would cost one more call per index at every plan; turn it on beside the stack with \
             `aws dynamodb update-contributor-insights`",
        ),
        (
            "ImportSourceSpecification",
            "it loads data once, at the creation, which a plan cannot compare with anything; import with \
             `aws dynamodb import-table` and take the table over with `--adopt`",
        ),
        (
            "KinesisStreamSpecification",
            "its streams are of a service that paystack does not handle; use `StreamSpecification`, or turn it on beside the \
             stack with `aws dynamodb enable-kinesis-streaming-destination`",
        ),
        (
            "VectorIndexes",
            "paystack knows no vector indexes; make them beside the stack with `aws dynamodb update-table`",
        ),
        (
            "StreamSpecification.ResourcePolicy",
            "a stream's policy is a resource of another service call and another ARN with every stream; give other accounts \
             access with a role instead",
        ),
        (
            "StreamSpecification.Tags",
            "a stream is made anew whenever its view changes, and its tags with it; tag the table",
        ),
    ];
    type Properties = Table;

    fn complete(table: &mut Table) {
        let is_on_demand = table.billing_mode == "PAY_PER_REQUEST";
        table.provisioned_throughput = table.provisioned_throughput.filter(|_| !is_on_demand);
        table.on_demand_throughput = table.on_demand_throughput.and_then(OnDemand::limiting);
        for index in &mut table.global_secondary_indexes {
            index.provisioned_throughput = index.provisioned_throughput.filter(|_| !is_on_demand);
            index.on_demand_throughput = index.on_demand_throughput.and_then(OnDemand::limiting);
        }
        table.global_secondary_indexes.sort_by(|one, other| one.index_name.cmp(&other.index_name));
        table.local_secondary_indexes.sort_by(|one, other| one.index_name.cmp(&other.index_name));
        let used: BTreeSet<String> = table.keys().map(|key| key.attribute_name.clone()).collect();
        table.attribute_definitions.retain(|definition| used.contains(&definition.attribute_name));
        table.attribute_definitions.sort_by(|one, other| one.attribute_name.cmp(&other.attribute_name));
        table.sse_specification = table.sse_specification.take().filter(|it| it.enabled);
        if let Some(encryption) = &mut table.sse_specification {
            encryption.sse_type.get_or_insert_with(|| "KMS".to_owned());
            encryption.key = encryption.key.take().filter(|key| key != AWS_MANAGED_KEY);
        }
        table.time_to_live_specification = table.time_to_live_specification.take().filter(|it| it.enabled);
        let recovery = table.point_in_time_recovery_specification.take();
        table.point_in_time_recovery_specification = recovery.filter(|it| it.point_in_time_recovery_enabled);
        if let Some(recovery) = &mut table.point_in_time_recovery_specification {
            recovery.recovery_period_in_days.get_or_insert(35);
        }
    }

    fn predict(scope: &Scope, table: &Table) -> Attributes {
        let Some(name) = &table.table_name else { return Attributes::new() };
        attributes([("Ref", Some(name.clone())), ("Arn", Some(arn_of(scope, name)))])
    }

    fn equate(live: &mut Table, wanted: &Table) {
        live.warm_throughput = equal_warmth(live.warm_throughput, wanted.warm_throughput);
        for index in &mut live.global_secondary_indexes {
            let same = wanted.global_secondary_indexes.iter().find(|other| other.index_name == index.index_name);
            index.warm_throughput = equal_warmth(index.warm_throughput, same.and_then(|same| same.warm_throughput));
        }
        if let (Some(live), Some(wanted)) = (&mut live.sse_specification, &wanted.sse_specification) {
            let is_same = match (&live.key, &wanted.key) {
                (Some(live), Some(wanted)) => live.rsplit_once(":key/").is_some_and(|(_, id)| id == wanted),
                (_, wanted) => wanted.is_none(),
            };
            if is_same {
                live.key.clone_from(&wanted.key);
            }
        }
    }

    /// An attribute may change its type, but not one that the table's own key, or a local index's, is made of.
    fn replaced_by(live: &Table, wanted: &Table) -> Option<&'static str> {
        steps::fixed_at_creation(live, wanted)
    }

    async fn find(cx: &Context, _owner: &Owner, table: &Table) -> Result<Option<PhysicalId>, AwsError> {
        let name = name_of(table);
        Ok(looked_at(cx, name).await?.map(|_| PhysicalId::from(name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Table>>, AwsError> {
        Ok(read_with_description(cx, id).await?.map(|(live, _)| live))
    }

    async fn contents(cx: &Context, id: &PhysicalId) -> Result<Option<Contents>, AwsError> {
        let Some(description) = describe(cx, id.as_str()).await? else { return Ok(None) };
        let count = |number: Option<i64>| number.and_then(|it| u64::try_from(it).ok()).unwrap_or_default();
        let (count, bytes) = (count(description.item_count()), count(description.table_size_bytes()));
        // For a table of the last six hours DynamoDB says 0, whatever is in it: one item is worth the reading.
        let has_new = count == 0 && has_items(cx, id.as_str()).await?;
        Ok(Some(Contents::Items { count, bytes, has_new }))
    }

    async fn make_new(cx: &Context, _owner: &Owner, table: &Table) -> Result<Option<Made>, AwsError> {
        let is_taken = |error: &AwsError| error.says("ResourceInUseException", "already exists");
        let Some(()) = none_if(Box::pin(make(cx, table)).await, is_taken)? else { return Ok(None) };
        Box::pin(complete(cx, table)).await.map(Some)
    }

    async fn create(cx: &Context, owner: &Owner, table: &Table, _left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let name = name_of(table);
        let arn = arn_of(&cx.scope, name);
        if settled(cx, name).await?.is_none() {
            Box::pin(make(cx, table)).await?;
        }
        quiet(cx, name).await?;
        if besides::tags_of(cx, &arn).await?.owner().as_ref() != Some(owner) {
            let message = format!("a table named `{name}` is there already, and this stack did not make it");
            return Err(AwsError::new("dynamodb.CreateTable", ErrorClass::AlreadyExists, message));
        }
        complete(cx, table).await
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        table: &Table,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let name = id.as_str();
        let arn = arn_of(&cx.scope, name);
        if is_for_update_table(changes) {
            Box::pin(update_table(cx, name, table)).await?;
        }
        if changes.touch("TimeToLiveSpecification") {
            besides::set_time_to_live(cx, name, table.time_to_live_specification.as_ref()).await?;
        }
        if changes.touch("PointInTimeRecoverySpecification") {
            besides::set_recovery(cx, name, table.point_in_time_recovery_specification.as_ref()).await?;
        }
        if changes.touch("ResourcePolicy") {
            besides::set_resource_policy(cx, &arn, table.resource_policy.as_ref()).await?;
        }
        if changes.touch("Tags") {
            Box::pin(besides::sync_tags(cx, &arn, &table.tags)).await?;
        }
        Ok(id.clone())
    }

    /// A table that is deleted with its backups on leaves one behind for 35 days that nobody can delete: they go first.
    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let name = id.as_str();
        let Some(description) = describe(cx, name).await? else { return Ok(()) };
        if description.table_status != Some(TableStatus::Deleting) {
            gone_is_fine(besides::set_recovery(cx, name, None).await)?;
            quiet(cx, name).await?;
            if description.deletion_protection_enabled == Some(true) {
                let update = cx.dynamodb.update_table().table_name(name).deletion_protection_enabled(false);
                let call = || async { update.clone().send().await.during(UPDATE) };
                gone_is_fine(cx.while_passing(BUSY, is_busy, call).await)?;
            }
            let call =
                || async { cx.dynamodb.delete_table().table_name(name).send().await.during("dynamodb.DeleteTable") };
            gone_is_fine(cx.while_passing(BUSY, is_busy, call).await)?;
        }
        let is_gone = || async { Ok(describe(cx, name).await?.is_none().then_some(())) };
        cx.until(DESCRIBE, "the table to be gone", Patience::seconds(600), is_gone).await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        let name = arn.strip_prefix(&arn_of(&cx.scope, ""));
        Ok(name.filter(|name| !name.contains('/')).map(PhysicalId::from))
    }
}

const DESCRIBE: &str = "dynamodb.DescribeTable";

/// For a table to come to rest: a new index takes a quarter of an hour, and that of an empty table.
const REST: Patience = Patience::minutes(3600);
/// For a call to be accepted by a table that seems to be at rest.
pub(super) const BUSY: Patience = Patience::minutes(300);

impl OnDemand {
    /// The service shows a limit that was taken off as -1 for a moment.
    fn limiting(self) -> Option<Self> {
        let limit = |units: Option<i64>| units.filter(|units| *units > 0);
        let (read, write) = (limit(self.max_read_request_units), limit(self.max_write_request_units));
        (read.is_some() || write.is_some())
            .then_some(Self { max_read_request_units: read, max_write_request_units: write })
    }
}

impl Table {
    fn keys(&self) -> impl Iterator<Item = &Key> {
        let global = self.global_secondary_indexes.iter().flat_map(|index| &index.key_schema);
        let local = self.local_secondary_indexes.iter().flat_map(|index| &index.key_schema);
        self.key_schema.iter().chain(global).chain(local)
    }
}

fn name_of(table: &Table) -> &str {
    table.table_name.as_deref().unwrap_or_default()
}

fn arn_of(scope: &Scope, name: &str) -> String {
    scope.arn("dynamodb", &format!("table/{name}"))
}

/// What is warm enough is as warm as wanted.
fn equal_warmth(live: Option<Warmth>, wanted: Option<Warmth>) -> Option<Warmth> {
    let (Some(live), Some(wanted)) = (live, wanted) else { return None };
    let at_least = |live: Option<i64>, wanted: Option<i64>| wanted.is_none() || live >= wanted;
    let is_enough = at_least(live.read_units_per_second, wanted.read_units_per_second)
        && at_least(live.write_units_per_second, wanted.write_units_per_second);
    Some(if is_enough { wanted } else { live })
}

/// The stream of a table lingers after it was turned off; only one that is on has an ARN for others.
fn attributes_of(arn: &str, description: &TableDescription) -> Attributes {
    let is_streaming = description.stream_specification.as_ref().is_some_and(|stream| stream.stream_enabled);
    let stream_arn = description.latest_stream_arn.clone().filter(|_| is_streaming);
    attributes([
        (REF, description.table_name.clone()),
        ("Arn", Some(arn.to_owned())),
        ("StreamArn", stream_arn),
        ("TableId", description.table_id.clone()),
    ])
}

/// The table is at work on an earlier change, or the account on too many; or it is being made.
pub(super) fn is_busy(error: &AwsError) -> bool {
    let is_in_use = error.code == "ResourceInUseException" && !error.message.contains("already exists");
    let is_limited = error.says("LimitExceededException", "simultaneously") || is_locked(error);
    is_in_use || is_limited
}

/// A write of tags keeps others away for 1.6 seconds.
fn is_locked(error: &AwsError) -> bool {
    error.says("LimitExceededException", "tags are being updated")
}

async fn describe(cx: &Context, name: &str) -> Result<Option<TableDescription>, AwsError> {
    let answer = cx.dynamodb.describe_table().table_name(name).send().await;
    Ok(found(DESCRIBE, answer)?.and_then(|answer| answer.table))
}

/// The table, once it is neither being made nor being deleted: until then the other operations say that it is not there.
async fn settled(cx: &Context, name: &str) -> Result<Option<TableDescription>, AwsError> {
    let is_settled =
        |table: &TableDescription| !matches!(table.table_status, Some(TableStatus::Creating | TableStatus::Deleting));
    cx.until(DESCRIBE, "the table to be made or gone", Patience::seconds(1800), || async {
        Ok(match describe(cx, name).await? {
            Some(table) if !is_settled(&table) => None,
            table => Some(table),
        })
    })
    .await
}

/// The same for one who only looks.
async fn looked_at(cx: &Context, name: &str) -> Result<Option<TableDescription>, AwsError> {
    cx.once(DESCRIBE, name, || settled(cx, name)).await
}

/// The table, and what describes it as the service does.
pub(super) async fn read_with_description(
    cx: &Context,
    id: &PhysicalId,
) -> Result<Option<(Live<Table>, TableDescription)>, AwsError> {
    let Some(description) = looked_at(cx, id.as_str()).await? else { return Ok(None) };
    let arn = arn_of(&cx.scope, id.as_str());
    let all = Box::pin(try_join4(
        besides::time_to_live(cx, id.as_str()),
        besides::recovery(cx, id.as_str()),
        besides::resource_policy(cx, &arn),
        besides::tags_of(cx, &arn),
    ));
    let Some((time_to_live, recovery, policy, tags)) = absent_is_none(all.await)? else { return Ok(None) };
    let table = Table {
        time_to_live_specification: time_to_live
            .map(|attribute| TimeToLive { enabled: true, attribute_name: Some(attribute) }),
        point_in_time_recovery_specification: recovery,
        resource_policy: policy.map(|policy_document| ResourcePolicy { policy_document }),
        tags,
        ..shape::table(&description)
    };
    Ok(Some((Live::tagged(table, attributes_of(&arn, &description)), description)))
}

/// Whether there is at least one item. Whoever may not look does not know.
async fn has_items(cx: &Context, name: &str) -> Result<bool, AwsError> {
    match found("dynamodb.Scan", cx.dynamodb.scan().table_name(name).select(Select::Count).limit(1).send().await) {
        Ok(answer) => Ok(answer.is_some_and(|answer| answer.count() > 0)),
        Err(error) if error.class == ErrorClass::Denied => Ok(false),
        Err(error) => Err(error),
    }
}

/// The table, once it is at work on nothing. `None` when it went away meanwhile.
async fn quiet(cx: &Context, name: &str) -> Result<Option<TableDescription>, AwsError> {
    cx.until(DESCRIBE, "the table and its indexes to be at rest", REST, || async {
        Ok(match describe(cx, name).await? {
            Some(table) if !is_quiet(&table) => None,
            table => Some(table),
        })
    })
    .await
}

fn is_quiet(table: &TableDescription) -> bool {
    let is_busy = matches!(
        table.table_status,
        Some(TableStatus::Creating | TableStatus::Updating | TableStatus::Deleting | TableStatus::Archiving)
    );
    let is_encrypting = matches!(
        table.sse_description.as_ref().and_then(|it| it.status.as_ref()),
        Some(SseStatus::Enabling | SseStatus::Disabling | SseStatus::Updating)
    );
    let warming = table.warm_throughput.as_ref().and_then(|it| it.status.as_ref());
    let indexes_are_quiet = table.global_secondary_indexes().iter().all(|index| {
        let warming = index.warm_throughput.as_ref().and_then(|it| it.status.as_ref());
        index.index_status.as_ref().is_none_or(|status| *status == IndexStatus::Active)
            && warming.is_none_or(|status| *status == IndexStatus::Active)
    });
    !is_busy && !is_encrypting && warming != Some(&TableStatus::Updating) && indexes_are_quiet
}

async fn make(cx: &Context, table: &Table) -> Result<(), AwsError> {
    let create = shape::create(cx.dynamodb.create_table(), table)?;
    let call = || async { create.clone().send().await.during("dynamodb.CreateTable") };
    cx.while_passing(Patience::backing_off(600), is_busy, call).await.map(drop)
}

/// Gives a table that was made what CreateTable does not take, once it is at rest.
async fn complete(cx: &Context, table: &Table) -> Result<Made, AwsError> {
    let name = name_of(table);
    let arn = arn_of(&cx.scope, name);
    let description = quiet(cx, name).await?.ok_or_else(|| AwsError::missing(DESCRIBE, "Table"))?;
    if table.time_to_live_specification.is_some() {
        besides::set_time_to_live(cx, name, table.time_to_live_specification.as_ref()).await?;
    }
    if table.point_in_time_recovery_specification.is_some() {
        besides::set_recovery(cx, name, table.point_in_time_recovery_specification.as_ref()).await?;
    }
    if table.resource_policy.is_some() {
        besides::set_resource_policy(cx, &arn, table.resource_policy.as_ref()).await?;
    }
    Ok(Made { id: PhysicalId::from(name), attributes: attributes_of(&arn, &description) })
}

/// The calls that an update takes, tags aside, between properties in canonical form; of every wait the first look.
pub(crate) fn updating(live: &Table, wanted: &Table, changes: &Changes) -> Vec<&'static str> {
    let mut calls = Vec::new();
    if is_for_update_table(changes) {
        calls.push(DESCRIBE);
        calls.extend(steps::between(live, wanted).iter().flat_map(|_| [UPDATE, DESCRIBE]));
    }
    calls.extend(besides::setting(live, wanted, changes));
    calls
}

fn is_for_update_table(changes: &Changes) -> bool {
    changes.0.iter().any(|change| !change.path.property().is_some_and(|it| besides::PROPERTIES.contains(&it)))
}

const UPDATE: &str = "dynamodb.UpdateTable";

async fn update_table(cx: &Context, name: &str, wanted: &Table) -> Result<(), AwsError> {
    let gone = || AwsError::missing(DESCRIBE, "Table");
    let mut live = shape::table(&quiet(cx, name).await?.ok_or_else(gone)?);
    DynamoDbTable::complete(&mut live);
    DynamoDbTable::equate(&mut live, wanted);
    if let Some(property) = steps::fixed_at_creation(&live, wanted) {
        let message =
            format!("`{property}` of the table `{name}` cannot be changed in place: give the table another name");
        return Err(AwsError::new(UPDATE, ErrorClass::Invalid, message));
    }
    for step in steps::between(&live, wanted) {
        let update = shape::update(cx.dynamodb.update_table().table_name(name), &step, wanted)?;
        let call = || async { update.clone().send().await.during(UPDATE) };
        cx.while_passing(BUSY, is_busy, call).await?;
        quiet(cx, name).await?.ok_or_else(gone)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn complete(properties: Value) -> Table {
        let mut table: Table = serde_json::from_value(properties).expect("a table");
        DynamoDbTable::complete(&mut table);
        table
    }

    #[test]
    fn what_is_off_is_the_same_as_what_is_not_said() {
        let said = complete(json!({
            "BillingMode": "PAY_PER_REQUEST",
            "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
            "SSESpecification": {"SSEEnabled": false},
            "TimeToLiveSpecification": {"Enabled": false, "AttributeName": "expires_at"},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": false},
            "AttributeDefinitions": [{"AttributeName": "unused", "AttributeType": "S"}],
            "OnDemandThroughput": {"MaxReadRequestUnits": -1},
        }));
        assert_eq!(said, complete(json!({"BillingMode": "PAY_PER_REQUEST"})));
    }

    #[test]
    fn more_warmth_than_asked_for_is_as_asked_for_and_less_is_not() {
        let table = |warmth: Value| complete(json!({"WarmThroughput": warmth}));
        let seen = |live: Value, wanted: Value| {
            let (mut live, wanted) = (table(live), table(wanted));
            DynamoDbTable::equate(&mut live, &wanted);
            live == wanted
        };
        let default = json!({"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000});
        assert!(seen(default.clone(), Value::Null));
        assert!(seen(default.clone(), json!({"ReadUnitsPerSecond": 12000})));
        assert!(!seen(default, json!({"ReadUnitsPerSecond": 15000})));
    }

    #[test]
    fn a_key_is_the_same_by_its_id_and_by_its_arn_and_an_alias_is_refused() {
        let encrypted = |key: Value| complete(json!({"SSESpecification": {"SSEEnabled": true, "KMSMasterKeyId": key}}));
        let same = |wanted: Value| {
            let mut live = encrypted(json!("arn:aws:kms:us-east-1:123456789012:key/1234"));
            let wanted = encrypted(wanted);
            DynamoDbTable::equate(&mut live, &wanted);
            live == wanted
        };
        assert!(same(json!("1234")));
        assert!(same(Value::Null));
        assert!(same(json!("alias/aws/dynamodb")));
        assert!(!same(json!("5678")));
        let alias = json!({"SSESpecification": {"SSEEnabled": true, "KMSMasterKeyId": "alias/mine"}});
        assert!(serde_json::from_value::<Table>(alias).is_err());
    }

    #[test]
    fn an_active_table_whose_index_is_being_filled_is_not_at_rest() {
        let index = |status: IndexStatus| {
            aws_sdk_dynamodb::types::GlobalSecondaryIndexDescription::builder().index_status(status).build()
        };
        let table = |status: IndexStatus| {
            let table = TableDescription::builder().table_status(TableStatus::Active);
            table.global_secondary_indexes(index(status)).build()
        };
        assert!(!is_quiet(&table(IndexStatus::Creating)));
        assert!(is_quiet(&table(IndexStatus::Active)));
    }
}

//! `AWS::DynamoDB::GlobalTable` with one replica, in the stack's own region: the table that [`table`](super::table) handles, told
//! in other words. Found by name. Name, keys and local indexes replace it.
//!
//! CloudFormation has the table's tags on its replica; here they are the table's, with the owner's marks among them. What is said
//! of the replica's reads is said of the table. A table that has got replicas elsewhere is not read as one without.

use serde::{Deserialize, Deserializer, Serialize};

use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::dynamodb::table::{
    self, AttributeDefinition, DynamoDbTable, Encryption, GlobalIndex as TableIndex, Key, LocalIndex, OnDemand,
    Projection, Recovery, ResourcePolicy, Stream, Table, TimeToLive, Warmth, key_id,
};
use crate::resource::tags::{RESOURCE, STACK, Tags};
use crate::resource::{Attributes, Contents, GeneratedName, Handler, Live, Made, Owner, changes_between};

pub struct DynamoDbGlobalTable;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct GlobalTable {
    pub table_name: Option<String>,
    pub key_schema: Vec<Key>,
    pub attribute_definitions: Vec<AttributeDefinition>,
    pub billing_mode: String,
    pub warm_throughput: Option<Warmth>,
    /// Of every replica that does not say otherwise.
    pub read_on_demand_throughput_settings: Option<Reads>,
    pub write_on_demand_throughput_settings: Option<Writes>,
    pub global_secondary_indexes: Vec<GlobalIndex>,
    pub local_secondary_indexes: Vec<LocalIndex>,
    pub stream_specification: Option<Stream>,
    #[serde(rename = "SSESpecification")]
    pub sse_specification: Option<GlobalEncryption>,
    pub time_to_live_specification: Option<TimeToLive>,
    /// One.
    #[serde(deserialize_with = "one_replica")]
    pub replicas: Vec<Replica>,
    /// The replica's. CloudFormation knows them there alone.
    pub tags: Tags,
}

impl Default for GlobalTable {
    fn default() -> Self {
        Self {
            table_name: None,
            key_schema: Vec::new(),
            attribute_definitions: Vec::new(),
            billing_mode: Table::default().billing_mode,
            warm_throughput: None,
            read_on_demand_throughput_settings: None,
            write_on_demand_throughput_settings: None,
            global_secondary_indexes: Vec::new(),
            local_secondary_indexes: Vec::new(),
            stream_specification: None,
            sse_specification: None,
            time_to_live_specification: None,
            replicas: Vec::new(),
            tags: Tags::default(),
        }
    }
}

/// The most units per second that are read on demand.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Reads {
    pub max_read_request_units: Option<i64>,
}

/// The most units per second that are written on demand.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Writes {
    pub max_write_request_units: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct GlobalIndex {
    pub index_name: String,
    pub key_schema: Vec<Key>,
    pub projection: Projection,
    pub read_on_demand_throughput_settings: Option<Reads>,
    pub write_on_demand_throughput_settings: Option<Writes>,
    pub warm_throughput: Option<Warmth>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GlobalEncryption {
    #[serde(rename = "SSEEnabled")]
    pub enabled: bool,
    #[serde(rename = "SSEType")]
    pub sse_type: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Replica {
    pub region: String,
    pub deletion_protection_enabled: bool,
    pub global_secondary_indexes: Vec<ReplicaIndex>,
    pub point_in_time_recovery_specification: Option<Recovery>,
    pub read_on_demand_throughput_settings: Option<Reads>,
    pub resource_policy: Option<ResourcePolicy>,
    #[serde(rename = "SSESpecification")]
    pub sse_specification: Option<ReplicaEncryption>,
    pub table_class: String,
    pub tags: Tags,
}

impl Default for Replica {
    fn default() -> Self {
        Self {
            region: String::new(),
            deletion_protection_enabled: false,
            global_secondary_indexes: Vec::new(),
            point_in_time_recovery_specification: None,
            read_on_demand_throughput_settings: None,
            resource_policy: None,
            sse_specification: None,
            table_class: Table::default().table_class,
            tags: Tags::default(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct ReplicaIndex {
    pub index_name: String,
    pub read_on_demand_throughput_settings: Option<Reads>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplicaEncryption {
    #[serde(rename = "KMSMasterKeyId", deserialize_with = "key_id")]
    pub key: Option<String>,
}

fn one_replica<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Replica>, D::Error> {
    let replicas = Vec::<Replica>::deserialize(deserializer)?;
    if replicas.len() > 1 {
        let regions: Vec<String> = replicas.iter().map(|replica| format!("`{}`", replica.region)).collect();
        return Err(serde::de::Error::custom(format!(
            "`Replicas` are in {}: a stack of paystack's is in one region, and so is its table; leave the one replica of the \
             stack's own region",
            regions.join(" and ")
        )));
    }
    Ok(replicas)
}

const ONE_MORE_CALL: &str = "it would cost one more call per table and index at every plan; turn it on beside the stack with \
                             `aws dynamodb update-contributor-insights`";
const AUTO_SCALING: &str = "provisioned capacity of a global table is scaled by Application Auto Scaling, which paystack does not \
                            handle; write `BillingMode: PAY_PER_REQUEST`, or declare an `AWS::DynamoDB::Table` with \
                            `ProvisionedThroughput`";
const ONE_REGION: &str = "it is about replicas in several regions, and a stack of paystack's is in one";
const KINESIS: &str = "its streams are of a service that paystack does not handle; use `StreamSpecification`, or turn it on beside \
                       the stack with `aws dynamodb enable-kinesis-streaming-destination`";

impl Handler for DynamoDbGlobalTable {
    const TYPE: &'static str = "AWS::DynamoDB::GlobalTable";
    const FOUND_BY: &'static [&'static str] = &["TableName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("TableName", 255));
    const ALSO_CREATE_ONLY: &'static [&'static str] = &["LocalSecondaryIndexes"];
    const UNSETTLES: &'static [(&'static str, &'static str)] = DynamoDbTable::UNSETTLES;
    const TAGGED_AS: Option<&'static str> = DynamoDbTable::TAGGED_AS;
    /// What the tagging API finds is a table: see [`identify`](Handler::identify), which is left to that type.
    const SAME_AS: Option<&'static str> = Some(DynamoDbTable::TYPE);
    const REFUSED: &'static [(&'static str, &'static str)] = &[
        ("GlobalSecondaryIndexes.*.ReadProvisionedThroughputSettings", AUTO_SCALING),
        ("GlobalSecondaryIndexes.*.WriteProvisionedThroughputSettings", AUTO_SCALING),
        ("GlobalTableSourceArn", ONE_REGION),
        ("GlobalTableWitnesses", ONE_REGION),
        ("MultiRegionConsistency", ONE_REGION),
        ("ReadProvisionedThroughputSettings", AUTO_SCALING),
        ("Replicas.*.ContributorInsightsSpecification", ONE_MORE_CALL),
        ("Replicas.*.DisassociationProtectionEnabled", ONE_REGION),
        ("Replicas.*.GlobalSecondaryIndexes.*.ContributorInsightsSpecification", ONE_MORE_CALL),
        ("Replicas.*.GlobalSecondaryIndexes.*.ReadProvisionedThroughputSettings", AUTO_SCALING),
        ("Replicas.*.GlobalTableSettingsReplicationMode", ONE_REGION),
        ("Replicas.*.KinesisStreamSpecification", KINESIS),
        ("Replicas.*.ReadProvisionedThroughputSettings", AUTO_SCALING),
        (
            "Replicas.*.ReplicaStreamSpecification",
            "a stream is made anew whenever its view changes, and its policy and tags with it; tag the table",
        ),
        ("TableType", ONE_REGION),
        (
            "VectorIndexes",
            "paystack knows no vector indexes; make them beside the stack with `aws dynamodb update-table`",
        ),
        ("WriteProvisionedThroughputSettings", AUTO_SCALING),
    ];
    type Properties = GlobalTable;

    fn complete(global: &mut GlobalTable) {
        let reads = global.read_on_demand_throughput_settings.take();
        for replica in &mut global.replicas {
            for (key, value) in std::mem::take(&mut replica.tags).0 {
                if key != STACK && key != RESOURCE {
                    global.tags.0.insert(key, value);
                }
            }
            replica.read_on_demand_throughput_settings = replica.read_on_demand_throughput_settings.or(reads);
            for of_index in std::mem::take(&mut replica.global_secondary_indexes) {
                let index = global.global_secondary_indexes.iter_mut().find(|it| it.index_name == of_index.index_name);
                if let Some(index) = index {
                    let own = of_index.read_on_demand_throughput_settings;
                    index.read_on_demand_throughput_settings = own.or(index.read_on_demand_throughput_settings);
                }
            }
        }
        let region = global.replicas.first().map(|replica| replica.region.clone()).unwrap_or_default();
        let mut table = table_of(global);
        DynamoDbTable::complete(&mut table);
        *global = global_of(table, region);
    }

    fn predict(scope: &Scope, global: &GlobalTable) -> Attributes {
        DynamoDbTable::predict(scope, &table_of(global))
    }

    fn equate(live: &mut GlobalTable, wanted: &GlobalTable) {
        let region = live.replicas.first().map(|replica| replica.region.clone()).unwrap_or_default();
        let mut table = table_of(live);
        DynamoDbTable::equate(&mut table, &table_of(wanted));
        *live = global_of(table, region);
    }

    fn replaced_by(live: &GlobalTable, wanted: &GlobalTable) -> Option<&'static str> {
        DynamoDbTable::replaced_by(&table_of(live), &table_of(wanted))
    }

    async fn find(cx: &Context, owner: &Owner, global: &GlobalTable) -> Result<Option<PhysicalId>, AwsError> {
        is_here(cx, global)?;
        DynamoDbTable::find(cx, owner, &table_of(global)).await
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<GlobalTable>>, AwsError> {
        let Some((live, description)) = table::read_with_description(cx, id).await? else { return Ok(None) };
        let Live { properties, attributes, mark } = live;
        let regions = description.replicas.unwrap_or_default().into_iter().filter_map(|replica| replica.region_name);
        let elsewhere: Vec<String> = regions.filter(|region| *region != cx.scope.region).collect();
        if !elsewhere.is_empty() {
            let message = format!(
                "the table `{id}` has replicas in {}, which paystack does not handle: remove them, or let another tool have \
                 the table",
                elsewhere.join(" and ")
            );
            return Err(AwsError::new("dynamodb.DescribeTable", ErrorClass::Invalid, message));
        }
        Ok(Some(Live { properties: global_of(properties, cx.scope.region.clone()), attributes, mark }))
    }

    async fn contents(cx: &Context, id: &PhysicalId) -> Result<Option<Contents>, AwsError> {
        DynamoDbTable::contents(cx, id).await
    }

    async fn make_new(cx: &Context, owner: &Owner, global: &GlobalTable) -> Result<Option<Made>, AwsError> {
        is_here(cx, global)?;
        DynamoDbTable::make_new(cx, owner, &table_of(global)).await
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        global: &GlobalTable,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        is_here(cx, global)?;
        Box::pin(DynamoDbTable::create(cx, owner, &table_of(global), left)).await
    }

    async fn update(
        cx: &Context,
        owner: &Owner,
        id: &PhysicalId,
        global: &GlobalTable,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        is_here(cx, global)?;
        let table = table_of(global);
        let Some(Live { properties: mut live, .. }) = DynamoDbTable::read(cx, id).await? else {
            return Err(AwsError::missing("dynamodb.DescribeTable", "Table"));
        };
        // What changes is told in the table's own words.
        DynamoDbTable::complete(&mut live);
        DynamoDbTable::equate(&mut live, &table);
        let changes = changes_between(&live, &table);
        Box::pin(DynamoDbTable::update(cx, owner, id, &table, &changes)).await
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        Box::pin(DynamoDbTable::delete(cx, id)).await
    }
}

/// The calls that an update takes once the table was read, tags aside, between properties in canonical form; of every wait the
/// first look.
pub(crate) fn updating(live: &GlobalTable, wanted: &GlobalTable) -> Vec<&'static str> {
    let (live, wanted) = (table_of(live), table_of(wanted));
    table::updating(&live, &wanted, &changes_between(&live, &wanted))
}

/// A replica elsewhere would be a table elsewhere.
fn is_here(cx: &Context, global: &GlobalTable) -> Result<(), AwsError> {
    let here = &cx.scope.region;
    match global.replicas.first() {
        Some(replica) if &replica.region == here => Ok(()),
        replica => {
            let message = format!(
                "the table's one replica is in `{}`, and the stack in `{here}`: write `Region: !Ref AWS::Region`",
                replica.map(|replica| replica.region.as_str()).unwrap_or_default()
            );
            Err(AwsError::new("dynamodb.CreateTable", ErrorClass::Invalid, message))
        }
    }
}

/// The table that a global table of one replica is.
fn table_of(global: &GlobalTable) -> Table {
    let replica = global.replicas.first().cloned().unwrap_or_default();
    let key = replica.sse_specification.and_then(|it| it.key);
    let index = |it: &GlobalIndex| TableIndex {
        index_name: it.index_name.clone(),
        key_schema: it.key_schema.clone(),
        projection: it.projection.clone(),
        provisioned_throughput: None,
        on_demand_throughput: on_demand(it.read_on_demand_throughput_settings, it.write_on_demand_throughput_settings),
        warm_throughput: it.warm_throughput,
    };
    Table {
        table_name: global.table_name.clone(),
        key_schema: global.key_schema.clone(),
        attribute_definitions: global.attribute_definitions.clone(),
        billing_mode: global.billing_mode.clone(),
        provisioned_throughput: None,
        on_demand_throughput: on_demand(
            replica.read_on_demand_throughput_settings,
            global.write_on_demand_throughput_settings,
        ),
        warm_throughput: global.warm_throughput,
        global_secondary_indexes: global.global_secondary_indexes.iter().map(index).collect(),
        local_secondary_indexes: global.local_secondary_indexes.clone(),
        stream_specification: global.stream_specification.clone(),
        sse_specification: global.sse_specification.as_ref().map(|it| Encryption {
            enabled: it.enabled,
            sse_type: it.sse_type.clone(),
            key,
        }),
        table_class: replica.table_class,
        deletion_protection_enabled: replica.deletion_protection_enabled,
        time_to_live_specification: global.time_to_live_specification.clone(),
        point_in_time_recovery_specification: replica.point_in_time_recovery_specification,
        resource_policy: replica.resource_policy,
        tags: global.tags.clone(),
    }
}

/// A table in the words of a global one.
fn global_of(table: Table, region: String) -> GlobalTable {
    let key = table.sse_specification.as_ref().and_then(|it| it.key.clone());
    let index = |it: TableIndex| GlobalIndex {
        index_name: it.index_name,
        key_schema: it.key_schema,
        projection: it.projection,
        read_on_demand_throughput_settings: reads(it.on_demand_throughput),
        write_on_demand_throughput_settings: writes(it.on_demand_throughput),
        warm_throughput: it.warm_throughput,
    };
    GlobalTable {
        table_name: table.table_name,
        key_schema: table.key_schema,
        attribute_definitions: table.attribute_definitions,
        billing_mode: table.billing_mode,
        warm_throughput: table.warm_throughput,
        read_on_demand_throughput_settings: None,
        write_on_demand_throughput_settings: writes(table.on_demand_throughput),
        global_secondary_indexes: table.global_secondary_indexes.into_iter().map(index).collect(),
        local_secondary_indexes: table.local_secondary_indexes,
        stream_specification: table.stream_specification,
        sse_specification: table
            .sse_specification
            .map(|it| GlobalEncryption { enabled: it.enabled, sse_type: it.sse_type }),
        time_to_live_specification: table.time_to_live_specification,
        replicas: vec![Replica {
            region,
            deletion_protection_enabled: table.deletion_protection_enabled,
            global_secondary_indexes: Vec::new(),
            point_in_time_recovery_specification: table.point_in_time_recovery_specification,
            read_on_demand_throughput_settings: reads(table.on_demand_throughput),
            resource_policy: table.resource_policy,
            sse_specification: key.map(|key| ReplicaEncryption { key: Some(key) }),
            table_class: table.table_class,
            tags: Tags::default(),
        }],
        tags: table.tags,
    }
}

fn on_demand(reads: Option<Reads>, writes: Option<Writes>) -> Option<OnDemand> {
    let max_read_request_units = reads.and_then(|it| it.max_read_request_units);
    let max_write_request_units = writes.and_then(|it| it.max_write_request_units);
    let is_limited = max_read_request_units.is_some() || max_write_request_units.is_some();
    is_limited.then_some(OnDemand { max_read_request_units, max_write_request_units })
}

fn reads(limits: Option<OnDemand>) -> Option<Reads> {
    let units = limits?.max_read_request_units?;
    Some(Reads { max_read_request_units: Some(units) })
}

fn writes(limits: Option<OnDemand>) -> Option<Writes> {
    let units = limits?.max_write_request_units?;
    Some(Writes { max_write_request_units: Some(units) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn global(properties: Value) -> GlobalTable {
        let mut global = serde_json::from_value(properties).expect("a global table");
        DynamoDbGlobalTable::complete(&mut global);
        global
    }

    #[test]
    fn what_is_said_of_the_replica_is_said_of_the_table() {
        let said = global(json!({
            "BillingMode": "PAY_PER_REQUEST",
            "ReadOnDemandThroughputSettings": {"MaxReadRequestUnits": 7},
            "GlobalSecondaryIndexes": [{"IndexName": "by-user"}],
            "SSESpecification": {"SSEEnabled": true},
            "Replicas": [{
                "Region": "us-east-1",
                "TableClass": "STANDARD_INFREQUENT_ACCESS",
                "GlobalSecondaryIndexes": [
                    {"IndexName": "by-user", "ReadOnDemandThroughputSettings": {"MaxReadRequestUnits": 3}},
                ],
                "SSESpecification": {"KMSMasterKeyId": "1234"},
                "Tags": [{"Key": "Owner", "Value": "me"}, {"Key": "paystack:stack", "Value": "theirs"}],
            }],
            "Tags": [{"Key": "Owner", "Value": "project"}, {"Key": "paystack:stack", "Value": "ours"}],
        }));
        let table = table_of(&said);
        let limit = |table: Option<OnDemand>| table.and_then(|it| it.max_read_request_units);
        assert_eq!(limit(table.on_demand_throughput), Some(7));
        assert_eq!(limit(table.global_secondary_indexes[0].on_demand_throughput), Some(3));
        assert_eq!(table.table_class, "STANDARD_INFREQUENT_ACCESS");
        assert_eq!(table.sse_specification.and_then(|it| it.key).as_deref(), Some("1234"));
        let tags: Vec<_> = table.tags.0.into_iter().collect();
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(tags, [tag("Owner", "me"), tag("paystack:stack", "ours")]);
    }

    #[test]
    fn a_second_replica_is_refused_with_the_reason() {
        let two = json!({"Replicas": [{"Region": "us-east-1"}, {"Region": "eu-west-1"}]});
        let error = serde_json::from_value::<GlobalTable>(two).expect_err("two replicas").to_string();
        assert!(
            error.starts_with("`Replicas` are in `us-east-1` and `eu-west-1`: a stack of paystack's is in"),
            "{error}"
        );
    }
}

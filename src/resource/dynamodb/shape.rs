//! Tables between the template's shape and the SDK's.

use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    self as sdk, CreateGlobalSecondaryIndexAction, DeleteGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate,
    ProvisionedThroughputDescription, SseStatus, TableDescription, UpdateGlobalSecondaryIndexAction,
};
use aws_smithy_types::error::operation::BuildError;

use crate::aws::error::{AwsError, ErrorClass};
use crate::resource::dynamodb::steps::Step;
use crate::resource::dynamodb::table::{
    AttributeDefinition, Capacity, Encryption, GlobalIndex, Key, LocalIndex, OnDemand, Projection, Stream, Table,
    Warmth,
};
use crate::resource::tags::Tags;

const CREATE: &str = "dynamodb.CreateTable";
const UPDATE: &str = "dynamodb.UpdateTable";

/// What the SDK made of our properties, or what it misses in them.
pub(super) fn built<T>(operation: &'static str, built: Result<T, BuildError>) -> Result<T, AwsError> {
    built.map_err(|error| AwsError::new(operation, ErrorClass::Invalid, error.to_string()))
}

/// The table as it is described: without what other operations tell. Not yet canonical.
pub(super) fn table(description: &TableDescription) -> Table {
    let mode = description.billing_mode_summary.as_ref().and_then(|it| it.billing_mode.as_ref());
    let class = description.table_class_summary.as_ref().and_then(|it| it.table_class.as_ref());
    let definition = |it: &sdk::AttributeDefinition| AttributeDefinition {
        attribute_name: it.attribute_name.clone(),
        attribute_type: it.attribute_type.as_str().to_owned(),
    };
    let stream = description.stream_specification.as_ref().filter(|stream| stream.stream_enabled);
    let defaults = Table::default();
    Table {
        table_name: description.table_name.clone(),
        key_schema: keys(description.key_schema()),
        attribute_definitions: description.attribute_definitions().iter().map(definition).collect(),
        billing_mode: mode.map_or(defaults.billing_mode, |mode| mode.as_str().to_owned()),
        provisioned_throughput: description.provisioned_throughput.as_ref().map(capacity),
        on_demand_throughput: description.on_demand_throughput.as_ref().map(on_demand),
        warm_throughput: description.warm_throughput.as_ref().map(|it| Warmth {
            read_units_per_second: it.read_units_per_second,
            write_units_per_second: it.write_units_per_second,
        }),
        global_secondary_indexes: description.global_secondary_indexes().iter().map(global_index).collect(),
        local_secondary_indexes: description.local_secondary_indexes().iter().map(local_index).collect(),
        stream_specification: stream
            .and_then(|it| it.stream_view_type.as_ref())
            .map(|view| Stream { stream_view_type: view.as_str().to_owned() }),
        sse_specification: description.sse_description.as_ref().and_then(encryption),
        table_class: class.map_or(defaults.table_class, |class| class.as_str().to_owned()),
        deletion_protection_enabled: description.deletion_protection_enabled.unwrap_or_default(),
        ..Table::default()
    }
}

fn keys(keys: &[sdk::KeySchemaElement]) -> Vec<Key> {
    let key = |it: &sdk::KeySchemaElement| Key {
        attribute_name: it.attribute_name.clone(),
        key_type: it.key_type.as_str().to_owned(),
    };
    keys.iter().map(key).collect()
}

fn capacity(description: &ProvisionedThroughputDescription) -> Capacity {
    Capacity {
        read_capacity_units: description.read_capacity_units.unwrap_or_default(),
        write_capacity_units: description.write_capacity_units.unwrap_or_default(),
    }
}

fn on_demand(throughput: &sdk::OnDemandThroughput) -> OnDemand {
    OnDemand {
        max_read_request_units: throughput.max_read_request_units,
        max_write_request_units: throughput.max_write_request_units,
    }
}

fn projection(projection: Option<&sdk::Projection>) -> Projection {
    let Some(projection) = projection else { return Projection::default() };
    Projection {
        projection_type: projection.projection_type.as_ref().map(|it| it.as_str().to_owned()),
        non_key_attributes: projection.non_key_attributes().iter().cloned().collect(),
    }
}

fn global_index(index: &sdk::GlobalSecondaryIndexDescription) -> GlobalIndex {
    GlobalIndex {
        index_name: index.index_name.clone().unwrap_or_default(),
        key_schema: keys(index.key_schema()),
        projection: projection(index.projection.as_ref()),
        provisioned_throughput: index.provisioned_throughput.as_ref().map(capacity),
        on_demand_throughput: index.on_demand_throughput.as_ref().map(on_demand),
        warm_throughput: index.warm_throughput.as_ref().map(|it| Warmth {
            read_units_per_second: it.read_units_per_second,
            write_units_per_second: it.write_units_per_second,
        }),
    }
}

fn local_index(index: &sdk::LocalSecondaryIndexDescription) -> LocalIndex {
    LocalIndex {
        index_name: index.index_name.clone().unwrap_or_default(),
        key_schema: keys(index.key_schema()),
        projection: projection(index.projection.as_ref()),
    }
}

fn encryption(description: &sdk::SseDescription) -> Option<Encryption> {
    let is_on = matches!(description.status, Some(SseStatus::Enabled | SseStatus::Enabling | SseStatus::Updating));
    is_on.then(|| Encryption {
        enabled: true,
        sse_type: description.sse_type.as_ref().map(|it| it.as_str().to_owned()),
        key: description.kms_master_key_arn.clone(),
    })
}

/// Everything that CreateTable takes.
pub(super) fn create(create: CreateTableFluentBuilder, table: &Table) -> Result<CreateTableFluentBuilder, AwsError> {
    let create = create
        .set_table_name(table.table_name.clone())
        .set_key_schema(Some(to_keys(CREATE, &table.key_schema)?))
        .set_attribute_definitions(Some(to_definitions(CREATE, table)?))
        .billing_mode(table.billing_mode.as_str().into())
        .set_provisioned_throughput(table.provisioned_throughput.map(|it| to_capacity(CREATE, it)).transpose()?)
        .set_on_demand_throughput(table.on_demand_throughput.map(to_on_demand))
        .set_warm_throughput(table.warm_throughput.map(to_warmth))
        .set_stream_specification(table.stream_specification.as_ref().map(to_stream).transpose()?)
        .set_sse_specification(table.sse_specification.as_ref().map(|it| to_encryption(Some(it))))
        .table_class(table.table_class.as_str().into())
        .deletion_protection_enabled(table.deletion_protection_enabled)
        .set_tags(Some(tags(&table.tags)?));
    // An empty list of indexes is refused.
    let global: Vec<_> = table.global_secondary_indexes.iter().map(to_global_index).collect::<Result<_, _>>()?;
    let local: Vec<_> = table.local_secondary_indexes.iter().map(to_local_index).collect::<Result<_, _>>()?;
    Ok(create
        .set_global_secondary_indexes((!global.is_empty()).then_some(global))
        .set_local_secondary_indexes((!local.is_empty()).then_some(local)))
}

/// The call that takes one step.
pub(super) fn update(
    update: UpdateTableFluentBuilder,
    step: &Step,
    wanted: &Table,
) -> Result<UpdateTableFluentBuilder, AwsError> {
    Ok(match step {
        Step::DeleteIndex(name) => {
            let delete = built(UPDATE, DeleteGlobalSecondaryIndexAction::builder().index_name(name).build())?;
            update.global_secondary_index_updates(GlobalSecondaryIndexUpdate::builder().delete(delete).build())
        }
        Step::Class(class) => update.table_class(class.as_str().into()),
        Step::Throughput { mode, table, indexes } => {
            let update = update
                .set_billing_mode(mode.as_deref().map(Into::into))
                .set_provisioned_throughput(table.map(|it| to_capacity(UPDATE, it)).transpose()?);
            indexes.iter().try_fold(update, |update, (name, capacity)| {
                let capacity = to_capacity(UPDATE, *capacity)?;
                change_index(update, name, |index| index.provisioned_throughput(capacity))
            })?
        }
        Step::OnDemand(limits) => update.on_demand_throughput(to_limits(*limits)),
        Step::IndexOnDemand(name, limits) => {
            change_index(update, name, |index| index.on_demand_throughput(to_limits(*limits)))?
        }
        Step::StreamOff => {
            let off = sdk::StreamSpecification::builder().stream_enabled(false).build();
            update.stream_specification(built(UPDATE, off)?)
        }
        Step::StreamOn(stream) => update.stream_specification(to_stream(stream)?),
        Step::CreateIndex(index) => {
            let create = CreateGlobalSecondaryIndexAction::builder()
                .index_name(&index.index_name)
                .set_key_schema(Some(to_keys(UPDATE, &index.key_schema)?))
                .projection(to_projection(&index.projection))
                .set_provisioned_throughput(index.provisioned_throughput.map(|it| to_capacity(UPDATE, it)).transpose()?)
                .set_on_demand_throughput(index.on_demand_throughput.map(to_on_demand))
                .set_warm_throughput(index.warm_throughput.map(to_warmth));
            let create = GlobalSecondaryIndexUpdate::builder().create(built(UPDATE, create.build())?).build();
            update
                .set_attribute_definitions(Some(to_definitions(UPDATE, wanted)?))
                .global_secondary_index_updates(create)
        }
        Step::Warm(warmth) => update.warm_throughput(to_warmth(*warmth)),
        Step::WarmIndex(name, warmth) => change_index(update, name, |index| index.warm_throughput(to_warmth(*warmth)))?,
        Step::Encryption(encryption) => update.sse_specification(to_encryption(encryption.as_ref())),
        Step::DeletionProtection(enabled) => update.deletion_protection_enabled(*enabled),
    })
}

fn change_index(
    update: UpdateTableFluentBuilder,
    name: &str,
    change: impl FnOnce(
        sdk::builders::UpdateGlobalSecondaryIndexActionBuilder,
    ) -> sdk::builders::UpdateGlobalSecondaryIndexActionBuilder,
) -> Result<UpdateTableFluentBuilder, AwsError> {
    let index = built(UPDATE, change(UpdateGlobalSecondaryIndexAction::builder().index_name(name)).build())?;
    Ok(update.global_secondary_index_updates(GlobalSecondaryIndexUpdate::builder().update(index).build()))
}

pub(super) fn tags(tags: &Tags) -> Result<Vec<sdk::Tag>, AwsError> {
    let tags = tags.to_sdk(|key, value| sdk::Tag::builder().key(key).value(value).build());
    tags.into_iter().map(|tag| built("dynamodb.TagResource", tag)).collect()
}

fn to_keys(operation: &'static str, keys: &[Key]) -> Result<Vec<sdk::KeySchemaElement>, AwsError> {
    let key = |it: &Key| {
        let key = sdk::KeySchemaElement::builder().attribute_name(&it.attribute_name);
        built(operation, key.key_type(it.key_type.as_str().into()).build())
    };
    keys.iter().map(key).collect()
}

fn to_definitions(operation: &'static str, table: &Table) -> Result<Vec<sdk::AttributeDefinition>, AwsError> {
    let definition = |it: &AttributeDefinition| {
        let definition = sdk::AttributeDefinition::builder().attribute_name(&it.attribute_name);
        built(operation, definition.attribute_type(it.attribute_type.as_str().into()).build())
    };
    table.attribute_definitions.iter().map(definition).collect()
}

fn to_capacity(operation: &'static str, capacity: Capacity) -> Result<sdk::ProvisionedThroughput, AwsError> {
    let throughput = sdk::ProvisionedThroughput::builder()
        .read_capacity_units(capacity.read_capacity_units)
        .write_capacity_units(capacity.write_capacity_units);
    built(operation, throughput.build())
}

fn to_on_demand(limits: OnDemand) -> sdk::OnDemandThroughput {
    sdk::OnDemandThroughput::builder()
        .set_max_read_request_units(limits.max_read_request_units)
        .set_max_write_request_units(limits.max_write_request_units)
        .build()
}

/// -1 takes a limit off.
fn to_limits(limits: Option<OnDemand>) -> sdk::OnDemandThroughput {
    let limits = limits.unwrap_or_default();
    to_on_demand(OnDemand {
        max_read_request_units: limits.max_read_request_units.or(Some(-1)),
        max_write_request_units: limits.max_write_request_units.or(Some(-1)),
    })
}

fn to_warmth(warmth: Warmth) -> sdk::WarmThroughput {
    sdk::WarmThroughput::builder()
        .set_read_units_per_second(warmth.read_units_per_second)
        .set_write_units_per_second(warmth.write_units_per_second)
        .build()
}

fn to_stream(stream: &Stream) -> Result<sdk::StreamSpecification, AwsError> {
    let specification = sdk::StreamSpecification::builder().stream_enabled(true);
    built(UPDATE, specification.stream_view_type(stream.stream_view_type.as_str().into()).build())
}

fn to_encryption(encryption: Option<&Encryption>) -> sdk::SseSpecification {
    let specification = sdk::SseSpecification::builder().enabled(encryption.is_some());
    let Some(encryption) = encryption else { return specification.build() };
    specification
        .set_sse_type(encryption.sse_type.as_deref().map(Into::into))
        .set_kms_master_key_id(encryption.key.clone())
        .build()
}

fn to_projection(projection: &Projection) -> sdk::Projection {
    let attributes: Vec<String> = projection.non_key_attributes.iter().cloned().collect();
    sdk::Projection::builder()
        .set_projection_type(projection.projection_type.as_deref().map(Into::into))
        .set_non_key_attributes((!attributes.is_empty()).then_some(attributes))
        .build()
}

fn to_global_index(index: &GlobalIndex) -> Result<sdk::GlobalSecondaryIndex, AwsError> {
    let capacity = index.provisioned_throughput.map(|it| to_capacity(CREATE, it)).transpose()?;
    let to = sdk::GlobalSecondaryIndex::builder()
        .index_name(&index.index_name)
        .set_key_schema(Some(to_keys(CREATE, &index.key_schema)?))
        .projection(to_projection(&index.projection))
        .set_provisioned_throughput(capacity)
        .set_on_demand_throughput(index.on_demand_throughput.map(to_on_demand))
        .set_warm_throughput(index.warm_throughput.map(to_warmth));
    built(CREATE, to.build())
}

fn to_local_index(index: &LocalIndex) -> Result<sdk::LocalSecondaryIndex, AwsError> {
    let to = sdk::LocalSecondaryIndex::builder()
        .index_name(&index.index_name)
        .set_key_schema(Some(to_keys(CREATE, &index.key_schema)?))
        .projection(to_projection(&index.projection));
    built(CREATE, to.build())
}

//! The table itself: made on first use, encrypted, with point-in-time recovery, paid by use.
//!
//! Everything here may be done by two at once, and may break off anywhere: the item that says that the table is as it should
//! be is written last.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification, ScalarAttributeType,
    SseSpecification, SseType, TableDescription, TableStatus, Tag,
};

use crate::aws::Context;
use crate::aws::error::{AwsError, During, ErrorClass, found};
use crate::aws::wait::Patience;
use crate::state::dynamodb::items::{self, LAYOUT_NOW, PART, STACK, TABLE_ITSELF};
use crate::state::{LedgerError, StateTable};

/// Tells the table from others; it is no mark of a stack, which would delete it.
const TAG: (&str, &str) = ("paystack:state", "ledgers");

const DESCRIBE: &str = "dynamodb.DescribeTable";

/// Sees that the table can be used.
pub async fn prepare(cx: &Context, table: &StateTable) -> Result<(), LedgerError> {
    let failed = |source| LedgerError::Table { table: table.name.clone(), source: Box::new(source) };
    let (stack, part) = TABLE_ITSELF;
    let get = cx.dynamodb.get_item().table_name(&table.name).set_key(Some(items::key(stack, part)));
    let setup = found("dynamodb.GetItem", get.consistent_read(true).send().await).map_err(failed)?;
    match setup.and_then(|setup| setup.item) {
        Some(item) if items::layout(&item) > LAYOUT_NOW => {
            Err(LedgerError::Newer { place: table.name.clone(), version: items::layout(&item) })
        }
        Some(_) => Ok(()),
        None => {
            let description = there(cx, table).await.map_err(failed)?;
            if !is_for_ledgers(&description) {
                return Err(LedgerError::ForeignTable { table: table.name.clone() });
            }
            complete(cx, table).await.map_err(failed)
        }
    }
}

/// The table when it can be used; made where it is not there.
async fn there(cx: &Context, table: &StateTable) -> Result<TableDescription, AwsError> {
    let look = || async {
        let describe = cx.dynamodb.describe_table().table_name(&table.name).send().await;
        let description = found(DESCRIBE, describe)?.and_then(|it| it.table);
        match description {
            None => make(cx, table).await.map(|()| None),
            Some(description) => {
                let is_active = description.table_status == Some(TableStatus::Active);
                Ok(Some(description).filter(|_| is_active))
            }
        }
    };
    cx.until(DESCRIBE, "the table for ledgers to be there", Patience::seconds(300), look).await
}

/// Somebody else may have been faster, or the one before may still be on its way out.
async fn make(cx: &Context, table: &StateTable) -> Result<(), AwsError> {
    const OPERATION: &str = "dynamodb.CreateTable";
    let mut create = cx.dynamodb.create_table().table_name(&table.name).billing_mode(BillingMode::PayPerRequest);
    for (name, key_type) in [(STACK, KeyType::Hash), (PART, KeyType::Range)] {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(name).key_type(key_type);
        create = create.attribute_definitions(built(OPERATION, attribute.build())?);
        create = create.key_schema(built(OPERATION, key.build())?);
    }
    let own = [(TAG.0.to_owned(), TAG.1.to_owned())];
    for (key, value) in own.into_iter().chain(table.tags.clone()) {
        create = create.tags(built(OPERATION, Tag::builder().key(key).value(value).build())?);
    }
    let encrypted = SseSpecification::builder().enabled(true).sse_type(SseType::Kms).build();
    match create.sse_specification(encrypted).send().await.during(OPERATION) {
        Err(error) if error.code == "ResourceInUseException" => Ok(()),
        answer => answer.map(drop),
    }
}

/// A new table takes point-in-time recovery only seconds after it is `ACTIVE` ("Real AWS behaviour", 5.1).
async fn complete(cx: &Context, table: &StateTable) -> Result<(), AwsError> {
    const OPERATION: &str = "dynamodb.UpdateContinuousBackups";
    let recovery = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
    let update = cx.dynamodb.update_continuous_backups().table_name(&table.name);
    let update = update.point_in_time_recovery_specification(built(OPERATION, recovery)?);
    let passes = |error: &AwsError| {
        ["ContinuousBackupsUnavailableException", "TableNotFoundException"].contains(&error.code.as_str())
            || matches!(error.class, ErrorClass::Throttled | ErrorClass::Conflict)
    };
    let call = || async { update.clone().send().await.during(OPERATION) };
    cx.while_passing(Patience::seconds(1200), passes, call).await?;
    let put = cx.dynamodb.put_item().table_name(&table.name).set_item(Some(items::of_table()));
    let call = || async { put.clone().send().await.during("dynamodb.PutItem") };
    cx.while_passing(Patience::seconds(60), AwsError::is_not_found, call).await.map(drop)
}

fn is_for_ledgers(description: &TableDescription) -> bool {
    let keys = description.key_schema.iter().flatten();
    let keys: Vec<_> = keys.map(|key| (key.attribute_name.as_str(), key.key_type.clone())).collect();
    keys == [(STACK, KeyType::Hash), (PART, KeyType::Range)]
}

fn built<T>(operation: &'static str, built: Result<T, BuildError>) -> Result<T, AwsError> {
    built.map_err(|error| AwsError::new(operation, ErrorClass::Invalid, error.to_string()))
}

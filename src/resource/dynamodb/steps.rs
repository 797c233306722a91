//! How a table gets from what it is to what it should be: one change per call, in an order in which each is accepted.

use crate::resource::dynamodb::table::{
    AttributeDefinition, Capacity, Encryption, GlobalIndex, Key, OnDemand, Stream, Table, Warmth,
};

/// One UpdateTable.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    DeleteIndex(String),
    Class(String),
    /// The capacity of the table and of indexes, in the same call as the mode that needs them.
    Throughput {
        mode: Option<String>,
        table: Option<Capacity>,
        indexes: Vec<(String, Capacity)>,
    },
    OnDemand(Option<OnDemand>),
    IndexOnDemand(String, Option<OnDemand>),
    StreamOff,
    StreamOn(Stream),
    CreateIndex(GlobalIndex),
    Warm(Warmth),
    WarmIndex(String, Warmth),
    Encryption(Option<Encryption>),
    DeletionProtection(bool),
}

/// The property that would have to be another from the beginning.
pub(super) fn fixed_at_creation(live: &Table, wanted: &Table) -> Option<&'static str> {
    let local = |table: &Table| table.local_secondary_indexes.iter().flat_map(|it| it.key_schema.clone()).collect();
    let local: Vec<Key> = local(live);
    if live.key_schema != wanted.key_schema {
        Some("KeySchema")
    } else if live.local_secondary_indexes != wanted.local_secondary_indexes {
        Some("LocalSecondaryIndexes")
    } else if !have_same_types(live, wanted, &live.key_schema) || !have_same_types(live, wanted, &local) {
        Some("AttributeDefinitions")
    } else {
        None
    }
}

/// Both tables in canonical form.
pub(super) fn between(live: &Table, wanted: &Table) -> Vec<Step> {
    let staying: Vec<(&GlobalIndex, &GlobalIndex)> = live
        .global_secondary_indexes
        .iter()
        .filter_map(|index| Some((index, index_named(wanted, &index.index_name)?)))
        .filter(|(index, other)| {
            index.key_schema == other.key_schema
                && index.projection == other.projection
                && have_same_types(live, wanted, &index.key_schema)
        })
        .collect();
    let stays = |name: &str| staying.iter().any(|(index, _)| index.index_name == name);
    let leaving = live.global_secondary_indexes.iter().filter(|index| !stays(&index.index_name));
    let coming = wanted.global_secondary_indexes.iter().filter(|index| !stays(&index.index_name));

    let mut steps: Vec<Step> = leaving.map(|index| Step::DeleteIndex(index.index_name.clone())).collect();
    if live.table_class != wanted.table_class {
        steps.push(Step::Class(wanted.table_class.clone()));
    }
    steps.extend(throughput(live, wanted, &staying));
    steps.extend(stream(live.stream_specification.as_ref(), wanted.stream_specification.as_ref()));
    steps.extend(coming.map(|index| Step::CreateIndex(index.clone())));
    steps.extend(warmth(live, wanted, &staying));
    if live.sse_specification != wanted.sse_specification {
        steps.push(Step::Encryption(wanted.sse_specification.clone()));
    }
    if live.deletion_protection_enabled != wanted.deletion_protection_enabled {
        steps.push(Step::DeletionProtection(wanted.deletion_protection_enabled));
    }
    steps
}

fn throughput(live: &Table, wanted: &Table, staying: &[(&GlobalIndex, &GlobalIndex)]) -> Vec<Step> {
    let mode = (live.billing_mode != wanted.billing_mode).then(|| wanted.billing_mode.clone());
    // Capacity that does not change is refused, but a change of mode wants all of it.
    let changed =
        |live: Option<Capacity>, wanted: Option<Capacity>| wanted.filter(|_| mode.is_some() || live != wanted);
    let table = changed(live.provisioned_throughput, wanted.provisioned_throughput);
    let index_capacity = |(live, wanted): &(&GlobalIndex, &GlobalIndex)| {
        let capacity = changed(live.provisioned_throughput, wanted.provisioned_throughput)?;
        Some((wanted.index_name.clone(), capacity))
    };
    let indexes: Vec<(String, Capacity)> = staying.iter().filter_map(index_capacity).collect();
    let mut steps = Vec::new();
    if mode.is_some() || table.is_some() || !indexes.is_empty() {
        steps.push(Step::Throughput { mode, table, indexes });
    }
    if wanted.billing_mode == "PAY_PER_REQUEST" {
        if live.on_demand_throughput != wanted.on_demand_throughput {
            steps.push(Step::OnDemand(wanted.on_demand_throughput));
        }
        for (live, wanted) in staying {
            if live.on_demand_throughput != wanted.on_demand_throughput {
                steps.push(Step::IndexOnDemand(wanted.index_name.clone(), wanted.on_demand_throughput));
            }
        }
    }
    steps
}

/// Another view takes turning the stream off and on again.
fn stream(live: Option<&Stream>, wanted: Option<&Stream>) -> Vec<Step> {
    if live == wanted {
        return Vec::new();
    }
    let off = live.map(|_| Step::StreamOff);
    off.into_iter().chain(wanted.cloned().map(Step::StreamOn)).collect()
}

fn warmth(live: &Table, wanted: &Table, staying: &[(&GlobalIndex, &GlobalIndex)]) -> Vec<Step> {
    let changed = |live: Option<Warmth>, wanted: Option<Warmth>| wanted.filter(|_| live != wanted);
    let table = changed(live.warm_throughput, wanted.warm_throughput).map(Step::Warm);
    let indexes = staying.iter().filter_map(|(live, wanted)| {
        let warmth = changed(live.warm_throughput, wanted.warm_throughput)?;
        Some(Step::WarmIndex(wanted.index_name.clone(), warmth))
    });
    table.into_iter().chain(indexes).collect()
}

fn index_named<'a>(table: &'a Table, name: &str) -> Option<&'a GlobalIndex> {
    table.global_secondary_indexes.iter().find(|index| index.index_name == name)
}

fn have_same_types(live: &Table, wanted: &Table, keys: &[Key]) -> bool {
    let of = |definitions: &[AttributeDefinition], key: &Key| {
        definitions.iter().find(|it| it.attribute_name == key.attribute_name).map(|it| it.attribute_type.clone())
    };
    keys.iter().all(|key| of(&live.attribute_definitions, key) == of(&wanted.attribute_definitions, key))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::resource::Handler;
    use crate::resource::dynamodb::table::DynamoDbTable;

    fn table(properties: Value) -> Table {
        let mut table: Table = serde_json::from_value(properties).expect("a table");
        DynamoDbTable::complete(&mut table);
        table
    }

    fn indexed(mode: &str, indexes: &[(&str, &str)], rest: Value) -> Table {
        let capacity = json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 1});
        let index = |(name, attribute): &(&str, &str)| {
            json!({
                "IndexName": name,
                "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": capacity,
            })
        };
        let mut properties = json!({
            "BillingMode": mode,
            "ProvisionedThroughput": capacity,
            "GlobalSecondaryIndexes": indexes.iter().map(index).collect::<Vec<_>>(),
        });
        properties.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        table(properties)
    }

    #[test]
    fn an_index_with_another_key_is_deleted_first_and_made_again() {
        let live = indexed("PAY_PER_REQUEST", &[("by-user", "user"), ("by-day", "day")], json!({}));
        let wanted = indexed("PAY_PER_REQUEST", &[("by-user", "name"), ("by-day", "day")], json!({"TableClass": "X"}));
        let steps = between(&live, &wanted);
        assert_eq!(steps[..2], [Step::DeleteIndex("by-user".to_owned()), Step::Class("X".to_owned())]);
        assert!(matches!(&steps[2..], [Step::CreateIndex(index)] if index.index_name == "by-user"));
    }

    #[test]
    fn provisioning_tells_the_capacity_of_every_index_that_stays_in_the_same_call() {
        let live = indexed("PAY_PER_REQUEST", &[("by-user", "user"), ("old", "old")], json!({}));
        let wanted = indexed("PROVISIONED", &[("by-user", "user")], json!({}));
        let capacity = Capacity { read_capacity_units: 1, write_capacity_units: 1 };
        assert_eq!(
            between(&live, &wanted),
            [
                Step::DeleteIndex("old".to_owned()),
                Step::Throughput {
                    mode: Some("PROVISIONED".to_owned()),
                    table: Some(capacity),
                    indexes: vec![("by-user".to_owned(), capacity)],
                },
            ]
        );
        let back = between(&wanted, &live);
        let mode = Some("PAY_PER_REQUEST".to_owned());
        assert_eq!(back[0], Step::Throughput { mode, table: None, indexes: Vec::new() });
    }

    #[test]
    fn capacity_that_stays_is_not_told_again() {
        let live = indexed("PROVISIONED", &[("by-user", "user")], json!({}));
        let more = json!({"ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 1}});
        let wanted = indexed("PROVISIONED", &[("by-user", "user")], more);
        let table = Some(Capacity { read_capacity_units: 5, write_capacity_units: 1 });
        assert_eq!(between(&live, &wanted), [Step::Throughput { mode: None, table, indexes: Vec::new() }]);
        assert_eq!(between(&live, &live), []);
    }

    #[test]
    fn another_view_of_the_stream_takes_two_calls() {
        let streaming = |view: &str| table(json!({"StreamSpecification": {"StreamViewType": view}}));
        let on = |view: &str| Step::StreamOn(Stream { stream_view_type: view.to_owned() });
        assert_eq!(between(&streaming("KEYS_ONLY"), &streaming("NEW_IMAGE")), [Step::StreamOff, on("NEW_IMAGE")]);
        assert_eq!(between(&table(json!({})), &streaming("NEW_IMAGE")), [on("NEW_IMAGE")]);
        assert_eq!(between(&streaming("NEW_IMAGE"), &table(json!({}))), [Step::StreamOff]);
    }

    #[test]
    fn keys_are_fixed_and_so_is_the_type_of_what_they_name() {
        let keyed = |attribute: &str, kind: &str| {
            table(json!({
                "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": attribute, "AttributeType": kind}],
            }))
        };
        assert_eq!(fixed_at_creation(&keyed("id", "S"), &keyed("key", "S")), Some("KeySchema"));
        assert_eq!(fixed_at_creation(&keyed("id", "S"), &keyed("id", "N")), Some("AttributeDefinitions"));
        assert_eq!(fixed_at_creation(&keyed("id", "S"), &keyed("id", "S")), None);
    }
}

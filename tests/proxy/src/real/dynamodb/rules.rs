//! What UpdateTable refuses whenever it is asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::call::{Call, Service};
use crate::http::Response;
use crate::real::dynamodb::{edit_description, index_updates, invalid, table_of};
use crate::real::{Named, Strikes};
use crate::{Behaviour, held};

pub fn all() -> Vec<Arc<dyn Behaviour>> {
    vec![
        Arc::new(OneChangeAtATime { strikes: Strikes::default() }),
        Arc::new(CapacityMustChange { shown: Mutex::default(), strikes: Strikes::default() }),
    ]
}

/// UpdateTable takes one logical change in a call.
///
/// "Real AWS behaviour" 5.2 and 13.7 (measured by the DynamoDB controller of AWS Controllers for Kubernetes, in pairs;
/// Terraform's `dynamodb/table.go` makes a call for each).
struct OneChangeAtATime {
    strikes: Strikes,
}

impl Behaviour for OneChangeAtATime {
    fn name(&self) -> &'static str {
        "one-change-at-a-time"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !call.is(Service::DynamoDb, "UpdateTable") {
            return None;
        }
        self.strikes.add();
        let has = |member: &str| call.input(member).is_some();
        let indexes = index_updates(call);
        let moves_indexes = indexes.iter().filter(|(kind, _)| kind != "Update").count();
        let members = [
            "BillingMode",
            "DeletionProtectionEnabled",
            "OnDemandThroughput",
            "ProvisionedThroughput",
            "SSESpecification",
            "StreamSpecification",
            "TableClass",
            "WarmThroughput",
        ];
        let concerns = members.iter().filter(|it| has(it)).count() + usize::from(!indexes.is_empty());
        let alone = [
            ("DeletionProtectionEnabled", "DeletionProtection modification"),
            ("SSESpecification", "Server-Side Encryption modification"),
            ("TableClass", "TableClass modification"),
            ("WarmThroughput", "WarmThroughput"),
        ];
        let is_provisioning = has("ProvisionedThroughput");
        let reason = if let Some((_, what)) = alone.iter().find(|(member, _)| has(member) && concerns > 1) {
            format!("{what} must be the only operation in the request")
        } else if moves_indexes > 0 && is_provisioning {
            "You cannot create or delete index while updating table IOPS".to_owned()
        } else if moves_indexes > 0 && has("StreamSpecification") {
            "You cannot create or delete index while changing stream status".to_owned()
        } else if has("StreamSpecification") && is_provisioning {
            "You cannot modify stream status while updating table IOPS".to_owned()
        } else if moves_indexes > 1 {
            "Only 1 online index can be created or deleted simultaneously per table".to_owned()
        } else {
            return None;
        };
        Some(invalid(call, &format!("One or more parameter values were invalid: {reason}")))
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A table, and the index where it is one's.
type Provisioned = (Named, Option<String>);

/// To read and to write.
type Units = [Value; 2];

/// Capacity is set to something else than it is, or not at all.
///
/// "Real AWS behaviour" 5.2 and 13.7: ValidationException (measured by the DynamoDB controller of AWS Controllers for
/// Kubernetes).
struct CapacityMustChange {
    shown: Mutex<HashMap<Provisioned, Units>>,
    strikes: Strikes,
}

impl Behaviour for CapacityMustChange {
    fn name(&self) -> &'static str {
        "capacity-must-change"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let table =
            table_of(call).filter(|_| call.operation == "UpdateTable" && call.input("BillingMode").is_none())?;
        let of_table = call.input("ProvisionedThroughput").map(|it| (None, units(&it)));
        let Some(Value::Array(updates)) = call.input("GlobalSecondaryIndexUpdates").or(Some(Value::Array(Vec::new())))
        else {
            return None;
        };
        let of_indexes = updates.iter().filter_map(|it| {
            let update = it.get("Update")?;
            Some((update["IndexName"].as_str().map(str::to_owned), units(update.get("ProvisionedThroughput")?)))
        });
        for (index, asked) in of_table.into_iter().chain(of_indexes) {
            self.strikes.add();
            let what = index.as_ref().map_or("table".to_owned(), |index| format!("index {index}"));
            if held(&self.shown).get(&(table.clone(), index)) == Some(&asked) {
                let [read, write] = &asked;
                let message = format!(
                    "The provisioned throughput for the {what} will not change. The requested value equals the \
                     current value. Current ReadCapacityUnits provisioned for the {what}: {read}. Requested \
                     ReadCapacityUnits: {read}. Current WriteCapacityUnits provisioned for the {what}: {write}. \
                     Requested WriteCapacityUnits: {write}."
                );
                return Some(invalid(call, &message));
            }
        }
        None
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(table) = table_of(call) else { return };
        edit_description(call, answer, |description| {
            let mut shown = held(&self.shown);
            shown.insert((table.clone(), None), units(&description["ProvisionedThroughput"]));
            for index in description["GlobalSecondaryIndexes"].as_array().into_iter().flatten() {
                let name = index["IndexName"].as_str().map(str::to_owned);
                shown.insert((table.clone(), name), units(&index["ProvisionedThroughput"]));
            }
        });
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

fn units(throughput: &Value) -> Units {
    ["ReadCapacityUnits", "WriteCapacityUnits"].map(|it| throughput[it].clone())
}

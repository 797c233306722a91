//! The states that a table goes through.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::call::Call;
use crate::error::error;
use crate::http::Response;
use crate::real::dynamodb::{edit_description, in_use, index_updates, table_of};
use crate::real::{Named, Pace, Strikes, Underway, is_done, json_answer, names};
use crate::{Behaviour, held};

pub fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![
        Arc::new(TableCreating { pace, made: Underway::new(), strikes: Strikes::default() }),
        Arc::new(TableUpdating { pace, changed: Underway::new(), strikes: Strikes::default() }),
        Arc::new(TableDeleting { pace, going: Underway::new(), shown: Mutex::default(), strikes: Strikes::default() }),
        Arc::new(IndexBackfilling {
            pace,
            allocating: Underway::new(),
            filling: Underway::new(),
            strikes: Strikes::default(),
        }),
        Arc::new(EncryptionUpdating { pace, changed: Underway::new(), strikes: Strikes::default() }),
    ]
}

/// A new table, and all of its indexes, are `CREATING` for seconds; the operations beside it do not know it yet.
///
/// "Real AWS behaviour" 1.5, 5.2, 5.3 and 13.7: 2 to 6 s, 14 to 22 s with indexes (measured by the DynamoDB controller of
/// AWS Controllers for Kubernetes, `docs/api-quirks`, as are the texts).
struct TableCreating {
    pace: Pace,
    made: Underway<Named, ()>,
    strikes: Strikes,
}

impl Behaviour for TableCreating {
    fn name(&self) -> &'static str {
        "table-creating"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let table = table_of(call)?;
        self.made.on(&table)?;
        let answer = match call.operation.as_str() {
            "CreateTable" | "DeleteTable" | "UpdateTable" | "UpdateTimeToLive" => {
                in_use(call, &format!("Table is being created: {}", table.1))
            }
            "DescribeContinuousBackups" | "UpdateContinuousBackups" => {
                error(call, 400, "TableNotFoundException", &format!("Table not found: {}", table.1))
            }
            "DescribeTimeToLive" | "GetResourcePolicy" | "ListTagsOfResource" | "TagResource" => {
                let message = format!("Requested resource not found: Table: {} not found", table.1);
                error(call, 400, "ResourceNotFoundException", &message)
            }
            _ => return None,
        };
        self.strikes.with(Some(answer))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(table) = table_of(call) else { return };
        if call.operation == "CreateTable" && is_done(answer) {
            let seconds = if call.input("GlobalSecondaryIndexes").is_some() { 18.0 } else { 4.0 };
            self.made.start(table.clone(), (), self.pace.seconds(seconds));
        }
        if self.made.on(&table).is_some() {
            edit_description(call, answer, |description| {
                self.strikes.add();
                description["TableStatus"] = json!("CREATING");
                for index in description["GlobalSecondaryIndexes"].as_array_mut().into_iter().flatten() {
                    index["IndexStatus"] = json!("CREATING");
                }
            });
        }
    }

    fn unsettled(&self) -> Vec<String> {
        names(self.made.all(), "CREATING")
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A table that is being changed is `UPDATING`, and refuses the next change.
///
/// "Real AWS behaviour" 5.2: seconds for capacity, streams and the class, minutes for the mode (measured by the DynamoDB
/// controller of AWS Controllers for Kubernetes).
struct TableUpdating {
    pace: Pace,
    changed: Underway<Named, ()>,
    strikes: Strikes,
}

impl Behaviour for TableUpdating {
    fn name(&self) -> &'static str {
        "table-updating"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let table = table_of(call)?;
        let is_refused = ["DeleteTable", "UpdateTable"].contains(&call.operation.as_str());
        is_refused.then(|| self.changed.on(&table)).flatten()?;
        self.strikes.with(Some(in_use(call, &format!("Table is being updated: {}", table.1))))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(table) = table_of(call) else { return };
        if call.operation == "UpdateTable" && is_done(answer) {
            let touches = |member: &str| call.input(member).is_some();
            let seconds = if touches("BillingMode") {
                80.0
            } else if touches("StreamSpecification") || touches("TableClass") {
                5.0
            } else if touches("ProvisionedThroughput") || !index_updates(call).is_empty() {
                2.0
            } else {
                0.0
            };
            self.changed.start(table.clone(), (), self.pace.seconds(seconds));
        }
        if self.changed.on(&table).is_some() {
            edit_description(call, answer, |description| {
                self.strikes.add();
                description["TableStatus"] = json!("UPDATING");
            });
        }
    }

    fn unsettled(&self) -> Vec<String> {
        names(self.changed.all(), "UPDATING")
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A table that is being deleted is still described, and its name is taken; what is beside it is gone already.
///
/// "Real AWS behaviour" 1.5, 5.2 and 5.3: 4 to 6 s (measured by the DynamoDB controller of AWS Controllers for Kubernetes).
struct TableDeleting {
    pace: Pace,
    going: Underway<Named, ()>,
    /// What was last shown of each table.
    shown: Mutex<HashMap<Named, Value>>,
    strikes: Strikes,
}

impl Behaviour for TableDeleting {
    fn name(&self) -> &'static str {
        "table-deleting"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let table = table_of(call)?;
        self.going.on(&table)?;
        let answer = match call.operation.as_str() {
            "DescribeTable" => {
                let description = held(&self.shown).get(&table).cloned()?;
                json_answer("application/x-amz-json-1.0", &json!({"Table": description}))
            }
            "CreateTable" | "DeleteTable" | "TagResource" | "UpdateTable" | "UpdateTimeToLive" => {
                in_use(call, &format!("Table is being deleted: {}", table.1))
            }
            _ => return None,
        };
        self.strikes.with(Some(answer))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(table) = table_of(call) else { return };
        let is_deletion = call.operation == "DeleteTable" && is_done(answer);
        if is_deletion {
            self.going.start(table.clone(), (), self.pace.seconds(5.0));
        }
        edit_description(call, answer, |description| {
            let mut shown = held(&self.shown);
            let shown = shown.entry(table).or_default();
            if !is_deletion {
                shown.clone_from(description);
            }
            shown["TableStatus"] = json!("DELETING");
        });
    }

    fn unsettled(&self) -> Vec<String> {
        names(self.going.all(), "DELETING")
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A table to which an index is added is `UPDATING` for half a minute, and then `ACTIVE` though the index is still being
/// filled: it takes no other index meanwhile and cannot be deleted.
///
/// "Real AWS behaviour" 5.2, 5.4 and 13.7: 24 to 56 s and 7 to 17 min, also for an empty table (measured by the DynamoDB
/// controller of AWS Controllers for Kubernetes; cdkd met the refusal of the deletion).
struct IndexBackfilling {
    pace: Pace,
    allocating: Underway<Named, ()>,
    /// With the index's name.
    filling: Underway<Named, String>,
    strikes: Strikes,
}

impl Behaviour for IndexBackfilling {
    fn name(&self) -> &'static str {
        "index-backfilling"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let table = table_of(call)?;
        self.filling.on(&table)?;
        let answer = match call.operation.as_str() {
            "DeleteTable" => in_use(call, "Cannot delete table while indexes are being created, updated, or deleted."),
            "UpdateTable" if self.allocating.on(&table).is_some() => {
                in_use(call, &format!("Table is being updated: {}", table.1))
            }
            "UpdateTable" if index_updates(call).iter().any(|(kind, _)| kind != "Update") => {
                let message = "Subscriber limit exceeded: Only 1 online index can be created or deleted \
                               simultaneously per table";
                error(call, 400, "LimitExceededException", message)
            }
            _ => return None,
        };
        self.strikes.with(Some(answer))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(table) = table_of(call) else { return };
        let new = index_updates(call).into_iter().find(|(kind, _)| kind == "Create");
        if let Some((_, index)) = new.filter(|_| is_done(answer)) {
            self.allocating.start(table.clone(), (), self.pace.seconds(30.0));
            self.filling.start(table.clone(), index, self.pace.seconds(600.0));
        }
        let Some(filling) = self.filling.on(&table) else { return };
        edit_description(call, answer, |description| {
            self.strikes.add();
            if self.allocating.on(&table).is_some() {
                description["TableStatus"] = json!("UPDATING");
            }
            for index in description["GlobalSecondaryIndexes"].as_array_mut().into_iter().flatten() {
                if index["IndexName"] == json!(filling) {
                    index["IndexStatus"] = json!("CREATING");
                    index["Backfilling"] = json!(self.allocating.on(&table).is_none());
                }
            }
        });
    }

    fn unsettled(&self) -> Vec<String> {
        names(self.filling.all(), "filling an index")
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A table whose key is being changed is `ACTIVE`, and takes no other change meanwhile.
///
/// "Real AWS behaviour" 5.2: `SSEDescription.Status` is `UPDATING` for 21 to 23 s (measured by the DynamoDB controller of
/// AWS Controllers for Kubernetes).
struct EncryptionUpdating {
    pace: Pace,
    changed: Underway<Named, ()>,
    strikes: Strikes,
}

impl Behaviour for EncryptionUpdating {
    fn name(&self) -> &'static str {
        "encryption-updating"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let table = table_of(call)?;
        let is_refused = ["DeleteTable", "UpdateTable"].contains(&call.operation.as_str());
        is_refused.then(|| self.changed.on(&table)).flatten()?;
        self.strikes.with(Some(in_use(call, &format!("Table is being updated: {}", table.1))))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(table) = table_of(call) else { return };
        if call.operation == "UpdateTable" && call.input("SSESpecification").is_some() && is_done(answer) {
            self.changed.start(table.clone(), (), self.pace.seconds(22.0));
        }
        if self.changed.on(&table).is_some() {
            edit_description(call, answer, |description| {
                self.strikes.add();
                description["SSEDescription"]["Status"] = json!("UPDATING");
            });
        }
    }

    fn unsettled(&self) -> Vec<String> {
        names(self.changed.all(), "changing its key")
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

//! Asks what the stages of a template's APIs serve: live, one call for each stage.

use std::collections::BTreeMap;

use futures::future::join_all;

use crate::desired::{Desired, of_type};
use crate::identity::{LogicalId, PhysicalId};
use crate::inventory::{Inventory, Reader};
use crate::plan::served::{is_asked, stages};
use crate::resource::apigateway::deployment::CONTENT_DIGEST;
use crate::state::Ledger;

/// Takes an inventory together with what stages serve: those that the ledger remembers are asked meanwhile, the others then.
/// Never fails: what could not be asked is a problem of the inventory.
pub async fn with_served(
    desired: &Desired,
    ledger: &Ledger,
    reader: &dyn Reader,
    taking: impl Future<Output = Inventory>,
) -> Inventory {
    let ask = |(id, stage): (LogicalId, PhysicalId)| async move { (id, reader.served(&stage).await) };
    let early = join_all(remembered(desired, ledger).into_iter().map(ask));
    let (mut inventory, early) = futures::join!(taking, early);
    let mut exports: BTreeMap<LogicalId, _> = early.into_iter().collect();
    let stages = stages(desired, &inventory);
    let late = stages.iter().filter(|stage| !exports.contains_key(&stage.logical_id));
    let late = late.map(|stage| ask((stage.logical_id.clone(), stage.physical_id.clone())));
    exports.extend(join_all(late).await);
    for stage in stages {
        match exports.remove(&stage.logical_id) {
            Some(Ok(Some(export))) => _ = inventory.served.insert(stage.logical_id, export),
            Some(Ok(None)) | None => {}
            Some(Err(error)) => inventory.problems.push(error),
        }
    }
    inventory
}

/// The stages that a ledger remembers, of those that are asked.
pub fn remembered(desired: &Desired, ledger: &Ledger) -> BTreeMap<LogicalId, PhysicalId> {
    let applied = |id: &LogicalId| ledger.resources.get(id)?.applied.as_ref()?[CONTENT_DIGEST].as_str();
    let stages = of_type(&desired.graph, "AWS::ApiGateway::Stage").filter(|stage| is_asked(desired, stage, &applied));
    let id = |id: &LogicalId| ledger.resources.get(id)?.physical_id.clone();
    stages.filter_map(|stage| Some((stage.logical_id.clone(), id(&stage.logical_id)?))).collect()
}

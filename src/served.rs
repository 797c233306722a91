//! Asks what the stages of a plan's APIs serve: live, one call for each stage.

use futures::future::join_all;

use crate::desired::Desired;
use crate::inventory::{Inventory, Reader};
use crate::plan::Plan;
use crate::plan::served::{compare, stages};

/// Writes into the plan which stages serve something else than the template declares. Never fails: what could not be asked
/// is a problem of the plan.
pub async fn look(plan: &mut Plan, desired: &Desired, inventory: &Inventory, reader: &dyn Reader) {
    let stages = stages(plan, desired, inventory);
    let exports = join_all(stages.iter().map(|stage| reader.served(&stage.physical_id))).await;
    for (stage, export) in stages.iter().zip(exports) {
        match export {
            Ok(Some(export)) => plan.remarks.served.extend(compare(stage, &export, desired, inventory)),
            Ok(None) => {}
            Err(error) => plan.problems.push(format!("what `{}` serves could not be asked: {error}", stage.logical_id)),
        }
    }
}

//! Counts what a plan would lose: live, and only of what it deletes or replaces.

use futures::stream::{self, StreamExt};

use crate::aws::error::AwsError;
use crate::inventory::Reader;
use crate::plan::loss::Subscriptions;
use crate::plan::{Loss, Plan};
use crate::resource::Contents;

/// Writes into the plan what goes with what goes. Never fails: what cannot be counted is said to be so.
pub async fn count(plan: &mut Plan, reader: &dyn Reader, concurrency: usize) {
    let going = plan.steps.iter().enumerate().filter(|(_, step)| step.loses());
    let counts = going.filter_map(|(index, step)| {
        let (resource_type, id) = (step.resource_type.clone(), step.physical_id.clone()?);
        Some(async move { (index, reader.contents(&resource_type, &id).await) })
    });
    let counted: Vec<(usize, Result<Option<Contents>, AwsError>)> =
        stream::iter(counts.collect::<Vec<_>>()).buffer_unordered(concurrency).collect().await;
    let own = Subscriptions::of(plan);
    let scope = plan.scope.clone();
    for (index, counted) in counted {
        let Some(step) = plan.steps.get_mut(index) else { continue };
        match counted {
            Ok(Some(contents)) => step.lose(contents, &own),
            Ok(None) => {}
            Err(error) => step.losses.push(Loss::Uncounted { reason: error.to_string() }),
        }
        step.lose_what_others_know(&scope);
    }
}

//! What a plan says beside its steps.

use serde::{Deserialize, Serialize};

use crate::identity::LogicalId;
use crate::plan::destruction::{Destruction, MadeByAws, Obstacle};
use crate::plan::served::Served;
use crate::policy::Finding;
use crate::state::Place;
use crate::visible::on_its_line;

/// What there is to know of a plan that is no step of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Remarks {
    /// The rules that the template breaks, those that it is let off included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<Finding>,
    /// The stages that serve something else than the template declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub served: Vec<Served>,
    /// What a later destroy will take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destruction: Option<Destruction>,
    /// Where a stack of this name is remembered, where nothing is remembered of it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Place>,
}

impl Remarks {
    pub(super) fn make_legible(&mut self) {
        let Self { policy, served, destruction, elsewhere } = self;
        policy.iter_mut().for_each(Finding::make_legible);
        for Served { stage, deployment, not_served, not_declared, differing } in served {
            for id in std::iter::once(stage).chain(deployment) {
                *id = LogicalId::new(on_its_line(id.as_str()));
            }
            for names in [not_served, not_declared, differing] {
                *names = names.iter().map(|name| on_its_line(name).into_owned()).collect();
            }
        }
        if let Some(Destruction { order: _, made_by_aws, obstacles }) = destruction {
            let made = made_by_aws.iter_mut().map(|MadeByAws { by, what, at_destroy: _ }| (by, what));
            for (id, what) in made.chain(obstacles.iter_mut().map(|Obstacle { resource, what }| (resource, what))) {
                *id = LogicalId::new(on_its_line(id.as_str()));
                *what = on_its_line(what).into_owned();
            }
        }
        if let Some(Place { account_id, region }) = elsewhere {
            for text in [account_id, region] {
                *text = on_its_line(text).into_owned();
            }
        }
    }
}

//! Which of a template's resources to look at next. Pure.

use std::collections::BTreeSet;

use crate::graph::Dependencies;
use crate::identity::{ByName, LogicalId};
use crate::inventory::Identity;

/// The resources that are still to be looked at, each once all that it refers to has been read, and it itself under the
/// identifier that the ledger remembers.
pub(super) struct Waiting {
    order: Vec<LogicalId>,
    places: ByName<LogicalId, usize>,
    /// By place: how many reads it waits for.
    missing: Vec<usize>,
    /// By place: what waits for its being read.
    followers: Vec<Vec<usize>>,
    /// By place: whether it was found under the remembered identifier.
    is_found: Vec<bool>,
    /// What waits for nothing more and was found: to look at it takes no read.
    found: BTreeSet<usize>,
    /// What else waits for nothing more.
    ready: BTreeSet<usize>,
}

impl Waiting {
    pub(super) fn of(order: Vec<LogicalId>, references: &Dependencies, remembered: &[Identity]) -> Self {
        let places: ByName<LogicalId, usize> = order.iter().cloned().zip(0..).collect();
        let mut missing = vec![0; order.len()];
        let mut followers = vec![Vec::new(); order.len()];
        for (place, logical_id) in order.iter().enumerate() {
            for on in references.of(logical_id) {
                missing[place] += 1;
                places.get(on).into_iter().for_each(|on| followers[*on].push(place));
            }
        }
        for place in remembered.iter().filter_map(|identity| places.get(&identity.owner.resource)) {
            missing[*place] += 1;
        }
        let ready = (0..order.len()).filter(|place| missing[*place] == 0).collect();
        Self { is_found: vec![false; order.len()], order, places, missing, followers, found: BTreeSet::new(), ready }
    }

    /// The next one to look at; `has_room` says whether there may be one more read.
    pub(super) fn next(&mut self, has_room: bool) -> Option<LogicalId> {
        let place = match self.found.pop_first() {
            Some(place) => place,
            None if has_room => self.ready.pop_first()?,
            None => return None,
        };
        Some(self.order[place].clone())
    }

    /// A resource has been read: what refers to it may be next.
    pub(super) fn is_read(&mut self, logical_id: &LogicalId) {
        let Some(place) = self.places.get(logical_id) else { return };
        for follower in std::mem::take(&mut self.followers[*place]) {
            self.waits_for_one_less(follower);
        }
    }

    /// A resource has been read under the remembered identifier.
    pub(super) fn is_read_early(&mut self, logical_id: &LogicalId, is_found: bool) {
        let Some(place) = self.places.get(logical_id).copied() else { return };
        self.is_found[place] = is_found;
        self.waits_for_one_less(place);
    }

    fn waits_for_one_less(&mut self, place: usize) {
        self.missing[place] -= 1;
        if self.missing[place] == 0 {
            let free = if self.is_found[place] { &mut self.found } else { &mut self.ready };
            free.insert(place);
        }
    }

    /// Those that wait for each other in a circle, or for what is nowhere.
    pub(super) fn left(self) -> impl Iterator<Item = LogicalId> {
        self.order.into_iter().zip(self.missing).filter(|(_, missing)| *missing > 0).map(|(logical_id, _)| logical_id)
    }
}

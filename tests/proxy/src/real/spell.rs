//! What lasts for a while after it has begun.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::held;

/// However slow the machine, a spell lasts for so many looks.
const FEWEST: usize = 2;

/// Spells of one length, by what they lie on.
#[derive(Debug)]
pub(super) struct Spells<K> {
    length: Duration,
    begun: Mutex<HashMap<K, Spell>>,
}

#[derive(Debug)]
struct Spell {
    begin: Instant,
    looks: usize,
}

impl<K: Eq + Hash> Spells<K> {
    pub(super) fn of(length: Duration) -> Self {
        Self { length, begun: Mutex::default() }
    }

    /// Begins, or begins again.
    pub(super) fn begin(&self, on: K) {
        held(&self.begun).insert(on, Spell { begin: Instant::now(), looks: 0 });
    }

    pub(super) fn end(&self, on: &K) {
        held(&self.begun).remove(on);
    }

    /// Looks at it: the number of this look, from 1, as long as it lasts.
    pub(super) fn look(&self, on: &K) -> Option<usize> {
        held(&self.begun).get_mut(on).and_then(|spell| spell.look(self.length))
    }

    /// Looks at all of which `is_meant`, and says whether one of them lasts.
    pub(super) fn look_at_any(&self, is_meant: impl Fn(&K) -> bool) -> bool {
        let mut begun = held(&self.begun);
        let meant = begun.iter_mut().filter(|(on, _)| is_meant(on));
        meant.filter_map(|(_, spell)| spell.look(self.length)).count() > 0
    }
}

impl Spell {
    fn look(&mut self, length: Duration) -> Option<usize> {
        self.looks += 1;
        (self.begin.elapsed() < length || self.looks <= FEWEST).then_some(self.looks)
    }
}

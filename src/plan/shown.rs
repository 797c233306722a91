//! A plan as it may be shown and kept: no secret is left in it, and what is not known yet says so in words.

use std::sync::Arc;

use serde_json::Value;

use crate::plan::{Action, Explained, Plan, Step};
use crate::unknown::display_within;

/// What is shown in place of a secret.
pub const SENSITIVE: &str = "(sensitive)";

impl Plan {
    /// The plan that every view renders.
    pub fn shown(&self) -> Self {
        let shown = |steps: &[Step]| steps.iter().map(Step::shown).collect();
        Self { steps: shown(&self.steps), left_out: shown(&self.left_out), ..self.clone() }
    }
}

impl Step {
    fn shown(&self) -> Self {
        let mut action = self.action.clone();
        match &mut action {
            Action::Adopt { changes } | Action::Update { changes } | Action::Replace { changes, .. } => {
                changes.iter_mut().for_each(|change| self.mask(change));
            }
            Action::None | Action::Create { .. } | Action::Delete { .. } | Action::Forget | Action::Blocked { .. } => {}
        }
        let mut desired = self.desired.as_deref().map(display_within);
        for (name, value) in desired.iter_mut().filter_map(Value::as_object_mut).flatten() {
            if self.secret.contains(name) {
                *value = Value::from(SENSITIVE);
            }
        }
        Self { action, desired: desired.map(Arc::new), live: None, ..self.clone() }
    }

    fn mask(&self, change: &mut Explained) {
        let is_secret = change.path.property().is_some_and(|property| self.secret.contains(property));
        for side in [&mut change.live, &mut change.desired] {
            *side = if is_secret { Some(Value::from(SENSITIVE)) } else { side.as_ref().map(display_within) };
        }
    }
}

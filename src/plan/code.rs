//! What changes in the packages of functions and layers. Pure: whoever has the packages hands them in.

use serde_json::Value;

use crate::package::{CodeChange, Content};
use crate::plan::{Explained, Plan, Step};

/// The properties that are a package.
const PACKAGED: [&str; 2] = ["Code", "Content"];

impl Step {
    /// What changes in the package that a change is of.
    pub fn code_of(&self, change: &Explained) -> Option<&CodeChange> {
        let is_package = change.path.property().is_some_and(|property| PACKAGED.contains(&property));
        self.code.as_ref().filter(|_| is_package)
    }
}

impl Plan {
    /// Says of every package that changes which files do; `package` gives the packages that are at hand, by digest.
    pub fn explain_code(&mut self, package: &dyn Fn(&str) -> Option<Content>) {
        for step in &mut self.steps {
            let changed = step.changes().iter().find_map(|change| {
                let property = change.path.property().filter(|property| PACKAGED.contains(property))?;
                Some((property.to_owned(), digest(step.live.as_ref().map(|live| &live.properties), property)?))
            });
            let Some((property, live)) = changed else { continue };
            let Some(wanted) = digest(step.desired.as_deref(), &property) else { continue };
            let code = CodeChange::between(package(&live).as_ref(), package(&wanted).as_ref());
            step.code = Some(if step.secret.contains(&property) { code.without_diffs() } else { code });
        }
    }

    /// The packages that carrying out the plan uploads, by digest.
    pub fn uploads(&self) -> impl Iterator<Item = String> {
        let digests =
            |step: &Step| PACKAGED.iter().filter_map(|it| digest(step.desired.as_deref(), it)).collect::<Vec<_>>();
        self.touching().flat_map(digests)
    }
}

fn digest(properties: Option<&Value>, property: &str) -> Option<String> {
    properties?.get(property)?.get("Sha256")?.as_str().map(str::to_owned)
}

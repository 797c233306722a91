//! A plan, or drift, as people are shown it: nothing in it can steer a terminal or hide. Programs get it as it is.

use std::sync::Arc;

use serde_json::Value;

use crate::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use crate::plan::{Action, Drift, Drifted, Explained, ForcedBy, Happened, Loss, Plan, Since, Step};
use crate::property_path::{PathStep, PropertyPath};
use crate::visible::{on_its_line, visible, visible_within};

impl Plan {
    /// The plan with everything in it visible.
    pub fn legible(mut self) -> Self {
        let Self { stack, scope, steps, left_out, problems, remarks } = &mut self;
        *stack = StackId::new(on_its_line(stack.as_str()));
        for text in [&mut scope.account_id, &mut scope.region, &mut scope.partition] {
            *text = on_its_line(text).into_owned();
        }
        steps.iter_mut().chain(left_out).for_each(Step::make_legible);
        problems.iter_mut().for_each(|problem| *problem = visible(problem).into_owned());
        remarks.make_legible();
        self
    }
}

impl Step {
    fn make_legible(&mut self) {
        self.logical_id = LogicalId::new(on_its_line(self.logical_id.as_str()));
        self.resource_type = ResourceType::from(&*on_its_line(self.resource_type.as_str()));
        self.physical_id = self.physical_id.as_ref().map(|id| PhysicalId::new(on_its_line(id.as_str())));
        self.desired = self.desired.as_deref().map(visible_within).map(Arc::new);
        self.losses.iter_mut().for_each(Loss::make_legible);
        self.code.iter_mut().flat_map(|code| &mut code.files).flatten().for_each(|file| {
            file.name = on_its_line(&file.name).into_owned();
            file.diff = file.diff.as_ref().map(|diff| visible(diff).into_owned());
        });
        match &mut self.action {
            Action::Adopt { changes } | Action::Update { changes } => {
                changes.iter_mut().for_each(Explained::make_legible)
            }
            Action::Replace { changes, forced_by, order: _ } => {
                changes.iter_mut().for_each(Explained::make_legible);
                forced_by.iter_mut().for_each(ForcedBy::make_legible);
            }
            Action::Blocked { reason, help } => {
                *reason = visible(reason).into_owned();
                *help = help.as_ref().map(|help| visible(help).into_owned());
            }
            Action::None | Action::Create { .. } | Action::Delete { .. } | Action::Forget => {}
        }
    }
}

impl Explained {
    fn make_legible(&mut self) {
        let Self { path, live, desired, cause: _, follows } = self;
        *path = legible_path(path);
        *follows = follows.iter().map(|id| LogicalId::new(on_its_line(id.as_str()))).collect();
        [live, desired].into_iter().for_each(make_legible);
    }
}

impl Loss {
    fn make_legible(&mut self) {
        match self {
            Self::Subscriptions { by_protocol } => {
                let kinds = std::mem::take(by_protocol).into_iter();
                *by_protocol = kinds.map(|(protocol, count)| (on_its_line(&protocol).into_owned(), count)).collect();
            }
            Self::Address { url: text } | Self::Uncounted { reason: text } => *text = on_its_line(text).into_owned(),
            Self::Items { .. } | Self::Messages { .. } | Self::LogEvents { .. } | Self::KeyValue => {}
        }
    }
}

impl ForcedBy {
    fn make_legible(&mut self) {
        match self {
            Self::Property { path } => *path = legible_path(path),
            Self::Parent { logical_id } => *logical_id = LogicalId::new(on_its_line(logical_id.as_str())),
            Self::Request => {}
        }
    }
}

impl Drift {
    /// The drift with everything in it visible.
    pub fn legible(mut self) -> Self {
        self.stack = StackId::new(on_its_line(self.stack.as_str()));
        self.problems.iter_mut().for_each(|problem| *problem = visible(problem).into_owned());
        for Drifted { logical_id, resource_type, physical_id, what, secret: _ } in &mut self.resources {
            *logical_id = LogicalId::new(on_its_line(logical_id.as_str()));
            *resource_type = ResourceType::from(&*on_its_line(resource_type.as_str()));
            *physical_id = PhysicalId::new(on_its_line(physical_id.as_str()));
            let Happened::Changed { changes } = what else { continue };
            for Since { path, applied, live } in changes {
                *path = legible_path(path);
                [applied, live].into_iter().for_each(make_legible);
            }
        }
        self
    }
}

fn make_legible(side: &mut Option<Value>) {
    *side = side.as_ref().map(visible_within);
}

fn legible_path(path: &PropertyPath) -> PropertyPath {
    let steps = path.steps().iter().map(|step| match step {
        PathStep::Key(name) => PathStep::Key(on_its_line(name).into_owned()),
        PathStep::Index(index) => PathStep::Index(*index),
    });
    steps.fold(PropertyPath::root(), |mut path, step| {
        path.push(step);
        path
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::json;

    use super::*;
    use crate::aws::Scope;
    use crate::cli::view::{Detail, text};
    use crate::package::{CodeChange, FileChange};
    use crate::plan::served::Served;
    use crate::plan::{Cause, Missing, Order, Remarks};
    use crate::policy::{Finding, Level};
    use crate::state::Place;

    const NASTY: &str = "\u{1b}]52;c;aGk=\u{7}\u{1b}[2J\u{9b}1A\u{202e}\r";

    fn nasty(action: Action) -> Step {
        Step {
            logical_id: format!("Queue{NASTY}").into(),
            resource_type: format!("AWS::SQS::Queue{NASTY}").into(),
            action,
            desired: Some(Arc::new(
                json!({"Name": NASTY, "List": [{"Key\u{1b}[8m": NASTY}], "Long": format!("a\n{NASTY}\nb")}),
            )),
            live: None,
            physical_id: Some(format!("queue{NASTY}\n+ Another").into()),
            dependencies: BTreeSet::new(),
            holds: BTreeMap::new(),
            goes_last: false,
            secret: BTreeSet::new(),
            losses: vec![Loss::Uncounted { reason: NASTY.into() }, Loss::Address { url: NASTY.into() }],
            code: Some(CodeChange { zip_size: None, files: Some(vec![nasty_file()]), unchanged: 0 }),
        }
    }

    fn nasty_finding() -> Finding {
        Finding {
            rule: NASTY.into(),
            level: Level::Mandatory,
            resource: NASTY.into(),
            path: PropertyPath::of(NASTY),
            what: NASTY.into(),
            reason: NASTY.into(),
            fix: NASTY.into(),
            suppressed: None,
            span: None,
            position: None,
        }
    }

    fn nasty_stage() -> Served {
        let nasty = || BTreeSet::from([NASTY.to_owned()]);
        let [not_served, not_declared, differing] = [nasty(), nasty(), nasty()];
        Served { stage: NASTY.into(), deployment: Some(NASTY.into()), not_served, not_declared, differing }
    }

    fn nasty_file() -> FileChange {
        FileChange { name: NASTY.into(), before: None, after: None, diff: Some(format!("+{NASTY}\n-{NASTY}")) }
    }

    /// What colours text in our own palette.
    fn without_colours(text: &str) -> String {
        let colour = fancy_regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a pattern");
        colour.replace_all(text, "").into_owned()
    }

    #[test]
    fn no_plan_steers_a_terminal() {
        let path = || PropertyPath::of("Tags").key(NASTY);
        let change = |value: &str| Explained {
            path: path(),
            live: Some(json!(value)),
            desired: Some(json!([value, {"a": value}])),
            cause: Cause::Drift,
            follows: [NASTY.into()].into(),
        };
        let changes = || vec![change(NASTY), change(&NASTY.repeat(30)), change(&format!("{NASTY}\n{NASTY}"))];
        let forced_by = vec![ForcedBy::Property { path: path() }, ForcedBy::Parent { logical_id: NASTY.into() }];
        let actions = [
            Action::Create { why: Missing::New },
            Action::Update { changes: changes() },
            Action::Replace { changes: changes(), forced_by, order: Order::CreateFirst },
            Action::Blocked { reason: NASTY.into(), help: Some(NASTY.into()) },
        ];
        let scope = Scope { account_id: NASTY.into(), region: NASTY.into(), partition: NASTY.into() };
        let steps: Vec<Step> = actions.into_iter().map(nasty).collect();
        let elsewhere = Some(Place { account_id: NASTY.into(), region: NASTY.into() });
        let remarks =
            Remarks { policy: vec![nasty_finding()], served: vec![nasty_stage()], destruction: None, elsewhere };
        let problems = vec![NASTY.into()];
        let plan = Plan { stack: NASTY.into(), scope, left_out: steps.clone(), steps, problems, remarks };
        let mut shown = Vec::new();
        text::plan(&mut shown, &plan, Detail::Brief).expect("memory can be written");
        text::plan(&mut shown, &plan, Detail::Full).expect("memory can be written");
        text::left(&mut shown, &plan).expect("memory can be written");
        let shown = String::from_utf8(shown).expect("text");
        let shown = without_colours(&shown);
        assert_eq!(visible(&shown), shown);
        assert!(!shown.lines().any(|line| line.starts_with("+ Another")), "{shown}");
    }
}

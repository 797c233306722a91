//! A plan as text: what is made or goes on one line each, grouped by service; what changes with every change.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::Value;

use super::difference;
use crate::cli::view::brief::brief;
use crate::cli::view::palette::{Role, paint};
use crate::cli::view::values::unfolded;
use crate::cli::view::words::{Heading, count, note, reason, summary};
use crate::plan::{Action, Explained, Plan, Step};

/// How much of each resource is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What is made on one line, of what changes only the changes.
    Brief,
    /// All properties.
    Full,
}

/// What needs somebody most comes last, where a terminal's reader looks first.
pub fn plan(out: &mut dyn Write, plan: &Plan, detail: Detail) -> io::Result<()> {
    let plan = &plan.shown().legible();
    let scope = &plan.scope;
    writeln!(out, "Stack `{}` in account {}, {}.\n", plan.stack, scope.account_id, scope.region)?;
    for heading in Heading::ALL.into_iter().rev() {
        let steps = heading.steps(plan);
        if steps.is_empty() {
            continue;
        }
        let title = format!("{} {}", heading.sign(), heading.words());
        writeln!(out, "{}\n", paint(heading.role(), title))?;
        if is_listed(heading, detail) {
            list(out, heading, &steps)?;
        } else {
            steps.iter().try_for_each(|step| show_step(out, heading, step, detail))?;
        }
    }
    for problem in &plan.problems {
        writeln!(out, "{} {problem}; the plan may lack something\n", paint(Role::Blocked, "warning:"))?;
    }
    if !plan.left_out.is_empty() {
        writeln!(out, "Left out, as not targeted: {}.", count(plan.left_out.len(), "resource"))?;
    }
    writeln!(out, "{}", summary(plan))
}

/// Whether one line says all that there is to say.
fn is_listed(heading: Heading, detail: Detail) -> bool {
    match heading {
        Heading::Create => detail == Detail::Brief,
        Heading::Destroy | Heading::Forget => true,
        Heading::Blocked | Heading::Replace | Heading::ReplaceCreatingFirst | Heading::Update | Heading::Adopt => false,
    }
}

/// One line each, in a table for each service, in the order in which the services are met.
fn list(out: &mut dyn Write, heading: Heading, steps: &[&Step]) -> io::Result<()> {
    let mut services: Vec<&str> = Vec::new();
    let mut rows: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for step in steps {
        let (service, kind) = step.resource_type.as_str().rsplit_once("::").unwrap_or(("", step.resource_type.as_str()));
        if !services.contains(&service) {
            services.push(service);
        }
        let facts = match (&step.desired, &step.physical_id) {
            (Some(properties), _) => brief(&step.resource_type, properties),
            (None, Some(id)) => format!("[{id}]"),
            (None, None) => String::new(),
        };
        let note = note(&step.action).map(|note| format!("  # {note}")).unwrap_or_default();
        rows.entry(service).or_default().push([step.logical_id.to_string(), kind.to_owned(), facts + &note]);
    }
    for service in services {
        let rows = rows.remove(service).unwrap_or_default();
        let width = |column: usize| rows.iter().map(|row: &Row| row[column].chars().count()).max().unwrap_or_default();
        let [name_width, kind_width] = [width(0), width(1)];
        writeln!(out, "    {}", paint(Role::Quiet, service))?;
        for [name, kind, facts] in &rows {
            let sign = paint(heading.role(), heading.sign());
            let name = paint(Role::Name, format!("{name:name_width$}"));
            writeln!(out, "    {sign} {name}  {}", format!("{kind:kind_width$}  {facts}").trim_end())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Logical id, type without its service, facts.
type Row = [String; 3];

fn show_step(out: &mut dyn Write, heading: Heading, step: &Step, detail: Detail) -> io::Result<()> {
    let note = note(&step.action).map(|note| format!("  # {note}")).unwrap_or_default();
    let id = step.physical_id.as_ref().map(|id| format!(" [{id}]")).unwrap_or_default();
    writeln!(
        out,
        "    {} {}  {}{}{}",
        paint(heading.role(), heading.sign()),
        paint(Role::Name, &step.logical_id),
        step.resource_type,
        paint(Role::Quiet, id),
        paint(Role::Quiet, note)
    )?;
    match &step.action {
        Action::Create { .. } => properties(out, step, |_| true)?,
        Action::Adopt { changes } | Action::Update { changes } | Action::Replace { changes, .. } => {
            for change in changes {
                show_change(out, change, &step.action)?;
            }
            if detail == Detail::Full {
                let stays = |name: &str| !changes.iter().any(|change| change.path.property() == Some(name));
                properties(out, step, stays)?;
            }
        }
        Action::Blocked { reason, help } => {
            writeln!(out, "          {reason}")?;
            if let Some(help) = help {
                writeln!(out, "          help: {help}")?;
            }
        }
        Action::None | Action::Delete { .. } | Action::Forget => {}
    }
    writeln!(out)
}

fn properties(out: &mut dyn Write, step: &Step, is_shown: impl Fn(&str) -> bool) -> io::Result<()> {
    let properties = step.desired.iter().filter_map(Value::as_object).flatten();
    let lines = properties.filter(|(name, _)| is_shown(name)).flat_map(|(name, value)| unfolded(name, value));
    lines.into_iter().try_for_each(|line| writeln!(out, "          {line}"))
}

fn show_change(out: &mut dyn Write, change: &Explained, action: &Action) -> io::Result<()> {
    let note = format!("  ({})", reason(change, action));
    difference(out, &change.path, change.live.as_ref(), change.desired.as_ref(), &note)
}

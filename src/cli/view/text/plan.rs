//! A plan as text: what is made or goes on one line each, grouped by service; what changes with every change.

use std::io::{self, Write};

use super::difference;
use crate::cli::view::brief::brief;
use crate::cli::view::palette::{Role, paint};
use crate::cli::view::remarks::{AT_A_DESTROY, Remark, remarks};
use crate::cli::view::values::unfolded;
use crate::cli::view::words::{
    Heading, by_service, count, file, following, is_empty, losses, note, package, reason, split, summary,
};
use crate::package::CodeChange;
use crate::plan::{Action, Explained, Plan, Step};

/// How much of each resource is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What is made on one line, of what changes only the changes.
    Brief,
    /// All properties.
    Full,
}

impl Detail {
    /// What `--full` asks for.
    pub fn of(is_full: bool) -> Self {
        if is_full { Self::Full } else { Self::Brief }
    }
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
            steps.iter().try_for_each(|step| show_step(out, (plan, *step), heading, detail))?;
        }
    }
    show_losses(out, plan)?;
    show_remarks(out, plan, detail)?;
    for problem in &plan.problems {
        writeln!(out, "{} {problem}; the plan may lack something\n", paint(Role::Blocked, "warning:"))?;
    }
    if !plan.left_out.is_empty() {
        writeln!(out, "Left out, as not targeted: {}.", count(plan.left_out.len(), "resource"))?;
    }
    writeln!(out, "{}", summary(plan))
}

/// What there is to know beside the steps, one line each; of a later destroy, which is far away, only that there is something.
fn show_remarks(out: &mut dyn Write, plan: &Plan, detail: Detail) -> io::Result<()> {
    let remarks = remarks(plan);
    let (far, near): (Vec<&Remark>, Vec<&Remark>) = remarks.iter().partition(|remark| remark.kind == AT_A_DESTROY);
    for Remark { kind, role, text } in &near {
        writeln!(out, "{} {text}", paint(*role, format!("{kind}:")))?;
    }
    match detail {
        _ if far.is_empty() => {}
        Detail::Full => {
            for Remark { kind, role, text } in &far {
                writeln!(out, "{} {text}", paint(*role, format!("{kind}:")))?;
            }
        }
        Detail::Brief => {
            let things = count(far.len(), "thing");
            writeln!(out, "{}", paint(Role::Quiet, format!("{AT_A_DESTROY}: {things} to know, which `--full` names")))?;
        }
    }
    if remarks.is_empty() { Ok(()) } else { writeln!(out) }
}

/// Whether one line says all that there is to say.
fn is_listed(heading: Heading, detail: Detail) -> bool {
    match heading {
        Heading::Create => detail == Detail::Brief,
        Heading::Destroy | Heading::Forget => true,
        Heading::Blocked | Heading::Replace | Heading::ReplaceCreatingFirst | Heading::Update | Heading::Adopt => false,
    }
}

/// One line each, in a table for each service.
fn list(out: &mut dyn Write, heading: Heading, steps: &[&Step]) -> io::Result<()> {
    for (service, steps) in by_service(steps) {
        let rows: Vec<Row> = steps.into_iter().map(row).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
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

fn row(step: &Step) -> Row {
    let facts = match (&step.desired, &step.physical_id) {
        (Some(properties), _) => brief(&step.resource_type, properties),
        (None, Some(id)) => format!("[{id}]"),
        (None, None) => String::new(),
    };
    let notes = [note(&step.action), is_empty(step).then(|| "empty".to_owned())];
    let notes: String = notes.iter().flatten().map(|note| format!("  # {note}")).collect();
    [step.logical_id.to_string(), split(step).1.to_owned(), facts + &notes]
}

fn show_step(out: &mut dyn Write, (plan, step): (&Plan, &Step), heading: Heading, detail: Detail) -> io::Result<()> {
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
                if let Some(code) = step.code_of(change) {
                    show_code(out, code)?;
                }
            }
            if let Some(following) = following(plan, step) {
                writeln!(out, "          {}", paint(Role::Quiet, following))?;
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
    let properties = step.properties();
    let lines = properties.filter(|(name, _)| is_shown(name)).flat_map(|(name, value)| unfolded(name, value));
    lines.into_iter().try_for_each(|line| writeln!(out, "          {line}"))
}

fn show_change(out: &mut dyn Write, change: &Explained, action: &Action) -> io::Result<()> {
    let note = format!("  ({})", reason(change, action));
    difference(out, &change.path, change.live.as_ref(), change.desired.as_ref(), &note)
}

/// Files of a package, with their lines where they are at hand.
fn show_code(out: &mut dyn Write, code: &CodeChange) -> io::Result<()> {
    for change in code.files.iter().flatten() {
        let (heading, words) = file(change);
        writeln!(out, "            {} {}", paint(heading.role(), heading.sign()), words)?;
        let lines: Vec<&str> = change.diff.iter().flat_map(|diff| diff.lines()).collect();
        for line in lines.iter().take(LONGEST_DIFF) {
            writeln!(out, "                {}", paint(diff_role(line), line))?;
        }
        if let Some(left) = lines.len().checked_sub(LONGEST_DIFF + 1) {
            let words = format!("... {} more in `--format json`, `markdown` or `html`", count(left + 1, "line"));
            writeln!(out, "                {}", paint(Role::Quiet, words))?;
        }
    }
    writeln!(out, "            {}", paint(Role::Quiet, package(code)))
}

/// How many lines of a file's diff a terminal is given.
const LONGEST_DIFF: usize = 60;

fn diff_role(line: &str) -> Role {
    match line.chars().next() {
        Some('+') => Role::Created,
        Some('-') => Role::Deleted,
        _ => Role::Quiet,
    }
}

/// Loudly, and last: what goes for good.
fn show_losses(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    let lost: Vec<(&Step, String)> =
        plan.steps.iter().flat_map(|step| losses(step).into_iter().map(move |words| (step, words))).collect();
    if lost.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}\n", paint(Role::Blocked, "! lost for good, if this is applied"))?;
    for (step, words) in lost {
        let id = step.physical_id.as_ref().map(|id| format!(" [{id}]")).unwrap_or_default();
        writeln!(out, "    {}{}: {words}", paint(Role::Name, &step.logical_id), paint(Role::Quiet, id))?;
    }
    writeln!(out)
}

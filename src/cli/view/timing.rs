//! What determined how long a run took: what to blame.

use std::io::{self, Write};

use crate::apply::Kind;
use crate::apply::bound::Bound;
use crate::apply::chronicle::Timing;
use crate::cli::view::palette::{Role, paint};
use crate::cli::view::words::duration;
use crate::visible::on_its_line;

/// In milliseconds: what is shorter makes nobody wait.
const WORTH_TELLING: u64 = 1_000;

/// What determined how long a run took, quietly; nothing where there was nothing to wait for.
pub fn timing(out: &mut dyn Write, timing: &Timing) -> io::Result<()> {
    if timing.total_milliseconds < WORTH_TELLING {
        return Ok(());
    }
    let took = duration(timing.total_milliseconds);
    writeln!(out, "{}", paint(Role::Quiet, format!("\nIt took {took}. One after the other, these determined that:")))?;
    let names = timing.critical_path.iter().map(|link| link.task.logical_id.as_str().len());
    let width = names.max().unwrap_or_default();
    for link in &timing.critical_path {
        if link.held_up_milliseconds >= WORTH_TELLING {
            let held_up = duration(link.held_up_milliseconds);
            writeln!(out, "{}", paint(Role::Quiet, format!("  {held_up:>10}  until there was room (--concurrency)")))?;
        }
        let took = duration(link.ended_milliseconds.saturating_sub(link.started_milliseconds));
        let longest = link.waits.iter().max_by_key(|wait| wait.took());
        let waited = longest
            .filter(|wait| wait.took() >= WORTH_TELLING)
            .map(|wait| format!(", of which {} waiting for {}", duration(wait.took()), on_its_line(&wait.waiting_for)));
        let doing = match link.task.kind {
            Kind::Create => "creating",
            Kind::Update => "updating",
            Kind::Delete => "deleting",
        };
        let line = format!(
            "  {took:>10}  {:width$}  {doing} {}{}",
            on_its_line(link.task.logical_id.as_str()),
            link.task.resource_type,
            waited.unwrap_or_default()
        );
        writeln!(out, "{}", paint(Role::Quiet, line))?;
    }
    Ok(())
}

/// How near a run came to the least time that it could have taken, quietly.
pub fn least(out: &mut dyn Write, timing: &Timing, bound: &Bound) -> io::Result<()> {
    if timing.total_milliseconds < WORTH_TELLING {
        return Ok(());
    }
    let (least, ratio) = (duration(bound.lower_bound()), bound.ratio(timing.total_milliseconds));
    let line =
        format!("With what each task took, no order takes less than {least}: this one took {ratio:.2} times that.");
    writeln!(out, "{}", paint(Role::Quiet, line))
}

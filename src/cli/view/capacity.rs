//! Whether a load is carried, hop by hop.

use std::io::{self, Write};

use crate::capacity::{Backlog, Capacity, Hop, number};
use crate::cli::view::palette::{Role, paint};

pub fn text(out: &mut dyn Write, capacity: &Capacity) -> io::Result<()> {
    let load = &capacity.load;
    writeln!(
        out,
        "{} requests a second ({} a minute), and {} % to spare:\n",
        number(load.rate),
        number(load.rate * 60.0),
        number(load.headroom * 100.0)
    )?;
    for hop in &capacity.hops {
        show_hop(out, hop)?;
    }
    if !capacity.backlogs.is_empty() {
        writeln!(out, "\nAfter {} minutes in which nothing is taken from queues:\n", number(load.outage_minutes))?;
    }
    for backlog in &capacity.backlogs {
        show_backlog(out, backlog)?;
    }
    writeln!(out, "\nTaken for granted:\n")?;
    for assumption in &capacity.assumptions {
        writeln!(out, "  - {assumption}")?;
    }
    writeln!(out)?;
    if let Some(hop) = &capacity.bottleneck {
        writeln!(out, "The bottleneck: {}, {}.", name(hop), spare(hop))?;
    }
    let broken = capacity.hops.iter().filter(|hop| !hop.carries).count();
    match (capacity.carries, broken) {
        (true, _) => writeln!(out, "The template carries the load."),
        (false, 0) => writeln!(out, "{}", paint(Role::Blocked, "The template does not work off the backlog.")),
        (false, _) => writeln!(out, "{}", paint(Role::Blocked, "The template does not carry the load.")),
    }
}

fn show_hop(out: &mut dyn Write, hop: &Hop) -> io::Result<()> {
    let sign = sign(hop.carries);
    let limit = hop.limit.map_or_else(|| "no limit".to_owned(), number);
    writeln!(out, "  {sign} {}", paint(Role::Name, name(hop)))?;
    writeln!(out, "       {} of {limit}: {}", number(hop.needed), spare(hop))?;
    let quiet = format!("{} = {}; limit: {}", hop.arithmetic, number(hop.needed), hop.source);
    writeln!(out, "       {}", paint(Role::Quiet, quiet))
}

fn show_backlog(out: &mut dyn Write, backlog: &Backlog) -> io::Result<()> {
    let Backlog { queue, waiting, minutes, arithmetic, carries, .. } = backlog;
    let done = match minutes {
        Some(minutes) => format!("done after {} minutes", number(*minutes)),
        None => "never done".to_owned(),
    };
    writeln!(out, "  {} {}: {} messages wait, {done}", sign(*carries), paint(Role::Name, queue), number(*waiting))?;
    writeln!(out, "       {}", paint(Role::Quiet, arithmetic))
}

fn sign(carries: bool) -> impl std::fmt::Display {
    if carries { paint(Role::Created, "ok  ") } else { paint(Role::Blocked, "FAIL") }
}

fn name(hop: &Hop) -> String {
    match &hop.resource {
        Some(resource) => format!("{resource}: {}", hop.what),
        None => hop.what.clone(),
    }
}

fn spare(hop: &Hop) -> String {
    match hop.spare() {
        None => "all of it to spare".to_owned(),
        Some(spare) if spare < 0.0 => format!("{} % too little", number((-spare * 100.0).round())),
        Some(spare) => format!("{} % to spare", number((spare * 100.0 + 1e-6).floor())),
    }
}

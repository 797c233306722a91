//! What is told while a plan is carried out: one line an event.

use std::io;

use crate::apply::{Done, Event, Kind, Outcome, Task};
use crate::cli::World;
use crate::cli::arguments::Format;
use crate::cli::view::palette::{Role, paint};
use crate::visible::{on_its_line, visible};

/// Writes events as they come. What cannot be written is remembered until the end: the work itself goes on.
pub struct Progress<'a> {
    out: Option<&'a mut dyn io::Write>,
    total: usize,
    finished: usize,
    result: io::Result<()>,
}

impl<'a> Progress<'a> {
    /// In JSON nothing is told on the way.
    pub fn new(format: Format, total: usize, world: &'a mut World) -> Self {
        let out: Option<&mut dyn io::Write> = match format {
            Format::Text => Some(&mut world.out),
            Format::Json => None,
        };
        let mut progress = Self { out, total, finished: 0, result: Ok(()) };
        if total > 0 {
            progress.line(String::new());
        }
        progress
    }

    pub fn tell(&mut self, event: &Event<'_>) {
        match event {
            Event::Started { task } => {
                self.line(format!("{}: {}...", name(task), doing(task.kind)));
            }
            Event::Finished { task, outcome, milliseconds } => {
                self.finished += 1;
                let line = finished(task, outcome, *milliseconds);
                self.line(format!("{line} {}", paint(Role::Quiet, format!("({}/{})", self.finished, self.total))));
            }
            Event::Skipped { task, because_of } => {
                self.finished += 1;
                let because_of = on_its_line(because_of.as_str());
                self.line(format!("{}: skipped, because `{because_of}` failed", name(task)));
            }
            Event::Stopping { running, patience } => {
                let names: Vec<String> =
                    running.iter().map(|task| format!("{} {}", doing(task.kind), name(task))).collect();
                let seconds = patience.as_secs();
                self.line(format!("\nStopping: nothing new is started. In flight: {}.", names.join(", ")));
                self.line(format!("They are waited for, for {seconds} s at most; interrupt again to stop at once.\n"));
            }
            Event::GivenUp { task } => {
                self.line(format!("{}: not waited for any longer", name(task)));
            }
        }
    }

    /// # Errors
    ///
    /// Something on the way could not be written.
    pub fn finish(self) -> io::Result<()> {
        self.result
    }

    fn line(&mut self, text: String) {
        if let (Some(out), Ok(())) = (&mut self.out, &self.result) {
            self.result = writeln!(out, "{text}");
        }
    }
}

fn name(task: &Task) -> String {
    paint(Role::Name, on_its_line(task.logical_id.as_str())).to_string()
}

fn doing(kind: Kind) -> &'static str {
    match kind {
        Kind::Create => "creating",
        Kind::Update => "updating",
        Kind::Delete => "deleting",
    }
}

fn finished(task: &Task, outcome: &Outcome, milliseconds: u64) -> String {
    let name = name(task);
    let took = super::words::duration(milliseconds);
    match outcome {
        Outcome::Done(Done::Created { id, .. }) => {
            format!("{name}: {} after {took} [{}]", paint(Role::Created, "created"), on_its_line(id.as_str()))
        }
        Outcome::Done(Done::Updated { id, .. }) => {
            format!("{name}: {} after {took} [{}]", paint(Role::Changed, "updated"), on_its_line(id.as_str()))
        }
        Outcome::Done(Done::Deleted) => format!("{name}: {} after {took}", paint(Role::Deleted, "deleted")),
        Outcome::Failed(error) => {
            format!("{name}: {} after {took}: {}", paint(Role::Blocked, "failed"), visible(&error.to_string()))
        }
    }
}

//! What is told while a plan is carried out: one line an event.

use std::io;

use crate::apply::{Done, Event, Kind, Outcome, Task};
use crate::cli::World;
use crate::cli::arguments::Format;
use crate::cli::view::palette::{Role, paint};

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
                let doing = match task.kind {
                    Kind::Create => "creating",
                    Kind::Update => "updating",
                    Kind::Delete => "deleting",
                };
                self.line(format!("{}: {doing}...", paint(Role::Name, &task.logical_id)));
            }
            Event::Finished { task, outcome, milliseconds } => {
                self.finished += 1;
                let line = finished(task, outcome, *milliseconds);
                self.line(format!("{line} {}", paint(Role::Quiet, format!("({}/{})", self.finished, self.total))));
            }
            Event::Skipped { task, because_of } => {
                self.finished += 1;
                self.line(format!("{}: skipped, because `{because_of}` failed", paint(Role::Name, &task.logical_id)));
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

fn finished(task: &Task, outcome: &Outcome, milliseconds: u64) -> String {
    let name = paint(Role::Name, &task.logical_id);
    let took = super::text::duration(milliseconds);
    match outcome {
        Outcome::Done(Done::Created { id, .. }) => {
            format!("{name}: {} after {took} [{id}]", paint(Role::Created, "created"))
        }
        Outcome::Done(Done::Updated { id, .. }) => {
            format!("{name}: {} after {took} [{id}]", paint(Role::Changed, "updated"))
        }
        Outcome::Done(Done::Deleted) => format!("{name}: {} after {took}", paint(Role::Deleted, "deleted")),
        Outcome::Failed(error) => format!("{name}: {} after {took}: {error}", paint(Role::Blocked, "failed")),
    }
}

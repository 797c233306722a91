//! What is told while a plan is carried out: on a terminal the run at a glance, elsewhere a line an event, and in JSON a value a
//! line.

mod live;
mod message;
mod terminal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::apply::chronicle::{Chronicle, milliseconds};
use crate::apply::durations::Durations;
use crate::apply::{Event, Schedule, TaskId};
use crate::aws::clock::Clock;
use crate::cli::World;
use crate::cli::arguments::Format;
use crate::cli::view::json::VERSION;
use crate::visible::in_json;

pub use message::doing;
pub use terminal::Terminal;

use message::Message;
use terminal::Canvas;

/// How often [`Progress::tick`] is to be called.
pub const TICK: Duration = Duration::from_millis(100);

/// After how long it is told again that a task still runs.
const STILL_SECONDS: u64 = 10;

/// Shows a run as it goes. What cannot be written is remembered until the end: the work itself goes on.
pub struct Progress<'a> {
    chronicle: Chronicle,
    form: Form<'a>,
    clock: Arc<dyn Clock>,
    /// How often of each task it was told that it still runs.
    still: BTreeMap<TaskId, u64>,
    result: io::Result<()>,
}

enum Form<'a> {
    Live(Canvas<'a>),
    Plain(&'a mut dyn io::Write),
    Json(&'a mut dyn io::Write),
}

/// A message as a line of JSON.
#[derive(Serialize)]
struct Told<'a> {
    version: u32,
    at: jiff::Timestamp,
    elapsed_milliseconds: u64,
    #[serde(flatten)]
    message: &'a Message,
}

impl<'a> Progress<'a> {
    pub fn new(format: Format, schedule: &Schedule, durations: &Durations, world: &'a mut World) -> Self {
        let clock = Arc::clone(&world.clock);
        let form = match (format, &mut world.terminal) {
            (Format::Json, _) => Form::Json(&mut world.out),
            (Format::Text, Some(terminal)) => Form::Live(Canvas::new(terminal)),
            (Format::Text, None) => Form::Plain(&mut world.out),
        };
        let chronicle = Chronicle::new(schedule, durations, clock.monotonic());
        let mut progress = Self { chronicle, form, clock, still: BTreeMap::new(), result: Ok(()) };
        if !progress.chronicle.entries.is_empty() {
            let message = Message::begun(&progress.chronicle);
            progress.say(&message);
        }
        progress
    }

    /// Shows what has happened.
    pub fn tell(&mut self, event: &Event<'_>) {
        self.chronicle.note(event, self.now());
        self.say(&Message::of(event));
    }

    /// Shows that time has passed.
    pub fn tick(&mut self) {
        let now = self.now();
        if matches!(self.form, Form::Live(_)) {
            self.draw(&[]);
            return;
        }
        for (id, since) in self.chronicle.running() {
            let times = now.saturating_sub(since).as_secs() / STILL_SECONDS;
            if self.still.insert(id, times).unwrap_or_default() < times {
                self.say(&Message::still_runs(&self.chronicle, id, since, now));
            }
        }
    }

    /// Gives what has happened.
    ///
    /// # Errors
    ///
    /// Something on the way could not be written.
    pub fn finish(mut self) -> io::Result<Chronicle> {
        if let (Form::Live(canvas), Ok(())) = (&mut self.form, &self.result) {
            self.result = canvas.draw(&[], &[]);
        }
        self.result.map(|()| self.chronicle)
    }

    fn now(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.chronicle.begun)
    }

    fn say(&mut self, message: &Message) {
        if self.result.is_err() {
            return;
        }
        let now = self.now();
        match &mut self.form {
            Form::Live(_) => {
                // What begins is seen in the lines below.
                let above = match message {
                    Message::Begun { .. } => Some(String::new()),
                    Message::TaskStarted { .. } => None,
                    message => message.sentence(),
                };
                self.draw(above.as_slice());
            }
            Form::Plain(out) => {
                let blank = || matches!(message, Message::Begun { .. }).then(String::new);
                if let Some(sentence) = message.sentence().or_else(blank) {
                    self.result = writeln!(out, "{sentence}");
                }
            }
            Form::Json(out) => {
                let elapsed_milliseconds = milliseconds(now);
                let told = Told { version: VERSION, at: self.clock.now(), elapsed_milliseconds, message };
                let line = serde_json::to_string(&told).map_err(io::Error::from);
                self.result = line.and_then(|line| writeln!(out, "{}", in_json(&line)));
            }
        }
    }

    fn draw(&mut self, above: &[String]) {
        let now = self.now();
        if let (Form::Live(canvas), Ok(())) = (&mut self.form, &self.result) {
            let lines = live::lines(&self.chronicle, now, canvas.size());
            self.result = canvas.draw(above, &lines);
        }
    }
}

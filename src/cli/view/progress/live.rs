//! A run at a glance: what runs, what waits for what, how far all of it is. Pure: a chronicle, a time and a size go in, lines
//! come out.

use std::collections::BTreeMap;
use std::time::Duration;

use unicode_width::UnicodeWidthChar;

use crate::apply::TaskId;
use crate::apply::chronicle::{Chronicle, State, milliseconds};
use crate::cli::view::palette::{Role, paint};
use crate::cli::view::progress::message::doing;
use crate::cli::view::words::{count, elapsed};
use crate::visible::on_its_line;

/// What a terminal has room for, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

/// A line, of words that each are something.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line(Vec<(Option<Role>, String)>);

const WHEEL: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// How long the wheel stands still.
const TURN: Duration = Duration::from_millis(100);
/// Terminals narrower than this have no room for a bar.
const ROOM_FOR_A_BAR: usize = 50;

/// The lines of a run, as many and as long as there is room for.
pub fn lines(chronicle: &Chronicle, now: Duration, size: Size) -> Vec<Line> {
    // One row stays free for the cursor, and one is the bar's.
    let room = size.rows.saturating_sub(2).max(1);
    let tree = Tree::of(chronicle, now);
    let (shown, hidden) = tree.fit(room);
    let mut lines: Vec<Line> = shown.iter().map(|branch| branch.line(chronicle, now)).collect();
    if hidden > 0 {
        lines.push(Line::of(Role::Quiet, format!("   … and {hidden} more")));
    }
    lines.push(bar(chronicle, &tree.ends, now, size.columns));
    lines.into_iter().map(|line| line.cut(size.columns.saturating_sub(1))).collect()
}

/// What runs, and under each of it what waits for it longest.
struct Tree {
    branches: Vec<Branch>,
    ends: BTreeMap<TaskId, Duration>,
}

/// A task in the tree.
#[derive(Debug, Clone)]
struct Branch {
    id: TaskId,
    depth: usize,
    /// What leads to it: `│  ├─ `.
    lead: String,
}

impl Tree {
    fn of(chronicle: &Chronicle, now: Duration) -> Self {
        let ends = chronicle.expected_ends(now);
        let mut children: BTreeMap<TaskId, Vec<TaskId>> = BTreeMap::new();
        let mut free = Vec::new();
        for id in chronicle.ids().filter(|id| chronicle.entries[id.0].state == State::Waits) {
            match chronicle.unfinished_before(id).max_by_key(|before| (ends.get(before), std::cmp::Reverse(*before))) {
                Some(last) => children.entry(last).or_default().push(id),
                None => free.push(id),
            }
        }
        let mut tree = Self { branches: Vec::new(), ends };
        for id in chronicle.running().into_iter().map(|(id, _)| id).chain(free) {
            tree.grow(id, 0, String::new(), "", &children);
        }
        tree
    }

    fn grow(&mut self, id: TaskId, depth: usize, lead: String, below: &str, children: &BTreeMap<TaskId, Vec<TaskId>>) {
        self.branches.push(Branch { id, depth, lead });
        let children_of = children.get(&id).map(Vec::as_slice).unwrap_or_default();
        for (index, child) in children_of.iter().enumerate() {
            let is_last = index + 1 == children_of.len();
            let lead = format!("{below}{}", if is_last { "└─ " } else { "├─ " });
            let further = format!("{below}{}", if is_last { "   " } else { "│  " });
            self.grow(*child, depth + 1, lead, &further, children);
        }
    }

    /// As many as there is room for, those nearest to what runs first; and how many there is no room for.
    fn fit(&self, room: usize) -> (Vec<&Branch>, usize) {
        let all = self.branches.len();
        if all <= room {
            return (self.branches.iter().collect(), 0);
        }
        // The last line says how many are left out.
        let room = room.saturating_sub(1);
        let within = |depth: usize| self.branches.iter().filter(move |branch| branch.depth <= depth);
        let deepest = (0..all).take_while(|depth| within(*depth).count() <= room).last();
        let shown: Vec<&Branch> = match deepest {
            Some(depth) => within(depth).collect(),
            None => within(0).take(room).collect(),
        };
        let hidden = all - shown.len();
        (shown, hidden)
    }
}

impl Branch {
    fn line(&self, chronicle: &Chronicle, now: Duration) -> Line {
        let entry = &chronicle.entries[self.id.0];
        let task = chronicle.task(self.id);
        let usual = elapsed(entry.usual.milliseconds);
        let mut line = Line::default();
        match entry.state {
            State::Runs { since } => {
                let running = now.saturating_sub(since);
                let turn = usize::try_from(running.as_millis() / TURN.as_millis()).unwrap_or_default();
                line.push(Some(Role::Changed), format!(" {} ", WHEEL[turn % WHEEL.len()]));
                line.push(Some(Role::Name), on_its_line(task.logical_id.as_str()).into_owned());
                let doing = doing(task.kind).to_lowercase();
                line.push(None, format!("  {doing} {}", elapsed(milliseconds(running))));
                line.push(Some(Role::Quiet), format!(", usually {usual}"));
                if let Some(wait) = chronicle.waits_for(self.id) {
                    line.push(None, format!(": waiting for {}", on_its_line(&wait.waiting_for)));
                }
            }
            State::Waits | State::Ended { .. } | State::NeverRuns => {
                line.push(Some(Role::Quiet), format!("   {}", self.lead));
                line.push(None, on_its_line(task.logical_id.as_str()).into_owned());
                let before = chronicle.unfinished_before(self.id).count();
                let also = match before {
                    0 => ", as soon as there is room".to_owned(),
                    1 => String::new(),
                    before => format!(", also after {} more", before - 1),
                };
                line.push(Some(Role::Quiet), format!("  usually {usual}{also}"));
            }
        }
        line
    }
}

/// `[######>      ] 23 of 58 done, 41s, about 1m left`.
fn bar(chronicle: &Chronicle, ends: &BTreeMap<TaskId, Duration>, now: Duration, columns: usize) -> Line {
    let (all, ended) = (chronicle.entries.len(), chronicle.ended());
    let mut line = Line::default();
    if columns >= ROOM_FOR_A_BAR {
        let width = (columns / 4).min(30);
        let full = (width * ended).checked_div(all).unwrap_or(width);
        let head = if full < width { ">" } else { "" };
        let empty = width - full - head.len();
        line.push(None, " [".to_owned());
        line.push(Some(Role::Created), format!("{}{head}", "=".repeat(full)));
        line.push(None, format!("{}]", " ".repeat(empty)));
    }
    line.push(None, format!(" {ended} of {all} done, {}", elapsed(milliseconds(now))));
    if chronicle.is_interrupted {
        let running = chronicle.running().len();
        line.push(Some(Role::Blocked), ", stopping".to_owned());
        line.push(None, format!(": {} in flight", count(running, "task")));
    } else if let Some(left) = ends.values().max().map(|end| end.saturating_sub(now)).filter(|left| !left.is_zero()) {
        line.push(Some(Role::Quiet), format!(", about {} left", elapsed(milliseconds(left))));
    }
    line
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self(vec![(None, text.to_owned())])
    }
}

impl Line {
    fn of(role: Role, text: String) -> Self {
        Self(vec![(Some(role), text)])
    }

    fn push(&mut self, role: Option<Role>, text: String) {
        self.0.push((role, text));
    }

    /// How many columns it takes.
    pub fn width(&self) -> usize {
        self.0.iter().flat_map(|(_, text)| text.chars()).map(width).sum()
    }

    /// At most so many columns; what is cut off leaves an ellipsis.
    fn cut(self, columns: usize) -> Self {
        if self.width() <= columns {
            return self;
        }
        let mut left = columns.saturating_sub(1);
        let mut cut = Self::default();
        for (role, text) in self.0 {
            let mut kept = String::new();
            for character in text.chars() {
                if width(character) > left {
                    kept.push('…');
                    cut.push(role, kept);
                    return cut;
                }
                left -= width(character);
                kept.push(character);
            }
            cut.push(role, kept);
        }
        cut
    }

    /// Without colours.
    pub fn plain(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    pub fn coloured(&self) -> String {
        let word = |(role, text): &(Option<Role>, String)| match role {
            Some(role) => paint(*role, text).to_string(),
            None => text.clone(),
        };
        self.0.iter().map(word).collect()
    }
}

/// The columns that a character takes; what does not print takes none.
fn width(character: char) -> usize {
    character.width().unwrap_or_default()
}

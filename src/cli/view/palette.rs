//! What a word is, and the colour it gets. All is understandable without.

use std::fmt::{self, Display};

use anstyle::{AnsiColor, Style};

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Created,
    Changed,
    Replaced,
    Deleted,
    Blocked,
    Name,
    Quiet,
}

const fn style(role: Role) -> Style {
    match role {
        Role::Created => AnsiColor::Green.on_default(),
        Role::Changed => AnsiColor::Yellow.on_default(),
        Role::Replaced => AnsiColor::Magenta.on_default(),
        Role::Deleted => AnsiColor::Red.on_default(),
        Role::Blocked => AnsiColor::Red.on_default().bold(),
        Role::Name => Style::new().bold(),
        Role::Quiet => Style::new().dimmed(),
    }
}

/// A text in the colour of what it is.
pub struct Painted<T>(Role, T);

pub fn paint<T: Display>(role: Role, text: T) -> Painted<T> {
    Painted(role, text)
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = style(self.0);
        write!(f, "{style}{}{style:#}", self.1)
    }
}

//! Where in a resource's properties something is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A step into a value: to a field of an object, or to an item of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathStep {
    Key(String),
    Index(usize),
}

impl From<&str> for PathStep {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for PathStep {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A way through properties, `Rules[0].Action.Block` as text; a key that would read as more than one is in brackets:
/// `ResponseParameters["method.response.header.Link"]`. Without steps it is the resource's properties as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PropertyPath(Vec<PathStep>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no path to a property")]
pub struct ParsePathError(String);

impl PropertyPath {
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of a top-level property.
    pub fn of(property: &str) -> Self {
        Self::root().key(property)
    }

    pub fn key(&self, name: &str) -> Self {
        self.then(PathStep::Key(name.to_owned()))
    }

    pub fn index(&self, index: usize) -> Self {
        self.then(PathStep::Index(index))
    }

    pub fn steps(&self) -> &[PathStep] {
        &self.0
    }

    /// The name of the top-level property that this is, or is within.
    pub fn property(&self) -> Option<&str> {
        match self.0.first()? {
            PathStep::Key(name) => Some(name),
            PathStep::Index(_) => None,
        }
    }

    /// The path of what this is in, or `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        Some(Self(self.0.split_last()?.1.to_vec()))
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    fn then(&self, step: PathStep) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    pub fn push(&mut self, step: PathStep) {
        self.0.push(step);
    }

    pub fn pop(&mut self) {
        self.0.pop();
    }
}

impl fmt::Display for PropertyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Key(name) if !is_plain(name) => write!(f, "[{}]", serde_json::Value::from(name.as_str()))?,
                PathStep::Key(name) if position == 0 => f.write_str(name)?,
                PathStep::Key(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for PropertyPath {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ParsePathError(text.to_owned());
        let mut path = Self::root();
        let mut rest = text;
        while !rest.is_empty() {
            let (step, after) = if let Some(inner) = rest.strip_prefix('[') {
                bracketed(inner).ok_or_else(refused)?
            } else {
                let name = if path.is_root() { rest } else { rest.strip_prefix('.').ok_or_else(refused)? };
                let (name, after) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
                (Some(PathStep::Key(name.to_owned())).filter(|_| is_plain(name)).ok_or_else(refused)?, after)
            };
            path.push(step);
            rest = after;
        }
        Ok(path)
    }
}

impl From<PropertyPath> for String {
    fn from(path: PropertyPath) -> Self {
        path.to_string()
    }
}

impl TryFrom<String> for PropertyPath {
    type Error = ParsePathError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Whether a key can stand in a path as it is.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(|it: char| it.is_control() || it.is_whitespace() || ".[]\"".contains(it))
}

/// What is between brackets, and what follows them.
fn bracketed(text: &str) -> Option<(PathStep, &str)> {
    if text.starts_with('"') {
        let mut strings = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let name = strings.next()?.ok()?;
        let after = text.get(strings.byte_offset()..)?.strip_prefix(']')?;
        return Some((PathStep::Key(name), after));
    }
    let (index, after) = text.split_once(']')?;
    Some((PathStep::Index(index.parse().ok()?), after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_reads_like_code() {
        let path = PropertyPath::of("Rules").index(0).key("Action").key("Block");
        assert_eq!(path.to_string(), "Rules[0].Action.Block");
        assert_eq!(path.property(), Some("Rules"));
    }

    #[test]
    fn a_key_that_would_read_as_several_is_in_brackets() {
        let path = PropertyPath::of("RequestParameters").key("method.request.header.Link");
        assert_eq!(path.to_string(), r#"RequestParameters["method.request.header.Link"]"#);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["a..b", ".a", "a[", "a[x]", "a[0]b", "a[\"b]", "a b"] {
            assert_eq!(text.parse::<PropertyPath>(), Err(ParsePathError(text.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn a_path_comes_back_from_its_text(steps in proptest::collection::vec(
            prop_oneof![any::<String>().prop_map(PathStep::Key), any::<usize>().prop_map(PathStep::Index)], 0..6
        )) {
            let path = PropertyPath(steps);
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }
    }
}

//! The mark of an owner at the end of a description, for what can carry it nowhere else: versions of functions and of layers.

use crate::aws::error::{AwsError, ErrorClass};
use crate::identity::{LogicalId, StackId};
use crate::resource::Owner;

/// The most characters that Lambda takes.
const LONGEST: usize = 256;

/// `[paystack payments-dev/OrdersVersion]`, or `[paystack payments-dev/Libraries sha256:…]` where content is told by a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DescriptionMark {
    pub owner: Owner,
    pub digest: Option<String>,
}

impl DescriptionMark {
    fn text(&self) -> String {
        let Self { owner: Owner { stack, resource }, digest } = self;
        let digest = digest.as_ref().map(|digest| format!(" sha256:{digest}")).unwrap_or_default();
        format!("[paystack {stack}/{resource}{digest}]")
    }

    fn parse(text: &str) -> Option<Self> {
        let (stack, named) = text.strip_prefix(BEGIN)?.strip_suffix(']')?.split_once('/')?;
        let (resource, digest) = match named.split_once(" sha256:") {
            Some((resource, digest)) => (resource, Some(digest.to_owned())),
            None => (named, None),
        };
        Some(Self { owner: Owner { stack: StackId::from(stack), resource: LogicalId::from(resource) }, digest })
    }

    /// The user's own text with the mark behind it.
    ///
    /// # Errors
    ///
    /// Both together are longer than Lambda takes.
    pub(super) fn behind(&self, text: &str, operation: &'static str) -> Result<String, AwsError> {
        let mark = self.text();
        let described = if text.is_empty() { mark } else { format!("{text} {mark}") };
        let excess = described.chars().count().saturating_sub(LONGEST);
        if excess == 0 {
            return Ok(described);
        }
        let message = format!(
            "a description takes {LONGEST} characters, paystack's mark among them: shorten `Description` by {excess} \
             characters (or the resource's logical id)"
        );
        Err(AwsError::new(operation, ErrorClass::Invalid, message))
    }
}

const BEGIN: &str = "[paystack ";

/// The user's own text, and the mark behind it.
pub(super) fn split(description: Option<&str>) -> (&str, Option<DescriptionMark>) {
    let description = description.unwrap_or_default();
    let mark = description.rfind(BEGIN).and_then(|at| Some((at, DescriptionMark::parse(&description[at..])?)));
    match mark {
        Some((at, mark)) => (description[..at].trim_end_matches(' '), Some(mark)),
        None => (description, None),
    }
}

/// The owner that a description names.
pub(super) fn owner(description: Option<&str>) -> Option<Owner> {
    split(description).1.map(|mark| mark.owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(digest: Option<&str>) -> DescriptionMark {
        let owner = Owner { stack: StackId::from("payments-dev"), resource: LogicalId::from("Libraries") };
        DescriptionMark { owner, digest: digest.map(str::to_owned) }
    }

    #[test]
    fn the_users_text_comes_back_without_the_mark() {
        for digest in [None, Some("qL8R4QIcQ/ZsRqOAbeRfcZhilN/MksRtDaErMA4kqRM=")] {
            for text in ["", "Shared [code]", "release [2]"] {
                let described = mark(digest).behind(text, "lambda.PublishVersion").expect("it fits");
                assert_eq!(split(Some(&described)), (text, Some(mark(digest))));
            }
        }
    }

    #[test]
    fn a_description_of_somebody_else_is_left_whole() {
        for text in ["published by hand", "made by hand [paystack]"] {
            assert_eq!(split(Some(text)), (text, None));
        }
    }

    #[test]
    fn a_text_that_leaves_no_room_for_the_mark_is_refused_with_what_is_too_much() {
        let error = mark(None).behind(&"x".repeat(256), "lambda.PublishVersion").expect_err("too long");
        assert!(error.message.contains("shorten `Description` by 34 characters"), "{}", error.message);
    }
}

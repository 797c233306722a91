//! The words of every view, each made in one place: what an action is called, why something happens, counts, times, sizes.

use crate::cli::view::palette::Role;
use crate::inventory::Gone;
use crate::package::{CodeChange, FileChange};
use crate::plan::{Action, Cause, Drift, Explained, ForcedBy, Loss, Missing, Order, Plan, Step};

/// What a group of steps is headed by, what needs somebody most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heading {
    Blocked,
    Destroy,
    Replace,
    ReplaceCreatingFirst,
    Update,
    Adopt,
    Forget,
    Create,
}

impl Heading {
    pub const ALL: [Self; 8] = [
        Self::Blocked,
        Self::Destroy,
        Self::Replace,
        Self::ReplaceCreatingFirst,
        Self::Update,
        Self::Adopt,
        Self::Forget,
        Self::Create,
    ];

    /// `None` for what stays as it is.
    pub fn of(action: &Action) -> Option<Self> {
        Some(match action {
            Action::None => return None,
            Action::Create { .. } => Self::Create,
            Action::Adopt { .. } => Self::Adopt,
            Action::Update { .. } => Self::Update,
            Action::Replace { order: Order::DeleteFirst, .. } => Self::Replace,
            Action::Replace { order: Order::CreateFirst, .. } => Self::ReplaceCreatingFirst,
            Action::Delete { .. } => Self::Destroy,
            Action::Forget => Self::Forget,
            Action::Blocked { .. } => Self::Blocked,
        })
    }

    pub fn steps(self, plan: &Plan) -> Vec<&Step> {
        plan.steps.iter().filter(|step| Self::of(&step.action) == Some(self)).collect()
    }

    /// Terraform's signs; what Terraform does not have gets one of its own.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Blocked => "!",
            Self::Destroy => "-",
            Self::Replace => "-/+",
            Self::ReplaceCreatingFirst => "+/-",
            Self::Update => "~",
            Self::Adopt => "<~",
            Self::Forget => ".",
            Self::Create => "+",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Destroy => "destroy",
            Self::Replace => "replace",
            Self::ReplaceCreatingFirst => "replace (create first)",
            Self::Update => "update in-place",
            Self::Adopt => "adopt",
            Self::Forget => "forget",
            Self::Create => "create",
        }
    }

    pub fn role(self) -> Role {
        match self {
            Self::Blocked => Role::Blocked,
            Self::Destroy => Role::Deleted,
            Self::Replace | Self::ReplaceCreatingFirst => Role::Replaced,
            Self::Update | Self::Adopt => Role::Changed,
            Self::Forget => Role::Quiet,
            Self::Create => Role::Created,
        }
    }
}

/// Steps by service (`AWS::SQS`), in the order in which the services are met.
pub fn by_service<'a>(steps: &[&'a Step]) -> Vec<(&'a str, Vec<&'a Step>)> {
    let mut services: Vec<(&str, Vec<&Step>)> = Vec::new();
    for step in steps {
        let service = split(step).0;
        match services.iter_mut().find(|(name, _)| *name == service) {
            Some((_, steps)) => steps.push(step),
            None => services.push((service, vec![step])),
        }
    }
    services
}

/// `AWS::SQS` and `Queue` of `AWS::SQS::Queue`.
pub fn split(step: &Step) -> (&str, &str) {
    step.resource_type.as_str().rsplit_once("::").unwrap_or(("", step.resource_type.as_str()))
}

/// The plan in one sentence.
pub fn summary(plan: &Plan) -> String {
    if plan.is_empty() {
        return "Nothing to change: AWS is as the template says.".to_owned();
    }
    let it = plan.summary();
    let named = [
        (it.created, "to create"),
        (it.adopted, "to adopt"),
        (it.updated, "to update"),
        (it.replaced, "to replace"),
        (it.deleted, "to destroy"),
        (it.forgotten, "to forget"),
        (it.blocked, "blocked"),
    ];
    let always = ["to create", "to update", "to destroy"];
    let shown = named.iter().filter(|(count, what)| *count > 0 || always.contains(what));
    let parts: Vec<String> = shown.map(|(count, what)| format!("{count} {what}")).collect();
    format!("Plan: {}.", parts.join(", "))
}

/// The drift in one sentence.
pub fn drift_summary(drift: &Drift) -> String {
    match drift.resources.len() {
        0 => "No drift: what was applied last is still so.".to_owned(),
        drifted => format!("Drift: {} changed since the last apply.", count(drifted, "resource")),
    }
}

/// What there is to say of an action as a whole.
pub fn note(action: &Action) -> Option<String> {
    match action {
        Action::Create { why: Missing::DeletedOutside } => Some("drift: it was deleted outside of paystack".to_owned()),
        Action::Replace { forced_by, .. } => forced(forced_by),
        Action::Delete { why } => gone(*why).map(str::to_owned),
        Action::Forget => Some("no longer there: only the memory of it goes".to_owned()),
        Action::None
        | Action::Create { why: Missing::New }
        | Action::Adopt { .. }
        | Action::Update { .. }
        | Action::Blocked { .. } => None,
    }
}

fn forced(forced_by: &[ForcedBy]) -> Option<String> {
    let reasons = forced_by.iter().filter_map(|forced| match forced {
        ForcedBy::Property { .. } => None,
        ForcedBy::Parent { logical_id } => Some(format!("goes with `{logical_id}`")),
        ForcedBy::Request => Some("as asked for".to_owned()),
    });
    let reasons: Vec<String> = reasons.collect();
    if reasons.is_empty() { None } else { Some(reasons.join(", ")) }
}

/// Why something goes; where everything goes, no single thing needs a reason.
fn gone(why: Gone) -> Option<&'static str> {
    match why {
        Gone::NotInTemplate => Some("not in the template"),
        Gone::Replaced => Some("left behind by a replacement"),
        Gone::OtherType => Some("its name now stands for another type"),
        Gone::Destroyed => None,
        Gone::MadeByAws => Some("made by AWS on the side"),
        Gone::Unclaimed => Some("part of the stack's own, and not in the template"),
    }
}

/// Why a property changes, and whether that replaces what it belongs to.
pub fn reason(change: &Explained, action: &Action) -> String {
    let mut reason = match change.cause {
        Cause::Template => "template",
        Cause::Drift => "drift",
        Cause::Both => "template and drift",
        Cause::Replacement => "put back after a replacement",
        Cause::Unrecorded => "differs",
    }
    .to_owned();
    if !change.follows.is_empty() {
        let followed: Vec<String> = change.follows.iter().map(|it| format!("`{it}`")).collect();
        reason.push_str(&format!(", follows {}", followed.join(" and ")));
    }
    if forces(action, change) {
        reason.push_str(", forces replacement");
    }
    reason
}

/// Who changes because of a replacement: `` `Stage` and `UsagePlan` follow ``.
pub fn following(plan: &Plan, step: &Step) -> Option<String> {
    if !matches!(step.action, Action::Replace { .. }) {
        return None;
    }
    let names: Vec<String> = plan.following(&step.logical_id).map(|it| format!("`{}`", it.logical_id)).collect();
    let (last, others) = names.split_last()?;
    Some(match others {
        [] => format!("{last} follows"),
        others => format!("{} and {last} follow", others.join(", ")),
    })
}

/// What a step loses for good, one phrase each; of what is empty nothing.
pub fn losses(step: &Step) -> Vec<String> {
    step.losses.iter().filter(|loss| !loss.is_nothing()).map(loss).collect()
}

/// Whether all that goes is known to be empty.
pub fn is_empty(step: &Step) -> bool {
    !step.losses.is_empty() && step.losses.iter().all(Loss::is_nothing)
}

fn loss(loss: &Loss) -> String {
    match loss {
        Loss::Items { has_new: true, .. } => {
            "items, which DynamoDB has not counted yet (it does every six hours)".to_owned()
        }
        Loss::Items { count, bytes, .. } => {
            let bytes = if *bytes > 0 { format!(" ({})", size(*bytes)) } else { String::new() };
            format!("{}{bytes}, as DynamoDB counted up to six hours ago", counted(*count, "item"))
        }
        Loss::Messages { visible, in_flight, delayed } => {
            let mut words = format!("about {}", counted(visible + in_flight + delayed, "message"));
            let parts = [(*in_flight, "being handled"), (*delayed, "delayed")];
            for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
                words.push_str(&format!(", {} {what}", number(count)));
            }
            words
        }
        Loss::LogEvents { has_new: true, .. } => "log events, which CloudWatch Logs has not counted yet".to_owned(),
        Loss::LogEvents { bytes, .. } => format!("{} of log events", size(*bytes)),
        Loss::Subscriptions { by_protocol } => {
            let kinds: Vec<String> =
                by_protocol.iter().map(|(protocol, count)| format!("{count} {protocol}")).collect();
            let all = count(by_protocol.values().sum(), "subscription");
            format!("{all} that others made ({})", kinds.join(", "))
        }
        Loss::Address { url } => format!("its address, {url}: whoever calls it has to be told the new one"),
        Loss::KeyValue => "its value: whoever uses the key has to be given the new one".to_owned(),
        Loss::Uncounted { reason } => format!("what is in it, which could not be counted: {reason}"),
    }
}

fn counted(number: u64, what: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), what)
}

/// What happens to a file of a package: its sign, its name, its sizes.
pub fn file(file: &FileChange) -> (Heading, String) {
    let FileChange { name, before, after, .. } = file;
    match (before, after) {
        (None, after) => (Heading::Create, format!("{name}  {}", size(after.unwrap_or_default()))),
        (Some(before), None) => (Heading::Destroy, format!("{name}  {}", size(*before))),
        (Some(before), Some(after)) if before == after => (Heading::Update, format!("{name}  {}", size(*after))),
        (Some(before), Some(after)) => (Heading::Update, format!("{name}  {} -> {}", size(*before), size(*after))),
    }
}

/// What there is to say of a package that changes beside its files.
pub fn package(code: &CodeChange) -> String {
    let size = code.zip_size.map(|bytes| format!("a zip of {}", size(bytes)));
    let files = match &code.files {
        None => Some("the package that is live was not uploaded from here: its files are not known".to_owned()),
        Some(_) if code.unchanged > 0 => Some(format!("{} unchanged", count(code.unchanged, "file"))),
        Some(_) => None,
    };
    size.into_iter().chain(files).collect::<Vec<_>>().join("; ")
}

fn forces(action: &Action, change: &Explained) -> bool {
    let Action::Replace { forced_by, .. } = action else { return false };
    forced_by.iter().any(|forced| matches!(forced, ForcedBy::Property { path } if path == &change.path))
}

/// `1 task`, `2 tasks`.
pub fn count(count: usize, what: &str) -> String {
    let count = number(count as u64);
    if count == "1" { format!("1 {what}") } else { format!("{count} {}", plural(what)) }
}

fn plural(what: &str) -> String {
    match what.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if what.ends_with(['s', 'x']) => format!("{what}es"),
        _ => format!("{what}s"),
    }
}

/// A number with its thousands apart: `12,345`.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|it| std::str::from_utf8(it).ok()).collect();
    groups.join(",")
}

/// A time that has passed, short.
pub fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds / 1_000 % 60),
    }
}

/// A time that has passed in Terraform's form: `3s`, `1m10s`.
pub fn elapsed(milliseconds: u64) -> String {
    let seconds = (milliseconds + 500) / 1_000;
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// A time that a template sets, in the largest unit that gives it whole: `45 s`, `3 min`, `14 days`.
pub fn seconds(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3_600, "h"), (60, "min")];
    match UNITS.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit)) {
        Some((unit, "day")) => count(usize::try_from(seconds / unit).unwrap_or(usize::MAX), "day"),
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => format!("{seconds} s"),
    }
}

/// A size: `512 bytes`, `4.2 KB`, `1.0 GB`; 1 KB is 1024 bytes.
pub fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")];
    match UNITS.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => count(usize::try_from(bytes).unwrap_or(usize::MAX), "byte"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_passed_is_told_as_terraform_tells_it() {
        assert_eq!([0, 499, 1_500, 70_000, 3_661_000].map(elapsed), ["0s", "0s", "2s", "1m10s", "1h1m1s"]);
    }

    #[test]
    fn durations_are_short() {
        assert_eq!([duration(12), duration(1_250), duration(61_000)], ["12 ms", "1.2 s", "1 min 1 s"]);
        assert_eq!(
            [45, 90, 180, 7_200, 86_400, 1_209_600].map(seconds),
            ["45 s", "90 s", "3 min", "2 h", "1 day", "14 days"]
        );
    }

    #[test]
    fn a_loss_is_told_with_its_counts() {
        let told = |it: Loss| loss(&it);
        expect_test::expect![[r"
            1,204 items (3.1 MB), as DynamoDB counted up to six hours ago
            about 12 messages, 3 being handled
            3 subscriptions that others made (2 email, 1 sqs)"]]
        .assert_eq(
            &[
                told(Loss::Items { count: 1_204, bytes: 3_250_586, has_new: false }),
                told(Loss::Messages { visible: 9, in_flight: 3, delayed: 0 }),
                told(Loss::Subscriptions { by_protocol: [("email".to_owned(), 2), ("sqs".to_owned(), 1)].into() }),
            ]
            .join("\n"),
        );
    }

    #[test]
    fn numbers_and_sizes_are_read_at_a_glance() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1, 1_023, 1_536, 3 << 30].map(size), ["1 byte", "1,023 bytes", "1.5 KB", "3.0 GB"]);
        assert_eq!([count(1, "task"), count(2, "policy"), count(1_000, "key")], ["1 task", "2 policies", "1,000 keys"]);
    }
}

//! Markdown, for a comment on a pull request: the sum first, then a section for each kind of action.
//!
//! Whatever comes from a template or from AWS stands in code, fenced longer than any fence in it: nothing breaks out.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::Value;
use similar::ChangeTag;

use crate::cli::view::values::{line_by_line, on_one_line, unfolded};
use crate::cli::view::words::{count, drift_summary, note, reason, summary};
use crate::plan::{Action, Drift, Drifted, Happened, Plan, Step};
use crate::visible::on_its_line;

/// How many characters of details a comment has room for; hosts take 65,536 in all.
const ROOM: usize = 50_000;

pub fn plan(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    let plan = plan.shown();
    let scope = &plan.scope;
    writeln!(out, "**{}**\n", summary(&plan))?;
    let (account, region) = (code(&scope.account_id), code(&scope.region));
    writeln!(out, "Stack {} in account {account}, {region}.", code(plan.stack.as_str()))?;
    if !plan.left_out.is_empty() {
        writeln!(out, "Left out, as not targeted: {}.", count(plan.left_out.len(), "resource"))?;
    }
    for problem in &plan.problems {
        writeln!(out, "\n**Warning:** {}; the plan may lack something.", code(problem))?;
    }
    let mut room = ROOM;
    for (title, is_in) in SECTIONS {
        let steps: Vec<&Step> = plan.steps.iter().filter(|step| is_in(&step.action)).collect();
        if steps.is_empty() {
            continue;
        }
        writeln!(out, "\n### {title}\n")?;
        for step in steps {
            let id = step.physical_id.as_ref().map(|id| format!(" {}", code(id.as_str()))).unwrap_or_default();
            let note = note(&step.action).map(|note| format!(" ({})", plain(&note))).unwrap_or_default();
            writeln!(out, "- **{}** {}{id}{note}", code(step.logical_id.as_str()), code(step.resource_type.as_str()))?;
            within(out, details(step), &mut room)?;
        }
    }
    Ok(())
}

/// What somebody else did since the last apply.
pub fn drift(out: &mut dyn Write, drift: &Drift) -> io::Result<()> {
    let drift = drift.shown();
    writeln!(out, "**{}**\n", drift_summary(&drift))?;
    writeln!(out, "Stack {} in account {}.", code(drift.stack.as_str()), code(&drift.scope.account_id))?;
    for problem in &drift.problems {
        writeln!(out, "\n**Warning:** {}.", code(problem))?;
    }
    let mut room = ROOM;
    for Drifted { logical_id, resource_type, physical_id, what, .. } in &drift.resources {
        let [name, of_type, id] = [logical_id.as_str(), resource_type.as_str(), physical_id.as_str()].map(code);
        writeln!(out, "\n- **{name}** {of_type} {id}")?;
        let details = match what {
            Happened::Deleted => "  - it is no longer there\n".to_owned(),
            Happened::Changed { changes } => changes
                .iter()
                .map(|since| change(&since.path.to_string(), since.applied.as_ref(), since.live.as_ref(), "drift"))
                .collect(),
        };
        within(out, details, &mut room)?;
    }
    Ok(())
}

type IsIn = fn(&Action) -> bool;

/// The sections in the order in which they are read: what needs somebody first.
const SECTIONS: [(&str, IsIn); 7] = [
    ("Blocked", |action| matches!(action, Action::Blocked { .. })),
    ("Delete", |action| matches!(action, Action::Delete { .. })),
    ("Replace", |action| matches!(action, Action::Replace { .. })),
    ("Update", |action| matches!(action, Action::Update { .. })),
    ("Adopt", |action| matches!(action, Action::Adopt { .. })),
    ("Create", |action| matches!(action, Action::Create { .. })),
    ("Forget", |action| matches!(action, Action::Forget)),
];

fn details(step: &Step) -> String {
    match &step.action {
        Action::Create { .. } => {
            let properties = step.desired.iter().filter_map(Value::as_object).flatten();
            let lines: Vec<String> =
                properties.flat_map(|(name, value)| unfolded(name, value)).map(|line| format!("+ {line}")).collect();
            if lines.is_empty() { String::new() } else { folded("properties", &lines) }
        }
        Action::Adopt { changes } | Action::Update { changes } | Action::Replace { changes, .. } => changes
            .iter()
            .map(|it| change(&it.path.to_string(), it.live.as_ref(), it.desired.as_ref(), &reason(it, &step.action)))
            .collect(),
        Action::Blocked { reason, help } => {
            let help = help.iter().map(|help| format!("  - help: {}\n", code(help)));
            std::iter::once(format!("  - {}\n", code(reason))).chain(help).collect()
        }
        Action::None | Action::Delete { .. } | Action::Forget => String::new(),
    }
}

fn change(path: &str, before: Option<&Value>, after: Option<&Value>, why: &str) -> String {
    if let Some(line) = on_one_line(before, after) {
        return format!("  - {}: {} ({why})\n", code(path), code(&line));
    }
    let lines = line_by_line(before, after).into_iter().map(|(tag, line)| match tag {
        ChangeTag::Insert => format!("+ {line}"),
        ChangeTag::Delete => format!("- {line}"),
        ChangeTag::Equal => format!("  {line}"),
    });
    let lines: Vec<String> = lines.collect();
    format!("  - {} ({why})\n{}", code(path), folded("lines", &lines))
}

/// Lines that are seen on a click. They are indented, so that they stay within their bullet.
fn folded(what: &str, lines: &[String]) -> String {
    let fence = "`".repeat(longest_run(&lines.join("\n")).max(2) + 1);
    let mut text = format!("\n    <details><summary>{} {what}</summary>\n\n    {fence}diff\n", lines.len());
    for line in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    {}", on_its_line(line));
    }
    let _ = write!(text, "    {fence}\n\n    </details>\n\n");
    text
}

/// Writes details while there is room, and says where there is none.
fn within(out: &mut dyn Write, details: String, room: &mut usize) -> io::Result<()> {
    match room.checked_sub(details.len()) {
        Some(left) => {
            *room = left;
            write!(out, "{details}")
        }
        None => writeln!(out, "  - too long for a comment: `paystack plan` shows it"),
    }
}

/// A text in a code span.
fn code(text: &str) -> String {
    let text = on_its_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space on both sides is taken away again; without it a fence would grow by a backtick at the text's edge.
    let is_bare = !text.starts_with(['`', ' ']) && !text.ends_with(['`', ' ']) && !text.is_empty();
    if is_bare { format!("{fence}{text}{fence}") } else { format!("{fence} {text} {fence}") }
}

/// Our own words, in which only names between backticks stand out.
fn plain(text: &str) -> String {
    on_its_line(text).replace('<', "&lt;")
}

fn longest_run(text: &str) -> usize {
    text.split(|it| it != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::fake::line::{Account, desired};

    fn markdown(plan: &Plan) -> String {
        let mut out = Vec::new();
        super::plan(&mut out, plan).expect("memory can be written");
        String::from_utf8(out).expect("a plan is text")
    }

    fn queue(properties: &str) -> String {
        format!("Resources: {{Orders: {{Type: AWS::SQS::Queue, Properties: {{{properties}}}}}}}")
    }

    #[test]
    fn a_plan_fits_a_comment() {
        let account = Account::default();
        account.apply(&desired(&queue("QueueName: orders, DelaySeconds: 1"))).expect("nothing crashes");
        expect![[r"
            **Plan: 0 to create, 1 to update, 0 to destroy.**

            Stack `orders-dev` in account `123456789012`, `us-east-1`.

            ### Update

            - **`Orders`** `AWS::SQS::Queue` `https://sqs.us-east-1.amazonaws.com/123456789012/orders`
              - `DelaySeconds`: `1 -> 2` (template)
        "]]
        .assert_eq(&markdown(&account.plan(&desired(&queue("QueueName: orders, DelaySeconds: 2")))));
    }

    #[test]
    fn no_value_breaks_out_of_its_place() {
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a\n# b"), "`a\\n# b`");
        let text = folded("lines", &["+ </details>".to_owned(), "+ ```".to_owned(), "+ a\r# b".to_owned()]);
        expect![[r"
            - it

                <details><summary>3 lines</summary>

                ````diff
                + </details>
                + ```
                + a\r# b
                ````

                </details>

        "]]
        .assert_eq(&format!("- it\n{text}"));
    }

    #[test]
    fn what_is_too_long_for_a_comment_is_named_and_left_out() {
        let mut out = Vec::new();
        within(&mut out, "x".repeat(10), &mut 9).expect("memory can be written");
        assert_eq!(String::from_utf8(out).expect("text"), "  - too long for a comment: `paystack plan` shows it\n");
    }
}

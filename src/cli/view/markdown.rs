//! Markdown, for a comment on a pull request: the sum first, then what is lost, then a section for each kind of action.
//!
//! Whatever comes from a template or from AWS stands in code, fenced longer than any fence in it, or escaped: nothing breaks
//! out, nobody is mentioned. The whole fits a comment: what does not is counted and left out.

use std::io::{self, Write};

use serde_json::Value;
use similar::ChangeTag;

use crate::cli::view::brief::brief;
use crate::cli::view::remarks::{Remark, remarks};
use crate::cli::view::text::Detail;
use crate::cli::view::values::{line_by_line, on_one_line, unfolded};
use crate::cli::view::words::{
    Heading, count, drift_summary, file, following, is_empty, losses, note, package, reason, summary,
};
use crate::package::CodeChange;
use crate::plan::{Action, Drift, Drifted, Happened, Plan, Step};
use crate::visible::{on_its_line, visible};

/// What a comment on GitHub may have, in characters; counted here in bytes, of which there are no fewer.
const LONGEST: usize = 65_536;
/// What is kept free for saying what was left out.
const ROOM_FOR_THE_END: usize = 500;

pub fn plan(out: &mut dyn Write, plan: &Plan, detail: Detail) -> io::Result<()> {
    let plan = plan.shown();
    let scope = &plan.scope;
    let mut comment = Comment::default();
    comment.say(format!("**{}**\n\n", summary(&plan)));
    let (account, region) = (code(&scope.account_id), code(&scope.region));
    comment.say(format!("Stack {} in account {account}, {region}.\n", code(plan.stack.as_str())));
    say_losses(&mut comment, &plan);
    for Remark { kind, text, .. } in remarks(&plan) {
        comment.say(format!("\n**{kind}:** {}\n", code(&text)));
    }
    for problem in &plan.problems {
        comment.say(format!("\n**Warning:** {}; the plan may lack something.\n", code(problem)));
    }
    if !plan.left_out.is_empty() {
        comment.say(format!("\nLeft out, as not targeted: {}.\n", count(plan.left_out.len(), "resource")));
    }
    for heading in Heading::ALL {
        let steps = heading.steps(&plan);
        if steps.is_empty() {
            continue;
        }
        let is_long = steps.len() > 10 && heading == Heading::Create;
        let title = format!("{} {}", heading.sign(), heading.words());
        comment.say(format!("\n### {} ({})\n\n", code(&title), steps.len()));
        if is_long {
            comment.say(format!("<details><summary>{}</summary>\n\n", count(steps.len(), "resource")));
        }
        for step in steps {
            comment.add(&head(step), &details(&plan, step, detail));
        }
        if is_long {
            comment.close("\n</details>\n");
        }
    }
    write!(out, "{}", comment.finish())
}

/// What somebody else did since the last apply.
pub fn drift(out: &mut dyn Write, drift: &Drift) -> io::Result<()> {
    let drift = drift.shown();
    let mut comment = Comment::default();
    comment.say(format!("**{}**\n\n", drift_summary(&drift)));
    comment.say(format!("Stack {} in account {}.\n", code(drift.stack.as_str()), code(&drift.scope.account_id)));
    for problem in &drift.problems {
        comment.say(format!("\n**Warning:** {}.\n", code(problem)));
    }
    comment.say("\n".to_owned());
    for Drifted { logical_id, resource_type, physical_id, what, .. } in &drift.resources {
        let [name, of_type, id] = [logical_id.as_str(), resource_type.as_str(), physical_id.as_str()].map(code);
        let details: String = match what {
            Happened::Deleted => "  - it is no longer there\n".to_owned(),
            Happened::Changed { changes } => changes
                .iter()
                .map(|since| change(&since.path.to_string(), since.applied.as_ref(), since.live.as_ref(), "drift"))
                .collect(),
        };
        comment.add(&format!("- **{name}** {of_type} {id}\n"), &details);
    }
    write!(out, "{}", comment.finish())
}

/// A comment that never grows too long.
#[derive(Default)]
struct Comment {
    text: String,
    /// Entries without their details, and entries that are not there at all.
    shortened: usize,
    left_out: usize,
    /// What has to be closed, whatever there is room for.
    is_full: bool,
}

impl Comment {
    fn has_room_for(&self, more: usize) -> bool {
        !self.is_full && self.text.len() + more + ROOM_FOR_THE_END <= LONGEST
    }

    /// Says something that is short.
    fn say(&mut self, text: String) {
        if self.has_room_for(text.len()) {
            self.text.push_str(&text);
        } else {
            self.is_full = true;
        }
    }

    /// Closes what is open; there is always room for that.
    fn close(&mut self, text: &str) {
        if self.text.matches("<details>").count() > self.text.matches("</details>").count() {
            self.text.push_str(text);
        }
    }

    /// Adds an entry with its details, or without them, or counts it.
    fn add(&mut self, head: &str, details: &str) {
        const TOO_LONG: &str = "  - too long for a comment\n";
        if self.has_room_for(head.len() + details.len()) {
            self.text.push_str(head);
            self.text.push_str(details);
        } else if self.has_room_for(head.len() + TOO_LONG.len()) {
            self.text.push_str(head);
            self.text.push_str(TOO_LONG);
            self.shortened += 1;
        } else {
            self.left_out += 1;
        }
    }

    fn finish(mut self) -> String {
        if self.shortened + self.left_out > 0 || self.is_full {
            let shortened = count(self.shortened, "entry");
            self.text.push_str(&format!(
                "\nThis is more than a comment takes: {shortened} shortened, {} left out. `paystack plan` shows all.\n",
                self.left_out
            ));
        }
        self.text
    }
}

/// What is lost for good, as GitHub's loudest kind of note.
fn say_losses(comment: &mut Comment, plan: &Plan) {
    let lost = plan.steps.iter().flat_map(|step| losses(step).into_iter().map(move |words| (step, words)));
    let lost: Vec<String> =
        lost.map(|(step, words)| format!("> - **{}**: {}\n", code(step.logical_id.as_str()), prose(&words))).collect();
    if !lost.is_empty() {
        comment.say(format!("\n> [!CAUTION]\n> Lost for good, if this is applied:\n>\n{}", lost.concat()));
    }
}

fn head(step: &Step) -> String {
    let id = step.physical_id.as_ref().map(|id| format!(" {}", code(id.as_str()))).unwrap_or_default();
    let notes = [note(&step.action), is_empty(step).then(|| "empty".to_owned())];
    let notes: String = notes.iter().flatten().map(|note| format!(" ({})", prose(note))).collect();
    let facts = match (&step.action, &step.desired) {
        (Action::Create { .. }, Some(properties)) => brief(&step.resource_type, properties),
        _ => String::new(),
    };
    let facts = if facts.is_empty() { facts } else { format!(": {}", code(&facts)) };
    format!("- **{}** {}{id}{notes}{facts}\n", code(step.logical_id.as_str()), code(step.resource_type.as_str()))
}

fn details(plan: &Plan, step: &Step, detail: Detail) -> String {
    let mut details: String = match &step.action {
        Action::Create { .. } => String::new(),
        Action::Adopt { changes } | Action::Update { changes } | Action::Replace { changes, .. } => changes
            .iter()
            .flat_map(|it| {
                let why = reason(it, &step.action);
                let change = change(&it.path.to_string(), it.live.as_ref(), it.desired.as_ref(), &why);
                std::iter::once(change).chain(step.code_of(it).map(files))
            })
            .collect(),
        Action::Blocked { reason, help } => {
            let help = help.iter().map(|help| format!("  - help: {}\n", code(help)));
            std::iter::once(format!("  - {}\n", code(reason))).chain(help).collect()
        }
        Action::None | Action::Delete { .. } | Action::Forget => String::new(),
    };
    details.extend(following(plan, step).map(|words| format!("  - {}\n", prose(&words))));
    let properties = step.properties();
    let lines: Vec<String> = properties.flat_map(|(name, value)| unfolded(name, value)).collect();
    if detail == Detail::Full && !lines.is_empty() {
        details.push_str(&folded("properties", "yaml", &lines));
    }
    details
}

fn change(path: &str, before: Option<&Value>, after: Option<&Value>, why: &str) -> String {
    if let Some(line) = on_one_line(before, after) {
        return format!("  - {}: {} ({})\n", code(path), code(&line), prose(why));
    }
    let lines = line_by_line(before, after).into_iter().map(|(tag, line)| match tag {
        ChangeTag::Insert => format!("+ {line}"),
        ChangeTag::Delete => format!("- {line}"),
        ChangeTag::Equal => format!("  {line}"),
    });
    let lines: Vec<String> = lines.collect();
    format!("  - {} ({})\n{}", code(path), prose(why), folded("lines", "diff", &lines))
}

/// The files of a package that change, each with its lines where they are at hand.
fn files(code_change: &CodeChange) -> String {
    let mut text = String::new();
    for change in code_change.files.iter().flatten() {
        let (heading, words) = file(change);
        text.push_str(&format!("  - {}\n", code(&format!("{} {words}", heading.sign()))));
        if let Some(diff) = change.diff.as_ref().filter(|diff| !diff.is_empty()) {
            let lines: Vec<String> = diff.lines().map(str::to_owned).collect();
            text.push_str(&folded("lines", "diff", &lines));
        }
    }
    text.push_str(&format!("  - {}\n", prose(&package(code_change))));
    text
}

/// Lines that are seen on a click. They are indented, so that they stay within their bullet.
fn folded(what: &str, language: &str, lines: &[String]) -> String {
    let fence = "`".repeat(lines.iter().map(|line| longest_run(line)).max().unwrap_or_default().max(2) + 1);
    let summary = if what == "lines" { count(lines.len(), "line") } else { what.to_owned() };
    let body: String = lines.iter().map(|line| format!("    {}\n", visible(line))).collect();
    format!(
        "\n    <details><summary>{summary}</summary>\n\n    {fence}{language}\n{body}    {fence}\n\n    </details>\n\n"
    )
}

/// A text in a code span.
fn code(text: &str) -> String {
    let text = on_its_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space on both sides is taken away again; without it a fence would grow by a backtick at the text's edge.
    let is_bare = !text.starts_with(['`', ' ']) && !text.ends_with(['`', ' ']) && !text.is_empty();
    if is_bare { format!("{fence}{text}{fence}") } else { format!("{fence} {text} {fence}") }
}

/// A sentence of ours with names in it: what stands between backticks as code, all else as it is read.
fn prose(text: &str) -> String {
    let mut pieces = Vec::new();
    for (index, piece) in text.split('`').enumerate() {
        pieces.push(if index % 2 == 1 { code(piece) } else { escaped(piece) });
    }
    pieces.concat()
}

/// A text of which no character means anything to Markdown, and which mentions nobody.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for it in on_its_line(text).chars() {
        match it {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("@\u{200b}"),
            '\\' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '>' | '!' => escaped.extend(['\\', it]),
            it => escaped.push(it),
        }
    }
    escaped
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
        super::plan(&mut out, plan, Detail::Brief).expect("memory can be written");
        String::from_utf8(out).expect("a plan is text")
    }

    fn queue(properties: &str) -> String {
        format!("Resources: {{Orders: {{Type: AWS::SQS::Queue, Properties: {{{properties}}}}}}}")
    }

    #[test]
    fn a_plan_fits_a_comment() {
        let account = Account::default();
        account.apply(&desired(&queue("QueueName: orders, DelaySeconds: 1"))).expect("nothing crashes");
        expect![[r#"
            **Plan: 0 to create, 1 to update, 0 to destroy.**

            Stack `orders-dev` in account `123456789012`, `us-east-1`.

            ### `~ update in-place` (1)

            - **`Orders`** `AWS::SQS::Queue` `https://sqs.us-east-1.amazonaws.com/123456789012/orders`
              - `DelaySeconds`: `1 -> 2` (template)
        "#]]
        .assert_eq(&markdown(&account.plan(&desired(&queue("QueueName: orders, DelaySeconds: 2")))));
    }

    #[test]
    fn no_value_breaks_out_of_its_place() {
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a\n# b"), "`a\\n# b`");
        let text = folded("lines", "diff", &["+ </details>".to_owned(), "+ ```".to_owned(), "+ a\r# b".to_owned()]);
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
    fn a_sentence_mentions_nobody_and_means_nothing_to_markdown() {
        assert_eq!(
            prose("ask @everyone, `a*b`: <img src=x> [x](y)"),
            "ask @\u{200b}everyone, `a*b`: &lt;img src=x\\> \\[x\\](y)"
        );
    }

    #[test]
    fn a_plan_of_any_size_fits_a_comment_and_says_what_was_left_out() {
        let queues: String = (0..900).map(|it| format!("  Queue{it}: {{Type: AWS::SQS::Queue}}\n")).collect();
        let text = markdown(&Account::default().plan(&desired(&format!("Resources:\n{queues}"))));
        assert!(text.len() <= LONGEST && text.len() > LONGEST / 2, "{}", text.len());
        assert!(text.contains("**Plan: 900 to create") && text.contains("left out"), "{text}");
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    }

    #[test]
    fn an_entry_that_is_too_long_is_named_without_its_details() {
        let mut comment = Comment::default();
        comment.add("- Orders\n", &"x".repeat(LONGEST));
        expect![[r"
            - Orders
              - too long for a comment

            This is more than a comment takes: 1 entry shortened, 0 left out. `paystack plan` shows all.
        "]]
        .assert_eq(&comment.finish());
    }
}

//! HTML: one page that needs nothing beside itself, with the picture of the plan and everything that JSON has.
//!
//! Whatever comes from a template or from AWS is escaped; and no script runs but the page's own, which the page names by its
//! digest.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use sha2::{Digest, Sha256};
use similar::ChangeTag;

use crate::cli::view::brief::brief;
use crate::cli::view::palette::Role;
use crate::cli::view::remarks::{Remark, remarks};
use crate::cli::view::values::{line_by_line, on_one_line, unfolded};
use crate::cli::view::words::{
    Heading, by_service, count, drift_summary, file, following, is_empty, losses, note, package, reason, summary,
};
use crate::package::CodeChange;
use crate::plan::{Action, Drift, Drifted, Happened, Plan, Step};
use crate::visible::visible;

const CSS: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// A plan with its picture, which is an SVG.
pub fn plan(out: &mut dyn Write, plan: &Plan, picture: &str) -> io::Result<()> {
    let plan = &plan.shown();
    let mut body = String::new();
    body.push_str(&head_of_page("Plan", plan.stack.as_str(), &plan.scope.account_id, &plan.scope.region));
    body.push_str(&tag("p", "quiet", &escaped(&summary(plan))));
    body.push_str(&counts(plan));
    body.push_str(&alarm(plan));
    for Remark { kind, role, text } in remarks(plan) {
        let class = if role == Role::Blocked { "alarm" } else { "quiet" };
        body.push_str(&tag("p", class, &format!("<b>{kind}:</b> {}", escaped(&text))));
    }
    body.push_str(&problems(&plan.problems, "; the plan may lack something"));
    if !plan.left_out.is_empty() {
        let words = format!("Left out, as not targeted: {}.", count(plan.left_out.len(), "resource"));
        body.push_str(&tag("p", "quiet", &words));
    }
    if !plan.is_empty() {
        body.push_str(TOOLS);
    }
    for heading in Heading::ALL {
        let steps = heading.steps(plan);
        if !steps.is_empty() {
            body.push_str(&section(plan, heading, &steps));
        }
    }
    if !picture.is_empty() {
        body.push_str("<section><h2>What waits for what</h2><div class=\"graph\">");
        body.push_str(picture);
        body.push_str("</div></section>\n");
    }
    write!(out, "{}", page(&format!("Plan of {}", plan.stack), &body))
}

/// What somebody else did since the last apply.
pub fn drift(out: &mut dyn Write, drift: &Drift) -> io::Result<()> {
    let drift = drift.shown();
    let mut body = head_of_page("Drift", drift.stack.as_str(), &drift.scope.account_id, &drift.scope.region);
    body.push_str(&tag("p", "quiet", &escaped(&drift_summary(&drift))));
    body.push_str(&problems(&drift.problems, ""));
    if !drift.resources.is_empty() {
        body.push_str(TOOLS);
    }
    for Drifted { logical_id, resource_type, physical_id, what, .. } in &drift.resources {
        let (heading, details): (Heading, String) = match what {
            Happened::Deleted => (Heading::Destroy, tag("p", "", "it is no longer there")),
            Happened::Changed { changes } => (
                Heading::Update,
                changes
                    .iter()
                    .map(|it| {
                        change(&it.path.to_string(), it.applied.as_ref(), it.live.as_ref(), &["drift".to_owned()])
                    })
                    .collect(),
            ),
        };
        let summary = summary_line(heading, logical_id.as_str(), resource_type.as_str(), physical_id.as_str(), &[]);
        body.push_str(&folded_step(heading, &summary, &details, true));
    }
    write!(out, "{}", page(&format!("Drift of {}", drift.stack), &body))
}

const TOOLS: &str = "<div class=\"tools\"><input id=\"filter\" type=\"search\" placeholder=\"Filter\" \
    aria-label=\"Filter\"><button id=\"open\">Unfold all</button><button id=\"close\">Fold all</button></div>\n";

/// A diff of more lines is folded.
const SHORT_DIFF: usize = 16;

pub(super) fn page(title: &str, body: &str) -> String {
    let digest = BASE64.encode(Sha256::digest(SCRIPT));
    let has_tools = body.contains(TOOLS);
    let script = if has_tools { format!("<script>{SCRIPT}</script>\n") } else { String::new() };
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'sha256-{digest}'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n{body}\
         <footer>Made by paystack {}.</footer>\n{script}</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn head_of_page(what: &str, stack: &str, account: &str, region: &str) -> String {
    let [stack, account, region] = [stack, account, region].map(escaped);
    format!("<h1>{what} of {stack}</h1>\n<p class=\"quiet\">Account {account}, {region}</p>\n")
}

fn counts(plan: &Plan) -> String {
    let count = |heading: Heading| {
        let number = heading.steps(plan).len();
        let words =
            format!("<span class=\"sign\">{}</span> <b>{number}</b> {}", escaped(heading.sign()), heading.words());
        (number > 0).then(|| format!("<li class=\"{}\">{words}</li>", class(heading)))
    };
    let counts: String = Heading::ALL.into_iter().filter_map(count).collect();
    if counts.is_empty() { counts } else { format!("<ul class=\"counts\">{counts}</ul>\n") }
}

/// Loudly: what goes for good.
fn alarm(plan: &Plan) -> String {
    let lost = plan.steps.iter().flat_map(|step| losses(step).into_iter().map(move |words| (step, words)));
    let lost: String = lost
        .map(|(step, words)| format!("<li><b>{}</b>: {}</li>", escaped(step.logical_id.as_str()), escaped(&words)))
        .collect();
    if lost.is_empty() {
        return lost;
    }
    format!("<div class=\"alarm\" role=\"alert\"><h2>Lost for good, if this is applied</h2><ul>{lost}</ul></div>\n")
}

fn problems(problems: &[String], end: &str) -> String {
    problems.iter().map(|it| tag("p", "alarm", &format!("<b>Warning:</b> {}{end}.", escaped(it)))).collect()
}

/// The steps of one kind; what comes or goes by service.
fn section(plan: &Plan, heading: Heading, steps: &[&Step]) -> String {
    let class = class(heading);
    let sign = escaped(heading.sign());
    let title =
        format!("<span class=\"sign\">{sign}</span> {} <span class=\"quiet\">{}</span>", heading.words(), steps.len());
    let mut text = format!("<section class=\"group {class}\"><h2>{title}</h2>\n");
    let is_grouped = matches!(heading, Heading::Create | Heading::Destroy | Heading::Forget);
    if is_grouped {
        for (service, steps) in by_service(steps) {
            let steps: String = steps.into_iter().map(|step| show_step(plan, heading, step)).collect();
            text.push_str(&format!("<div class=\"service\"><h3>{}</h3>\n{steps}</div>\n", escaped(service)));
        }
    } else {
        steps.iter().for_each(|step| text.push_str(&show_step(plan, heading, step)));
    }
    text + "</section>\n"
}

fn show_step(plan: &Plan, heading: Heading, step: &Step) -> String {
    let facts = match (&step.action, &step.desired, &step.physical_id) {
        (Action::Create { .. }, Some(properties), _) => brief(&step.resource_type, properties),
        (_, _, Some(id)) => id.to_string(),
        _ => String::new(),
    };
    let notes: Vec<String> =
        [note(&step.action), is_empty(step).then(|| "empty".to_owned())].into_iter().flatten().collect();
    let (name, of_type) = (step.logical_id.as_str(), step.resource_type.as_str());
    let summary = summary_line(heading, name, of_type, &facts, &notes);
    let is_open = !matches!(heading, Heading::Create | Heading::Destroy | Heading::Forget);
    folded_step(heading, &summary, &details(plan, step), is_open)
}

fn summary_line(heading: Heading, name: &str, of_type: &str, facts: &str, notes: &[String]) -> String {
    let notes: String = notes.iter().map(|note| format!("<span class=\"tag\">{}</span>", prose(note))).collect();
    let [sign, name, of_type, facts] = [heading.sign(), name, of_type, facts].map(escaped);
    format!(
        "<span class=\"sign\">{sign}</span><b>{name}</b><span class=\"quiet mono\">{of_type}</span>\
         <span class=\"facts mono\">{facts}</span>{notes}"
    )
}

fn folded_step(heading: Heading, summary: &str, details: &str, is_open: bool) -> String {
    let open = if is_open { " open" } else { "" };
    let details = if details.is_empty() { tag("p", "quiet", "Nothing more to say.") } else { details.to_owned() };
    format!(
        "<details class=\"step {}\"{open}><summary>{summary}</summary><div>{details}</div></details>\n",
        class(heading)
    )
}

fn details(plan: &Plan, step: &Step) -> String {
    let mut details = String::new();
    if let Action::Blocked { reason, help } = &step.action {
        details.push_str(&tag("p", "", &prose(reason)));
        details.extend(help.iter().map(|help| tag("p", "quiet", &format!("help: {}", prose(help)))));
    }
    for words in losses(step) {
        details.push_str(&tag("p", "alarm", &format!("Lost for good: {}", escaped(&words))));
    }
    for it in step.changes() {
        let reasons: Vec<String> = reason(it, &step.action).split(", ").map(str::to_owned).collect();
        details.push_str(&change(&it.path.to_string(), it.live.as_ref(), it.desired.as_ref(), &reasons));
        details.extend(step.code_of(it).map(files));
    }
    details.extend(following(plan, step).map(|words| tag("p", "quiet", &prose(&words))));
    let properties = step.properties();
    let lines: Vec<String> = properties.flat_map(|(name, value)| unfolded(name, value)).collect();
    if !lines.is_empty() {
        let is_created = matches!(step.action, Action::Create { .. });
        let block = format!("<pre>{}</pre>", lines.iter().map(|line| span("", line)).collect::<String>());
        details.push_str(&if is_created { block } else { folded("All properties", &block) });
    }
    if !step.dependencies.is_empty() {
        let names: Vec<String> = step.dependencies.iter().map(|id| escaped(id.as_str())).collect();
        details.push_str(&tag("p", "quiet", &format!("Waits for {}.", names.join(", "))));
    }
    details
}

fn change(path: &str, before: Option<&Value>, after: Option<&Value>, reasons: &[String]) -> String {
    let tags: String = reasons
        .iter()
        .map(|reason| {
            let class = if reason == "forces replacement" { "tag forces" } else { "tag" };
            format!(" <span class=\"{class}\">{}</span>", prose(reason))
        })
        .collect();
    let path = format!("<code>{}</code>", escaped(path));
    if let Some(line) = on_one_line(before, after) {
        let (before, after) = line.split_once(" -> ").unwrap_or(("", &line));
        let [before, after] = [before, after].map(escaped);
        return format!(
            "<p class=\"change\">{path}: <span class=\"before mono\">{before}</span> &rarr; \
             <span class=\"after mono\">{after}</span>{tags}</p>\n"
        );
    }
    let lines = line_by_line(before, after);
    let number = lines.iter().filter(|(tag, _)| *tag != ChangeTag::Equal).count();
    let lines: String = lines
        .into_iter()
        .map(|(tag, line)| match tag {
            ChangeTag::Insert => span("added", &format!("+ {line}")),
            ChangeTag::Delete => span("removed", &format!("- {line}")),
            ChangeTag::Equal => span("", &format!("  {line}")),
        })
        .collect();
    let diff = format!("<pre>{lines}</pre>");
    let diff = if number <= SHORT_DIFF { diff } else { folded(&count(number, "changed line"), &diff) };
    format!("<div class=\"change\">{path}{tags}{diff}</div>\n")
}

fn files(code: &CodeChange) -> String {
    let mut text = String::new();
    for change in code.files.iter().flatten() {
        let (heading, words) = file(change);
        let name = format!(
            "<span class=\"{}\"><span class=\"sign\">{}</span></span> <code>{}</code>",
            class(heading),
            escaped(heading.sign()),
            escaped(&words)
        );
        match change.diff.as_ref().filter(|diff| !diff.is_empty()) {
            None => text.push_str(&tag("p", "change", &name)),
            Some(diff) => {
                let lines: String = diff.lines().map(|line| span(class_of_line(line), line)).collect();
                let block = format!("<pre>{lines}</pre>");
                let open = if diff.lines().count() <= SHORT_DIFF { " open" } else { "" };
                text.push_str(&format!("<details class=\"fold\"{open}><summary>{name}</summary>{block}</details>\n"));
            }
        }
    }
    text + &tag("p", "quiet", &escaped(&package(code)))
}

fn class_of_line(line: &str) -> &'static str {
    match line.chars().next() {
        Some('+') => "added",
        Some('-') => "removed",
        Some('@') => "hunk",
        _ => "",
    }
}

fn folded(summary: &str, content: &str) -> String {
    format!("<details class=\"fold\"><summary>{}</summary>{content}</details>\n", escaped(summary))
}

/// A line of a block.
fn span(class: &str, line: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<span{class}>{}</span>", escaped(line))
}

/// An element; the content is HTML already.
pub(super) fn tag(name: &str, class: &str, content: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<{name}{class}>{content}</{name}>\n")
}

fn class(heading: Heading) -> &'static str {
    match heading {
        Heading::Blocked => "blocked",
        Heading::Destroy => "destroy",
        Heading::Replace => "replace",
        Heading::ReplaceCreatingFirst => "replace-create-first",
        Heading::Update => "update",
        Heading::Adopt => "adopt",
        Heading::Forget => "forget",
        Heading::Create => "create",
    }
}

/// A sentence of ours, in which names stand between backticks.
fn prose(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let shown = pieces.map(|(index, piece)| match index % 2 {
        1 => format!("<code>{}</code>", escaped(piece)),
        _ => escaped(piece),
    });
    shown.collect()
}

pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for it in visible(text).chars() {
        match it {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            it => escaped.push(it),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::line::{Account, desired};

    fn html(plan: &Plan) -> String {
        let mut out = Vec::new();
        super::plan(&mut out, plan, "<svg id=\"picture\"></svg>").expect("memory can be written");
        String::from_utf8(out).expect("a page is text")
    }

    fn topic(display_name: &str) -> String {
        format!(
            "Resources: {{News: {{Type: AWS::SNS::Topic, Properties: {{TopicName: news, DisplayName: '{display_name}'}}}}}}"
        )
    }

    #[test]
    fn no_value_becomes_a_part_of_the_page() {
        const EVIL: &str = "</pre><script>alert(1)</script><img src=x onerror=alert(2)> \"a\" &lt;";
        let account = Account::default();
        let made = html(&account.plan(&desired(&topic(EVIL))));
        account.apply(&desired(&topic("harmless"))).expect("nothing crashes");
        let changed = html(&account.plan(&desired(&topic(EVIL))));
        for page in [made, changed] {
            assert_eq!(page.matches("<script>").count(), 1, "{page}");
            assert!(!page.contains("<img") && page.contains("&lt;img src=x"), "{page}");
        }
    }

    #[test]
    fn a_page_asks_for_nothing_beside_itself_and_runs_no_script_but_its_own() {
        let page = html(&Account::default().plan(&desired(&topic("news"))));
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        let digest = BASE64.encode(Sha256::digest(SCRIPT));
        assert!(page.contains(&format!("script-src 'sha256-{digest}'")) && page.contains(SCRIPT));
        assert!(page.contains("<svg id=\"picture\">"));
    }

    #[test]
    fn every_element_that_is_opened_is_closed() {
        let account = Account::default();
        account.apply(&desired(&topic("old"))).expect("nothing crashes");
        let page = html(&account.plan(&desired(&topic("new"))));
        for name in ["section", "details", "summary", "div", "p", "pre", "span", "ul", "li", "h2"] {
            let opened = page.matches(&format!("<{name}>")).count() + page.matches(&format!("<{name} ")).count();
            assert_eq!(opened, page.matches(&format!("</{name}>")).count(), "{name}");
        }
    }
}

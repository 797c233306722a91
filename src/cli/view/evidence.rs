//! Evidence, and what differs between two reports. Every form says the same and none says that a requirement is met.

use std::io::{self, Write};

use serde_json::Value;

use crate::cli::view::html::{escaped, page, tag};
use crate::cli::view::palette::{Role, paint};
use crate::evidence::{Comparison, Difference, Evidence, ReadBy, Report, Status};
use crate::visible::on_its_line;

/// What stands above every report.
const WHAT_IT_IS: &str = "Evidence for an assessment: what was read from the account in this run. Whether a requirement is met is for \
    an assessor to say.";

pub fn text(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "{}\n{WHAT_IT_IS}\n", title(report))?;
    for (number, name, evidence) in report.by_requirement() {
        writeln!(out, "{}", paint(Role::Name, format!("{number}  {name}")))?;
        for (control, all) in by_control(&evidence) {
            let passed = all.iter().filter(|it| matches!(it.status, Status::Pass | Status::Exempt)).count();
            writeln!(out, "  {} {}: {passed} of {}  [{control}]", mark(worst(&all)), all[0].demand, all.len())?;
            for it in all.iter().filter(|it| it.status != Status::Pass) {
                writeln!(out, "       {}", on_its_line(&shortcoming(it)))?;
            }
        }
    }
    writeln!(out, "\n{}", sum(report))
}

pub fn markdown(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "# {}\n\n{WHAT_IT_IS}\n\n{}", title(report), sum(report))?;
    for (number, name, evidence) in report.by_requirement() {
        writeln!(out, "\n## {number} {name}\n\n| | control | resource | field | live | expected | read by |")?;
        writeln!(out, "| --- | --- | --- | --- | --- | --- | --- |")?;
        for it in evidence {
            let live = if it.field.is_empty() { String::new() } else { code(&shown(&it.live)) };
            let cells = [
                word(it.status).to_owned(),
                format!(
                    "{}{}",
                    it.demand,
                    it.reason.as_ref().map(|reason| format!(": {}", prose(reason))).unwrap_or_default()
                ),
                code(it.resource.as_str()),
                if it.field.is_empty() { String::new() } else { code(&it.field) },
                live,
                prose(&it.expected),
                it.read_by.iter().map(|call| prose(&read_by(call))).collect::<Vec<_>>().join("<br>"),
            ];
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
    }
    Ok(())
}

pub fn html(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut body = format!("<h1>{}</h1>\n", escaped(&title(report)));
    body.push_str(&tag("p", "quiet", WHAT_IT_IS));
    body.push_str(&tag("p", "", &escaped(&sum(report))));
    for (number, name, evidence) in report.by_requirement() {
        body.push_str(&format!("<section><h2>{number} {}</h2>\n<table>\n", escaped(name)));
        body.push_str("<tr><th></th><th>control</th><th>resource</th><th>field</th><th>live</th><th>expected</th><th>read by</th></tr>\n");
        for it in evidence {
            let reason = it.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let live = if it.field.is_empty() { String::new() } else { shown(&it.live) };
            let calls: Vec<String> = it.read_by.iter().map(|call| escaped(&read_by(call))).collect();
            let cells = [
                word(it.status),
                &format!("{}{reason}", it.demand),
                it.resource.as_str(),
                &it.field,
                &live,
                &it.expected,
            ];
            let cells: String = cells.iter().map(|cell| tag("td", "", &escaped(cell))).collect();
            body.push_str(&format!("<tr>{cells}<td>{}</td></tr>\n", calls.join("<br>")));
        }
        body.push_str("</table></section>\n");
    }
    write!(out, "{}", page(&title(report), &body))
}

/// What differs, one line each; as Markdown the lines are a list.
pub fn differences(out: &mut dyn Write, comparison: &Comparison, bullet: &str) -> io::Result<()> {
    let Comparison { earlier, later, differences } = comparison;
    if differences.is_empty() {
        return writeln!(out, "Nothing differs between the evidence of {earlier} and of {later}.");
    }
    writeln!(out, "What differs between the evidence of {earlier} and of {later}:\n")?;
    for Difference { control, resource, field, was, is } in differences {
        let side = |side: &Option<crate::evidence::Side>| match side {
            None => "nothing".to_owned(),
            Some(side) if field.is_empty() => word(side.status).to_owned(),
            Some(side) => format!("{} ({})", word(side.status), shown(&side.live)),
        };
        let place = if field.is_empty() { resource.to_string() } else { format!("{resource}.{field}") };
        writeln!(
            out,
            "{bullet}{control} at {}: {} -> {}",
            on_its_line(&place),
            on_its_line(&side(was)),
            on_its_line(&side(is))
        )?;
    }
    Ok(())
}

/// The same as a page of its own.
pub fn differences_page(out: &mut dyn Write, comparison: &Comparison) -> io::Result<()> {
    let mut lines = Vec::new();
    differences(&mut lines, comparison, "")?;
    let lines = String::from_utf8_lossy(&lines);
    let body: String = lines.lines().filter(|line| !line.is_empty()).map(|line| tag("p", "", &escaped(line))).collect();
    write!(out, "{}", page("What differs in the evidence", &body))
}

fn title(report: &Report) -> String {
    let Report { standard, stack, scope, at, .. } = report;
    format!("Evidence for {standard} of {stack} in account {}, {}, read {at}", scope.account_id, scope.region)
}

fn sum(report: &Report) -> String {
    let [pass, fail, exempt, unreadable] =
        [Status::Pass, Status::Fail, Status::Exempt, Status::Unreadable].map(|status| report.count(status));
    format!("{pass} pass, {fail} fail, {exempt} exempt with a reason, {unreadable} could not be read.")
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Fail => "fail",
        Status::Exempt => "exempt",
        Status::Unreadable => "unreadable",
    }
}

fn mark(status: Status) -> impl std::fmt::Display {
    let role = match status {
        Status::Pass => Role::Created,
        Status::Exempt => Role::Changed,
        Status::Fail | Status::Unreadable => Role::Blocked,
    };
    paint(role, format!("{:6}", word(status)))
}

fn worst(evidence: &[&Evidence]) -> Status {
    let order = [Status::Unreadable, Status::Fail, Status::Exempt];
    order.into_iter().find(|status| evidence.iter().any(|it| it.status == *status)).unwrap_or(Status::Pass)
}

/// In the order in which the controls are met.
fn by_control<'a>(evidence: &[&'a Evidence]) -> Vec<(&'a str, Vec<&'a Evidence>)> {
    let mut controls: Vec<(&str, Vec<&Evidence>)> = Vec::new();
    for it in evidence {
        match controls.iter_mut().find(|(control, _)| *control == it.control) {
            Some((_, all)) => all.push(it),
            None => controls.push((&it.control, vec![it])),
        }
    }
    controls
}

fn shortcoming(it: &Evidence) -> String {
    let field = if it.field.is_empty() { String::new() } else { format!(".{} is {}", it.field, shown(&it.live)) };
    let reason = it.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{} {}{field}{reason}; expected: {}", word(it.status), it.resource, it.expected)
}

fn read_by(call: &ReadBy) -> String {
    let ReadBy { operation, request_id, at } = call;
    format!("{operation} {at} {}", request_id.as_deref().unwrap_or("without a request id"))
}

/// A value as far as anybody reads it; JSON has all of it.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 160;
    let text = match value {
        Value::Null => "not set".to_owned(),
        value => value.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// In code, without what would end a cell of a table.
fn code(text: &str) -> String {
    format!("`{}`", on_its_line(text).replace('`', "'").replace('|', "\\|"))
}

/// Without what means something in Markdown.
fn prose(text: &str) -> String {
    let mut escaped = String::new();
    for letter in on_its_line(text).chars() {
        if "\\`*_{}[]<>#|@!".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake::scope;

    fn report() -> Report {
        let at = "2026-11-22T12:00:00Z".parse().expect("a moment");
        let evidence = Evidence {
            control: "table-encryption".into(),
            requirements: vec!["3.5.1".into()],
            demand: "Tables are encrypted with a KMS key".into(),
            resource: "Orders|<b>".into(),
            resource_type: "AWS::DynamoDB::Table".into(),
            physical_id: None,
            field: "SSESpecification".into(),
            expected: "SSEEnabled is true".into(),
            live: json!({"SSEEnabled": false}),
            status: Status::Fail,
            reason: None,
            read_by: vec![ReadBy { operation: "dynamodb.DescribeTable".into(), request_id: Some("ABC".into()), at }],
        };
        let standard = crate::evidence::STANDARD.to_owned();
        Report { version: 1, standard, stack: "orders-dev".into(), scope: scope(), at, evidence: vec![evidence] }
    }

    fn written(write: impl Fn(&mut dyn Write, &Report) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out, &report()).expect("memory can be written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn every_form_names_field_call_and_request_and_none_says_that_a_requirement_is_met() {
        let json = |out: &mut dyn Write, report: &Report| writeln!(out, "{}", json!(report));
        for form in [written(markdown), written(html), written(json)] {
            for said in ["3.5.1", "SSESpecification", "dynamodb.DescribeTable", "ABC", "2026-11-22T12:00:00Z"] {
                assert!(form.replace('\\', "").contains(said), "{said} is missing in {form}");
            }
        }
        for form in [written(text), written(markdown), written(html), written(json)] {
            assert!(!form.to_lowercase().contains("compliant"), "{form}");
        }
        assert!(written(text).contains("Evidence for PCI DSS v4.0.1 of orders-dev"));
    }

    #[test]
    fn what_comes_from_elsewhere_breaks_out_of_no_table() {
        assert!(written(html).contains("Orders|&lt;b&gt;"), "{}", written(html));
        assert!(written(markdown).contains("`Orders\\|<b>`"), "{}", written(markdown));
    }
}

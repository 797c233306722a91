//! The documents: three are generated from the sources, and the commands in all of them are run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use clap::CommandFactory;
use paystack::cli::Arguments;
use paystack::policy::{Level, Rule, rules};
use paystack::property_path::PropertyPath;
use paystack::resource::{Row, TYPES};
use serde_json::Value;

use crate::harness::{Account, Paystack};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Writes the generated documents anew: `PAYSTACK_WRITE_DOCS=1 cargo test --test it docs`.
const WRITE: &str = "PAYSTACK_WRITE_DOCS";

#[track_caller]
fn is_up_to_date(path: &str, text: &str) {
    let file = Path::new(ROOT).join(path);
    if std::env::var_os(WRITE).is_some() {
        fs::write(&file, text).expect("the repository can be written");
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == text, "`{path}` is stale: run `{WRITE}=1 cargo test --test it docs`, and look at what changes");
}

#[test]
fn the_command_reference_is_what_the_commands_say() {
    let mut all = Arguments::command().term_width(100);
    all.build();
    let mut text = String::from(
        "# Commands\n\nGenerated from the command line's own help; `paystack man COMMAND` shows the same as a page of the \
         manual, and `eval \"$(paystack completions bash)\"` makes a shell complete it.\n",
    );
    let mut page = |command: &clap::Command| {
        let name = command.get_bin_name().unwrap_or_default();
        let help = command.clone().render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        text.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
    };
    for command in all.get_subcommands().filter(|command| command.get_name() != "help") {
        page(command);
        command.get_subcommands().filter(|command| command.get_name() != "help").for_each(&mut page);
    }
    is_up_to_date("docs/commands.md", &text);
}

#[test]
fn the_template_reference_is_what_facts_and_handlers_say() {
    let mut text = format!(
        "# Resource types\n\nGenerated from CloudFormation's resource schemas and paystack's handlers: {} types. What is not \
         listed as refused is supported; what is refused is an error that names the place, and never skipped. *Replaces*: a \
         change makes the resource anew.\n\n",
        TYPES.len()
    );
    for row in &TYPES {
        let name = row.handler.resource_type();
        text.push_str(&format!("- [{name}](#{})\n", name.to_lowercase().replace("::", "")));
    }
    for row in &TYPES {
        section(&mut text, row);
    }
    is_up_to_date("docs/resource-types.md", &text);
}

#[test]
fn the_rules_page_is_what_the_rules_say() {
    let mut text = fs::read_to_string(Path::new(ROOT).join("docs/policies.md")).expect("the page is there");
    let generated = text.find(RULES_BEGIN).expect("the page says where the rules begin") + RULES_BEGIN.len();
    text.truncate(generated);
    text.push_str("\n\n| rule | | what has to hold |\n| --- | --- | --- |\n");
    for Rule { id, level, demand, .. } in rules() {
        text.push_str(&format!("| [`{id}`](#{id}) | {} | {} |\n", word(*level), cell(demand)));
    }
    for Rule { id, level, demand, reason, fix, kept_by, broken_by, .. } in rules() {
        text.push_str(&format!("\n### {id}\n\n{demand} ({}).\n\n", word(*level)));
        text.push_str(&format!("- Why: {reason}.\n- What to do: {fix}.\n"));
        for (words, example) in [("Kept", kept_by), ("Broken", broken_by)] {
            text.push_str(&format!("\n{words}:\n\n```yaml\n{}\n```\n", example.trim()));
        }
    }
    is_up_to_date("docs/policies.md", &text);
}

const RULES_BEGIN: &str = "<!-- What follows is generated from the rules. -->";

fn word(level: Level) -> &'static str {
    match level {
        Level::Mandatory => "mandatory",
        Level::Advisory => "advisory",
        Level::Off => "off",
    }
}

fn section(text: &mut String, row: &Row) {
    let (handler, facts) = (row.handler, row.facts());
    let name = handler.resource_type();
    let path = format!("src/resource/facts/{}.json", name.to_lowercase().replace("::", "-"));
    let json = fs::read_to_string(Path::new(ROOT).join(path)).expect("every type has facts");
    let json: Value = serde_json::from_str(&json).expect("facts are JSON");
    let refused: BTreeMap<&str, &str> = handler.refused().iter().copied().collect();
    text.push_str(&format!("\n## {name}\n\n"));
    let attributes: Vec<String> = facts.attributes().map(|attribute| format!("`{attribute}`")).collect();
    if !attributes.is_empty() {
        text.push_str(&format!("`Fn::GetAtt` gives {}.\n", attributes.join(", ")));
    }
    match (facts.tag_property(), handler.generated_name()) {
        (Some(_), Some(generated)) => text.push_str(&format!(
            "Takes the project's tags. Without `{}` it gets a name of stack and logical id.\n",
            generated.property
        )),
        (Some(_), None) => text.push_str("Takes the project's tags.\n"),
        (None, Some(generated)) => {
            text.push_str(&format!("Without `{}` it gets a name of stack and logical id.\n", generated.property));
        }
        (None, None) => {}
    }
    text.push_str("\n| property | value | |\n| --- | --- | --- |\n");
    for property in facts.properties() {
        let schema = &json["schema"]["properties"][property];
        let at = PropertyPath::of(property);
        let mut notes: Vec<String> = Vec::new();
        if facts.is_required(property) {
            notes.push("required".to_owned());
        }
        if let Some(reason) = refused.get(property) {
            notes.push(format!("**refused**: {reason}"));
        } else if facts.is_create_only(&at) || handler.also_create_only().contains(&property) {
            notes.push("replaces".to_owned());
        } else if facts.is_conditionally_create_only(&at) {
            notes.push("may replace".to_owned());
        }
        if facts.is_write_only(&at) {
            notes.push("cannot be read back".to_owned());
        }
        text.push_str(&format!("| `{property}` | {} | {} |\n", kind(schema), cell(&notes.join("; "))));
    }
    let deep: Vec<_> = refused.iter().filter(|(path, _)| path.contains('.')).collect();
    if !deep.is_empty() {
        text.push_str("\nRefused within properties:\n\n");
        for (path, reason) in deep {
            text.push_str(&format!("- `{path}`: {reason}\n"));
        }
    }
}

/// What a property holds, in few words.
fn kind(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array().filter(|values| values.len() <= 8) {
        let values: Vec<String> =
            values.iter().map(|it| format!("`{}`", it.as_str().map_or(it.to_string(), str::to_owned))).collect();
        return values.join(", ");
    }
    if schema["packaged"] == true {
        let other = if schema["$ref"] == "S3Location" { "an object in S3" } else { "inline code" };
        return format!("a local path, or {other}");
    }
    if let Some(name) = schema["$ref"].as_str() {
        return format!("{name} object");
    }
    let range = match (&schema["minimum"], &schema["maximum"]) {
        (Value::Null, Value::Null) => String::new(),
        (least, Value::Null) => format!(", at least {least}"),
        (Value::Null, most) => format!(", at most {most}"),
        (least, most) => format!(", {least} to {most}"),
    };
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", kind(&schema["items"])),
        Some(name) => format!("{name}{range}"),
        None => match schema["type"].as_array() {
            Some(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
            None => "any".to_owned(),
        },
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The documents whose commands are run, each from its top to its end in an account and a project of its own.
const RUN: [&str; 6] =
    ["docs/cdk.md", "docs/sam.md", "docs/migration.md", "docs/operations.md", "docs/pci-dss.md", "docs/daily-work.md"];

/// Commands that cannot be run here, for the reason that stands behind `sh not run:`. One more is a decision.
const NOT_RUN: usize = 9;

struct Block {
    line: usize,
    reason: Option<String>,
    commands: String,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        if open && line.trim() == "```" {
            open = false;
        } else if open {
            let block = blocks.last_mut().expect("a block is open");
            block.commands.push_str(line);
            block.commands.push('\n');
        } else if let Some(rest) = line.strip_prefix("```sh") {
            let reason = rest.trim().strip_prefix("not run:").map(|reason| reason.trim().to_owned());
            blocks.push(Block { line: index + 1, reason, commands: String::new() });
            open = true;
        }
    }
    blocks
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn commands_work(path: &str) {
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    paystack.copy("paystack.toml").copy("examples").copy("handlers");
    // What the account needs once, whatever document is read.
    let account_stack = ["apply", "--auto-approve", "--project", "examples/payments/account/paystack.toml"];
    paystack.run(&account, &account_stack).exits(0);
    for block in blocks(&read(path)).into_iter().filter(|block| block.reason.is_none()) {
        let ran = paystack.run_command(paystack.shell(&account, &block.commands));
        let place = format!("{path}:{}", block.line);
        assert!(
            ran.code == crate::harness::binary::Code::Exit(0),
            "the commands at {place} ended with {:?}\n{}\n--- stdout\n{}--- stderr\n{}",
            ran.code,
            block.commands,
            ran.stdout,
            ran.stderr
        );
    }
}

#[test]
fn the_commands_of_the_daily_work_page_work() {
    commands_work("docs/daily-work.md");
}

#[test]
fn the_commands_of_the_cdk_page_work() {
    commands_work("docs/cdk.md");
}

#[test]
fn the_commands_of_the_sam_page_work() {
    commands_work("docs/sam.md");
}

#[test]
fn the_commands_of_the_operations_page_work() {
    commands_work("docs/operations.md");
}

#[test]
fn the_commands_of_the_migration_page_work() {
    commands_work("docs/migration.md");
}

#[test]
fn the_commands_of_the_pci_dss_page_work() {
    commands_work("docs/pci-dss.md");
}

#[test]
fn commands_that_are_not_run_are_few_and_say_why() {
    let mut not_run = Vec::new();
    for path in RUN {
        let found = blocks(&read(path));
        assert!(!found.is_empty(), "{path} has no commands");
        not_run.extend(found.into_iter().filter_map(|block| Some(format!("{path}:{}: {}", block.line, block.reason?))));
    }
    assert!(not_run.iter().all(|it| !it.ends_with(": ")), "a reason is missing: {not_run:#?}");
    assert_eq!(not_run.len(), NOT_RUN, "{not_run:#?}");
}

#[test]
fn every_link_within_the_documents_leads_somewhere() {
    let documents = fs::read_dir(Path::new(ROOT).join("docs")).expect("there are documents");
    for path in documents
        .map(|entry| entry.expect("it can be read").path())
        .filter(|it| it.extension().is_some_and(|it| it == "md"))
    {
        let text = fs::read_to_string(&path).expect("it is text");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            let is_here = file.is_empty() || file.contains("://") || path.with_file_name(file).exists();
            assert!(is_here, "{}: `{link}` leads nowhere", path.display());
        }
    }
}

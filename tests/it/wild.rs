//! Templates of other people's: every one in the directory that `PAYSTACK_TEMPLATES` names is validated, planned, applied to
//! the emulator, planned again and destroyed, and held against cfn-lint. Without the variable there is nothing to do.
//!
//! What was seen is a table: `PAYSTACK_TEMPLATES=DIRECTORY cargo test --test it wild:: -- --nocapture`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::binary::{Code, Ran};
use crate::harness::{Account, Paystack};

const DIRECTORY: &str = "PAYSTACK_TEMPLATES";

/// What paystack does not do, in the words that its errors begin with: no mistakes of the template's.
const LIMITS: [&str; 7] = [
    "paystack does not handle",
    "paystack uploads code",
    "custom resources are not supported",
    "nested stacks are not supported",
    "this transform is not supported",
    "inline code",
    // Not CloudFormation's: the tool rain replaces it before it deploys.
    "there is no function `!Rain::",
];

/// What is asked of AWS alone, or of a specification newer than the facts: cfn-lint's rules that are not held against paystack.
const OTHER_RULES: [&str; 1] = ["E2533"];

struct Template {
    file: String,
    paystack: Paystack,
    account: Account,
    /// What is given to every command.
    arguments: Vec<String>,
}

/// What was seen of one template.
#[derive(Default)]
struct Row {
    file: String,
    /// The errors of cfn-lint, by rule.
    lint: BTreeSet<String>,
    validate: String,
    plan: String,
    apply: String,
    again: String,
    destroy: String,
}

#[test]
fn templates_in_the_wild() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .expect("the directory can be read")
        .map(|entry| entry.expect("the directory can be read").path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json"))
        .collect();
    files.sort();
    let mut rows = Vec::new();
    for chunk in files.chunks(2) {
        std::thread::scope(|scope| {
            let running: Vec<_> = chunk.iter().map(|file| scope.spawn(|| see(file))).collect();
            rows.extend(running.into_iter().map(|row| row.join().expect("a row")));
        });
    }
    eprintln!(
        "| template | cfn-lint | validate | plan | apply | plan again | destroy |\n| --- | --- | --- | --- | --- | --- | --- |"
    );
    for Row { file, lint, validate, plan, apply, again, destroy } in &rows {
        let lint: Vec<_> = lint.iter().map(String::as_str).collect();
        eprintln!("| {file} | {} | {validate} | {plan} | {apply} | {again} | {destroy} |", lint.join(" "));
    }
    let disagreements: Vec<_> = rows
        .iter()
        .filter(|row| {
            let finds_mistakes = row.validate.starts_with("mistakes");
            finds_mistakes != row.lint.iter().any(|rule| !OTHER_RULES.contains(&rule.as_str()))
        })
        .map(|row| &row.file)
        .collect();
    assert!(disagreements.is_empty(), "paystack and cfn-lint do not agree on {disagreements:?}");
}

fn see(path: &Path) -> Row {
    let mut template = Template::of(path);
    let mut row = Row { file: template.file.clone(), lint: lint(path), ..Row::default() };
    let checked = template.validate();
    row.validate = said(&checked);
    if checked.code != Code::Exit(0) {
        return row;
    }
    template.import();
    let run = |arguments: &[&str]| said(&template.run(arguments));
    row.plan = run(&["plan"]);
    if row.plan != "ok" {
        return row;
    }
    row.apply = run(&["apply", "--auto-approve"]);
    row.again = run(&["plan", "--detailed-exitcode"]);
    row.destroy = run(&["destroy", "--auto-approve"]);
    let left = template.account.census();
    if !left.counts().is_empty() {
        row.destroy = format!("{}, left: {:?}", row.destroy, left.counts());
    }
    row
}

impl Template {
    fn of(path: &Path) -> Self {
        let paystack = Paystack::in_empty_directory();
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        paystack.write(&name, &fs::read_to_string(path).expect("a template is text"));
        let arguments = ["--template", &name, "--stack", "wild", "--skip-unsupported", "--delete-retained"];
        let arguments = arguments.map(str::to_owned).into();
        Self { file: name, paystack, account: Account::fresh(), arguments }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let arguments: Vec<&str> = arguments.iter().copied().chain(self.arguments.iter().map(String::as_str)).collect();
        self.paystack.run(&self.account, &arguments)
    }

    /// Validates, with a value for each parameter that needs one, and with code where the template says that there is some.
    fn validate(&mut self) -> Ran {
        for _ in 0..10 {
            let ran = self.run(&["validate"]);
            let mut is_changed = false;
            for line in ran.stderr.lines() {
                let quoted: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
                if line.ends_with("has no value") {
                    self.give(quoted[0], value_for(quoted[0]));
                    is_changed = true;
                } else if line.contains("which is not a number") {
                    self.give(quoted[0], "1");
                    is_changed = true;
                } else if let Some((_, allowed)) = line.split_once(", which is none of `") {
                    self.give(quoted[0], allowed.split('`').next().unwrap_or_default());
                    is_changed = true;
                } else if line.starts_with("error: there is no file or directory") {
                    let path = Path::new(quoted[0]);
                    fs::create_dir_all(path).expect("a directory can be made");
                    fs::write(path.join("app.py"), "def lambda_handler(event, context):\n    return {}\n")
                        .expect("a file");
                    is_changed = true;
                }
            }
            if !is_changed {
                return ran;
            }
        }
        self.run(&["validate"])
    }

    /// Gives what other stacks would.
    fn import(&mut self) {
        let ran = self.run(&["plan"]);
        let missing = ran.stderr.lines().find_map(|line| line.strip_prefix("error: nothing gives "));
        let names = missing.and_then(|line| line.split_once(", which the stack")).map_or("", |(names, _)| names);
        let names: Vec<String> = names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        self.arguments.extend(names.iter().flat_map(|name| ["--import".to_owned(), format!("{name}=example")]));
    }

    fn give(&mut self, name: &str, value: &str) {
        let is_of_this = |it: &String| it.starts_with(&format!("{name}="));
        if let Some(place) = self.arguments.iter().position(is_of_this) {
            self.arguments[place] = format!("{name}={value}");
        } else {
            self.arguments.extend(["-p".to_owned(), format!("{name}={value}")]);
        }
    }
}

/// What a parameter of this name will probably take.
fn value_for(name: &str) -> &'static str {
    let name = name.to_lowercase();
    let is = |word: &str| name.contains(word);
    match () {
        () if is("email") => "ops@example.com",
        () if is("topic") && is("arn") => "arn:aws:sns:us-east-1:123456789012:example",
        () if is("arn") => "arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-example",
        () if is("bucket") => "example-bucket",
        () => "example",
    }
}

/// How a command ended: `ok`, or the errors without their places.
fn said(ran: &Ran) -> String {
    if ran.code == Code::Exit(0) {
        return "ok".to_owned();
    }
    let errors: BTreeSet<&str> = ran.stderr.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    let is_limit = |error: &str| LIMITS.iter().any(|limit| error.starts_with(limit));
    let is_sum = |error: &str| error.contains(" in `") && error.ends_with('`') && error.contains(" error");
    let errors: Vec<&str> = errors.into_iter().filter(|error| !is_sum(error)).collect();
    let kind = if errors.iter().all(|error| is_limit(error)) { "limits" } else { "mistakes" };
    let blocked: Vec<&str> =
        ran.stdout.lines().filter(|line| line.contains("blocked") || line.contains("failed")).collect();
    format!("{kind} ({:?}): {} {}", ran.code, errors.join("; "), blocked.join("; ").replace('|', "/"))
}

/// The errors of cfn-lint, if it is there.
fn lint(path: &Path) -> BTreeSet<String> {
    let Ok(output) = Command::new("cfn-lint").args(["--format", "json"]).arg(path).output() else {
        return BTreeSet::new();
    };
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let rules = findings.as_array().into_iter().flatten().filter_map(|it| it["Rule"]["Id"].as_str());
    rules.filter(|rule| rule.starts_with('E')).map(str::to_owned).collect()
}

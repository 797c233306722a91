//! Templates of other people's: every one in the directory that `PAYSTACK_TEMPLATES` names is validated, planned, applied to
//! the emulator, planned again and destroyed, and held against cfn-lint; so is the cloud assembly that `PAYSTACK_ASSEMBLY`
//! names. Without the variables there is nothing to do.
//!
//! What was seen is a table: `PAYSTACK_TEMPLATES=DIRECTORY cargo test --test it wild:: -- --nocapture`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::binary::{Code, Ran};
use crate::harness::{Account, Paystack};

pub const DIRECTORY: &str = "PAYSTACK_TEMPLATES";
const ASSEMBLY: &str = "PAYSTACK_ASSEMBLY";

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

/// A handler that every runtime's function of the templates is content with until it is called.
const HANDLER: &str = "def lambda_handler(event, context):\n    return {}\n";

/// A template with what it takes to run paystack on it.
pub struct Template {
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
    let linter = Linter::installed();
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .expect("the directory can be read")
        .map(|entry| entry.expect("the directory can be read").path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json"))
        .collect();
    files.sort();
    let mut rows = Vec::new();
    for chunk in files.chunks(2) {
        std::thread::scope(|scope| {
            let running: Vec<_> = chunk.iter().map(|file| scope.spawn(|| see(file, &linter))).collect();
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
    let names = |is_so: fn(&Row) -> bool| rows.iter().filter(|row| is_so(row)).map(|row| &row.file).collect::<Vec<_>>();
    assert_eq!(names(Row::disagrees), [""; 0], "paystack and cfn-lint do not agree");
    assert_eq!(names(Row::is_stuck), [""; 0], "not planned, applied, planned empty and destroyed");
}

impl Row {
    fn disagrees(&self) -> bool {
        self.validate.starts_with("mistakes") == self.lint.is_empty()
    }

    /// Whether something in scope did not go its whole way. What paystack does not do at all was said at the first step.
    fn is_stuck(&self) -> bool {
        let all = |steps: &[&String]| steps.iter().all(|step| *step == "ok");
        match self.validate.as_str() {
            "ok" => !all(&[&self.plan, &self.apply, &self.again, &self.destroy]),
            _ => false,
        }
    }
}

fn see(path: &Path, linter: &Linter) -> Row {
    let mut template = Template::of(path);
    let mut row = Row { file: template.file.clone(), lint: linter.errors(path), ..Row::default() };
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
    // One watches a function that another stack would have.
    let group = json!({"logGroupName": "/aws/lambda/example"});
    let lacks_group = row.apply.contains("The specified log group does not exist");
    if lacks_group {
        template.account.aws("logs", "create_log_group", group.clone());
        row.apply = run(&["apply", "--auto-approve"]);
    }
    row.again = run(&["plan", "--detailed-exitcode"]);
    row.destroy = run(&["destroy", "--auto-approve"]);
    if lacks_group {
        template.account.aws("logs", "delete_log_group", group);
    }
    let left = template.account.census();
    if !left.counts().is_empty() {
        row.destroy = format!("{}, left: {:?}", row.destroy, left.counts());
    }
    row
}

impl Template {
    pub fn of(path: &Path) -> Self {
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
    pub fn validate(&mut self) -> Ran {
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
                    fs::write(path.join("app.py"), HANDLER).expect("a file");
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
        let value = |name: &str| value_for(name);
        self.arguments.extend(names.iter().flat_map(|name| ["--import".to_owned(), format!("{name}={}", value(name))]));
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

/// What a parameter or an import of this name will probably take.
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

/// cfn-lint in the version that the facts are from.
pub struct Linter {
    venv: PathBuf,
}

impl Linter {
    pub fn installed() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let made = Command::new(root.join("scripts/venv"))
            .args(["cfn-lint", "scripts/requirements.txt"])
            .current_dir(root)
            .output()
            .expect("a shell runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { venv: PathBuf::from(String::from_utf8_lossy(&made.stdout).trim()) }
    }

    /// The rules that a template breaks, of those that are errors.
    pub fn errors(&self, template: &Path) -> BTreeSet<String> {
        self.all_errors(&[template]).remove(template).unwrap_or_default()
    }

    /// The same of many at once; what breaks none is not among them.
    pub fn all_errors(&self, templates: &[&Path]) -> BTreeMap<PathBuf, BTreeSet<String>> {
        let bin = self.venv.join("bin");
        let lint = Command::new(bin.join("python"))
            .arg(bin.join("cfn-lint"))
            .args(["--format", "json"])
            .args(templates)
            .output()
            .expect("cfn-lint runs");
        let findings: Value = serde_json::from_slice(&lint.stdout)
            .unwrap_or_else(|_| panic!("cfn-lint said {}", String::from_utf8_lossy(&lint.stderr)));
        let mut errors: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
        for finding in findings.as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let rule = text(&finding["Rule"]["Id"]);
            if rule.starts_with('E') {
                errors.entry(PathBuf::from(text(&finding["Filename"]))).or_default().insert(rule);
            }
        }
        errors
    }
}

/// Where the assembly was kept without its assets, each is a handler that does nothing.
#[test]
fn an_assembly_in_the_wild() {
    let Some(assembly) = std::env::var_os(ASSEMBLY).map(PathBuf::from) else { return };
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    let copied = Command::new("cp")
        .args(["-r", "--no-preserve=mode"])
        .arg(&assembly)
        .arg(paystack.write("README.md", "An assembly.").path().join("cdk.out"))
        .status();
    assert!(copied.expect("a program to copy with").success(), "the assembly can be copied");
    for entry in fs::read_dir(paystack.path().join("cdk.out")).expect("the assembly can be read") {
        let name = entry.expect("the assembly can be read").file_name().to_string_lossy().into_owned();
        if name.ends_with(".assets.json") {
            let assets: Value = serde_json::from_str(&paystack.read(&format!("cdk.out/{name}"))).expect("JSON");
            let files = assets["files"].as_object().into_iter().flatten().map(|(_, file)| &file["source"]);
            for source in files.filter(|source| source["packaging"] == "zip") {
                let path = format!("cdk.out/{}", source["path"].as_str().expect("an asset has a path"));
                if !paystack.path().join(&path).exists() {
                    paystack.write(&format!("{path}/index.py"), HANDLER);
                }
            }
        }
    }
    let assembly = ["cdk.out", "--delete-retained"];
    let run = |command: &[&str], code: i32| paystack.run(&account, &[command, &assembly].concat()).exits(code);
    run(&["validate"], 0);
    run(&["plan", "--detailed-exitcode"], 2);
    paystack.goes_the_whole_way(&account, &assembly);
}
